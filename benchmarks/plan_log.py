"""Served plans with their propensities and rewards, as bandit feedback for off-policy evaluation."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from bandit.ope import Feedback
from benchmarks.engine_log import EngineLog
from engine.counterfactual import brought
from engine.errors import BadInput
from engine.log_rows import FeatureRows

Floats = NDArray[np.float64]
Served = tuple[str, float, bytes, dict[str, Any], float, dict[str, float]]
"""Impression, time, context features, plan, propensity, {document: reward}."""
SERVED = """
SELECT seq, impression, time, x, plan, propensity FROM searches
WHERE imported = 0 AND propensity IS NOT NULL AND x IS NOT NULL ORDER BY seq
"""
ACTED = """
SELECT s.seq, e.action, e.document, e.weight
FROM searches s JOIN events e ON e.impression = s.impression
WHERE imported = 0 AND propensity IS NOT NULL AND x IS NOT NULL ORDER BY s.seq, e.seq
"""
FEATURES = """
SELECT c.names, r.documents, r.features FROM rows r JOIN columns c ON c.id = r.columns
WHERE r.seq = ?
"""


@dataclass(frozen=True, slots=True, eq=False)
class PlanLog:
    """n answered searches in order of time, over s generators.

    `impressions` (n,): ids; `times` (n,): POSIX seconds; `contexts` (n, d): the bandit's own
    features of each search; `depths` (n, s): asked of each generator; `propensities` (n,) and
    `marginals` (n, s): probability of the whole plan and of each depth on its own; `rewards` (n,):
    weight of the items acted on, each item once with its largest; `shares` (n, s): a generator's
    part of that, an item's weight being divided equally among the generators that brought it.
    """

    generators: tuple[str, ...]
    impressions: NDArray[np.str_]
    times: Floats
    contexts: Floats
    depths: NDArray[np.int32]
    propensities: Floats
    marginals: Floats
    rewards: Floats
    shares: Floats

    def __len__(self) -> int:
        return int(self.rewards.shape[0])

    def plans(self) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The distinct plans (a, s) in ascending order, and which of them (n,) was played."""
        found, played = np.unique(self.depths, axis=0, return_inverse=True)
        return found, played.ravel().astype(np.int64)

    def to_dict(self) -> dict[str, Any]:
        """Open Bandit Pipeline's layout: an action is a plan, in the one position 0.

        Beside obp's keys: `plans` (a, s), the depths of each action, and `generators`, `depths`,
        `marginals`, `shares`, `impressions`, `times` as in the class.
        """
        plans, played = self.plans()
        feedback = Feedback(
            n_actions=max(1, plans.shape[0]),
            actions=played,
            rewards=self.rewards,
            propensities=self.propensities,
            positions=np.zeros(len(self), np.int64),
            contexts=self.contexts,
        )
        own = ("depths", "marginals", "shares", "impressions", "times")
        return {
            **feedback.to_dict(),
            "plans": plans,
            "generators": np.array(self.generators, np.str_),
            **{name: getattr(self, name) for name in own},
        }

    def save(self, path: Path) -> None:
        """`to_dict` as .npz, without pickle."""
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **self.to_dict())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        names = {"contexts": "context", "propensities": "pscore", "rewards": "reward"}
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {f.name: stored[names.get(f.name, f.name)] for f in fields(cls)}
        except (ValueError, KeyError, BadZipFile) as e:
            raise BadInput(f"{path}: not an export of plans ({e})") from e
        return cls(**{**arrays, "generators": tuple(arrays["generators"].tolist())})


def read_plan_log(
    log: EngineLog, rewards: Mapping[str, float], *, progress: bool = False
) -> PlanLog:
    """What the engine itself served; imported searches have no plan and are left out.

    `rewards`: weight of each action, as `EngineConfig.rewards`; other actions are worth nothing.
    A generator that a plan does not name was asked for nothing, with certainty. Where the context
    features changed between versions, only searches with those of the latest remain.
    """
    acted = _acted(log.db, rewards)
    ready = next(acted, None)
    found: list[Served] = []
    brought: list[dict[str, tuple[str, ...]]] = []
    for seq, impression, time, x, plan, propensity in tqdm(
        log.db.execute(SERVED), desc="searches", unit=" searches", disable=not progress
    ):
        weights: dict[str, float] = {}
        if ready is not None and ready[0] == seq:
            weights = ready[1]
            ready = next(acted, None)
        found.append((impression, time, x, json.loads(plan), propensity, weights))
        brought.append(_brought(log.db, seq) if weights else {})
    if not found:
        raise BadInput(f"{log.folder}: has not answered a search yet; there is nothing to export")
    return _assembled(found, brought)


def _acted(
    db: sqlite3.Connection, rewards: Mapping[str, float]
) -> Iterator[tuple[int, dict[str, float]]]:
    """(seq of a search, {document: weight}) of searches with a reward, by seq."""
    for seq, events in groupby(db.execute(ACTED), key=lambda row: int(row[0])):
        best: dict[str, float] = {}
        for _, action, document, weight in events:
            worth = rewards.get(action, 0.0) * weight
            if worth != 0.0:
                best[document] = max(best.get(document, worth), worth)
        yield seq, best


def _brought(db: sqlite3.Connection, seq: int) -> dict[str, tuple[str, ...]]:
    """{document: generators that returned it} of those candidates whose features are logged."""
    row = db.execute(FEATURES, (seq,)).fetchone()
    if row is None:
        return {}
    names, documents = tuple(json.loads(row[0])), tuple(json.loads(row[1]))
    features = np.frombuffer(row[2], np.float32).reshape(len(documents), len(names))
    weights = np.ones(len(documents), np.float32)
    return brought(FeatureRows(names, documents, weights, features))


def _assembled(
    found: list[Served],
    brought: list[dict[str, tuple[str, ...]]],
) -> PlanLog:
    width = len(found[-1][2])
    kept = [i for i, row in enumerate(found) if len(row[2]) == width]
    kept.sort(key=lambda i: found[i][1])
    generators = tuple(dict.fromkeys(name for i in kept for name in found[i][3]))
    place = {name: g for g, name in enumerate(generators)}
    n, s = len(kept), len(generators)
    depths, marginals, shares = np.zeros((n, s), np.int32), np.ones((n, s)), np.zeros((n, s))
    rewards = np.zeros(n)
    for row, i in enumerate(kept):
        _, _, _, plan, _, weights = found[i]
        for name, (depth, marginal) in plan.items():
            depths[row, place[name]], marginals[row, place[name]] = depth, marginal
        rewards[row] = sum(weights.values())
        for document, weight in weights.items():
            sources = [place[g] for g in brought[i].get(document, ()) if g in place]
            for g in sources:
                shares[row, g] += weight / len(sources)
    return PlanLog(
        generators=generators,
        impressions=np.array([found[i][0] for i in kept], np.str_),
        times=np.array([found[i][1] for i in kept]),
        contexts=np.stack([np.frombuffer(found[i][2], np.float32) for i in kept]).astype(
            np.float64
        ),
        depths=depths,
        propensities=np.array([found[i][4] for i in kept]),
        marginals=marginals,
        rewards=rewards,
        shares=shares,
    )
