"""The tagger learns a planted language, runs as it was trained, and survives being saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from conversation.base import AnnotatedTurn, Dialogue, Slot
from conversation.tag_features import Past, labels, seen
from conversation.tag_training import Recipe, examples, fields_of, train
from conversation.tagger import FILE, Tagger
from retrievers.base import Document, Heard, Turn
from retrievers.structured import Structured

ARTISTS = ["Blue Owl", "Red Fox", "Tin Moon", "Glass River", "Paper Sun"]
TRACKS = ["Silver", "Night Walk", "Rain Again", "Home", "Wild Geese"]


def catalogue() -> Structured:
    made = Structured()
    documents = [Document(a, a, "", "artist") for a in ARTISTS]
    documents += [
        Document(t, t, "", "track", {"artist": a}) for t, a in zip(TRACKS, ARTISTS, strict=True)
    ]
    made.add(np.arange(len(documents), dtype=np.int32), documents)
    return made


def said(text: str, **slots: str) -> AnnotatedTurn:
    spans = tuple(Slot(n, v, text.index(v), text.index(v) + len(v)) for n, v in slots.items())
    return AnnotatedTurn("user", text, spans)


def dialogues() -> list[Dialogue]:
    rng = np.random.default_rng(3)
    made = []
    for number in range(150):
        artist, track = ARTISTS[int(rng.integers(4))], TRACKS[int(rng.integers(4))]
        turns = (
            said(f"play {track} by {artist}", track=track, artist=artist),
            AnnotatedTurn("system", f"Playing {track}.", (Slot("track", track, 8, 8 + len(track)),)),
            said(f"more of {artist} please", artist=artist) if number % 2 else said("what else is there"),
        )  # fmt: skip
        made.append(Dialogue(str(number), turns))
    return made


@pytest.fixture(scope="module")
def known() -> Structured:
    return catalogue()


@pytest.fixture(scope="module")
def tagger(known: Structured) -> Tagger:
    given = dialogues()
    fields = fields_of(given)
    recipe = Recipe(embedding=8, hidden=12, epochs=6, batch=8, rate=1e-2)
    return train(examples(given, fields, known.hear), fields, recipe)


def read(tagger: Tagger, known: Structured, text: str) -> set[tuple[str, str]]:
    heard = known.hear(text)
    best = known.readings(heard, tagger.label(heard, Past()))
    return {(span.field, span.value) for span in best[0].spans} if best else set()


def test_it_learns_what_is_what_and_reads_names_it_has_not_seen(
    tagger: Tagger, known: Structured
) -> None:
    assert tagger.fields == ("artist", "track")
    assert read(tagger, known, "play Rain Again by Tin Moon") == {
        ("track", "Rain Again"),
        ("artist", "Tin Moon"),
    }
    unseen = {("track", "Wild Geese"), ("artist", "Paper Sun")}
    assert read(tagger, known, "play wild geese by paper sun") == unseen
    assert read(tagger, known, "play wild gese by paper sun") == unseen
    assert read(tagger, known, "what else is there") == set()


def test_labels_are_probabilities(tagger: Tagger, known: Structured) -> None:
    for text in ("play Rain Again by Tin Moon", "", "?", "x " * 60):
        heard = known.hear(text)
        found = tagger.label(heard, Past.of([Turn("system", "Playing Home.")], [["track"]]))
        n = len(heard.places)
        assert found.begins.shape == found.goes_on.shape == (n, 2)
        whole = np.exp(found.outside) + np.exp(found.begins).sum(1) + np.exp(found.goes_on).sum(1)
        np.testing.assert_allclose(whole, np.ones(n), rtol=1e-4)


def test_the_same_examples_give_the_same_tagger(known: Structured) -> None:
    given = dialogues()[:20]
    fields = ("artist", "track")
    recipe = Recipe(embedding=4, hidden=4, epochs=1)
    one, two = (train(examples(given, fields, known.hear), fields, recipe) for _ in range(2))
    heard = known.hear("play Rain Again by Tin Moon")
    assert one.label(heard, Past()).begins.tobytes() == two.label(heard, Past()).begins.tobytes()


def test_save_and_load(tagger: Tagger, known: Structured, tmp_path: Path) -> None:
    tagger.save(tmp_path)
    loaded = Tagger.load(tmp_path)
    again = tmp_path / "again"
    again.mkdir()
    loaded.save(again)
    assert (again / FILE).read_bytes() == (tmp_path / FILE).read_bytes()
    heard = known.hear("play Rain Again by Tin Moon")
    for one, two in zip(
        loaded.label(heard, Past()).begins, tagger.label(heard, Past()).begins, strict=True
    ):
        np.testing.assert_allclose(one, two, atol=0.05)


def test_what_is_no_tagger_is_refused(tagger: Tagger, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="are the weights those of the 1 fields"):
        Tagger(("artist",), tagger._weights)
    with pytest.raises(FileNotFoundError, match="train-conversation"):
        Tagger.load(tmp_path)
    (tmp_path / FILE).write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="damaged"):
        Tagger.load(tmp_path)
    save_file({"words": np.zeros((2, 2), np.float32)}, tmp_path / FILE)
    with pytest.raises(ValueError, match="found format None"):
        Tagger.load(tmp_path)


def test_it_speaks_of_catalogues_of_its_fields_alone(tagger: Tagger) -> None:
    assert tagger.suits(("artist", "track"))
    assert not tagger.suits(("artist", "book"))
    assert not tagger.suits(("artist",))


def test_an_excluded_value_is_labelled_without_what_excludes_it() -> None:
    text = "but no live ones"
    heard = Heard(text, ((0, 3), (4, 6), (7, 11), (12, 16)), ())
    slots = (Slot("not_version", "live", 4, 11),)
    assert labels(heard.places, slots, {"version": 0}).tolist() == [0, 0, 1, 0]
    assert seen(heard, Past(), {"version": 0}).columns.shape == (4, 13)


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(ValueError, match="found 0 utterances"):
        train([], ("artist",))
