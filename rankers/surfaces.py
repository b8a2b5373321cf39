"""Position bias for each kind of page apart: what stands third on a phone is looked at otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rankers.base import Floats, Judged
from rankers.gate import between
from rankers.position_bias import Groups, PositionBias, position_bias
from rankers.propensity import Examination

IMPRESSIONS = 1_000
"""Of one kind of page, below which it has the curve of all."""


@dataclass(frozen=True, slots=True, eq=False)
class Surfaces:
    """The position bias of each kind of page or device by its name, of all together under ""."""

    biases: Mapping[str, PositionBias]

    def __post_init__(self) -> None:
        if next(iter(self.biases), None) != "":
            raise ValueError(
                f'biases: found {list(self.biases)}, expected "" first: the curve of all together'
            )

    @classmethod
    def assumed(cls, given: Mapping[str, Examination] | None = None) -> Self:
        """What is known before there are clicks: (1 / position), and the curves that are given."""
        known = given or {}
        biases = {"": PositionBias(Examination.prior(), "assumed", 0)}
        return cls(biases | {name: PositionBias(e, "given", 0) for name, e in known.items()})

    def of(self, name: str) -> PositionBias:
        """That of a kind of page; of all together where it has none of its own."""
        return self.biases.get(name, self.biases[""])

    @property
    def _page(self) -> int:
        return max(bias.examination.curve.size for bias in self.biases.values())

    def places(self, name: str, positions: NDArray[np.int32]) -> NDArray[np.int32]:
        """Positions (n,) on a kind of page, 0 = not shown, as positions of `examination`, where each
        kind has a run of its own."""
        index = list(self.biases).index(name) if name in self.biases else 0
        run = np.minimum(positions, self._page) + index * self._page
        return np.where(positions > 0, run, 0).astype(np.int32)

    @property
    def examination(self) -> Examination:
        """The curves of all kinds one after the other, for `places`; each as a share of its own first
        position."""
        page = np.arange(1, self._page + 1, dtype=np.int32)
        whole = self.biases[""].examination
        curves: list[Floats] = [
            replace(bias.examination, floor=1e-9).of(page) for bias in self.biases.values()
        ]
        return Examination(np.concatenate(curves), floor=whole.floor)


def by_surface(
    judged: Judged,
    queries: NDArray[np.int64],
    documents: NDArray[np.int64],
    surfaces: NDArray[np.str_],
    *,
    given: Mapping[str, Examination] | None = None,
    randomised: Groups | None = None,
    varied: Groups | None = None,
    prior: Examination | None = None,
    seed: int = 0,
) -> Surfaces:
    """`position_bias` of all impressions together, and of every kind of page or device, `surfaces` (q,),
    that has `IMPRESSIONS` of its own or is `given`; it starts from the curve of all."""
    known = given or {}

    def of(chosen: NDArray[np.bool_], start: Examination | None, name: str) -> PositionBias:
        part, rows = _impressions(judged, chosen)
        return position_bias(
            part, queries[chosen], documents[rows], given=known.get(name),
            randomised=None if randomised is None else randomised[rows],
            varied=None if varied is None else varied[rows], prior=start, seed=seed,
        )  # fmt: skip

    whole = of(np.ones(judged.queries, np.bool_), prior, "")
    found = {"": whole}
    names, counts = np.unique(surfaces, return_counts=True)
    # The pages of a single kind are all pages.
    apart = set(names[counts >= IMPRESSIONS].tolist()) if names.size > 1 else set()
    start = replace(whole.examination, errors=None)
    for name in sorted((apart | set(known)) - {""}):
        found[name] = of(surfaces == name, start, name)
    return Surfaces(found)


def _impressions(judged: Judged, chosen: NDArray[np.bool_]) -> tuple[Judged, NDArray[np.bool_]]:
    """Some impressions (q,), and which rows (n,) they are."""
    if chosen.all():
        return between(judged, 0, judged.queries), np.ones(judged.labels.size, np.bool_)
    sizes = np.diff(judged.starts)
    rows = np.repeat(chosen, sizes)
    starts = np.concatenate([[0], np.cumsum(sizes[chosen])]).astype(np.int64)
    return Judged(
        judged.features[rows],
        judged.labels[rows],
        judged.weights[rows],
        judged.positions[rows],
        starts,
    ), rows
