"""Replay on a small made log: nothing from later reaches an answer, and what is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.datasets import read_dataset
from benchmarks.replay import ReplayOptions, replay
from benchmarks.replay_files import replay_into
from benchmarks.replayed import Replay
from benchmarks.timeline import make_timeline
from benchmarks.trec import read_run
from engine import BadEvent, BadInput, Event, LoggedSearch
from tests.replay_log import (
    COMPETING,
    CONFIG,
    FIRST,
    OPTIONS,
    before,
    made_log,
    permuted,
    timeless,
    write,
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("replay") / "made", *made_log())


@pytest.fixture(scope="module")
def made(dataset: Path) -> Replay:
    return replay(read_dataset(dataset), CONFIG, OPTIONS)


def test_permuting_later_events_changes_nothing_before(made: Replay, tmp_path: Path) -> None:
    searches, events = made_log()
    other = replay(
        read_dataset(write(tmp_path / "permuted", searches, permuted(events, made.steps[2].start))),
        CONFIG,
        replace(OPTIONS, systems=COMPETING),
    )
    same = before(made, 3)
    assert len(same) > 40
    for name in COMPETING:
        ours, theirs = dict(made.rankings(name)), dict(other.rankings(name))
        assert {id: ours[id] for id in same} == {id: theirs[id] for id in same}
    ours, theirs = dict(made.rankings("ltrr")), dict(other.rankings("ltrr"))
    assert any(ours[id] != theirs[id] for id in ours if id not in same and id in theirs)


def test_every_system_answers_the_same_searches(made: Replay) -> None:
    assert len(made.asked) == 80
    assert made.learnt == 80
    for name in made.systems:
        rankings = dict(made.rankings(name))
        assert list(rankings) == [asked.id for asked in made.asked]
        assert all(len(ranking) <= 10 for ranking in rankings.values())


def test_oracle_brings_all_that_any_generator_has(made: Replay) -> None:
    oracle, union = made.systems["oracle"].values, made.systems["static_union"].values
    np.testing.assert_array_equal(oracle["candidate_recall"], union["candidate_recall"])
    assert oracle["candidates_mean"].mean() < union["candidates_mean"].mean()


def test_hindsight_is_no_worse_than_what_the_warm_up_chose(made: Replay) -> None:
    chosen, best = made.systems["best_fixed"], made.systems["best_fixed_hindsight"]
    assert chosen.plan is not None
    assert set(chosen.plan) <= set(CONFIG.ladder)
    if chosen.values["candidates_mean"].mean() <= CONFIG.budget:
        assert best.values["candidate_recall"].mean() >= chosen.values["candidate_recall"].mean()
    # Topping up to `least` candidates comes on top of what the plan was chosen to cost.
    assert best.values["candidates_mean"].mean() <= CONFIG.budget + CONFIG.at_least


def test_own_items_are_learnt(made: Replay) -> None:
    """Users like twelve documents of their own, which words can't tell."""
    quality = {name: s.values["ndcg@10"].mean() for name, s in made.systems.items()}
    assert quality["personal"] > 2 * quality["bm25"]
    assert quality["ltrr"] > 2 * quality["bm25"]


def test_report_and_runs(dataset: Path, tmp_path: Path) -> None:
    def once(name: str) -> dict[str, Any]:
        options = replace(OPTIONS, warmup=0.25, limit=20)
        replay_into(dataset, tmp_path / name, options, budgets=(15.0, 8.0), config=CONFIG)
        read: dict[str, Any] = json.loads((tmp_path / name / "report.json").read_text("utf-8"))
        return read

    report, again = once("a"), once("b")
    keys = ("ndcg@10", "mrr@10", "success@1", "success@10", "candidate_recall", "candidates_mean")
    for name in ("ltrr", "bm25", "rrf", "minmax", "static_union", "best_fixed", "oracle"):
        figures = report["systems"][name]
        for key in (*keys, "drawn_mean", "ms_p50", "ms_p99"):
            low, high = figures[f"{key}_interval"]
            assert low <= figures[key] <= high
    assert report["searches"] == 20
    assert [point["budget"] for point in report["curves"]["ltrr"]] == [8.0, 15.0]
    assert timeless(report) == timeless(again)
    text = (tmp_path / "a" / "report.html").read_text("utf-8")
    assert text.count("<svg") == 4
    assert "http" not in text
    for name in report["systems"]:
        run = (tmp_path / "a" / "runs" / f"{name}.trec").read_bytes()
        assert run == (tmp_path / "b" / "runs" / f"{name}.trec").read_bytes()
    assert len(read_run(tmp_path / "a" / "runs" / "ltrr.trec")) == 20


def _searches(*days: int) -> list[LoggedSearch]:
    return [LoggedSearch(f"q{i}", "x", FIRST + timedelta(days=day)) for i, day in enumerate(days)]


def test_boundaries_never_part_one_timestamp() -> None:
    timeline = make_timeline(_searches(0, 1, 1, 1, 2, 40, 41), [])
    assert [timeline.boundary(i) for i in range(8)] == [0, 1, 1, 1, 4, 5, 6, 7]
    assert list(timeline.steps(0, 7, 2)) == [(0, 4), (4, 6), (6, 7)]
    assert list(timeline.steps(1, 7, "month")) == [(1, 5), (5, 7)]


def test_events_are_known_once_time_has_passed_them() -> None:
    events = [
        Event("click", "a0", FIRST + timedelta(days=1), search="q0"),
        Event("click", "a1", FIRST, search="q1"),  # said to be before its search
        Event("listen", "a2", FIRST),
    ]
    timeline = make_timeline(_searches(0, 1, 2), events)
    assert [timeline.known(i) for i in range(4)] == [(0, 0), (1, 1), (2, 3), (3, 3)]


WRONG: tuple[Callable[[], ReplayOptions], ...] = (
    lambda: ReplayOptions(warmup=1.0),
    lambda: ReplayOptions(every=0),
    lambda: ReplayOptions(every="year"),
    lambda: ReplayOptions(k=0),
    lambda: ReplayOptions(limit=0),
)


def test_refusals(dataset: Path) -> None:
    with pytest.raises(BadEvent, match="q9"):
        make_timeline(_searches(0), [Event("click", "a0", FIRST, search="q9")])
    with pytest.raises(BadInput, match="no search"):
        make_timeline([], [])
    with pytest.raises(BadInput, match="known are ltrr"):
        replay(read_dataset(dataset), CONFIG, replace(OPTIONS, systems=("elastic",)))
    for wrong in WRONG:
        with pytest.raises(BadInput, match="expected"):
            wrong()


def test_without_a_ranker_only_retrieval_is_measured(
    dataset: Path, made: Replay, tmp_path: Path
) -> None:
    config = replace(CONFIG, ranker_window=0)
    options = replace(OPTIONS, systems=("ltrr",))
    report = replay_into(dataset, tmp_path / "out", options, budgets=(15.0,), config=config)
    assert "No ranker was trained" in report["feedback_note"]
    # Plans know by the ranker's pages which generators bring the same, by clicks where there is none.
    with_ranker = made.systems["ltrr"].values["candidate_recall"].mean()
    assert report["systems"]["ltrr"]["candidate_recall"] == pytest.approx(with_ranker, abs=0.05)
