"""All generators of a state asked at full depth, as looking back and pricing do."""

from __future__ import annotations

from engine.state import State
from retrievers.base import Hits, Query


class FullAnswers:
    """Full answers on one state. Generators that read nothing but the text are asked once a text:
    logs repeat their queries, and encoding or scanning for the same words again tells nothing new.
    Threads may share one: at worst a text is asked twice."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: dict[tuple[object, ...], Hits] = {}

    def __call__(self, query: Query) -> list[Hits]:
        """One answer a generator, in the state's order."""
        allowed = self._state.filters.mask(query.context.filters)
        full = int(self._state.ladder[-1])
        filters = tuple(sorted(query.context.filters.items()))
        hits = []
        for name, retriever in self._state.retrievers.items():
            if not retriever.by_text:
                hits.append(retriever.retrieve(query, full, allowed))
                continue
            key = (name, query.text, filters)
            if key not in self._known:
                self._known[key] = retriever.retrieve(query, full, allowed)
            hits.append(self._known[key])
        return hits
