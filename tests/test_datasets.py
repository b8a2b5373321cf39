"""Data sets, judgements, searches and events: read, written and refused."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.datasets import read_dataset
from benchmarks.judgements import divided, in_first, read_qrels, write_qrels
from engine import BadDocuments, BadEvent, BadInput, Event, LoggedSearch
from engine.formats import (
    event_to_json,
    read_events,
    read_searches,
    search_to_json,
    write_json_lines,
)

DATA = Path(os.environ.get("LTRR_DATA", Path(__file__).parents[2] / "shared" / "data"))
WHEN = "2026-01-05T10:00:00Z"


def lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    return path


@pytest.fixture(params=["", ".gz"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    gz = str(request.param)
    lines(tmp_path / f"corpus.jsonl{gz}", [{"_id": f"d{i}", "title": f"D {i}"} for i in range(4)])
    lines(
        tmp_path / f"queries.jsonl{gz}",
        [{"_id": "q1", "text": "one"}, {"_id": "q2", "text": "two"}],
    )
    (tmp_path / "qrels").mkdir()
    write_qrels(tmp_path / "qrels" / f"test.tsv{gz}", {"q1": {"d0": 2, "d1": 0}, "q2": {"d3": 1}})
    lines(
        tmp_path / f"ubi_queries.jsonl{gz}",
        [{"query_id": "s1", "user_query": "one", "client_id": "ann", "timestamp": WHEN}],
    )
    item = {"object": {"object_id": "d2"}}
    lines(
        tmp_path / f"ubi_events.jsonl{gz}",
        [
            {"action_name": "listen", "user_id": "ann", "timestamp": WHEN, "event_attributes": item},
            {"action_name": "click", "query_id": "s1", "timestamp": WHEN, "event_attributes": item},
        ],
    )  # fmt: skip
    return tmp_path


def test_a_data_set_is_read_from_its_folder(folder: Path) -> None:
    dataset = read_dataset(folder)
    assert [document.id for document in dataset.documents()] == ["d0", "d1", "d2", "d3"]
    assert dataset.texts() == {"q1": "one", "q2": "two"}
    assert list(dataset.qrels) == ["test"]
    assert dataset.judgements("test") == {"q1": {"d0": 2, "d1": 0}, "q2": {"d3": 1}}
    assert [(s.id, s.query, s.user) for s in dataset.searches()] == [("s1", "one", "ann")]
    assert [e.action for e in dataset.events()] == ["listen", "click"]
    assert [e.action for e in dataset.events(profile=False)] == ["click"]
    assert dataset.name == folder.name


def test_all_but_the_corpus_may_be_missing(tmp_path: Path) -> None:
    with pytest.raises(BadDocuments, match="no such folder"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(BadDocuments, match=r"holds no corpus.jsonl"):
        read_dataset(tmp_path)
    lines(tmp_path / "corpus.jsonl", [{"_id": "d", "title": "D"}])
    dataset = read_dataset(tmp_path)
    assert dataset.qrels == {}
    with pytest.raises(BadEvent, match="ubi_queries"):
        dataset.searches()
    with pytest.raises(BadEvent, match="ubi_events"):
        dataset.events()
    with pytest.raises(BadInput, match=r"queries.jsonl"):
        dataset.texts()
    with pytest.raises(BadInput, match="split: found 'test'"):
        dataset.judgements("test")


def split_set(folder: Path, **splits: Mapping[str, Mapping[str, int]]) -> Path:
    lines(folder / "corpus.jsonl", [{"_id": "d", "title": "D"}])
    (folder / "qrels").mkdir(exist_ok=True)
    for name, qrels in splits.items():
        write_qrels(folder / "qrels" / f"{name}.tsv", qrels)
    return folder


def test_splits_that_are_there_are_taken_as_they_are(tmp_path: Path) -> None:
    both = read_dataset(split_set(tmp_path, train={"a": {"d": 1}}, test={"b": {"d": 1}}))
    expected = ({"a": {"d": 1}}, {"b": {"d": 1}})
    assert both.learn_and_report("train", "test") == expected
    assert both.learn_and_report("train", "test", 0.5) == expected


@pytest.mark.parametrize(("learn", "report"), [("train", "test"), ("dev", "train"), ("train",) * 2])
def test_a_missing_split_is_cut_from_the_other_by_a_hash_of_the_ids(
    tmp_path: Path, learn: str, report: str
) -> None:
    qrels = {f"q{i}": {"d": 1} for i in range(1000)}
    dataset = read_dataset(split_set(tmp_path, train=qrels))
    with pytest.raises(BadInput, match=r"--split 0\.8"):
        dataset.learn_and_report(learn, report)
    first, second = dataset.learn_and_report(learn, report, 0.8)
    assert first.keys().isdisjoint(second)
    assert first | second == qrels
    assert 750 < len(first) < 850
    fewer, _ = dataset.learn_and_report(learn, report, 0.5)
    assert fewer.keys() < first.keys()


def test_what_no_split_can_answer_is_refused(tmp_path: Path) -> None:
    same = {"a": {"d": 1}}
    dataset = read_dataset(split_set(tmp_path, train=same, test=same))
    with pytest.raises(BadInput, match="1 queries, such as 'a', are judged in both"):
        dataset.learn_and_report("train", "test", 0.8)
    with pytest.raises(BadInput, match="neither the split 'x' nor 'y', only test, train"):
        dataset.learn_and_report("x", "y", 0.8)
    with pytest.raises(BadInput, match="between 0 and 1"):
        divided(same, 1.0)


def test_the_hash_of_an_id_never_changes() -> None:
    # Were it to, queries learnt from yesterday would be reported on today.
    assert [in_first(f"q{i}", 0.5) for i in range(8)] == [
        True, False, True, True, True, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("layout", ["beir", "trec"])
@pytest.mark.parametrize("name", ["q.tsv", "q.tsv.gz"])
def test_judgements_go_there_and_back(tmp_path: Path, layout: Any, name: str) -> None:
    qrels = {"q 1" if layout == "beir" else "q1": {"d1": 3, "d2": 0}, "q2": {"d1": -1}}
    write_qrels(tmp_path / name, qrels, layout)
    assert read_qrels(tmp_path / name) == qrels


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("query-id\tcorpus-id\tscore\nq1\td1\n", r"line 2: found 2 columns"),
        ("q1\td1\tgood\n", r"line 1: grade 'good'"),
        ("q1 0 d1 1 more\n", r"line 1: found 5 columns"),
    ],
)
def test_broken_judgements_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "q.tsv").write_text(text)
    with pytest.raises(BadInput, match=message):
        read_qrels(tmp_path / "q.tsv")


def test_searches_and_events_go_there_and_back(tmp_path: Path) -> None:
    time = datetime(2026, 1, 5, 10, 0, 0, 250_000, UTC)
    searches = [
        LoggedSearch("s1", "día", time, "ann", ("d1", "d2"), {"policy": {"propensity": 0.5}}),
        LoggedSearch("s2", "", time),
    ]
    events = [
        Event("click", "d1", time, 2, 0.5, "e1", "ann", "s1"),
        Event("listen", "d2", time, user="bo"),
        Event("purchase", "d3", time),
    ]
    for name in ("plain.jsonl", "packed.jsonl.gz"):
        path = tmp_path / name
        assert write_json_lines(path, map(search_to_json, searches)) == 2
        assert list(read_searches(path)) == searches
        assert write_json_lines(path, map(event_to_json, events)) == 3
        assert list(read_events(path)) == events
    with pytest.raises(BadEvent, match=r"Event\.time"):
        event_to_json(Event("click", "d1"))


def test_the_same_rows_give_the_same_compressed_bytes(tmp_path: Path) -> None:
    paths = [tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl.gz"]
    for path in paths:
        write_json_lines(path, [{"a": 1}])
    assert paths[0].read_bytes() == paths[1].read_bytes()
