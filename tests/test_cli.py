"""The command line: a whole round, what is printed, and what is refused."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from cli.main import app
from cli.output import counted, duration, plain

TRACKS = [
    ("t1", "Summer Rain", "The Gardeners", "pop"),
    ("t2", "Summer Night", "Ana Vale", "jazz"),
    ("t3", "Winter Rain", "Ana Vale", "jazz"),
    ("t4", "Rain on Summer Roofs", "Low Tide", "rock"),
    ("t5", "Paper Planes at Noon", "Low Tide", "rock"),
    ("t6", "[Untitled] (b-side)", "The Gardeners", "pop"),
    ("t7", "Ночной поезд", "Вокзал", "rock"),
]


class Ran:
    """What a command line left behind."""

    def __init__(self, arguments: Sequence[object]) -> None:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr
        self.raised = result.exception

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)

    def refused(self, *parts: object) -> None:
        """One line on standard error that holds the parts, exit code 2, nothing else printed."""
        assert (self.code, self.out) == (2, ""), (self.raised, self.err)
        assert self.err.startswith("error: ")
        assert self.err.count("\n") == 1
        for part in parts:
            assert str(part) in self.err


def ltrr(*arguments: object) -> Ran:
    return Ran(arguments)


def rows(path: Path, documents: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(d) + "\n" for d in documents), encoding="utf-8")
    return path


def corpus(path: Path) -> Path:
    return rows(
        path,
        [
            {"_id": i, "title": t, "metadata": {"type": "track", "artist": a, "genre": [g]}}
            for i, t, a, g in TRACKS
        ]
        + [{"_id": "a1", "title": "Low Tide", "metadata": {"type": "artist"}}],
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    done = ltrr(
        "index", corpus(folder / "corpus.jsonl"), "--out", folder / "index",
        "--generators", "bm25,fuzzy,memory,popular",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "Indexed 8 documents" in done.out
    assert "track 7, artist 1" in done.out
    return folder / "index"


@pytest.fixture
def index(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "index"))


def found(index: Path, *arguments: object) -> Any:
    return ltrr("search", index, *arguments, "--json").json


def ids(answer: Mapping[str, Any]) -> list[str]:
    return [hit["id"] for hit in answer["hits"]]


def search_row(id: str, query: str, **more: object) -> dict[str, object]:
    return {"query_id": id, "user_query": query, "timestamp": "2026-01-05T10:00:00Z", **more}


def event_row(document: str, **more: object) -> dict[str, object]:
    return {
        "action_name": "click",
        "timestamp": "2026-01-05T10:00:09Z",
        "event_attributes": {"object": {"object_id": document}},
        **more,
    }


def test_a_whole_round_changes_what_is_found(index: Path) -> None:
    before = found(index, "rooftops")
    assert "t5" not in ids(before) or before["hits"][0]["id"] != "t5"
    for _ in range(3):
        answer = found(index, "rooftops", "--user", "ann")
        shown = found(index, "noon", "--user", "ann")
        assert "t5" in ids(shown)
        wanted = ids(shown)[0]
        ltrr("feedback", index, shown["impression_id"], "--click", wanted)
        assert answer["impression_id"] != shown["impression_id"]
    report = ltrr("learn", index, "--json").json
    assert report["events"] == 3
    assert report["searches"] == 7
    after = found(index, "noon")
    assert after["hits"][0]["id"] == "t5"
    assert "memory" in after["hits"][0]["sources"]


def test_learn_says_in_words_what_it_did(index: Path) -> None:
    assert "Nothing new to learn" in ltrr("learn", index).out
    shown = found(index, "summer rain")
    ltrr("feedback", index, shown["impression_id"], "--click", "t4")
    said = ltrr("learn", index).out
    assert "Learnt from 1 search and 1 event" in said
    assert "rrf" in said
    assert "Nothing new to learn" in ltrr("learn", index).out


def test_results_are_readable_and_ids_are_whole(index: Path) -> None:
    out = ltrr("search", index, "summer", "rain", "-k", "3").out
    assert [line.split()[0] for line in out.splitlines() if " t1 " in line] == ["1"]
    assert "Summer Rain" in out
    assert "The Gardeners" in out
    assert "\x1b" not in out
    hint = next(line for line in out.splitlines() if "ltrr feedback" in line)
    words = hint[hint.index("ltrr feedback") :].split()
    assert ltrr(*words[1:]).out.startswith("Recorded 1 new event")


def test_brackets_in_titles_are_no_markup(index: Path) -> None:
    assert "[Untitled] (b-side)" in ltrr("search", index, "untitled").out
    assert "[Untitled] (b-side)" in ltrr("search", index, "untitled", "--explain").out


def test_json_tells_everything(index: Path) -> None:
    answer = found(index, "summer rain", "-k", "2")
    assert ids(answer)[0] == "t1"
    assert len(answer["hits"]) == 2
    assert set(answer["plan"]) == {"bm25", "fuzzy", "memory", "popular"}
    assert answer["hits"][0]["sources"]["bm25"]["rank"] == 1
    assert answer["hits"][0]["metadata"]["artist"] == "The Gardeners"
    assert 0 < answer["propensity"] <= 1
    steps = answer["explanation"]["steps"]
    assert [step["generator"] for step in steps] == list(answer["plan"])
    assert ltrr("search", index, "поезд", "--json").out.count("Ночной поезд") == 1


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


def test_explain_draws_the_way(index: Path) -> None:
    out = ltrr("search", index, "summer rain", "--explain").out
    places = [
        out.index(word) for word in ("rewrite", "plan", "retrieval", "ranking", "Summer Rain")
    ]
    assert places == sorted(places)
    assert "expected gain" in out
    assert "found by bm25 at 1" in out


@pytest.mark.parametrize(
    ("item", "reason", "says"),
    [
        ("t1", "shown", "among the first"),
        ("nobody", "unknown", "Not in the index"),
        ("a1", "filtered", "Filtered out"),
    ],
)
def test_explain_item_says_why(index: Path, item: str, reason: str, says: str) -> None:
    asked = ("search", index, "summer rain", "--filter", "type=track", "--explain", "--item", item)
    assert ltrr(*asked, "--json").json["reason"] == reason
    said = ltrr(*asked).out
    assert item in said
    assert says in said


def test_an_out_ranked_item_comes_with_its_ranks(index: Path) -> None:
    last = ids(found(index, "summer rain"))[-1]
    said = ltrr("search", index, "summer rain", "-k", "1", "--item", last).out
    assert "Out-ranked" in said
    assert "was asked for" in said


def test_asking_about_an_item_is_not_logged(index: Path) -> None:
    ltrr("search", index, "summer rain", "--item", "t1")
    assert "Nothing new to learn" in ltrr("learn", index).out


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
    assert "3 events were there already" in ltrr("import", index, other).out
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


def test_index_refuses_a_folder_in_use_and_a_missing_corpus(index: Path, tmp_path: Path) -> None:
    path = corpus(tmp_path / "corpus.jsonl")
    ltrr("index", path, "--out", index).refused(index, "holds an index already")
    ltrr("index", tmp_path / "no.jsonl", "--out", tmp_path / "o").refused(
        "no.jsonl", "no such file"
    )
    ltrr("index", path, "--out", path).refused(path)


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


def test_help_has_examples_and_every_command(tmp_path: Path) -> None:
    listed = ltrr("--help").out
    for command in ("index", "import", "search", "feedback", "learn"):
        assert f" {command} " in listed
        assert f"ltrr {command} " in ltrr(command, "--help").out
    assert ltrr("--version").out.startswith("ltrr ")


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


def test_in_a_shell_output_is_plain_and_errors_are_one_line(index: Path) -> None:
    line = [sys.executable, "-c", "from cli.main import app; app()", "search", str(index)]
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "FORCE_COLOR")}
    run = subprocess.run([*line, "summer rain"], capture_output=True, check=True, env=environment)
    text = run.stdout.decode()
    assert "\x1b" not in text + run.stderr.decode()
    assert max(map(len, text.splitlines())) <= 100 + len(str(index))
    broken = subprocess.run([*line, b"\xff"], capture_output=True, check=False, env=environment)
    assert broken.returncode == 2
    assert broken.stderr.decode().startswith("error: query: ")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(float("nan"), None), ({1: (2.5, float("inf"))}, {"1": [2.5, None]}), (Path("a"), "a")],
)
def test_json_has_no_nan(value: object, expected: object) -> None:
    assert plain(value) == expected


def test_words_for_numbers() -> None:
    assert [counted(n, "search") for n in (1, 2_000)] == ["1 search", "2,000 searches"]
    assert counted(0, "document") == "0 documents"
    assert [duration(s) for s in (0.34, 42.4, 200)] == ["0.3 s", "42 s", "3 min 20 s"]
