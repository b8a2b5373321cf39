"""Replay with feedback `shown`: the engine learns from what came of its own pages, and of nothing else."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from pathlib import Path

import pytest

from benchmarks.datasets import read_dataset
from benchmarks.feeding import SHOWN
from benchmarks.replay import replay
from benchmarks.replay_files import NOTES, replay_into
from benchmarks.replayed import Replay
from engine import BadInput, Event, LoggedSearch, SearchEngine
from tests.replay_log import (
    COMPETING,
    CONFIG,
    OPTIONS,
    before,
    made_log,
    permuted,
    write,
)

SHOWING = replace(OPTIONS, feedback=SHOWN, systems=COMPETING)
UNCLICKED = ("q100", "q101", "q130")
"""Searches after the warm-up whose clicks are taken out of the log."""


def log() -> tuple[list[LoggedSearch], list[Event]]:
    searches, events = made_log()
    return searches, [event for event in events if event.search not in UNCLICKED]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shown")


@pytest.fixture(scope="module")
def made(work: Path) -> Replay:
    return replay(read_dataset(write(work / "made", *log())), CONFIG, SHOWING, work=work / "work")


def test_permuting_later_events_changes_nothing_before(made: Replay, tmp_path: Path) -> None:
    searches, events = log()
    shuffled = permuted(events, made.steps[2].start)
    other = replay(read_dataset(write(tmp_path / "permuted", searches, shuffled)), CONFIG, SHOWING)
    same = before(made, 3)
    assert len(same) > 30
    for name in COMPETING:
        ours, theirs = dict(made.rankings(name)), dict(other.rankings(name))
        assert {id: ours[id] for id in same} == {id: theirs[id] for id in same}
    ours, theirs = dict(made.rankings("ltrr")), dict(other.rankings("ltrr"))
    assert any(ours[id] != theirs[id] for id in ours if id not in same and id in theirs)


def test_only_clicks_on_its_own_pages_are_learnt(made: Replay, work: Path) -> None:
    searches, events = log()
    places = {search.id: place for place, search in enumerate(searches)}
    clicked = {(e.search, e.document) for e in events}
    with SearchEngine.load(work / "work" / "engine") as engine:
        until = engine.log.last()
        rows = engine.log.searches(0, until[0])
        learnt = engine.log.events(0, until[1])
    served = sorted((row for row in rows if not row.imported), key=lambda row: row.seq)
    # Every search after the warm-up is answered, those without a click too.
    assert [row.typed for row in served] == [search.query for search in searches[made.learnt :]]
    assert made.served == len(served) > len(made.asked)
    imported = {row.impression for row in rows if row.imported}
    assert imported == {search.id for search in searches[: made.learnt]}
    shown = {row.impression: row for row in served}
    ours = {
        row.impression: search.id
        for row, search in zip(served, searches[made.learnt :], strict=True)
    }
    told = [event for event in learnt if event.impression in shown]
    for event in told:
        assert event.impression is not None
        assert (ours[event.impression], event.document) in clicked
        assert shown[event.impression].shown[(event.position or 0) - 1] == event.document
    hits = sum(
        document in row.shown
        for row in served
        for search, document in clicked
        if search == ours[row.impression]
    )
    assert (
        0
        < len(told)
        <= hits
        < len([e for e in events if places.get(str(e.search), 0) >= made.learnt])
    )
    # What is measured is what was shown.
    pages = {ours[row.impression]: row.shown for row in served}
    for id, page in made.rankings("ltrr"):
        assert tuple(document for document, _ in page) == pages[id]


def test_late_clicks_on_the_warm_up_teach_nothing(made: Replay, work: Path) -> None:
    searches, events = log()
    end = searches[made.learnt].time
    warm = {search.id for search in searches[: made.learnt]}
    late = {(e.search, e.document) for e in events if e.search in warm and e.time and e.time >= end}
    assert late
    with SearchEngine.load(work / "work" / "engine") as engine:
        known = {(e.impression, e.document) for e in engine.log.events(0, engine.log.last()[1])}
    assert not late & known
    assert {(e.search, e.document) for e in events if e.search in warm} - late <= known


def test_report_says_what_was_learnt_from(work: Path) -> None:
    options = replace(SHOWING, limit=30, systems=("ltrr",))
    data = write(work / "reported", *log())
    report = replay_into(data, work / "a", options, budgets=(15.0,), config=CONFIG)
    assert report["feedback"] == SHOWN
    assert report["feedback_note"] == NOTES[SHOWN]
    assert escape(NOTES[SHOWN]) in (work / "a" / "report.html").read_text("utf-8")
    assert report["served"] == 30


def test_what_is_refused(made: Replay, work: Path) -> None:
    with pytest.raises(BadInput, match="feedback: found 'both', expected one of logged, shown"):
        replace(OPTIONS, feedback="both")
    with pytest.raises(BadInput, match="same_walk"):
        replay(read_dataset(work / "made"), CONFIG, SHOWING, same_walk=work)
