"""Target policies of `ltrr evaluate-policy`, by what a user writes for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bandit import FixedPlan, LadderPolicy, PlanDistribution, UniformPolicy
from benchmarks.policy_log import impressions_until, laid_out
from engine.counterfactual import Served, distributions
from engine.errors import BadInput
from engine.folder import LOG
from engine.snapshots import CURRENT, MANIFEST, in_force, read_state

FIXED = "fixed:"
FORMS = "uniform, fixed:GENERATOR=DEPTH,…, the number of a snapshot or the folder of one"


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A policy over plans.

    `fit(served)`: the log over the generators and the ladder that the policy knows; `plays`: of such
    a log, one distribution a search. `learnt`: ids of searches it was learnt from, of which it knows
    what was clicked; `notes`: what the estimate rests on.
    """

    name: str
    plays: Callable[[Served], Sequence[PlanDistribution]]
    fit: Callable[[Served], Served] = lambda served: served
    learnt: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def target_of(wanted: str, index: Path | None) -> Target:
    """The target policy written as `wanted`; a number is a snapshot of `index`."""
    if wanted == "uniform":
        return Target(wanted, lambda served: _same(served, UniformPolicy(*_shape(served))))
    if wanted.startswith(FIXED):
        depths = _depths(wanted)
        return Target(
            wanted, lambda served: _fixed(served, depths), lambda served: _reaching(served, depths)
        )
    here, name = Path(wanted), wanted
    if wanted.isdecimal() and index is not None:
        here, name = index / "snapshots" / wanted, f"snapshot {wanted}"
    if (here / CURRENT).is_file():
        here = here / "snapshots" / str(in_force(here))
    if not (here / MANIFEST).is_file():
        raise BadInput(
            f"--target: found {wanted!r}, expected {FORMS}"
            + ("" if here == Path(wanted) else f"; {index} has no snapshot {wanted}")
        )
    return _saved(name, here)


def _saved(name: str, here: Path) -> Target:
    state, config = read_state(here, None)
    source = here.parent.parent
    learnt: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    if (source / LOG).is_file():
        learnt = frozenset(impressions_until(source, state.learnt[0]))
    else:
        notes = (
            f"{source} holds no log, so that it is not known which searches {name} was learnt from; "
            "on those it is taken for better than it is.",
        )

    ladder = np.array(config.ladder, np.int32)
    return Target(
        name,
        lambda served: distributions(state, served.queries),
        lambda served: laid_out(served, tuple(state.retrievers), ladder),
        learnt,
        notes,
    )


def _shape(served: Served) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int32]], int]:
    return served.ladder, len(served.generators)


def _same(served: Served, policy: LadderPolicy) -> Sequence[PlanDistribution]:
    """A policy that heeds nothing: one distribution for all searches."""
    s, rungs = len(served.generators), served.ladder.size
    nothing = np.zeros((s, rungs, 0)), np.zeros((s, rungs, s, rungs))
    return [policy.distribution(np.zeros(0), *nothing, price=0.0)] * len(served)


def _fixed(served: Served, depths: dict[str, int]) -> Sequence[PlanDistribution]:
    plan = [depths.get(name, 0) for name in served.generators]
    return _same(served, FixedPlan(*_shape(served), depths=plan))


def _reaching(served: Served, depths: dict[str, int]) -> Served:
    """The log over a ladder that holds these depths too: a depth that was never tried is refused by
    the estimate, which says so."""
    unknown = [name for name in depths if name not in served.generators]
    if unknown:
        raise BadInput(
            f"--target: found generator {unknown[0]!r}, the log has {', '.join(served.generators)}"
        )
    ladder = np.union1d(served.ladder, list(depths.values())).astype(np.int32)
    return laid_out(served, served.generators, ladder)


def _depths(wanted: str) -> dict[str, int]:
    depths: dict[str, int] = {}
    for part in filter(None, wanted.removeprefix(FIXED).split(",")):
        name, _, depth = part.partition("=")
        if not depth.strip().isdecimal():
            raise BadInput(
                f"--target: found {part!r} in {wanted!r}, expected GENERATOR=DEPTH such as bm25=50"
            )
        depths[name.strip()] = int(depth)
    return depths
