"""What people and programs get to read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.output import counted, duration
from engine.plain import plain
from tests.cli.lines import found, ids, ltrr


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
        ("t1", "shown", "It is there, at rank 1"),
        ("nobody", "unknown", "No document has the id"),
        ("a1", "filtered", "The filters exclude it: type=track"),
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
    assert "others scored higher" in said
    assert "was asked for" in said


def test_asking_about_an_item_is_not_logged(index: Path) -> None:
    ltrr("search", index, "summer rain", "--item", "t1")
    assert "Nothing new to learn" in ltrr("learn", index).out


def test_help_has_examples_and_every_command() -> None:
    listed = ltrr("--help").out
    for command in ("index", "import", "search", "feedback", "learn"):
        assert f" {command} " in listed
        assert f"ltrr {command} " in ltrr(command, "--help").out
    assert ltrr("--version").out.startswith("ltrr ")


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
