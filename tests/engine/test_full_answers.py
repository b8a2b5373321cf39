"""Asking all generators in full: what each says by itself, and no more often than needed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from engine import Context, Query, SearchEngine
from engine.full_answers import FullAnswers
from tests.engine.test_learning import listen

TIME = datetime(2024, 5, 1, tzinfo=UTC)
TEXTS = ("love", "night train", "love", "")
CONTEXTS = (
    Context(user="u", time=TIME),
    Context(user="v", time=TIME),
    Context(user="u", time=TIME, filters={"genre": "jazz"}),
    Context(user="v", time=TIME, filters={"genre": ("jazz", "folk"), "type": "track"}),
)
QUERIES = [Query(text, context, text) for context in CONTEXTS for text in TEXTS]


@pytest.fixture
def taught(engine: SearchEngine) -> SearchEngine:
    for user, wanted in (("u", "t3-0"), ("v", "t7-0")):
        listen(engine, "love", wanted, 4, user)
    engine.learn()
    return engine


def test_an_answer_is_what_each_generator_says(taught: SearchEngine) -> None:
    state = taught.state
    ask, full = FullAnswers(state), int(state.ladder[-1])
    for query in QUERIES:
        hits = ask(query)
        assert len(hits) == len(state.retrievers)
        allowed = state.filters.mask(query.context.filters)
        for found, retriever in zip(hits, state.retrievers.values(), strict=True):
            expected = retriever.retrieve(query, full, allowed)
            assert found.docs.tobytes() == expected.docs.tobytes()
            assert found.scores.tobytes() == expected.scores.tobytes()


def test_generators_by_text_are_asked_once_a_text_and_filter(
    taught: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, calls = taught.state, Counter[str]()
    for name, retriever in state.retrievers.items():
        kept = retriever.retrieve

        def counted(*given: Any, name: str = name, kept: Any = kept) -> Any:
            calls[name] += 1
            return kept(*given)

        monkeypatch.setattr(retriever, "retrieve", counted)
    ask = FullAnswers(state)
    for query in QUERIES:
        ask(query)
    texts = {(query.text, str(query.context.filters)) for query in QUERIES}
    assert {"bm25", "fuzzy", "dense"} == {n for n, r in state.retrievers.items() if r.by_text}
    for name, retriever in state.retrievers.items():
        assert calls[name] == (len(texts) if retriever.by_text else len(QUERIES))
