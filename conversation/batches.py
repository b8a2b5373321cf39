"""Turns of several dialogues and domains, padded into one batch for the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from conversation.dialogue_net import Batch
from conversation.domain import Domain
from conversation.turn_features import TurnFeatures
from conversation.turn_labels import TurnLabels
from conversation.words import Words, plain_words, words_of

FORMS = np.cumsum((0.5, 0.2, 0.2))
"""How often a slot is told in the first three forms, cumulated; the rest of the time in the last."""
TEXT = 14
"""Words read of a description; of a value half as many."""


class Described:
    """A domain's descriptions and values as numbers of words."""

    def __init__(self, words: Words, domain: Domain) -> None:
        self._words = words
        self.slots = [self._texts(slot.name, slot.description) for slot in domain.slots]
        actions = [self._texts(a.name, a.description) for a in domain.actions.by_name.values()]
        self.actions = [*actions, [self.text("nothing")] * 4]

    def _texts(self, name: str, description: str) -> list[list[int]]:
        """Name and description, the name alone, the description alone, nothing."""
        named, told = plain_words(name), [word for word, _, _ in words_of(description)]
        every = [[*named, *told], named, told or named, []]
        return [self._words.ids(each[:TEXT]) for each in every]

    def text(self, text: str) -> list[int]:
        """The numbers of a text's first words."""
        return self._words.ids([word for word, _, _ in words_of(text)][: TEXT // 2])


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A turn with all its words as numbers: (T,), and (S, C, words) for values."""

    features: TurnFeatures
    described: Described
    words: list[int]
    values: list[list[list[int]]]
    labels: TurnLabels | None = None
    state: NDArray[np.float32] | None = None


def example(
    features: TurnFeatures,
    described: Described,
    words: Words,
    labels: TurnLabels | None = None,
    state: NDArray[np.float32] | None = None,
) -> Example:
    """The features with words numbered."""
    values = [[described.text(c.value or "") for c in options] for options in features.options]
    return Example(features, described, words.ids(features.words), values, labels, state)


def collate(
    examples: Sequence[Example], words: Words, rng: np.random.Generator | None = None
) -> Batch:
    """One batch. With `rng`, for training: a slot is told by its name and description, by one of them
    alone or, so that what is said counts too where a description means nothing, by neither; and a
    word in twelve is hidden."""
    size = len(examples)
    T = max(len(e.words) for e in examples)
    S = max(len(e.features.slots) for e in examples)
    C = max(e.features.present.shape[1] for e in examples)
    A = max(len(e.features.actions) for e in examples)
    tokens = np.zeros((size, T), np.int64)
    user = np.zeros((size, T), np.bool_)
    flags = np.zeros((size, T, examples[0].features.flags.shape[1]), np.float32)
    slot_words = np.zeros((size, S, TEXT), np.int64)
    slots = np.zeros((size, S, examples[0].features.slots.shape[1]), np.float32)
    values = np.zeros((size, S, C, TEXT // 2), np.int64)
    columns = examples[0].features.candidates.shape[2]
    candidates = np.zeros((size, S, C, columns), np.float32)
    present = np.zeros((size, S, C), np.bool_)
    action_words = np.zeros((size, A, TEXT), np.int64)
    actions = np.zeros((size, A, examples[0].features.actions.shape[1]), np.float32)
    real = np.zeros((size, A), np.bool_)
    for b, each in enumerate(examples):
        f = each.features
        n, s, c, a = len(each.words), *f.present.shape, len(f.actions)
        tokens[b, :n], user[b, :n], flags[b, :n] = each.words, f.user, f.flags
        slots[b, :s], candidates[b, :s, :c], present[b, :s, :c] = f.slots, f.candidates, f.present
        actions[b, :a], real[b, :a] = f.actions, True
        for at, texts in enumerate(each.described.slots):
            told = texts[_form(rng)]
            slot_words[b, at, : len(told)] = told
        for at, texts in enumerate(each.described.actions):
            told = texts[_form(rng)]
            action_words[b, at, : len(told)] = told
        for at, options in enumerate(each.values):
            for o, value in enumerate(options):
                values[b, at, o, : len(value)] = value
    if rng:
        tokens[(rng.random(tokens.shape) < 1 / 12) & (tokens > 0)] = _hidden(words)
    arrays = (tokens, slot_words, values, action_words)
    used, inverse = np.unique(
        np.concatenate([[0], *(a.ravel() for a in arrays)]), return_inverse=True
    )
    parts = np.split(inverse[1:], np.cumsum([a.size for a in arrays])[:-1])
    local = [torch.from_numpy(part.reshape(a.shape)) for part, a in zip(parts, arrays, strict=True)]
    return Batch(
        torch.from_numpy(words.pieces(used)),
        torch.from_numpy(words.frozen(used)),
        local[0],
        torch.from_numpy(flags),
        torch.from_numpy(user),
        local[1],
        torch.from_numpy(slots),
        local[2],
        torch.from_numpy(candidates),
        torch.from_numpy(present),
        local[3],
        torch.from_numpy(actions),
        torch.from_numpy(real),
    )


def _form(rng: np.random.Generator | None) -> int:
    return 0 if rng is None else int(np.searchsorted(FORMS, rng.random(), side="right"))


def _hidden(words: Words) -> int:
    return words.ids(["\u2588"])[0]


@dataclass(frozen=True, slots=True)
class Targets:
    """The labels of a batch, padded like it."""

    right: Tensor  # (B, S, C)
    spans: Tensor  # (B, S, 2)
    action: Tensor  # (B,)
    acts: Tensor  # (B, ACTS)
    about: Tensor  # (B, S, 2)
    taught: Tensor  # (B,)
    state: Tensor  # (B, STATE_COLUMNS)
    slots: Tensor  # (B, S)


def targets(examples: Sequence[Example]) -> Targets:
    """The labels of examples that have them."""
    size = len(examples)
    S = max(len(e.features.slots) for e in examples)
    C = max(e.features.present.shape[1] for e in examples)
    right = np.zeros((size, S, C), np.bool_)
    spans = np.full((size, S, 2), -1, np.int64)
    about = np.zeros((size, S, 2), np.float32)
    slots = np.zeros((size, S), np.bool_)
    labels = [e.labels for e in examples if e.labels is not None]
    states = [e.state for e in examples if e.state is not None]
    for b, each in enumerate(labels):
        s, c = each.right.shape
        right[b, :s, :c], spans[b, :s], about[b, :s] = each.right, each.spans, each.about
        slots[b, :s] = True
    return Targets(
        torch.from_numpy(right),
        torch.from_numpy(spans),
        torch.tensor([each.action for each in labels]),
        torch.from_numpy(np.stack([each.acts for each in labels])),
        torch.from_numpy(about),
        torch.tensor([each.taught for each in labels]),
        torch.from_numpy(np.stack(states)),
        torch.from_numpy(slots),
    )
