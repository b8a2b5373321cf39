from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from conversation.base import AnnotatedTurn, Dialogue, Slot
from conversation.gold_walks import teach
from conversation.pointer_decoding import Decoding
from conversation.pointer_generator import PointerGenerator, Shape
from conversation.pointer_reading import Networks
from conversation.rewrite_batches import collate, prepare
from conversation.rewrite_data import of_dialogues
from conversation.rewrite_features import Words, encode
from conversation.rewrite_text import text_of
from conversation.rewrite_tokens import keys
from conversation.rewriter import FILE, Rewriter, Trust
from conversation.rewriter_training import Member, Task, assembled, fit_trust, train_rewriter
from conversation.weighing import MOST_LOG_ODDS
from retrievers.base import Turn
from tests.conversation.rewriting_world import RECIPE, small_rewriter

TURNS = (Turn("user", "Play Blue River by Ana Lee ."), Turn("system", "Playing Blue River ."))
WORDS = Words(
    {word: at + 3 for at, word in enumerate(["play", "by", "who", "sings", "it", ".", "playing"])},
    ("the", "song"),
    frozenset(["play", "by", "who", "sings", "it", "playing"]),
)


def test_the_first_line_of_a_conversation_and_an_empty_one_stay() -> None:
    rewriter = small_rewriter()
    assert rewriter.rewrite((), "Who sings it ?").text == "Who sings it ?"
    assert rewriter.rewrite(TURNS, "   ").text == "   "


def test_confidence_is_a_probability_and_a_batch_is_its_rows() -> None:
    rewriter = small_rewriter()
    asked = [(TURNS, "Who sings it ?"), (TURNS, "Thanks ."), ((), "Play it")]
    made = rewriter.rewrite_many(asked)
    assert made == [rewriter.rewrite(*one) for one in asked]
    assert all(0 <= one.confidence <= 1 for one in made)


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    rewriter = small_rewriter()
    rewriter.save(tmp_path)
    again = Rewriter.load(tmp_path)
    assert again.trust == rewriter.trust
    assert again.words == rewriter.words
    asked = (TURNS, "Who sings it ?")
    assert again.propose(*asked).worth == pytest.approx(rewriter.propose(*asked).worth, abs=0.05)
    first = (tmp_path / FILE).read_bytes()
    again.save(tmp_path)
    assert (tmp_path / FILE).read_bytes() == first


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    one, other = small_rewriter(), small_rewriter.__wrapped__()
    one.save(tmp_path / "one")
    other.save(tmp_path / "other")
    assert (tmp_path / "one" / FILE).read_bytes() == (tmp_path / "other" / FILE).read_bytes()


def test_threads_share_one() -> None:
    rewriter = small_rewriter()
    expected = rewriter.rewrite(TURNS, "Who sings it ?")
    found: list[bool] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(rewriter.rewrite(TURNS, "Who sings it ?") == expected)
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"found no rewriter\.safetensors.*train-conversation"
    ):
        Rewriter.load(tmp_path)
    (tmp_path / FILE).write_bytes(b"nothing")
    with pytest.raises(ValueError, match="expected a rewriter"):
        Rewriter.load(tmp_path)
    about = json.dumps({"format": "ltrr rewriter", "version": 99})
    save_file({"x": np.zeros(1, np.float32)}, tmp_path / FILE, {"about": about})
    with pytest.raises(ValueError, match="version 99, expected 'ltrr rewriter' version 2"):
        Rewriter.load(tmp_path)


def test_numpy_reads_and_steps_as_torch_does() -> None:
    """The likelihood of a gold walk by the training network is that which decoding gives it."""
    import torch

    torch.manual_seed(3)
    network = PointerGenerator(Shape(len(WORDS.read) + 3, 2, 16, 1, 4)).eval()
    read = encode(TURNS, "Who sings it ?", WORDS)
    taught = teach(read, keys("who sings the song Blue River"), WORDS)
    batch = collate([prepare(read, taught, 2, "gold", 1.0)], 2)
    with torch.inference_mode():
        likelihoods = network(batch)[0].numpy()
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    networks = Networks([weights], 4)
    decoding = Decoding(networks, read, networks.read(read, None), WORDS.say)
    kept = teach(read, ["who", "sings", "it"], WORDS)
    with torch.inference_mode():
        alone = network(collate([prepare(read, kept, 2, "gold", 1.0)], 2)).sum()
    assert decoding.alone() == pytest.approx(float(torch.exp(alone)), rel=1e-4)
    walks = {text_of(read, steps, WORDS.say): chance for chance, steps in decoding.search(60)}
    wanted = "Who sings the song Blue River ?"
    if wanted in walks:
        assert walks[wanted] == pytest.approx(float(np.exp(likelihoods.sum())), rel=0.2)


def test_what_is_kept_stays_as_typed_and_what_is_copied_as_said() -> None:
    read = encode(TURNS, "And  who's on  it, please ?", WORDS)
    blue = read.keys.index("blue")
    keep, say = (0, -1), (2, blue)
    steps = [keep, keep, keep, keep, (1, -1), say, (2, blue + 1), keep, keep]
    assert text_of(read, steps, WORDS.say) == "And who's on Blue River, please ?"


def test_trust_holds_the_idle_rate_and_is_calibrated() -> None:
    rng = np.random.default_rng(0)
    worth = rng.normal(0, 3, 4000)
    needed = rng.random(4000) < 1 / (1 + np.exp(-(0.5 * worth - 1)))
    trust = fit_trust(worth, needed, 0.02)
    assert trust.slope == pytest.approx(0.5, abs=0.1)
    assert trust.offset == pytest.approx(-1, abs=0.2)
    changed = np.array([trust.of(x) >= trust.threshold for x in worth[~needed]])
    assert changed.mean() <= 0.02
    assert changed.mean() > 0.015


def test_calibration_of_few_queries_does_not_overshoot() -> None:
    worth = np.array([5.0, 6.5, 5.7, 2.1, 2.0, 1.4, 0.7, 2.8, 0.1, 2.2])
    needed = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0], bool)
    trust = fit_trust(worth, needed, 0.02)
    assert trust.of(6.0) > 0.6 > 0.4 > trust.of(1.0)
    assert trust.of(2.8) < trust.threshold <= trust.of(5.0)


def test_several_networks_are_allowed_what_they_change_together() -> None:
    rng = np.random.default_rng(1)
    needed = rng.random(3000) < 0.3
    one = Member({}, rng.normal(0, 2, 3000) + 3 * needed, needed)
    task = Task([], WORDS, RECIPE, 0, 0)
    networks = [small_rewriter()._members[0]]
    alone = assembled([task], [replace(one, weights=networks[0])])
    several = assembled([task] * 2, [replace(one, weights=networks[0])] * 2)
    assert several.trust.threshold < alone.trust.threshold


def test_dialogues_with_rewrites_are_examples() -> None:
    said = (
        AnnotatedTurn("user", "play believer", (Slot("track", "believer", 5, 13),), rewrite="play believer"),
        AnnotatedTurn("system", "playing believer"),
        AnnotatedTurn("user", "who sings it", rewrite="who sings believer"),
        AnnotatedTurn("user", "thanks"),
    )  # fmt: skip
    first, second = of_dialogues([Dialogue("d", said)])
    assert first.turns == ()
    assert (second.query, second.rewrite, len(second.turns)) == (
        "who sings it",
        "who sings believer",
        2,
    )
    assert second.turns[0].entities == ("believer",)


def test_a_query_is_rewritten_where_its_rewrite_is_worth_it() -> None:
    rewriter = small_rewriter()
    for query in ("Who sings it ?", "Call him", "Thanks .", "Read that message again"):
        proposal, made = rewriter.propose(TURNS, query), rewriter.rewrite(TURNS, query)
        believed = rewriter.trust.of(proposal.worth) >= rewriter.trust.threshold
        assert made.text == (proposal.text if believed else query)


def test_rewrites_are_searched_only_where_one_could_be_worth_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rewriter = small_rewriter()
    worth = rewriter.propose(TURNS, "Who sings it ?").worth
    sceptical = Trust(threshold=Trust().of(worth + 4 * MOST_LOG_ODDS) + 1e-9)
    monkeypatch.setattr(rewriter, "trust", sceptical)
    monkeypatch.setattr(Decoding, "search", lambda *_: pytest.fail("searched"))
    assert rewriter.rewrite(TURNS, "Who sings it ?").text == "Who sings it ?"


def test_training_without_examples_is_refused() -> None:
    with pytest.raises(ValueError, match="expected some"):
        train_rewriter([], recipe=RECIPE)
