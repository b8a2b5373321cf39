"""What the best pages tell of generators that bring the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from engine import EngineConfig, Query, SearchEngine
from engine.best_pages import PAGES, PLACES, with_pages
from engine.full_answers import FullAnswers
from engine.pricing import Sampled, surveyed
from engine.ranking_features import column_names
from engine.statistics import Observation, PlanStatistics
from rankers.base import Ranker
from rankers.rrf import ReciprocalRankFusion
from retrievers.base import Features, Hits, Scores
from tests.conftest import Clock, WordHashes, songs


class Found(ReciprocalRankFusion):
    """Puts first what most generators have."""

    def score(self, features: Features) -> Scores:
        found: Scores = np.isfinite(features[:, self.ranks]).sum(axis=1).astype(np.float32)
        return found

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(names)
        self.ranks = [i for i, name in enumerate(names) if name.endswith(".rank")]


@pytest.fixture(scope="module")
def engine() -> Iterator[SearchEngine]:
    with SearchEngine.build(
        songs(), config=EngineConfig(clock=Clock()), encoder=WordHashes()
    ) as one:
        yield one


def sampled(engine: SearchEngine, texts: list[str]) -> list[Sampled]:
    return surveyed(engine.state, [Query(text) for text in texts], FullAnswers(engine.state))


def test_without_a_ranker_there_are_none(engine: SearchEngine) -> None:
    sample = sampled(engine, ["love", "rock"])
    assert [one.page for one in with_pages(engine.state, sample)] == [None, None]


def test_a_page_is_shared_by_those_who_bring_it(engine: SearchEngine) -> None:
    ranker: Ranker = Found(column_names(engine.state.retrievers))
    state = replace(engine.state, ranker=ranker)
    sample = sampled(engine, ["love", "silver river", "rock"] * PAGES)
    sample.append(replace(sample[0], hits=[Hits.none()] * len(sample[0].hits)))
    told = with_pages(state, sample)
    pages = [one.page for one in told if one.page is not None]
    assert len(pages) == PAGES
    assert told[-1].page is None
    assert [one.query for one in told] == [one.query for one in sample]
    s, ladder = len(state.retrievers), state.ladder
    for one in told:
        if one.page is None:
            continue
        whole = one.page.reshape(s * ladder.size, -1)
        np.testing.assert_allclose(whole, whole.T)
        own = np.einsum("ilil->il", one.page)
        assert (np.diff(own, axis=1) >= 0).all()
        assert 0 < own.max() <= 1 + 1e-9
        # A generator without an answer brings nothing of the page.
        silent = [g for g, hits in enumerate(one.hits) if not len(hits)]
        assert not own[silent].any()
        if one.query.text == "love":
            # Thirty tracks are called so; the ten of the page are not all among the first three.
            g = list(state.retrievers).index("bm25")
            assert len(one.hits[g]) > PLACES
            assert own[g, 1] < own[g, -1]


def test_pages_tell_more_than_clicks_and_the_latest_the_most() -> None:
    statistics = PlanStatistics(2, (0, 2, 5))
    both = np.zeros((2, 3, 2, 3))
    both[:, 1:, :, 1:] = 1.0
    found = np.zeros((2, 3))
    found[:, 1:] = 1.0
    statistics.observe([Observation("words", None, "q", 1.0, found, both)] * 50)
    clicked = statistics.successes("words")
    assert clicked[0, 1, 1, 1] > 0.8
    apart = np.zeros((2, 3, 2, 3))
    apart[0, 1:, 0, 1:] = 1.0
    statistics.look_at_pages([("words", apart)] * 200)
    by_pages = statistics.successes("words")
    assert by_pages[0, 1, 1, 1] < 0.1
    assert by_pages[0, 1, 0, 1] > 0.9
    statistics.look_at_pages([("words", both)] * 3000)
    assert statistics.successes("words")[0, 1, 1, 1] > 0.95
    statistics.look_at_pages([])
    assert statistics.successes("words")[0, 1, 1, 1] > 0.95
