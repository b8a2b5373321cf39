"""From changes to a state: what an `add` or `remove` does, now and when an index is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from engine.building import added, removed
from engine.changes import Change
from engine.state import State
from retrievers.base import Document
from retrievers.dense import Dense

GROUPED = 20_000
"""From so many rows on changes are replayed in groups, since each costs time for all rows. The
answers are the same, but scores of words that only new documents hold may differ in a last digit
where documents were removed in between."""


def addition(state: State, documents: Sequence[Document]) -> Change:
    """Documents to be added, embedded."""
    dense = {n: r for n, r in state.retrievers.items() if isinstance(r, Dense)}
    return Change(
        added=tuple(documents),
        embeddings={name: retriever.embed(documents) for name, retriever in dense.items()},
    )


def changed(state: State, change: Change) -> State:
    """A state after a change; the given one is left as it is."""
    if change.removed:
        state = removed(state, change.removed)
    return added(state, change.added, embeddings=change.embeddings) if change.added else state


def replayed(state: State, changes: Iterable[Change]) -> State:
    """A state after changes, in their order."""
    for change in changes if state.catalog.rows < GROUPED else _grouped(changes):
        state = changed(state, change)
    return state


def _grouped(changes: Iterable[Change]) -> Iterator[Change]:
    """As few changes as do the same: removals, then additions."""
    group: list[Change] = []
    fresh: set[str] = set()
    for change in changes:
        if not fresh.isdisjoint(change.removed):
            yield _joined(group)
            group, fresh = [], set()
        group.append(change)
        fresh.update(document.id for document in change.added)
    if group:
        yield _joined(group)


def _joined(group: Sequence[Change]) -> Change:
    adding = [change for change in group if change.added]
    names = adding[0].embeddings if adding else ()
    return Change(
        added=tuple(document for change in adding for document in change.added),
        removed=tuple(id for change in group for id in change.removed),
        embeddings={n: np.concatenate([c.embeddings[n] for c in adding]) for n in names},
    )
