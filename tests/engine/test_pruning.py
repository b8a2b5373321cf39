"""What of the documents that a plan drew reaches the ranker."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Context, EngineConfig, Event, LoggedSearch, SearchEngine, pruning
from engine.errors import BadInput
from engine.pruning import KNOWN, LEAST, OTHERS, Lesson, Pruner, bar_for, lesson, rows_of, worthy
from retrievers.base import Hits, Query
from retrievers.candidates import union
from tests.conftest import Clock, WordHashes, songs
from tests.engine.test_snapshots import answers

COLUMNS = 6
MAY = datetime(2024, 5, 6, tzinfo=UTC)


def lessons(count: int, seed: int = 0) -> list[Lesson]:
    """Searches in which the document of the lowest first column is clicked; the second says nothing."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        rows = rng.random((12, COLUMNS)).astype(np.float32)
        rows[rng.random(12) < 0.3, 2] = np.nan
        made.append(lesson(rows, (rows[:, 0] == rows[:, 0].min()).astype(np.float32), rng))
    return made


@pytest.fixture(scope="module")
def grown() -> Pruner:
    pruner = Pruner()
    pruner.observe(lessons(400), 0)
    pruner.observe(lessons(10, seed=9), 0)
    return pruner


def test_a_row_tells_where_each_generator_has_a_document(engine: SearchEngine) -> None:
    state = engine.state
    names = tuple(state.retrievers)
    hits = [Hits.none() for _ in names]
    hits[0] = Hits(np.array([4, 2], np.int32), np.array([8.0, 2.0], np.float32))
    hits[2] = Hits(np.array([2], np.int32), np.array([-0.5], np.float32))
    facts = state.facts(Query("love", Context()))
    rows = rows_of(facts, union(names, [5] * len(names), hits), state.catalog.types)
    s = len(names)
    assert rows.shape == (2, 2 * s + 2 + KNOWN)
    second, first = rows  # ascending by document: 2, 4
    assert (first[0], second[0], second[2]) == (0.0, 1.0, 0.0)
    assert np.isnan(first[1:s]).all()
    assert (first[s], second[s], second[s + 2]) == (1.0, 0.25, -1.0)
    assert (first[2 * s], second[2 * s]) == (1.0, 2.0)
    assert second[2 * s + 1] == state.catalog.types[2]
    np.testing.assert_allclose(first[2 * s + 2 :], facts.x[:KNOWN], rtol=1e-6)


def test_a_lesson_keeps_what_was_wanted_and_counts_the_rest() -> None:
    rows = np.arange(50, dtype=np.float32)[:, None]
    one = lesson(rows, (np.arange(50) % 25 == 3).astype(np.float32) / 4, np.random.default_rng(0))
    assert one.rows[one.shares == 0.25, 0].tolist() == [3.0, 28.0]
    assert one.shares.size == 2 + OTHERS
    assert one.weights[one.shares > 0].tolist() == [1.0, 1.0]
    assert one.weights.sum() == pytest.approx(50)
    few = lesson(rows[:4], (np.arange(4) == 0).astype(np.float32), np.random.default_rng(0))
    assert few.weights.tolist() == [1.0] * 4


def test_what_is_probably_wanted_stands_above_the_rest(grown: Pruner) -> None:
    right = 0
    for one in lessons(200, seed=1):
        right += bool(one.shares[np.argmax(grown.probable(one.rows))])
    assert right > 140


def test_trees_are_grown_of_enough_searches_and_of_those_before_the_latest() -> None:
    pruner = Pruner()
    pruner.observe(lessons(LEAST - 1), 0)
    pruner.observe(lessons(1, seed=1), 0)
    assert not pruner.grown
    with pytest.raises(ValueError, match="before it has grown"):
        pruner.probable(np.zeros((1, COLUMNS), np.float32))
    rows = lessons(1, seed=5)[0].rows
    others = [copy.copy(pruner) for _ in range(2)]
    for number, other in enumerate(others):
        other.observe(lessons(20, seed=number), 0)
        assert other.grown
    np.testing.assert_array_equal(others[0].probable(rows), others[1].probable(rows))


def test_a_copy_stays_as_it_is_and_trees_are_grown_again_when_much_is_new(grown: Pruner) -> None:
    rows = lessons(1, seed=5)[0].rows
    before = grown.probable(rows)
    later = copy.copy(grown)
    for number, seed in ((20, 6), (200, 7)):
        later.observe(lessons(number, seed=seed), 0)
        np.testing.assert_array_equal(later.probable(rows), before)
    later.observe(lessons(1, seed=8), 0)
    assert (later.probable(rows) != before).any()
    np.testing.assert_array_equal(grown.probable(rows), before)


def test_the_window_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "WINDOW", 300)
    one, two = Pruner(), Pruner()
    one.observe(lessons(100, seed=1) + lessons(300, seed=2), 0)
    two.observe(lessons(300, seed=2), 0)
    for pruner in (one, two):
        pruner.observe(lessons(1, seed=3), 0)
    rows = lessons(1, seed=5)[0].rows
    np.testing.assert_array_equal(one.probable(rows), two.probable(rows))


def test_what_was_saved_is_read_and_learns_on_alike(grown: Pruner, tmp_path: Path) -> None:
    grown.save(tmp_path)
    loaded, rows = Pruner.load(tmp_path), lessons(1, seed=5)[0].rows
    np.testing.assert_array_equal(loaded.probable(rows), grown.probable(rows))
    here = copy.copy(grown)
    for pruner in (loaded, here):
        pruner.observe(lessons(200, seed=8), 0)
        pruner.observe(lessons(1, seed=9), 0)
    np.testing.assert_array_equal(loaded.probable(rows), here.probable(rows))
    empty = tmp_path / "empty"
    empty.mkdir()
    Pruner().save(empty)
    assert not Pruner.load(empty).grown


def test_lightgbm_scores_where_its_trees_are_not_compiled(grown: Pruner) -> None:
    rows = lessons(1, seed=5)[0].rows
    slow = copy.copy(grown)
    slow._trees = None
    np.testing.assert_allclose(slow.probable(rows), grown.probable(rows), atol=1e-6)


odds_of_a_search = st.lists(st.sampled_from([-3.0, -2.5, -1.0, 0.0, 0.5, 2.0]), max_size=12)


@given(st.lists(odds_of_a_search, min_size=1, max_size=8), st.floats(1.0, 8.0), st.integers(0, 4))
def test_the_bar_is_the_lowest_that_keeps_to_the_mean(
    searches: list[list[float]], mean: float, least: int
) -> None:
    odds = [np.array(one) for one in searches]

    def kept(bar: float) -> float:
        return float(np.mean([np.count_nonzero(worthy(one, bar, least)) for one in odds]))

    bar = bar_for(odds, mean, least)
    every = np.unique(np.concatenate(odds))
    lower = every[every < bar]
    fewest = float(np.mean([min(one.size, least) for one in odds]))
    if every.size and bar == every[-1]:
        assert kept(bar) >= fewest
    else:
        assert kept(bar) <= mean
    if lower.size:
        assert kept(float(lower[-1])) > mean
    for one in odds:
        mask = worthy(one, bar, least)
        assert np.count_nonzero(mask) >= min(one.size, least)
        if mask.any() and not mask.all():
            assert one[mask].min() >= one[~mask].max()


QUERIES = ("love", "rock", "silver river", "night train", "song of", "jazz", "artist")


def history(count: int) -> tuple[list[LoggedSearch], list[Event]]:
    """Searches elsewhere, in May and from the 231st on in June, for tracks by a name that no other has, each with
    a click on the track."""
    rng = np.random.default_rng(0)
    tracks = [document for document in songs() if document.id.endswith(("-2", "-3"))]
    searches, events = [], []
    for number in range(count):
        track, time = (
            tracks[int(rng.integers(len(tracks)))],
            MAY + timedelta(days=31 * (number > 230), minutes=number),
        )
        searches.append(LoggedSearch(f"s{number}", track.title, time))
        events.append(Event("click", track.id, time, search=f"s{number}"))
    return searches, events


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    clock = Clock()
    config = EngineConfig(budget=12.0, drawn=25.0, clock=clock, ranker_options={"n_estimators": 30})
    with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
        engine.record(*history(290))
        engine.learn()
        yield engine


def test_plans_draw_more_than_reaches_the_ranker(learnt: SearchEngine) -> None:
    assert learnt.state.bar > -np.inf
    kept, dropped = [], []
    for query in QUERIES:
        response = learnt.search(query, explain=True)
        assert response.explanation is not None
        kept.append(response.candidates)
        dropped.append(response.explanation.dropped)
        drawn = response.candidates + response.explanation.dropped
        assert response.candidates >= min(learnt.config.at_least, drawn)
    assert sum(dropped) > 0 < min(kept)


def test_an_item_that_was_dropped_is_told_of(learnt: SearchEngine) -> None:
    missing = next(
        query
        for query in QUERIES
        if (explained := learnt.search(query, explain=True).explanation) is not None
        and explained.dropped
    )
    told = [learnt.why_missing(missing, d.id, k=10) for d in songs()]
    dropped = [one for one in told if one.reason == "pruned"]
    assert dropped
    assert all("less probably wanted" in one.message for one in dropped)


def test_an_index_that_prunes_answers_alike_when_loaded(
    learnt: SearchEngine, tmp_path: Path
) -> None:
    expected = answers(learnt)
    learnt.save(tmp_path / "index")
    clock = learnt.config.clock
    with SearchEngine.load(tmp_path / "index", encoder=WordHashes(), clock=clock) as loaded:
        assert loaded.state.bar == learnt.state.bar
        assert answers(loaded) == expected


@pytest.mark.parametrize(
    "config",
    [
        EngineConfig(budget=12.0, drawn=0.0),
        EngineConfig(budget=12.0, drawn=12.0),
        EngineConfig(budget=12.0, policy="uniform"),
    ],
    ids=["nothing more", "as many", "no heed"],
)
def test_where_nothing_is_to_be_dropped_there_is_no_pruner(config: EngineConfig) -> None:
    with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
        assert engine.state.pruner is None


def test_a_number_drawn_below_0_is_refused() -> None:
    with pytest.raises(BadInput, match=r"EngineConfig\.drawn: found -1"):
        EngineConfig(drawn=-1.0)


def test_nothing_is_learnt_from_pages_of_its_own(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "LEAST", 20)
    config = EngineConfig(budget=12.0, drawn=25.0, clock=clock)
    with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:

        def grown() -> bool:
            engine.learn()
            assert engine.state.pruner is not None
            return engine.state.pruner.grown

        for tracks in (songs()[::4], songs()[:1]):
            for track in tracks:
                response = engine.search(track.title)
                engine.feedback(response.impression_id, clicks=[response.hits[0].id])
            assert not grown()
        searches, events = history(32)
        engine.record(searches[:31], events[:31])
        assert not grown()
        engine.record(searches[31:], events[31:])
        assert grown()


def test_what_was_wanted_is_shared_by_all_that_was_clicked(clock: Clock) -> None:
    """Also by what was not drawn: a search counts once."""
    searches, events = history(1)
    other = next(d.id for d in songs() if d.id != events[0].document)
    elsewhere = Event("click", other, searches[0].time, search=searches[0].id)
    config = EngineConfig(budget=12.0, drawn=25.0, clock=clock)
    most = []
    for clicks in (events, [*events, elsewhere]):
        with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
            engine.record(searches, clicks)
            engine.learn()
            assert engine.state.pruner is not None
            (only,) = engine.state.pruner._lessons
            most.append(float(only.shares.max()))
    assert most == [1.0, 0.5]
