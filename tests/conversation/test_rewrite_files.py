from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.main import app
from conversation.renaming import renamed
from conversation.rewrite_data import RewriteExample
from conversation.rewrite_files import read_asked
from conversation.rewrite_layouts import read_layout
from conversation.rewrite_tokens import keys
from conversation.scenes import examples
from conversation.shortening import shortened
from retrievers.base import Turn
from tests.conversation.rewriting_world import small_rewriter

MUDOCO = {
    "example_id": "music-1-turn2", "domain": "music", "query": "Who sings it ?", "rewrite": "Who sings Ghost ?",
    "context": [{"role": "user", "text": "Play Ghost ."}, {"role": "system", "text": "Playing Ghost ."}],
}  # fmt: skip
CANARD = {
    "History": ["Ann Lee", "Career", "When did she start?", "In 1990."], "QuAC_dialog_id": "q", "Question_no": 2,
    "Question": "Did she win?", "Rewrite": "Did Ann Lee win?",
}  # fmt: skip
LINKED = {
    "dialog_id": "d", "domain": "music",
    "turns": [
        {"number": 1, "utterance": "Play Ghost .", "named_entities": {"entity": ["Ghost"]}, "references": {}, "links": []},
        {"number": 2, "utterance": "Playing Ghost .", "named_entities": {}, "references": {}, "links": []},
        {
            "number": 3, "utterance": "Who sings it ?", "named_entities": {"entity": ["it"]}, "references": {},
            "links": [[{"turn": 1, "text": "Ghost"}, {"turn": 3, "text": "it"}], [{"turn": 3, "text": "it"}]],
        },
    ],
}  # fmt: skip
CQR = [
    {
        "scenario": {},
        "dialogue": [
            {"turn": "driver", "data": {"utterance": "will it rain"}},
            {"turn": "assistant", "data": {"utterance": "Where ?"}},
            {"turn": "driver", "data": {"utterance": "Boston"}},
            {
                "turn": "assistant", "data": {"utterance": "No rain ."},
                "reformulation": {
                    "base_utt_idx": 0, "reformulated_utt": "will it rain in Boston",
                    "mturk_reformulations": ["rain in Boston ?"],
                },
            },
        ]
    }
]  # fmt: skip


def written(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_every_layout_is_known_by_its_rows(tmp_path: Path) -> None:
    (one,) = read_layout(written(tmp_path / "a.jsonl", MUDOCO))
    assert (one.query, one.rewrite, one.turns[1].speaker) == (
        "Who sings it ?",
        "Who sings Ghost ?",
        "system",
    )
    (two,) = read_layout(written(tmp_path / "b.jsonl", CANARD))
    assert (two.rewrite, len(two.turns), two.style) == ("Did Ann Lee win?", 3, "canard")
    (three,) = read_layout(written(tmp_path / "c.jsonl", LINKED))
    assert (three.rewrite, three.style) == ("Who sings Ghost ?", "linked")
    assert three.group == one.group
    four, five = read_layout(written(tmp_path / "d.json", CQR))
    assert (four.query, four.rewrite, [turn.text for turn in four.turns]) == (
        "will it rain", "will it rain in Boston", ["Where ?", "Boston"],
    )  # fmt: skip
    assert five.style == "crowd"


def test_unknown_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected the keys of one of these layouts"):
        read_layout(written(tmp_path / "a.jsonl", {"text": "hello"}))
    with pytest.raises(FileNotFoundError, match="expected dialogues"):
        read_layout(tmp_path / "missing.jsonl")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"query": "it"}, "expected two strings"),
        ({"example_id": "a", "query": "it", "context": "x"}, "expected a list"),
        ({"example_id": "a", "query": "it", "context": [{"role": "bot", "text": "x"}]}, "a role of user or system"),
        ([1], "expected a JSON object"),
    ],
)  # fmt: skip
def test_bad_rows_are_named(tmp_path: Path, row: object, says: str) -> None:
    path = written(tmp_path / "a.jsonl", {"example_id": "ok", "query": "x"}, row)
    with pytest.raises(ValueError, match=f"a.jsonl:2: .*{says}"):
        list(read_asked(path))


def test_the_command_rewrites_a_packed_file(tmp_path: Path) -> None:
    small_rewriter().save(tmp_path / "model")
    asked = tmp_path / "asked.jsonl.gz"
    asked.write_bytes(gzip.compress((json.dumps(MUDOCO) + "\n").encode()))
    out = tmp_path / "out.jsonl"
    command = [
        "rewrite",
        str(asked),
        "--model",
        str(tmp_path / "model"),
        "--out",
        str(out),
        "--json",
    ]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    (row,) = map(json.loads, out.read_text().splitlines())
    assert set(row) == {"id", "rewrite", "confidence"}
    assert row["id"] == "music-1-turn2"
    assert json.loads(result.output)["queries"] == 1


def test_the_command_refuses_a_folder_without_a_rewriter(tmp_path: Path) -> None:
    asked = written(tmp_path / "asked.jsonl", MUDOCO)
    result = CliRunner().invoke(
        app, ["rewrite", str(asked), "--model", str(tmp_path), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 2


def test_scenes_repeat_by_seed_and_say_nothing_that_was_not_heard() -> None:
    made = examples(300, np.random.default_rng(1))
    assert made == examples(300, np.random.default_rng(1))
    assert not any(
        "{" in text for e in made for text in (e.query, e.rewrite, *(t.text for t in e.turns))
    )
    changed = [e for e in made if keys(e.query) != keys(e.rewrite)]
    assert 100 < len(changed) < 280
    for e in changed:
        heard = set(keys(" ".join((e.query, *(turn.text for turn in e.turns)))))
        assert sum(word not in heard for word in keys(e.rewrite)) <= 6


def test_names_are_exchanged_throughout() -> None:
    turns = (Turn("user", "Call Mary Smith ."), Turn("system", "Calling Mary ."))
    example = RewriteExample("a", "g", turns, "tell her hello", "tell Mary Smith hello")
    made = renamed(example, np.random.default_rng(0))
    assert made is not None
    _, first, last, _ = made.turns[0].text.split()
    assert first != "Mary"
    assert made.turns[1].text == f"Calling {first} ."
    assert made.rewrite == f"tell {first} {last} hello"
    assert (made.query, made.group) == (example.query, "g")


def test_a_name_said_before_becomes_a_pronoun() -> None:
    turns = (Turn("user", "Call Mary ."), Turn("system", "Calling Mary ."))
    query = "When does Mary leave ?"
    made = shortened(RewriteExample("a", "g", turns, query, query), np.random.default_rng(0))
    assert made is not None
    assert (made.query, made.rewrite) == ("When does she leave ?", query)
