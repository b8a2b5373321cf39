"""`ltrr validate`: every planted problem is found, by file and line, and nothing else."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.validation import ValidationReport, validate
from engine import BadDocuments
from tests.cli.lines import ltrr

Rows = dict[str, list[Any]]
"""File to its lines: an object to write as JSON, text or bytes to write as they are."""


def good() -> Rows:
    def search(n: int, **more: object) -> dict[str, object]:
        time = f"2026-01-0{n}T10:00:00Z"
        return {
            "query_id": f"s{n}",
            "user_query": "one",
            "client_id": "c",
            "timestamp": time,
        } | more

    def event(n: int, document: str, **more: object) -> dict[str, object]:
        attributes = {"object": {"object_id": document}, "position": {"ordinal": n}, "weight": 0.5}
        time = f"2026-01-0{n}T10:00:00+00:00"
        return {"action_name": "click", "timestamp": time, "event_attributes": attributes} | more

    policy = {"id": "linucb", "depths": {"bm25": 20, "dense": 0}, "propensity": 0.25}
    return {
        "corpus.jsonl": [
            {"_id": "d1", "title": "One"},
            {"_id": "d2", "title": None, "text": "", "metadata": {"type": "track"}},
            {"_id": "d3", "text": "Three", "metadata": None},
        ],
        "queries.jsonl": [{"_id": "q1", "text": "one"}, {"_id": "q2", "text": "two"}],
        "qrels/train.tsv": ["query-id\tcorpus-id\tscore", "q1\td1\t2", "q1\td3\t-1"],
        "qrels/test.tsv": ["query-id\tcorpus-id\tscore", "q2\td1\t0"],
        "ubi_queries.jsonl": [
            search(1, user_id="u", query_response_hit_ids=["d1", "d2"]),
            search(2, query_attributes={"policy": policy}),
            search(3, user_query=""),
        ],
        "ubi_events.jsonl": [
            event(1, "d1", user_id="u"),
            event(2, "d2", query_id="s2", event_id="e1"),
            event(3, "d3", query_id="s1", event_id="e2"),
        ],
    }


def written(folder: Path, files: Rows, gz: bool = False) -> Path:
    for name, rows in files.items():
        path = folder / (name + ".gz" * gz)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = b"".join(
            (
                row
                if isinstance(row, bytes)
                else (row if isinstance(row, str) else json.dumps(row)).encode()
            )
            + b"\n"
            for row in rows
        )
        path.write_bytes(gzip.compress(content) if gz else content)
    return folder


def found(report: ValidationReport) -> list[tuple[str, int, str]]:
    return [(p.file, p.line, p.kind) for p in report.problems]


@pytest.mark.parametrize("gz", [False, True])
def test_nothing_is_wrong_with_a_good_data_set(tmp_path: Path, gz: bool) -> None:
    report = validate(written(tmp_path, good(), gz))
    assert report.problems == ()
    assert report.ok
    lines = {name + ".gz" * gz: len(rows) for name, rows in good().items()}
    assert report.rows == lines


@pytest.mark.parametrize(
    "file", ["queries.jsonl", "qrels/train.tsv", "ubi_queries.jsonl", "ubi_events.jsonl"]
)
def test_all_but_the_corpus_may_be_missing(tmp_path: Path, file: str) -> None:
    files = {name: rows for name, rows in good().items() if name == "corpus.jsonl"}
    if file == "ubi_events.jsonl":
        files[file] = good()[file][:1]
    elif file != "qrels/train.tsv":
        files[file] = good()[file]
    assert validate(written(tmp_path, files)).ok


def drop(file: str, row: int, *keys: str) -> Callable[[Rows], None]:
    def change(files: Rows) -> None:
        at = files[file][row]
        for key in keys[:-1]:
            at = at[key]
        del at[keys[-1]]

    return change


def put(file: str, row: int, value: object, *keys: str) -> Callable[[Rows], None]:
    def change(files: Rows) -> None:
        at: Any = files[file]
        place: Any = row
        for key in keys:
            at, place = at[place], key
        at[place] = value

    return change


def add(file: str, value: object) -> Callable[[Rows], None]:
    return lambda files: files[file].append(value)


CORPUS, TEXTS, TRAIN = "corpus.jsonl", "queries.jsonl", "qrels/train.tsv"
SEARCHES, EVENTS = "ubi_queries.jsonl", "ubi_events.jsonl"
OBJECT = ("event_attributes", "object", "object_id")
POLICY = ("query_attributes", "policy")
PLANTED = [
    # Dangling ids.
    (put(TRAIN, 1, "q9\td1\t2"), (TRAIN, 2, "unknown query"), "'q9'"),
    (put(TRAIN, 1, "q1\td9\t2"), (TRAIN, 2, "unknown document"), "'d9'"),
    (put(EVENTS, 1, "d9", *OBJECT), (EVENTS, 2, "unknown document"), "'d9'"),
    (put(EVENTS, 1, "s9", "query_id"), (EVENTS, 2, "unknown query"), "'s9'"),
    (put(SEARCHES, 0, ["d1", "d9"], "query_response_hit_ids"), (SEARCHES, 1, "unknown document"), "'d9'"),
    # Missing fields.
    (drop(CORPUS, 1, "_id"), (CORPUS, 2, "missing field"), "`_id`"),
    (put(CORPUS, 1, "", "_id"), (CORPUS, 2, "missing field"), "`_id`"),
    (drop(CORPUS, 0, "title"), (CORPUS, 1, "missing field"), "neither `title` nor `text`"),
    (drop(TEXTS, 1, "text"), (TEXTS, 2, "missing field"), "`text`"),
    (put(TRAIN, 1, "q1\td1"), (TRAIN, 2, "missing field"), "2 columns"),
    (put(TRAIN, 1, "q1\t\t1"), (TRAIN, 2, "missing field"), "score"),
    (drop(SEARCHES, 2, "query_id"), (SEARCHES, 3, "missing field"), "`query_id`"),
    (drop(SEARCHES, 1, "user_query"), (SEARCHES, 2, "missing field"), "`user_query`"),
    (drop(SEARCHES, 1, "timestamp"), (SEARCHES, 2, "missing field"), "`timestamp`"),
    (drop(SEARCHES, 1, *POLICY, "depths"), (SEARCHES, 2, "missing field"), "policy.depths"),
    (drop(SEARCHES, 1, *POLICY, "propensity"), (SEARCHES, 2, "missing field"), "policy.propensity"),
    (drop(EVENTS, 0, "action_name"), (EVENTS, 1, "missing field"), "`action_name`"),
    (drop(EVENTS, 0, "timestamp"), (EVENTS, 1, "missing field"), "`timestamp`"),
    (drop(EVENTS, 0, "event_attributes"), (EVENTS, 1, "missing field"), "`event_attributes`"),
    (drop(EVENTS, 0, "event_attributes", "object"), (EVENTS, 1, "missing field"), "object_id"),
    # Wrong JSON and wrong bytes.
    (put(CORPUS, 1, "{'_id': 1}"), (CORPUS, 2, "not JSON"), "column 2"),
    (put(EVENTS, 0, "[1, 2]"), (EVENTS, 1, "not JSON"), "found list"),
    (put(EVENTS, 0, "[" * 100_000), (EVENTS, 1, "not JSON"), "deep"),
    (put(TEXTS, 1, b'{"_id": "q\xff"}'), (TEXTS, 2, "unreadable"), "not UTF-8"),
    # Order of time.
    (put(SEARCHES, 1, "2025-12-31", "timestamp"), (SEARCHES, 2, "unordered timestamp"), "row above"),
    (put(EVENTS, 1, "2025-12-31", "timestamp"), (EVENTS, 2, "unordered timestamp"), "row above"),
    # The search it answers is of the third of January, the event of the second.
    (put(EVENTS, 1, "s3", "query_id"), (EVENTS, 2, "unordered timestamp"), "its search 's3'"),
    # Duplicates.
    (add(CORPUS, {"_id": "d1", "title": "x"}), (CORPUS, 4, "duplicate id"), "'d1'"),
    (add(TEXTS, {"_id": "q1", "text": "x"}), (TEXTS, 3, "duplicate id"), "'q1'"),
    (add(TRAIN, "q1\td1\t2"), (TRAIN, 4, "duplicate id"), "a second time"),
    (put(SEARCHES, 2, "s1", "query_id"), (SEARCHES, 3, "duplicate id"), "'s1'"),
    (put(EVENTS, 2, "e1", "event_id"), (EVENTS, 3, "duplicate id"), "'e1'"),
    # Wrong values.
    (put(CORPUS, 1, 7, "_id"), (CORPUS, 2, "wrong value"), "`_id` is 7"),
    (put(CORPUS, 1, ["a"], "text"), (CORPUS, 2, "wrong value"), "`text`"),
    (put(CORPUS, 1, "{}", "metadata"), (CORPUS, 2, "wrong value"), "`metadata`"),
    (put(TRAIN, 1, "q1\td1\tgood"), (TRAIN, 2, "wrong value"), "'good'"),
    (put(SEARCHES, 0, "noon", "timestamp"), (SEARCHES, 1, "wrong value"), "ISO 8601"),
    (put(SEARCHES, 0, 1_700_000_000, "timestamp"), (SEARCHES, 1, "wrong value"), "ISO 8601"),
    (put(SEARCHES, 0, ["d1", 2], "query_response_hit_ids"), (SEARCHES, 1, "wrong value"), "holds 2"),
    (put(SEARCHES, 1, 0.0, *POLICY, "propensity"), (SEARCHES, 2, "wrong value"), "propensity"),
    (put(SEARCHES, 1, {"bm25": -1}, *POLICY, "depths"), (SEARCHES, 2, "wrong value"), "depths"),
    (put(SEARCHES, 1, "linucb", *POLICY), (SEARCHES, 2, "wrong value"), "policy"),
    (put(SEARCHES, 1, [], "query_attributes"), (SEARCHES, 2, "wrong value"), "is [], expected an object"),
    (put(EVENTS, 0, 3, "action_name"), (EVENTS, 1, "wrong value"), "`action_name` is 3"),
    (put(EVENTS, 0, 3, "query_id"), (EVENTS, 1, "wrong value"), "`query_id` is 3"),
    (put(EVENTS, 0, 3, *OBJECT), (EVENTS, 1, "wrong value"), "object_id` is 3"),
    (put(EVENTS, 0, float("nan"), "event_attributes", "weight"), (EVENTS, 1, "wrong value"), "weight"),
    (put(EVENTS, 0, {"ordinal": 0}, "event_attributes", "position"), (EVENTS, 1, "wrong value"), "ordinal"),
    (put(EVENTS, 0, "x" * 500, "event_attributes"), (EVENTS, 1, "wrong value"), "…"),
    # Without its header the first judgement would be passed over; it is still checked itself.
    (lambda files: files[TRAIN].pop(0), (TRAIN, 1, "missing header"), "query-id"),
]  # fmt: skip


@pytest.mark.parametrize(("plant", "expected", "says"), PLANTED, ids=[str(p[1:]) for p in PLANTED])
def test_a_planted_problem_is_found_and_nothing_else(
    tmp_path: Path, plant: Callable[[Rows], None], expected: tuple[str, int, str], says: str
) -> None:
    files = good()
    plant(files)
    report = validate(written(tmp_path, files))
    named = [p for p in report.problems if (p.file, p.line, p.kind) == expected]
    assert len(named) == 1
    assert says in named[0].message
    assert len(named[0].message) < 300
    # What named the row that is broken dangles now; nothing else may be reported.
    others = [p for p in report.problems if p is not named[0]]
    assert all(p.kind.startswith("unknown") for p in others)
    assert all("'d2'" in p.message or "'q2'" in p.message for p in others)


def test_all_problems_come_in_one_report_and_more_than_the_limit_are_counted(
    tmp_path: Path,
) -> None:
    files = good()
    for n in range(50):
        files[EVENTS].append({"action_name": "click", "timestamp": f"2026-02-01T00:00:{n:02}Z"})
        files[TRAIN].append(f"q1\tx{n}\t1")
    del files[CORPUS][2]["text"]
    written(tmp_path, files)
    report = validate(tmp_path, limit=3)
    assert report.counts == {"missing field": 51, "unknown document": 50}
    assert report.total == 101
    assert not report.ok
    assert [p.line for p in report.problems if p.kind == "unknown document"] == [4, 5, 6]
    assert len(validate(tmp_path).problems) == 101


def test_one_search_far_ahead_is_one_problem_not_one_for_every_row_after_it(tmp_path: Path) -> None:
    files = good()
    files[EVENTS].insert(0, files[EVENTS][0] | {"timestamp": "2030-01-01"})
    assert found(validate(written(tmp_path, files))) == [(EVENTS, 2, "unordered timestamp")]


def test_blank_lines_count_as_lines(tmp_path: Path) -> None:
    files = good()
    files[EVENTS] = ["", files[EVENTS][0], "  ", "{"]
    assert found(validate(written(tmp_path, files))) == [(EVENTS, 4, "not JSON")]


def test_a_missing_corpus_is_said_once(tmp_path: Path) -> None:
    files = good()
    del files[CORPUS]
    assert found(validate(written(tmp_path, files))) == [(CORPUS, 0, "missing file")]
    assert str(validate(tmp_path).problems[0]) == "corpus.jsonl: there is no corpus"


def test_judgements_without_queries_are_said_once(tmp_path: Path) -> None:
    files = good()
    del files[TEXTS]
    assert found(validate(written(tmp_path, files))) == [(TEXTS, 0, "missing file")]


def test_a_cut_off_file_is_checked_as_far_as_it_goes(tmp_path: Path) -> None:
    files = good()
    files[EVENTS] = [json.dumps(files[EVENTS][0])] * 20_000
    written(tmp_path, files, gz=True)
    path = tmp_path / f"{EVENTS}.gz"
    path.write_bytes(path.read_bytes()[:-20])
    ((file, line, kind),) = found(validate(tmp_path))
    assert (file, kind) == (f"{EVENTS}.gz", "unreadable")
    assert line > 1_000
    path.write_bytes(b"not gzip")
    assert found(validate(tmp_path)) == [(f"{EVENTS}.gz", 1, "unreadable")]


def test_the_command_says_what_is_wrong_and_exits_with_1(tmp_path: Path) -> None:
    files = good()
    files[TRAIN] += [f"q1\tx{n}\t1" for n in range(30)]
    written(tmp_path, files)
    ran = ltrr("validate", tmp_path)
    said = " ".join(ran.out.split())
    assert (ran.code, ran.err) == (1, "")
    assert "30 problems" in said
    assert "qrels/train.tsv, line 4: no document has the id 'x0'" in said
    assert "x19" in said
    assert "x20" not in said
    assert "… and 10 more" in said
    assert "x29" in ltrr("validate", tmp_path, "--limit", 0).out
    ran = ltrr("validate", tmp_path, "--json")
    report = json.loads(ran.out)
    assert ran.code == 1
    assert (report["ok"], report["total"], len(report["problems"])) == (False, 30, 30)
    assert report["problems"][0] == {
        "file": "qrels/train.tsv",
        "line": 4,
        "kind": "unknown document",
        "message": "no document has the id 'x0'",
    }


def test_the_command_exits_with_0_where_nothing_is_wrong(tmp_path: Path) -> None:
    written(tmp_path, good())
    ran = ltrr("validate", tmp_path)
    assert ran.code == 0
    assert "nothing wrong" in " ".join(ran.out.split())
    assert ltrr("validate", tmp_path, "--json").json["ok"] is True


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDocuments, match="no such folder"):
        validate(tmp_path / "nowhere")
    ltrr("validate", tmp_path / "nowhere").refused("no such folder")
