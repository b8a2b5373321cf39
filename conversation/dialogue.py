"""The dialogue manager: what the user wants by now, and what the system does next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from conversation.actions import ASK, ASK_WHICH, CONFIRM, INFORM, PROPOSE
from conversation.base import Action, AnnotatedTurn, Slot
from conversation.batches import Described, collate, example
from conversation.consistency import consistent
from conversation.dialogue_net import DialogueNet, Scores
from conversation.domain import Domain
from conversation.threads import one_thread
from conversation.turn_features import (
    ACTS,
    CALL,
    TurnFeatures,
    state_columns,
    turn_features,
)
from conversation.words import Words

LONGEST = 12
"""Words of a value, at most."""
SURE = 0.5
"""Probability from which an act is done beside the likeliest."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a turn of the user leads to.

    `wants`: the declared action with the arguments so far (name empty where none is wanted);
    `actions`: what the system is to do next, each of which can be done; `slots`: the words of the
    turn that became values.
    """

    wants: Action
    actions: tuple[Action, ...]
    slots: tuple[Slot, ...]


class DialogueManager:
    """Decides over a domain with a trained network."""

    def __init__(self, net: DialogueNet, words: Words, domain: Domain) -> None:
        self.net, self.words, self.domain = net, words, domain
        self._described = Described(words, domain)

    def decide(
        self, before: Sequence[AnnotatedTurn], turn: AnnotatedTurn, wants: Action | None
    ) -> Decision:
        """What a user's turn after others leads to.

        Of earlier turns the slots are pointed at, of the system's also the actions; of `turn` the
        slots are used where a tagger found some. `wants` is what the last decision said.
        """
        features = turn_features(self.domain, before, turn, wants)
        with torch.inference_mode(), one_thread():
            batch = collate([example(features, self._described, self.words)], self.words)
            scores = self.net(batch)
            wanted, slots = self._wanted(features, scores, turn)
            state = torch.from_numpy(state_columns(self.domain, features, wants, wanted)[None])
            acts, about = self.net.acts(scores, state)
            chance = torch.sigmoid(acts[0]).numpy()
            told = torch.sigmoid(about[0]).numpy()
        acted = self._acts(chance, told, wanted, (*turn.slots, *slots))
        return Decision(wanted, consistent(acted, wanted, self.domain), slots)

    def _wanted(
        self, features: TurnFeatures, scores: Scores, turn: AnnotatedTurn
    ) -> tuple[Action, tuple[Slot, ...]]:
        names = [*self.domain.actions.by_name, ""]
        name = names[int(scores.actions[0].argmax())]
        chosen = scores.candidates[0].argmax(-1).numpy()
        values: dict[str, str] = {}
        slots: list[Slot] = []
        for s, slot in enumerate(self.domain.slots):
            candidate = features.options[s][int(chosen[s])]
            if candidate.kind == "span":
                first, last = _span(scores.starts[0, s].numpy(), scores.ends[0, s].numpy())
                start, end = features.places[first][0], features.places[last][1]
                values[slot.name] = turn.text[start:end]
                slots.append(Slot(slot.name, turn.text[start:end], start, end))
            elif candidate.value is not None:
                values[slot.name] = candidate.value
        return Action(name, values), tuple(slots)

    def _acts(
        self,
        chance: NDArray[np.float32],
        told: NDArray[np.float32],
        wanted: Action,
        named: Sequence[Slot],
    ) -> list[Action]:
        likely = [act for act, p in zip(ACTS, chance, strict=True) if p >= SURE]
        found: list[Action] = []
        for act in likely or [ACTS[int(chance.argmax())]]:
            names = [slot.name for slot in self.domain.slots]
            if act == CALL:
                found.append(wanted)
            elif act == INFORM:
                known = [n for n, p in zip(names, told[:, 0], strict=True) if p >= SURE]
                known = known or [names[int(told[:, 0].argmax())]]
                found += [Action(INFORM, {"argument": name}) for name in known]
            elif act == ASK:
                order = np.argsort(-told[:, 1], kind="stable")
                found.append(Action(ASK, {"argument": names[int(order[0])]}))
            elif act == ASK_WHICH:
                found.append(Action(ASK_WHICH, {"name": named[0].value if named else ""}))
            elif act == CONFIRM:
                found.append(Action(CONFIRM, dict(wanted.arguments)))
            elif act == PROPOSE:
                others = [a for a in self.domain.actions.by_name.values() if a.name != wanted.name]
                best = sorted(others, key=lambda a: not a.confirmed)[:1]
                found += [Action(PROPOSE, {"action": a.name}) for a in best]
            else:
                found.append(Action(act))
        return found


def _span(starts: NDArray[np.float32], ends: NDArray[np.float32]) -> tuple[int, int]:
    """The first and last word with the highest sum of scores."""
    sums = starts[:, None] + ends[None, :]
    places = np.arange(len(starts))
    apart = places[None, :] - places[:, None]
    sums = np.where((apart >= 0) & (apart < LONGEST), sums, -np.inf)
    first, last = np.unravel_index(int(sums.argmax()), sums.shape)
    return int(first), int(last)
