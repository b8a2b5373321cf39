"""What is refused: one line that says where and why, exit code 2, and nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.lines import corpus, event_row, found, ltrr, rows, search_row


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["the catalogue is empty"]),
        ('{"_id": "a"}\n{"_id": "b"}\n{"_id": "a"}\n', ["line 3", "duplicate", "'a'", "line 1"]),
        ('{"_id": "a"}\n\n{"title": "no id"}\n', ["line 3", "`_id`"]),
        ('{"_id": "a"}\n{"_id": "b",}\n', ["line 2", "not valid JSON"]),
        ('["a"]\n', ["line 1", "expected a JSON object"]),
        ('{"_id": "a", "title": 7}\n', ["line 1", "`title`"]),
    ],
)
def test_a_bad_corpus_is_refused_and_leaves_no_index(
    tmp_path: Path, content: str, parts: list[str]
) -> None:
    path, out = tmp_path / "corpus.jsonl", tmp_path / "out"
    path.write_text(content, encoding="utf-8")
    ltrr("index", path, "--out", out, "--generators", "bm25").refused(path, *parts)
    assert not (out / "CURRENT").exists()
    corpus(path)
    assert ltrr("index", path, "--out", out, "--generators", "bm25").code == 0


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--budget", "0"], ["budget", "above 0"]),
        (["--generators", "bm25,psychic"], ["'psychic'", "known are"]),
        (["--generators", "bm25", "--model", "some-model"], ["--model", "dense"]),
    ],
)
def test_bad_settings_are_refused(tmp_path: Path, options: list[str], parts: list[str]) -> None:
    path = corpus(tmp_path / "corpus.jsonl")
    ltrr("index", path, "--out", tmp_path / "out", *options).refused(*parts)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["x" * 1_001], ["1,001 characters", "limit is 1,000"]),
        (["rain", "-k", "0"], ["k: found 0"]),
        (["rain", "-k", "-3"], ["k: found -3"]),
        (["rain", "--filter", "colour=red"], ["unknown field 'colour'", "artist, genre, type"]),
        (["rain", "--filter", "colour"], ["--filter", "FIELD=VALUE"]),
        (["rain", "--time", "tomorrow"], ["--time", "ISO 8601"]),
    ],
)
def test_bad_searches_are_refused(index: Path, arguments: list[str], parts: list[str]) -> None:
    ltrr("search", index, *arguments).refused(*parts)
    failed = ltrr("search", index, *arguments, "--json")
    assert (failed.code, failed.out) == (2, "")
    assert parts[0] in json.loads(failed.err)["error"]


def test_bad_feedback_is_refused_whole(index: Path) -> None:
    shown = found(index, "summer rain", "-k", "1")
    impression = shown["impression_id"]
    ltrr("feedback", index, "no-such-search", "--click", "t1").refused("'no-such-search'")
    ltrr("feedback", index, impression, "--click", "t1", "--click", "t7").refused(
        "'t7' was not shown", impression
    )
    ltrr("feedback", index, impression, "--event", "yodel=t1").refused("'yodel'", "known are")
    ltrr("feedback", index, impression, "--event", "play").refused("ACTION=ID")
    ltrr("feedback", index, impression).refused("nothing to record")
    assert ltrr("feedback", index, impression, "--click", "t1", "--json").json["new"] == 1


@pytest.mark.parametrize(
    ("queries", "events", "parts"),
    [
        ([search_row("q1", "rain"), {"query_id": "q2"}], [], ["ubi_queries", "line 2"]),
        ([search_row("q1", "x", timestamp="noon")], [], ["ubi_queries", "line 1", "ISO 8601"]),
        ([], [event_row("t1"), {"action_name": 3}], ["ubi_events", "line 2", "`action_name`"]),
        ([], [event_row("t1"), event_row("t99")], ["ubi_events", "row 2", "'t99'"]),
        (
            [search_row("q1", "x")],
            [event_row("t1", query_id="q7")],
            ["ubi_events", "row 1", "'q7'"],
        ),
    ],
)
def test_a_bad_log_is_refused_whole(
    index: Path,
    tmp_path: Path,
    queries: list[dict[str, object]],
    events: list[dict[str, object]],
    parts: list[str],
) -> None:
    rows(tmp_path / "ubi_queries.jsonl", queries)
    rows(tmp_path / "ubi_events.jsonl", events)
    ltrr("import", index, tmp_path).refused(*parts)
    assert "Nothing new to learn" in ltrr("learn", index).out


def test_files_that_are_no_log_are_refused(index: Path, tmp_path: Path) -> None:
    queries = rows(tmp_path / "a.jsonl", [search_row("q1", "x")])
    again = rows(tmp_path / "b.jsonl", [search_row("q2", "x")])
    other = rows(tmp_path / "c.jsonl", [{"_id": "t1"}])
    (tmp_path / "empty").mkdir()
    ltrr("import", index, tmp_path / "empty").refused("ubi_queries.jsonl")
    ltrr("import", index, queries, again).refused(again, "second file")
    ltrr("import", index, other).refused(other, "line 1", "`user_query`")
    ltrr("import", index, tmp_path / "none.jsonl").refused("none.jsonl", "no such file")


@pytest.mark.parametrize("command", ["search", "learn", "feedback", "import"])
def test_a_folder_without_an_index_is_refused(tmp_path: Path, command: str) -> None:
    log = rows(tmp_path / "q.jsonl", [search_row("q1", "x")])
    more = {"search": ["x"], "feedback": ["i", "--click", "t1"], "import": [str(log)], "learn": []}
    ltrr(command, tmp_path / "nowhere", *more[command]).refused("nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_damaged_snapshot_is_refused_with_its_file(index: Path) -> None:
    manifest = next(index.glob("snapshots/*/manifest.json"))
    manifest.write_text("{", encoding="utf-8")
    ltrr("search", index, "x").refused("manifest.json")
    ltrr("feedback", index, "i", "--click", "t1").refused("manifest.json")


def test_an_interruption_is_no_traceback(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.SearchEngine.learn", interrupted)
    ran = ltrr("learn", index)
    assert ran.code == 130
    assert "interrupted" in ran.err
