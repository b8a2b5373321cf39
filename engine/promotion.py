"""`promote`: a staged state goes live only where it is surely not worse than the user allows.

It is compared with the state in force on what that one served after the staged one had learnt its
last record, so that neither has seen it: the policy by the reward its plans would have earned
(off-policy), the ranker by the order it would have given to what was clicked. What the generators
have learnt is not compared: no log of the state in force can tell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from bandit import PlanDistribution
from bandit.ope import Estimate, evaluate
from engine.config import EngineConfig
from engine.correcting import shown_rows
from engine.counterfactual import Served, distributions, evidences, read_served
from engine.errors import BadInput
from engine.interleaving import Challenger
from engine.log import Log
from engine.ranking_features import column_names
from engine.snapshots import in_force, put_in_force, read_manifest, read_state, waiting_for
from engine.staging import waiting
from engine.state import State
from engine.training import clicked_impressions
from rankers.gate import judge, scored
from retrievers.dense import Dense

ESTIMATOR: Final = "dr"
FEWEST: Final = 30
"""Clicked impressions below which the interval of a ranker's difference is not believed."""
MEASURES: Final = {"policy": "reward a search", "ranker": "nDCG@10"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One part of a staged state beside that of the state in force, on what neither has seen.

    `difference`: staged - in force, of `measure`, `low` and `high` its 95% interval; all None where the
    searches cannot tell, and `reasons` say why. `searches`: how many it rests on. `weights`: whose
    propensity was used, that of the whole plan ("joint") or each generator's own ("marginal");
    None for the ranker. `same`: both do the same, so that nothing is to be compared.
    """

    part: Literal["policy", "ranker"]
    same: bool
    difference: float | None
    low: float | None
    high: float | None
    searches: int
    weights: str | None = None
    reasons: tuple[str, ...] = ()

    @property
    def measure(self) -> str:
        """The unit of the difference."""
        return MEASURES[self.part]

    def clears(self, allow: float) -> bool:
        """Whether it is surely no more than `allow` worse."""
        return self.same or (self.low is not None and self.low >= -allow)


@dataclass(frozen=True, slots=True)
class Promotion:
    """What `promote` found and did.

    `snapshot`: the staged one; `over`: the one that was in force; `searches`: those that neither has
    seen. `reason` says in words why it was promoted or refused, and `cure` what would help.
    """

    promoted: bool
    snapshot: int
    over: int
    allow: float
    searches: int
    policy: Comparison
    ranker: Comparison
    reason: str
    cure: str | None


def promote(
    folder: Path,
    current: State,
    log: Log,
    config: EngineConfig,
    snapshot: int | None,
    allow: float,
) -> tuple[Promotion, State]:
    """The verdict on a staged snapshot of an index, and the state in force after it.

    See `SearchEngine.promote`.
    """
    if not (math.isfinite(allow) and allow >= 0.0):
        raise BadInput(f"allow: found {allow}, expected a loss of at least 0")
    over, number, staged = read_waiting(folder, current, snapshot)
    here = [folder / "snapshots" / str(n) for n in (over, number)]
    until = log.last()
    served = read_served(current, log, config, staged.learnt, until)
    same = _ranker_files(here[0]) == _ranker_files(here[1])
    verdict = decided(
        number, over, allow, len(served),
        _policies(served, current, staged, config.seed),
        _rankers(current, staged, log, config, until, same),
    )  # fmt: skip
    if not verdict.promoted:
        return verdict, current
    put_in_force(folder, number)
    return verdict, staged


def read_waiting(folder: Path, current: State, snapshot: int | None) -> tuple[int, int, State]:
    """The numbers of the snapshot in force and of a staged one (None: the latest), and its state.

    `current`: the state in force. SnapshotError where nothing waits or what waits is outdated.
    """
    over = in_force(folder)
    ready = [one.number for one in waiting_for(folder, over)]
    number = waiting(folder, ready, snapshot)
    # The encoder that the state in force has is the one that the staged one was learnt with.
    dense = (r for r in current.retrievers.values() if isinstance(r, Dense))
    encoder = next((r.encoder for r in dense), None)
    return over, number, read_state(folder / "snapshots" / str(number), encoder)[0]


def waiting_challenger(folder: Path, current: State, snapshot: int | None) -> Challenger:
    """A staged snapshot (None: the latest) as the challenger of the state in force."""
    over, number, state = read_waiting(folder, current, snapshot)
    return Challenger(number, state, over, current)


def decided(
    snapshot: int,
    over: int,
    allow: float,
    searches: int,
    policy: Comparison,
    ranker: Comparison,
) -> Promotion:
    """The verdict: promoted where the lower bound of both is at least -`allow`."""
    parts = (policy, ranker)
    failing = [one for one in parts if not one.clears(allow)]
    cure = None
    if not failing:
        compared = [one for one in parts if not one.same]
        reason = (
            "; ".join(_told(one) for one in compared)
            if compared
            else "the staged state plans and ranks as the one in force does"
        )
    else:
        reason = "; ".join(_told(one) for one in failing)
        bound = f"; expected a lower bound of at least {0.0 - allow:+.4g}"
        reason += bound if any(one.low is not None for one in failing) else ""
        cure = _cure(failing, allow)
    return Promotion(
        promoted=not failing, snapshot=snapshot, over=over, allow=allow, searches=searches,
        policy=policy, ranker=ranker, reason=reason, cure=cure,
    )  # fmt: skip


def _cure(failing: list[Comparison], allow: float) -> str:
    if any(one.high is not None and one.high < -allow for one in failing):
        return "leave it: it is surely worse. Learn from more searches and stage again"
    more = "serve more searches before promoting"
    if any(one.part == "policy" for one in failing):
        more += ", with a policy that explores more (a higher epsilon)"
    judged = all(one.low is not None for one in failing)
    return f"{more}, or allow a larger loss" if judged else more


def _policies(served: Served, current: State, staged: State, seed: int) -> Comparison:
    n = len(served)
    if n == 0:
        reason = "nothing was served since the staged state was learnt"
        return Comparison("policy", False, None, None, None, 0, reasons=(reason,))
    targets = distributions(staged, served.queries)
    if all(map(_equal, targets, distributions(current, served.queries))):
        return Comparison("policy", True, 0.0, 0.0, 0.0, n)
    reasons: list[str] = []
    for evidence in evidences(served, targets):
        found = evaluate(
            evidence, (ESTIMATOR, "snips"), against_log=True, draws=served.draws, seed=seed
        )[0]
        if found.supported:
            return _gain(found, n)
        kind = "whole plans" if found.weights == "joint" else "each generator's own depth"
        reasons += [f"by {kind}, {reason}" for reason in found.reasons]
    return Comparison("policy", False, None, None, None, n, reasons=tuple(reasons))


def _gain(found: Estimate, searches: int) -> Comparison:
    return Comparison(
        "policy", False, found.value, found.low, found.high, searches, weights=found.weights
    )


def _equal(one: PlanDistribution, other: PlanDistribution) -> bool:
    return one.epsilon == other.epsilon and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("plans", "weights", "background")
    )


def _rankers(
    current: State,
    staged: State,
    log: Log,
    config: EngineConfig,
    until: tuple[int, int],
    same: bool,
) -> Comparison:
    names = column_names(current.retrievers)
    after = staged.learnt[0]
    held = shown_rows(
        clicked_impressions(log, config, names, until, staged.surfaces, after=after, imported=False)
    )
    if same:
        return Comparison("ranker", True, 0.0, 0.0, 0.0, held.queries)
    if held.queries < FEWEST:
        reason = f"{held.queries} impressions were clicked since it was learnt (at least {FEWEST} needed)"
        return Comparison("ranker", False, None, None, None, held.queries, reasons=(reason,))
    verdict = judge(
        held,
        scored(current.ranker or current.fusion, held),
        scored(staged.ranker or staged.fusion, held),
        staged.surfaces.examination,
    )
    return Comparison(
        "ranker", False, verdict.difference, verdict.low, verdict.high, verdict.impressions
    )


def _told(one: Comparison) -> str:
    if one.difference is None or one.low is None or one.high is None:
        return f"the {one.part} cannot be judged: {'; '.join(one.reasons)}"
    how = {"joint": " (by whole plans)", "marginal": " (by each generator's own depth)"}
    return (
        f"the {one.part} gains {one.difference:+.4f} {one.measure}, {one.low:+.4f} to "
        f"{one.high:+.4f}{how.get(one.weights or '', '')}"
    )


def _ranker_files(snapshot: Path) -> dict[str, str]:
    """{file: digest} of a snapshot's ranker, by which two rankers are known to be the same."""
    files: dict[str, str] = read_manifest(snapshot)["files"]
    return {name: digest for name, digest in files.items() if name.startswith("ranker/")}
