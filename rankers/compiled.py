"""Trees as bit masks, compiled: the scores of LightGBM in a fraction of its time.

QuickScorer (Lucchese et al. 2015, "QuickScorer: a fast algorithm to rank documents with additive
ensembles of regression trees"), over rows instead of documents one by one. A tree's leaves are bits in
order from left to right; a node whose test fails clears the leaves to its left, and the lowest bit that
is left is the leaf. Each test is made for all rows at once, so that the processor compares sixteen of
them in one instruction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rankers.base import Features, Floats

if TYPE_CHECKING:
    from lightgbm import Booster

LEAVES = 32
"""Most leaves of a tree: bits of a mask."""
BLOCK = 256
"""Rows that go through the trees together and stay in a core's cache."""
DE_BRUIJN = 0x077CB531
"""Every five bits of it differ: multiplied by a lone bit, the top five name that bit."""
ZERO = np.float32(1e-35)
"""Up to which LightGBM takes a value for zero."""
CHECKED, TOLERANCE = 128, 1e-6
"""Rows on which compiled trees must score as LightGBM does, and how far they may be off."""
CATEGORICAL, DEFAULT_LEFT = 1, 2
MISSING_NONE, MISSING_NAN = 0, 2


class Unsupported(ValueError):
    """A model has something that is not compiled: LightGBM scores it."""


@dataclass(frozen=True, slots=True, eq=False)
class CompiledTrees:
    """t trees with m tests in all.

    `starts` (t + 1,): tests starts[i]:starts[i + 1] belong to tree i; `features`, `thresholds`,
    `nan_left`, `masks` (m,): a row goes right where its value is above the threshold, or missing and
    not `nan_left`; then only the leaves of the mask remain. `values` (t, LEAVES), in the order that
    `DE_BRUIJN` gives to bits.
    """

    starts: NDArray[np.int64]
    features: NDArray[np.int64]
    thresholds: NDArray[np.float32]
    nan_left: NDArray[np.bool_]
    masks: NDArray[np.uint32]
    values: Floats

    @classmethod
    def of(cls, model: str) -> Self:
        """From a model in LightGBM's text form; `Unsupported` where it has what is not compiled."""
        starts, nodes, values = [0], [], []
        for section in model.split("\nTree=")[1:]:
            lines = section.split("\n\n", 1)[0].splitlines()[1:]
            tree = dict(line.split("=", 1) for line in lines if "=" in line)
            tests, leaves = _tree(tree)
            nodes += tests
            starts.append(len(nodes))
            values.append(leaves)
        columns = list(zip(*nodes, strict=True)) or [()] * 4
        return cls(
            np.array(starts),
            np.array(columns[0], np.int64),
            np.array(columns[1], np.float32),
            np.array(columns[2], np.bool_),
            np.array(columns[3], np.uint32),
            np.array(values, np.float64).reshape(-1, LEAVES),
        )

    def score(self, features: Features) -> Floats:
        """Shape (n,): the sums that LightGBM gives, in its order."""
        columns = np.array(features.T, np.float32, order="C")
        columns[np.abs(columns) <= ZERO] = 0.0
        out = np.zeros(len(features))
        _score(
            columns, self.starts, self.features, self.thresholds, self.nan_left, self.masks,
            self.values, out,
        )  # fmt: skip
        return out

    def sample(self, columns: int, rows: int, seed: int = 0) -> Features:
        """Rows on both sides of the tests: values at thresholds, beside them, zero and missing."""
        rng = np.random.default_rng(seed)
        sample = rng.normal(size=(rows, columns)).astype(np.float32)
        for feature in np.unique(self.features).tolist():
            at = rng.choice(self.thresholds[self.features == feature], rows)
            beside = np.nextafter(at, rng.choice(np.array([-np.inf, np.inf], np.float32), rows))
            sample[:, feature] = np.where(rng.random(rows) < 0.5, at, beside)
        sample[rng.random(sample.shape) < 0.2] = np.nan
        sample[rng.random(sample.shape) < 0.1] = 0.0
        return sample


def readers(model: str, columns: int) -> tuple[Booster, CompiledTrees | None]:
    """LightGBM's reader of a model, and compiled trees where they score sample rows alike.

    Every model scored with was read from its text, so that a loaded one cannot differ.
    """
    import lightgbm

    booster = lightgbm.Booster(model_str=model)
    try:
        trees = CompiledTrees.of(model)
    except Unsupported:
        return booster, None
    sample = trees.sample(columns, CHECKED)
    expected = booster.predict(sample, num_threads=1, raw_score=True)
    same = np.allclose(trees.score(sample), expected, rtol=TOLERANCE, atol=TOLERANCE)
    return booster, trees if same else None


Test = tuple[int, np.float32, bool, int]


def _tree(tree: dict[str, str]) -> tuple[list[Test], Floats]:
    """The tests of a tree and its values; children as LightGBM writes them, ~leaf where below 0."""
    leaves = int(tree["num_leaves"])
    if leaves > LEAVES or tree.get("is_linear", "0") != "0" or tree["num_cat"] != "0":
        raise Unsupported(f"a tree of {leaves} leaves, linear or categorical")
    kept = np.zeros(LEAVES)
    leaf_values = np.array(tree["leaf_value"].split(), np.float64)
    if leaves == 1:
        kept[_place(0)] = leaf_values[0]
        return [], kept
    left, right, features, kinds = (
        np.array(tree[name].split(), np.int64).tolist()
        for name in ("left_child", "right_child", "split_feature", "decision_type")
    )
    thresholds = np.array(tree["threshold"].split(), np.float64)
    tests: list[Test] = []
    bit = 0

    def walk(node: int) -> tuple[int, int]:
        """The first leaf of a node in order, and the one behind its last."""
        nonlocal bit
        if node < 0:
            kept[_place(bit)] = leaf_values[~node]
            bit += 1
            return bit - 1, bit
        first, middle = walk(left[node])
        end = walk(right[node])[1]
        missing = kinds[node] >> 2
        if kinds[node] & CATEGORICAL or missing not in (MISSING_NONE, MISSING_NAN):
            raise Unsupported(f"a test of kind {kinds[node]}")
        threshold = thresholds[node]
        # Where nothing was missing in training, LightGBM takes a missing value for zero.
        to_left = kinds[node] & DEFAULT_LEFT if missing == MISSING_NAN else threshold >= 0.0
        remain = 0xFFFFFFFF & ~((1 << middle) - (1 << first))
        tests.append((features[node], _below(threshold), bool(to_left), remain))
        return first, end

    walk(0)
    return tests, kept


def _place(bit: int) -> int:
    return ((DE_BRUIJN << bit) & 0xFFFFFFFF) >> 27


def _below(threshold: np.float64) -> np.float32:
    """The largest float32 up to it: a float32 is above one just where it is above the other."""
    with np.errstate(over="ignore"):
        near = np.float32(threshold)
    return np.nextafter(near, np.float32(-np.inf)) if near > threshold else near


@njit(nogil=True, cache=True, error_model="numpy")
def _score(
    columns: NDArray[np.float32],
    starts: NDArray[np.int64],
    features: NDArray[np.int64],
    thresholds: NDArray[np.float32],
    nan_left: NDArray[np.bool_],
    masks: NDArray[np.uint32],
    values: Floats,
    out: Floats,
) -> None:
    """`columns` (d, n) contiguous."""
    bits = np.empty(BLOCK, np.uint32)
    for first in range(0, out.size, BLOCK):
        rows = min(BLOCK, out.size - first)
        sums = out[first : first + rows]
        for tree in range(starts.size - 1):
            bits[:] = np.uint32(0xFFFFFFFF)
            for test in range(starts[tree], starts[tree + 1]):
                x = columns[features[test], first : first + rows]
                threshold, mask = thresholds[test], masks[test]
                if nan_left[test]:
                    for i in range(rows):
                        bits[i] &= mask if x[i] > threshold else np.uint32(0xFFFFFFFF)
                else:
                    for i in range(rows):
                        bits[i] &= np.uint32(0xFFFFFFFF) if x[i] <= threshold else mask
            leaves = values[tree]
            for i in range(rows):
                lone = bits[i] & (~bits[i] + np.uint32(1))
                sums[i] += leaves[np.uint32(lone * np.uint32(DE_BRUIJN)) >> np.uint32(27)]
