"""Training of a rewriter: several networks, each tried on dialogues that it never saw, which tells how far to trust
them together."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
import torch
from numpy.typing import NDArray

from conversation.rewrite_data import RewriteExample
from conversation.rewrite_features import Words
from conversation.rewrite_tokens import same
from conversation.rewrite_training import Recipe, prepared, train, vocabulary
from conversation.rewriter import Rewriter, Trust
from conversation.scenes import examples as scenes
from conversation.shortening import variants
from conversation.word_vectors import WordVectors

IDLE_RATE = 0.02
"""Share of the queries that need no rewrite and may be changed all the same."""
MEMBERS = 3
HELD_OUT = 8
"""Each network is tried on one in so many dialogues, another for each."""


@dataclass(frozen=True, slots=True)
class Member:
    """A trained network, and of queries that it never saw its log-odds that they need a rewrite, and
    whether they do."""

    weights: Mapping[str, NDArray[np.float32]]
    odds: NDArray[np.float64]
    needed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Task:
    """What a network is trained with; `number` of the member tells its seed and what it is tried on."""

    examples: Sequence[RewriteExample]
    words: Words
    recipe: Recipe
    seed: int
    number: int
    vectors: WordVectors | None = None
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
    rows = prepared(learnt, task.words, task.recipe, task.vectors)
    weights = train(rows, task.words, task.recipe, task.seed + task.number, task.device)
    rewriter = Rewriter([weights], task.recipe.heads, task.words, vectors=task.vectors)
    odds = [rewriter.odds(e.turns, e.query) if e.turns else -math.inf for e in tried]
    return Member(
        weights, np.array(odds), np.array([not same(e.query, e.rewrite) for e in tried], bool)
    )


def train_rewriter(
    examples: Sequence[RewriteExample],
    *,
    vectors: WordVectors | None = None,
    recipe: Recipe | None = None,
    members: int = MEMBERS,
    seed: int = 0,
    idle_rate: float = IDLE_RATE,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Rewriter:
    """A rewriter that learnt from examples, and from `recipe.scenes` made ones; same seed, same bytes."""
    tasks = rewriter_tasks(
        examples, vectors=vectors, recipe=recipe or Recipe(), members=members, seed=seed
    )
    trained = []
    if workers > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for number, member in enumerate(pool.map(train_member, tasks), 1):
                trained.append(member)
                if progress:
                    progress(f"network {number} of {members}")
    else:
        for number, task in enumerate(tasks, 1):
            trained.append(train_member(task))
            if progress:
                progress(f"network {number} of {members}")
    return assembled(tasks[0], trained, idle_rate)


def rewriter_tasks(
    examples: Sequence[RewriteExample],
    *,
    vectors: WordVectors | None,
    recipe: Recipe,
    members: int,
    seed: int,
) -> list[Task]:
    """What each network of a rewriter is trained with."""
    rng = np.random.default_rng(seed)
    made = scenes(recipe.scenes, rng) if recipe.scenes else []
    everything = [*examples, *variants(examples, rng), *made]
    words = vocabulary(everything, recipe)
    return [Task(everything, words, recipe, seed, number, vectors) for number in range(members)]


def assembled(task: Task, members: Sequence[Member], idle_rate: float = IDLE_RATE) -> Rewriter:
    """The rewriter of trained networks, trusted as far as their trials allow."""
    trust = fit_trust(
        np.concatenate([m.odds for m in members]),
        np.concatenate([m.needed for m in members]),
        idle_rate,
    )
    weights = [dict(m.weights) for m in members]
    return Rewriter(weights, task.recipe.heads, task.words, trust, task.vectors)


def fit_trust(odds: NDArray[np.float64], needed: NDArray[np.bool_], idle_rate: float) -> Trust:
    """Platt's scaling of log-odds, and the threshold that changes no more than `idle_rate` of what needs
    no change; queries of odds -inf stand at the beginning of a conversation and are never changed."""
    if not needed.any() or needed.all():
        return Trust()
    said = np.isfinite(odds)
    x, y = odds[said], needed[said].astype(np.float64)
    # Platt's targets, which keep the fit finite where the two are parted
    target = np.where(y > 0, (y.sum() + 1) / (y.sum() + 2), 1 / ((1 - y).sum() + 2))
    design = np.stack([x, np.ones_like(x)], 1)
    fitted = np.array([1.0, 0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ fitted, -30, 30)))
        gradient = design.T @ (p - target)
        curvature = (design * (p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        move = np.linalg.solve(curvature, gradient)
        fitted -= np.clip(move, -2, 2)
        if np.abs(move).max() < 1e-8:
            break
    trust = Trust(max(float(fitted[0]), 1e-3), float(fitted[1]))
    idle = np.sort(odds[~needed])[::-1]
    allowed = int(idle_rate * len(idle))
    border = float(idle[min(allowed, len(idle) - 1)])
    if not math.isfinite(border):
        return trust
    return replace(trust, threshold=min(trust.of_odds(border) + 1e-9, 1.0))
