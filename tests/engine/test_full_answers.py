"""Asking all generators in full: what each says by itself, and no more often than needed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from engine import Context, Document, Query, SearchEngine, full_answers
from engine.full_answers import FullAnswers
from engine.state import State
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


def counted(state: State, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each generator of a state is asked from now on."""
    calls = Counter[str]()
    for name, retriever in state.retrievers.items():
        kept = retriever.retrieve

        def ask(*given: Any, name: str = name, kept: Any = kept) -> Any:
            calls[name] += 1
            return kept(*given)

        monkeypatch.setattr(retriever, "retrieve", ask)
    return calls


def test_generators_by_text_are_asked_once_a_text_and_filter(
    taught: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = taught.state
    calls = counted(state, monkeypatch)
    ask = FullAnswers(state)
    for query in QUERIES:
        ask(query)
    texts = {(query.text, str(query.context.filters)) for query in QUERIES}
    assert {"bm25", "fuzzy", "dense"} == {n for n, r in state.retrievers.items() if r.by_text}
    for name, retriever in state.retrievers.items():
        assert calls[name] == (len(texts) if retriever.by_text else len(QUERIES))


def test_after_learning_only_what_learns_is_asked_again(
    taught: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = FullAnswers(taught.state)
    before = [ask(query) for query in QUERIES]
    listen(taught, "night train", "t3-0", 4, "u")
    taught.learn()
    state = taught.state
    expected = [FullAnswers(state)(query) for query in QUERIES]
    calls = counted(state, monkeypatch)
    later = ask.after(state)
    again = [later(query) for query in QUERIES]
    assert not any(calls[name] for name, r in state.retrievers.items() if r.by_text)
    for found, wanted in zip(again, expected, strict=True):
        assert [h.docs.tolist() for h in found] == [h.docs.tolist() for h in wanted]
    assert [h.docs.tolist() for h in again[1]] != [h.docs.tolist() for h in before[1]]


def test_with_other_documents_everything_is_asked_again(taught: SearchEngine) -> None:
    ask = FullAnswers(taught.state)
    before = ask(QUERIES[1])
    taught.add([Document("new", "night train")])
    found = ask.after(taught.state)(QUERIES[1])
    row = taught.state.catalog.row("new")
    assert row in found[0].docs
    assert row not in before[0].docs


def test_no_more_answers_are_kept_than_memory_is_for(
    taught: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full_answers, "KEPT", 2)
    calls = counted(taught.state, monkeypatch)
    ask = FullAnswers(taught.state)
    for text in ("love", "night", "train", "train", "love"):
        ask(Query(text, CONTEXTS[0], text))
    assert calls["bm25"] == 4
