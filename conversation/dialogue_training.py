"""Trains the dialogue manager's network on annotated dialogues."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from conversation.base import Action, AnnotatedTurn, Dialogue
from conversation.batches import Described, Example, Targets, collate, example, targets
from conversation.dialogue_net import DialogueNet, Scores, rounded
from conversation.domain import Domain
from conversation.moves import wanted
from conversation.threads import one_thread
from conversation.turn_features import state_columns, turn_features
from conversation.turn_labels import turn_labels
from conversation.words import Words

Values = Sequence[Mapping[str, tuple[str, ...]]]
"""A user's turn each, the slots' values in all ways they may be written."""
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A dialogue to learn from, in its domain."""

    domain: Domain
    dialogue: Dialogue
    values: Values = ()


@dataclass(frozen=True, slots=True)
class DialogueTraining:
    """How long and how fast the network learns. `steps` counts batches of `batch` turns."""

    steps: int = 3000
    batch: int = 32
    rate: float = 3e-3
    seed: int = 0


TRAINING = DialogueTraining()


def untagged(turn: AnnotatedTurn) -> AnnotatedTurn:
    """The turn as it comes where no tagger has read it."""
    return replace(turn, slots=())


def lessons_examples(
    lessons: Iterable[Lesson], words: Words, tagged: bool = False
) -> Iterator[Example]:
    """The turns of users as examples. `tagged`: slots of the turn itself are given, as by a tagger."""
    described: dict[str, Described] = {}
    for lesson in lessons:
        domain = lesson.domain
        if domain.name not in described:
            described[domain.name] = Described(words, domain)
        before: Action | None = None
        user = 0
        turns = lesson.dialogue.turns
        for at, turn in enumerate(turns):
            if turn.speaker != "user":
                continue
            after = wanted(turn, before) or Action("")
            given = turn if tagged else untagged(turn)
            features = turn_features(domain, turns[:at], given, before)
            values = lesson.values[user] if lesson.values else None
            labels = turn_labels(domain, features, turn, after, values)
            state = state_columns(domain, features, before, after)
            yield example(features, described[domain.name], words, labels, state)
            before, user = after, user + 1


def loss_of(net: DialogueNet, scores: Scores, gold: Targets) -> Tensor:
    """The sum of the losses of values, spans, wanted actions and acts, each a mean."""
    known = gold.right.any(-1) & gold.slots
    every = scores.candidates.logsumexp(-1)
    right = scores.candidates.masked_fill(~gold.right, -1e4).logsumexp(-1)
    values = (every - right)[known].sum() / len(gold.action)
    said = gold.spans[..., 0] >= 0
    spans = scores.starts.sum() * 0.0
    if bool(said.any()):
        spans = cross_entropy(scores.starts[said], gold.spans[..., 0][said])
        spans = spans + cross_entropy(scores.ends[said], gold.spans[..., 1][said])
    actions = cross_entropy(scores.actions, gold.action)
    acts, about = net.acts(scores, gold.state)
    doing = binary_cross_entropy_with_logits(acts, gold.acts, reduction="none").sum(-1)
    telling = binary_cross_entropy_with_logits(about, gold.about, reduction="none").sum(-1)
    taught = gold.taught.float()
    doing = (doing * taught).sum() / taught.sum().clamp(min=1)
    telling = (telling * gold.slots * taught[:, None]).sum() / taught.sum().clamp(min=1)
    return values + 0.5 * spans + actions + doing + telling


def fit(
    examples: Sequence[Example],
    words: Words,
    training: DialogueTraining = TRAINING,
    *,
    frozen: int = 0,
    progress: Progress | None = None,
) -> DialogueNet:
    """A network trained on the examples: the same ones and seed, the same weights. `progress` is
    called with the share done, in (0, 1]."""
    if not examples:
        raise ValueError("dialogues: found no user's turn with what is wanted, expected some")
    rng = np.random.default_rng(training.seed)
    with torch.random.fork_rng(devices=[]), one_thread():
        torch.manual_seed(training.seed)
        net = DialogueNet(frozen)
        net.train()
        optimizer = torch.optim.AdamW(net.parameters(), lr=training.rate, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, training.rate, total_steps=training.steps, pct_start=0.1
        )
        order = _shuffled(examples, training, rng)
        for step in range(training.steps):
            chosen = [examples[i] for i in next(order)]
            scores = net(collate(chosen, words, rng))
            loss = loss_of(net, scores, targets(chosen))
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimizer.step()
            schedule.step()
            if progress is not None:
                progress((step + 1) / training.steps)
    return rounded(net).eval()


def _shuffled(
    examples: Sequence[Example], training: DialogueTraining, rng: np.random.Generator
) -> Iterator[list[int]]:
    """Batches of turns of about the same length, in random order, without end."""
    size = training.batch
    while True:
        shuffled = rng.permutation(len(examples))
        chunks = [shuffled[i : i + size * 16] for i in range(0, len(shuffled), size * 16)]
        for chunk in chunks:
            by_length = sorted(chunk, key=lambda i: len(examples[i].words))
            batches = [by_length[i : i + size] for i in range(0, len(by_length), size)]
            for at in rng.permutation(len(batches)):
                yield [int(i) for i in batches[int(at)]]
