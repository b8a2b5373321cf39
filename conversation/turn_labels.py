"""What a dialogue manager is taught of a turn: which candidates are right, where words begin and end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conversation.actions import ASK, INFORM
from conversation.base import Action, AnnotatedTurn
from conversation.domain import Domain
from conversation.turn_features import ACTS, TurnFeatures, acts_of, same


@dataclass(frozen=True, slots=True, eq=False)
class TurnLabels:
    """`right` (S, C): candidates with the slot's value; no row of none right is taught. `spans`
    (S, 2): first and last word, -1 where the turn has none; `action` in [0, A], A = none; `acts`
    (ACTS,), `about` (S, 2) for what is informed of and asked; `taught`: whether acts are known."""

    right: NDArray[np.bool_]
    spans: NDArray[np.int64]
    action: int
    acts: NDArray[np.float32]
    about: NDArray[np.float32]
    taught: bool
    wants: Action


def turn_labels(
    domain: Domain,
    features: TurnFeatures,
    turn: AnnotatedTurn,
    wants: Action,
    values: Mapping[str, Sequence[str]] | None = None,
) -> TurnLabels:
    """The labels of a user's turn after which `wants` is wanted; `values` are other ways to write
    the values of slots."""
    ways = {name: (value,) for name, value in wants.arguments.items()} | dict(values or {})
    right = np.zeros(features.present.shape, np.bool_)
    spans = np.full((len(domain.slots), 2), -1, np.int64)
    for s, slot in enumerate(domain.slots):
        gold = ways.get(slot.name, ())
        own = next((x for x in turn.slots if x.name == slot.name), None)
        if own is not None:
            spans[s] = _words_in(features, own.start, own.end)
        for c, candidate in enumerate(features.options[s]):
            if candidate.kind == "none":
                right[s, c] = not gold
            elif candidate.kind == "span":
                right[s, c] = (
                    spans[s, 0] >= 0
                    and any(
                        same(g, v)
                        for g in gold
                        for v in (own.value, turn.text[own.start : own.end])
                    )
                    if own
                    else False
                )
            else:
                right[s, c] = any(same(candidate.value or "", g) for g in gold)
    names = [*domain.actions.by_name]
    acts = acts_of(turn.actions, domain)
    about = np.zeros((len(domain.slots), 2), np.float32)
    for action in turn.actions:
        for s, slot in enumerate(domain.slots):
            if action.arguments.get("argument") == slot.name:
                about[s, 0] = max(about[s, 0], action.name == INFORM)
                about[s, 1] = max(about[s, 1], action.name == ASK)
    return TurnLabels(
        right,
        spans,
        names.index(wants.name) if wants.name in names else len(names),
        np.array([act in acts for act in ACTS], np.float32),
        about,
        bool(acts),
        wants,
    )


def _words_in(features: TurnFeatures, start: int, end: int) -> tuple[int, int]:
    inside = [
        at
        for at, (first, last) in enumerate(features.places)
        if features.user[at] and first < end and last > start and features.words[at]
    ]
    return (inside[0], inside[-1]) if inside else (-1, -1)
