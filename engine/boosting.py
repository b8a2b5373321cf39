"""Boosted trees that tell many numbers at once, asked of one row at a time.

Each tree is grown on what those before it left unexplained of a few of the numbers, drawn by chance, and its
leaves then tell all of them (Iosipoi & Vakhrushev 2022, "SketchBoost", arXiv 2211.12858, random sampling):
as good as growing on all, and much sooner done. scikit-learn grows the trees; they are kept as arrays, which a
search asks in microseconds and a snapshot keeps without pickle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from retrievers.topk import frozen

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
TREES = 150
RATE = 0.08
"""Share of what a tree tells that is taken."""
LEAVES = 12
LEAF = 15
"""Rows that a leaf has at least."""
COLUMNS = 0.4
"""Share of the columns that a split is chosen from."""
ROWS, MOST_ROWS = 0.6, 3000
"""Share and number of the rows that a tree is grown from, at most."""
TOLD = 5
"""Numbers that a tree is grown on."""


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Nodes of all trees one behind the other; tree t begins at roots[t].

    Node i sends a row to node left[i] where its value of column columns[i] is at most cuts[i], else to
    right[i]; where columns[i] is -1 it is a leaf that adds values[left[i]], (m,), to `base` (m,).
    """

    base: Floats
    roots: Ints
    columns: Ints
    cuts: NDArray[np.float64]
    left: Ints
    right: Ints
    values: Floats

    @classmethod
    def grown(cls, x: Floats, y: Floats, rng: np.random.Generator) -> Self:
        """From rows (n, f), at least 2 `LEAF`, and what is to be told of them (n, m)."""
        # Not at the top: it takes half a second, and only `learn` grows trees.
        from sklearn.tree import DecisionTreeRegressor

        x = np.ascontiguousarray(x, np.float32)
        base = y.mean(axis=0, dtype=np.float64)
        rest = y - base
        outputs, share = min(TOLD, y.shape[1]), min(ROWS, MOST_ROWS / len(x))
        parts: list[dict[str, NDArray[Any]]] = []
        nodes, leaves = 0, 0
        for _ in range(TREES):
            rows = np.flatnonzero(rng.random(len(x)) < share)
            some = rng.choice(y.shape[1], outputs, replace=False)
            grower = DecisionTreeRegressor(
                max_leaf_nodes=LEAVES, min_samples_leaf=LEAF, max_features=COLUMNS,
                random_state=int(rng.integers(2**31)),
            )  # fmt: skip
            tree = grower.fit(x[rows], rest[np.ix_(rows, some)]).tree_
            is_leaf = tree.children_left < 0
            numbers = np.cumsum(is_leaf) - 1
            at = numbers[tree.apply(x)]
            values = RATE * _means(at[rows], rest[rows])
            rest -= values[at]
            parts.append(
                {
                    "roots": np.array([nodes], np.int32),
                    "columns": np.where(is_leaf, -1, tree.feature).astype(np.int32),
                    "cuts": tree.threshold,
                    "left": np.where(is_leaf, numbers + leaves, tree.children_left + nodes).astype(
                        np.int32
                    ),
                    "right": (tree.children_right + nodes).astype(np.int32),
                    "values": values.astype(np.float32),
                }
            )
            nodes, leaves = nodes + is_leaf.size, leaves + len(values)
        joined = {name: frozen(np.concatenate([p[name] for p in parts])) for name in parts[0]}
        return cls(base=frozen(base.astype(np.float32)), **joined)

    def __call__(self, row: Floats) -> Floats:
        """What the trees say of a row (f,), (m,)."""
        out = self.base.copy()
        _ask(
            self.roots, self.columns, self.cuts, self.left, self.right, self.values, frozen(row), out
        )  # fmt: skip
        return out

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `Trees(**arrays)` makes them of again."""
        return {name: getattr(self, name) for name in self.__slots__}


def _means(at: NDArray[np.int64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means (leaves, m) of rows (n, m) that fell into leaves `at` (n,), none of them empty."""
    order = np.argsort(at, kind="stable")
    counts = np.bincount(at)
    begins = np.concatenate([[0], np.cumsum(counts)[:-1]])
    means: NDArray[np.float64] = np.add.reduceat(rows[order], begins) / counts[:, None]
    return means


@njit(nogil=True, cache=True)
def _ask(
    roots: Ints,
    columns: Ints,
    cuts: NDArray[np.float64],
    left: Ints,
    right: Ints,
    values: Floats,
    row: Floats,
    out: Floats,
) -> None:
    for root in roots:
        node = root
        while columns[node] >= 0:
            node = left[node] if row[columns[node]] <= cuts[node] else right[node]
        for i in range(out.size):
            out[i] += values[left[node], i]
