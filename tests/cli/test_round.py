"""A whole round: index, import, search, feedback, learn."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import EngineConfig, SearchEngine
from tests.cli.lines import corpus, event_row, found, ids, ltrr, rows, search_row


def test_a_whole_round_changes_what_is_found(index: Path) -> None:
    before = found(index, "quiet evening")
    assert before["hits"][0]["id"] != "t3"
    assert "t3" in ids(before)
    for user in ("ann", "bob", "eve"):
        shown = found(index, "quiet evening", "--user", user)["impression_id"]
        assert ltrr("feedback", index, shown, "--click", "t3").code == 0
    assert ids(found(index, "quiet evening")) == ids(before)  # nothing is learnt before learn
    report = ltrr("learn", index, "--json").json
    assert (report["searches"], report["events"]) == (5, 3)
    after = found(index, "quiet evening")
    assert after["hits"][0]["id"] == "t3"
    assert after["hits"][0]["sources"]["memory"]["rank"] == 1


def test_filters_join_values_of_a_field_and_cross_fields(index: Path) -> None:
    assert set(ids(found(index, "low tide", "-f", "type=artist"))) == {"a1"}
    either = found(
        index, "rain", "--filter", "genre=rock", "--filter", "genre=pop", "-f", "type=track"
    )
    assert set(ids(either)) <= {"t1", "t4", "t5", "t6", "t7"}
    assert {"t1", "t4"} <= set(ids(either))


def test_an_empty_query_gives_what_is_popular(index: Path) -> None:
    assert found(index, "")["hits"]
    assert "popular" in ltrr("search", index, "").out


def test_the_same_event_twice_counts_once(index: Path) -> None:
    shown = found(index, "summer rain")
    say = ("feedback", index, shown["impression_id"], "--click", "t1", "--event", "skip=t2")
    assert ltrr(*say, "--json").json == {
        "impression_id": shown["impression_id"], "new": 2, "known": 0,
    }  # fmt: skip
    again = ltrr(*say, "--click", "t3").out
    assert "Recorded 1 new event (2 events known already, counted once)" in again


def test_import_of_a_folder_and_of_files(index: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    searches = [search_row(f"q{i}", "roof music", user_id="u") for i in range(3)]
    events = [event_row("t4", query_id=f"q{i}") for i in range(3)] + [event_row("t5", user_id="u")]
    with gzip.open(log / "ubi_queries.jsonl.gz", "wt", encoding="utf-8") as out:
        out.write("".join(json.dumps(row) + "\n" for row in searches))
    rows(log / "ubi_events.jsonl", events)
    report = ltrr("import", index, log, "--json").json
    assert report["searches"] == {"read": 3, "new": 3, "known": 0}
    assert report["events"] == {"read": 4, "new": 4, "known": 0}
    other = rows(tmp_path / "any.jsonl", events[:3])
    assert "3 events there already, counted once" in ltrr("import", index, other).out
    ltrr("learn", index)
    after = found(index, "roof music")
    assert after["hits"][0]["id"] == "t4"
    assert "memory" in after["hits"][0]["sources"]


def test_import_can_leave_out_what_is_unknown(index: Path, tmp_path: Path) -> None:
    log = rows(tmp_path / "e.jsonl", [event_row("gone"), event_row("t1"), event_row("gone too")])
    ltrr("import", index, log).refused(log, "row 1", "'gone'")
    report = ltrr("import", index, log, "--skip-unknown", "--json").json
    assert report["skipped"] == 2
    assert report["events"] == {"read": 1, "new": 1, "known": 0}


def test_trees_and_pruning_can_be_left_out(index: Path, tmp_path: Path) -> None:
    path, out = corpus(tmp_path / "corpus.jsonl"), tmp_path / "plain"
    plain = ("--generators", "bm25,memory", "--no-foresight", "--drawn", "0")
    done = ltrr("index", path, "--out", out, *plain)
    assert done.code == 0, done.err
    for folder, expected in ((index, True), (out, False)):
        with SearchEngine.load(folder) as engine:
            assert engine.config.foresight is expected
            assert (engine.state.foresight is not None) is expected
            assert engine.config.drawn == (EngineConfig().drawn if expected else 0.0)


def test_index_refuses_a_folder_in_use_and_a_missing_corpus(index: Path, tmp_path: Path) -> None:
    path = corpus(tmp_path / "corpus.jsonl")
    ltrr("index", path, "--out", index).refused(index, "holds an index already")
    ltrr("index", tmp_path / "no.jsonl", "--out", tmp_path / "o").refused(
        "no.jsonl", "no such file"
    )
    ltrr("index", path, "--out", path).refused(path)


class Letters:
    """An encoder that counts letters: it stands for a model named on the command line."""

    def __init__(self, model: str) -> None:
        self.identity = f"letters:{model}"

    def encode(self, texts: list[str], /) -> NDArray[np.float32]:
        counts = [[1 + text.lower().count(c) for c in "aeioustrnl"] for text in texts]
        return np.array(counts, np.float32)


def test_an_index_remembers_its_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrievers.encoder.SentenceEncoder", Letters)
    path, out, model = corpus(tmp_path / "corpus.jsonl"), tmp_path / "out", tmp_path / "model"
    with_model = ("index", path, "--out", out, "--generators", "dense", "--model", model)
    ltrr(*with_model).refused("--model", model)
    model.mkdir()
    assert ltrr(*with_model).code == 0
    assert found(out, "Summer Rain The Gardeners")["hits"][0]["sources"]["dense"]["rank"] == 1
