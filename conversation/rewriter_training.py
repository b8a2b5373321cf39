"""Training of a rewriter: several networks, each tried on dialogues that it never saw, which tells how far to trust
them together."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from conversation.contextual_words import ContextualWords, PieceReader
from conversation.processes import processes
from conversation.rewrite_data import RewriteExample
from conversation.rewrite_features import Words
from conversation.rewrite_tokens import same
from conversation.rewrite_training import Recipe, prepared, train, vocabulary
from conversation.rewriter import Rewriter, Trust
from conversation.scenes import examples as scenes
from conversation.shortening import variants

IDLE_RATE = 0.02
"""Share of the queries that need no rewrite and may be changed all the same."""
DEPTHS = (2, 4, 6)
"""Of the encoder, one for each network: networks that read alike err alike."""
TOGETHER = 0.77
"""Of 100 idle queries that a network would change by itself, several averaged change so many."""
TURNS_REMEMBERED = 100_000
HELD_OUT = 8
"""Each network is tried on one in so many dialogues, another for each."""


@dataclass(frozen=True, slots=True)
class Member:
    """A trained network, and of queries that it never saw what it holds their rewrites worth, and whether
    they need one."""

    weights: Mapping[str, NDArray[np.float32]]
    worth: NDArray[np.float64]
    needed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Task:
    """What a network is trained with; `number` of the member tells its seed and what it is tried on. `depth`: the
    layer of `reader` that it reads."""

    examples: Sequence[RewriteExample]
    words: Words
    recipe: Recipe
    seed: int
    number: int
    reader: PieceReader | None = None
    depth: int = 0
    device: str = "cpu"


def part_of(group: str, parts: int) -> int:
    """Which part a dialogue is in, the same in every run."""
    return zlib.crc32(group.encode()) % parts


def train_member(task: Task) -> Member:
    """Train one network and try it."""
    torch.set_num_threads(1)
    part = task.number % HELD_OUT
    tried = [
        e
        for e in task.examples
        if e.style == "gold" and part_of(f"held {e.group}", HELD_OUT) == part
    ]
    groups = {e.group for e in tried}
    learnt = [e for e in task.examples if e.group not in groups] or list(task.examples)
    reading = (
        ContextualWords(task.reader, (task.depth,), TURNS_REMEMBERED)
        if task.reader is not None
        else None
    )
    rows = prepared(learnt, task.words, task.recipe, reading)
    weights = train(rows, task.words, task.recipe, task.seed + task.number, task.device)
    rewriter = Rewriter([weights], task.recipe.heads, task.words, reading=reading)
    worth = [rewriter.propose(e.turns, e.query).worth for e in tried]
    return Member(
        weights, np.array(worth), np.array([not same(e.query, e.rewrite) for e in tried], bool)
    )


def train_rewriter(
    examples: Sequence[RewriteExample],
    *,
    reader: PieceReader | None = None,
    recipe: Recipe | None = None,
    depths: Sequence[int] = DEPTHS,
    seed: int = 0,
    idle_rate: float = IDLE_RATE,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Rewriter:
    """A rewriter that learnt from examples, and from `recipe.scenes` made ones: a network for each of `depths`, the
    layers of `reader` where there is one. Same seed, same bytes."""
    tasks = rewriter_tasks(
        examples, reader=reader, recipe=recipe or Recipe(), depths=depths, seed=seed
    )
    trained = []
    if workers > 1:
        with processes(workers) as pool:
            for number, member in enumerate(pool.map(train_member, tasks), 1):
                trained.append(member)
                if progress:
                    progress(f"network {number} of {len(tasks)}")
    else:
        for number, task in enumerate(tasks, 1):
            trained.append(train_member(task))
            if progress:
                progress(f"network {number} of {len(tasks)}")
    return assembled(tasks, trained, idle_rate)


def rewriter_tasks(
    examples: Sequence[RewriteExample],
    *,
    reader: PieceReader | None,
    recipe: Recipe,
    depths: Sequence[int],
    seed: int,
) -> list[Task]:
    """What each network of a rewriter is trained with."""
    rng = np.random.default_rng(seed)
    made = scenes(recipe.scenes, rng) if recipe.scenes else []
    everything = [*examples, *variants(examples, rng), *made]
    words = vocabulary(everything, recipe)
    return [
        Task(everything, words, recipe, seed, number, reader, depth)
        for number, depth in enumerate(depths)
    ]


def assembled(
    tasks: Sequence[Task], members: Sequence[Member], idle_rate: float = IDLE_RATE
) -> Rewriter:
    """The rewriter of trained networks, trusted as far as their trials allow."""
    first = tasks[0]
    trust = fit_trust(
        np.concatenate([m.worth for m in members]),
        np.concatenate([m.needed for m in members]),
        idle_rate / (TOGETHER if len(members) > 1 else 1.0),
    )
    reading = (
        ContextualWords(first.reader, [task.depth for task in tasks])
        if first.reader is not None
        else None
    )
    weights = [dict(m.weights) for m in members]
    return Rewriter(weights, first.recipe.heads, first.words, trust, reading)


def fit_trust(worth: NDArray[np.float64], needed: NDArray[np.bool_], idle_rate: float) -> Trust:
    """Platt's scaling of worths, and the threshold that changes no more than `idle_rate` of what needs
    no change; queries of worth -inf are never changed."""
    if not needed.any() or needed.all():
        return Trust()
    said = np.isfinite(worth)
    x, y = worth[said], needed[said].astype(np.float64)
    # Platt's targets, which keep the fit finite where the two are parted
    target = np.where(y > 0, (y.sum() + 1) / (y.sum() + 2), 1 / ((1 - y).sum() + 2))
    design = np.stack([x, np.ones_like(x)], 1)

    def loss(weights: NDArray[np.float64]) -> float:
        z = design @ weights
        return float((np.logaddexp(0, z) - target * z).sum())

    fitted = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ fitted, -30, 30)))
        gradient = design.T @ (p - target)
        curvature = (design * (p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        move = np.linalg.solve(curvature, gradient)
        # Newton's step may overshoot where the two are nearly parted
        while loss(fitted - move) > loss(fitted) + 1e-12:
            move /= 2
        fitted = fitted - move
        if np.abs(move).max() < 1e-8:
            break
    trust = Trust(max(float(fitted[0]), 1e-3), float(fitted[1]))
    idle = np.sort(worth[~needed])[::-1]
    allowed = int(idle_rate * len(idle))
    border = float(idle[min(allowed, len(idle) - 1)])
    if not math.isfinite(border):
        return trust
    return replace(trust, threshold=min(trust.of(border) + 1e-9, 1.0))
