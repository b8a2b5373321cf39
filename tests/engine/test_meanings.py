"""Pages of ambiguous queries in the engine: for whom, when, and what stays as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import (
    BadInput,
    Context,
    EngineConfig,
    Event,
    LoggedSearch,
    SearchEngine,
    meanings,
    query_features,
)
from engine.answering import answered
from engine.ranking_features import column_names
from tests.conftest import WordHashes, songs
from tests.engine.test_training import MAY

CLICKED = ("t0-0", "t1-0", "t2-0")
"""Tracks named Love: of rock, jazz and folk."""


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    """ "love" means three tracks alike, most often the first; "nighttrain" one."""
    folder = tmp_path_factory.mktemp("meanings") / "index"
    config = EngineConfig(budget=30.0, ranker_options={"n_estimators": 30})
    with SearchEngine.build(songs(), folder=folder, config=config, encoder=WordHashes()) as engine:
        searches, events = [], []
        for i in range(400):
            time = MAY + timedelta(hours=i)
            query, item = ("love", CLICKED[(0, 0, 1, 2)[i // 2 % 4]])
            if i % 2:
                query, item = "silver river", "t4-1"
            searches.append(LoggedSearch(f"s{i}", query, time))
            events.append(Event("click", item, time, search=f"s{i}"))
        engine.record(searches, events)
        engine.learn()
        assert engine.state.ranker is not None
        yield engine


def page(engine: SearchEngine, text: str, method: str, user: str | None = None) -> list[str]:
    config = replace(engine.config, diversity=method)
    now = MAY + timedelta(days=30)
    made = answered(engine.state, config, text, Context(user=user, time=now), now.timestamp())
    return [engine.state.catalog.id(int(row)) for row in made.candidates.docs[made.order]]


@pytest.mark.parametrize("method", ["mmr", "xquad", "pm2"])
def test_each_meaning_is_on_the_page(learnt: SearchEngine, method: str) -> None:
    found = page(learnt, "love", method)
    assert set(CLICKED) <= set(found[:10])
    genres = [
        learnt.state.catalog[learnt.state.catalog.row(id) or 0].values("genre") for id in found
    ]
    assert len({genre for of in genres[:3] for genre in of}) == 3
    assert sorted(found) == sorted(set(found))


def test_what_was_clicked_is_meant_wherever_it_is_ranked(
    learnt: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meanings, "POOL", 5)
    state, docs = learnt.state, np.arange(20, dtype=np.int32)
    names = column_names(state.retrievers)
    features = np.full((20, len(names)), np.nan, np.float32)
    order, scores = np.arange(20), -np.arange(20, dtype=np.float32) / np.float32(10)

    def found() -> meanings.Meanings:
        return meanings.meanings_of(state, docs, scores, features, order)

    assert found().best.tolist() == [0, 1, 2, 3, 4]
    features[:, names.index("memory.query_clicks")] = np.log1p(20.0)
    features[:, names.index("memory.query_share")] = 0.0
    features[17, names.index("memory.query_share")] = 0.9
    meant = found()
    assert meant.best.tolist() == [0, 1, 2, 3, 4, 17]
    assert meant.shares.argmax() in np.flatnonzero(meant.coverage[5])
    page = meanings.diversified(meant, "xquad", scores, order)
    assert page[0] == 17
    assert sorted(page.tolist()) == order.tolist()


NAMES = st.lists(st.sampled_from("abcdef"), max_size=3, unique=True)
ITEMS = st.lists(
    st.tuples(
        st.tuples(st.lists(st.sampled_from("xyzuv"), min_size=1, max_size=1), NAMES),
        st.floats(0, 9),
    ),
    min_size=1,
    max_size=30,
)


@given(ITEMS, st.integers(1, 30))
def test_what_a_few_items_tell_for_sure_all_tell(
    items: list[tuple[meanings.Served, float]], few: int
) -> None:
    served = [of for of, _ in items]
    odds = np.exp(np.array([chance for _, chance in items]))
    meant = (odds / odds.sum()).tolist()
    sure = meanings.surely_one(served[:few], meant[:few], sum(meant[few:]))
    found = meanings.told_by(np.arange(len(items)), served, meant)
    assert not (sure and found.ambiguous)


def test_a_few_items_tell_by_hand() -> None:
    served: list[meanings.Served] = [(["x"], ["a"]), (["y"], ["a", "b"])]
    assert meanings.surely_one(served, [0.8, 0.1], 0.1)
    assert not meanings.surely_one(served, [0.5, 0.1], 0.4)
    assert not meanings.surely_one([(["x"], []), (["y"], ["b"])], [0.8, 0.1], 0.1)


def test_what_means_one_thing_stays(learnt: SearchEngine) -> None:
    assert page(learnt, "silver river", "xquad") == page(learnt, "silver river", "off")


def test_who_describes_has_said_what_is_meant(
    learnt: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several words that no name is like: other candidates are other answers, not other meanings."""
    text = "something with love in it"
    assert page(learnt, text, "xquad") == page(learnt, text, "off")
    monkeypatch.setattr(query_features, "NEAR", (0.0, *query_features.NEAR[1:]))
    assert page(learnt, text, "xquad") != page(learnt, text, "off")


def test_people_with_a_history_are_spared(learnt: SearchEngine) -> None:
    assert page(learnt, "love", "xquad", user="new") == page(learnt, "love", "xquad")
    learnt.record(events=[Event("play", "t0-0", MAY + timedelta(days=29), user="fan")])
    learnt.learn()
    assert page(learnt, "love", "xquad", user="fan") == page(learnt, "love", "off", user="fan")


def test_the_explanation_names_the_meanings(learnt: SearchEngine) -> None:
    context = Context(time=MAY + timedelta(days=30))
    told = learnt.search("love", context, explain=True).explanation
    assert told is not None
    assert {"rock", "jazz", "folk"} <= set(told.meanings)
    assert sum(told.meanings.values()) == pytest.approx(1.0, abs=0.2)
    assert list(told.meanings.values()) == sorted(told.meanings.values(), reverse=True)
    single = learnt.search("silver river", context, explain=True).explanation
    assert single is not None
    assert single.meanings == {}


def test_a_longer_page_begins_with_the_shorter(learnt: SearchEngine) -> None:
    context = Context(time=MAY + timedelta(days=30))
    pages = [[hit.id for hit in learnt.search("love", context, k=k).hits] for k in (5, 10, 40)]
    assert pages[2][:10] == pages[1]
    assert pages[1][:5] == pages[0]


def test_without_a_ranker_pages_stay(engine: SearchEngine) -> None:
    assert engine.state.ranker is None
    assert page(engine, "love", "xquad") == page(engine, "love", "off")


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(
        BadInput, match=r"EngineConfig\.diversity: found 'wide', expected one of off"
    ):
        EngineConfig(diversity="wide")
