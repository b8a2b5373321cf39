"""All generators of a state asked at full depth, as looking back and pricing do."""

from __future__ import annotations

from typing import Final, Self

from engine.state import State
from retrievers.base import Hits, Learns, Query

KEPT: Final = 20_000
"""Answers kept of a generator, about 1 kB each; with one more they are kept anew."""


class FullAnswers:
    """Full answers on one state. Generators that read nothing but the text are asked once a text:
    logs repeat their queries, and encoding or scanning for the same words again tells nothing new.
    Threads may share one: at worst a text is asked twice."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: dict[str, dict[tuple[object, ...], Hits]] = {
            name: {} for name, retriever in state.retrievers.items() if retriever.by_text
        }

    def after(self, state: State) -> Self:
        """Those of a later state. With the same documents, what generators that learn nothing answered
        is known there too."""
        later = type(self)(state)
        if state.catalog is self._state.catalog:
            for name, known in self._known.items():
                if not isinstance(state.retrievers[name], Learns):
                    later._known[name] = known
        return later

    def __call__(self, query: Query) -> list[Hits]:
        """One answer a generator, in the state's order."""
        allowed = self._state.filters.mask(query.context.filters)
        full = int(self._state.ladder[-1])
        key = (query.text, *sorted(query.context.filters.items()))
        answers = []
        for name, retriever in self._state.retrievers.items():
            known = self._known.get(name)
            hits = None if known is None else known.get(key)
            if hits is None:
                hits = retriever.retrieve(query, full, allowed)
                if known is not None:
                    if len(known) >= KEPT:
                        known.clear()
                    known[key] = hits
            answers.append(hits)
        return answers
