"""A random forest whose trees tell many numbers at once, asked of one row at a time.

Breiman 2001, "Random Forests". scikit-learn grows it; its trees are kept as arrays, which a search asks in
microseconds and a snapshot keeps without pickle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from retrievers.topk import frozen

Floats = NDArray[np.float32]
TREES = 50
LEAF = 15
"""Rows that a leaf has at least."""
SHARE = 0.4
"""Of the columns, that a split is chosen from."""


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Nodes of all trees one behind the other; tree t begins at roots[t].

    Node i sends a row to node left[i] where its value of column columns[i] is at most cuts[i], else to
    right[i]; where columns[i] is -1 it is a leaf that says values[left[i]], (m,).
    """

    roots: NDArray[np.int32]
    columns: NDArray[np.int32]
    cuts: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    values: Floats

    @classmethod
    def grown(cls, x: Floats, y: Floats, rng: np.random.Generator, threads: int = 1) -> Self:
        """From rows (n, f) and what is to be told of them (n, m). The same whatever `threads`."""
        # Not at the top: it takes half a second, and only `learn` grows trees.
        from sklearn.ensemble import RandomForestRegressor

        grower = RandomForestRegressor(
            n_estimators=TREES, min_samples_leaf=LEAF, max_features=SHARE, n_jobs=threads,
            random_state=int(rng.integers(2**31)),
        )  # fmt: skip
        parts: list[dict[str, NDArray[Any]]] = []
        nodes, leaves = 0, 0
        for tree in (one.tree_ for one in grower.fit(x, y).estimators_):
            is_leaf = tree.children_left < 0
            numbers = np.cumsum(is_leaf) - 1 + leaves
            parts.append(
                {
                    "roots": np.array([nodes], np.int32),
                    "columns": np.where(is_leaf, -1, tree.feature).astype(np.int32),
                    "cuts": tree.threshold,
                    "left": np.where(is_leaf, numbers, tree.children_left + nodes).astype(np.int32),
                    "right": (tree.children_right + nodes).astype(np.int32),
                    "values": tree.value[is_leaf, :, 0].astype(np.float32),
                }
            )
            nodes, leaves = nodes + is_leaf.size, leaves + int(np.count_nonzero(is_leaf))
        return cls(**{name: frozen(np.concatenate([p[name] for p in parts])) for name in parts[0]})

    def __call__(self, row: Floats) -> Floats:
        """What the trees say of a row (f,) in the mean, (m,)."""
        out = np.zeros(self.values.shape[1], np.float32)
        _ask(
            self.roots, self.columns, self.cuts, self.left, self.right, self.values, frozen(row), out
        )  # fmt: skip
        return out

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `Forest(**arrays)` makes it of again."""
        return {name: getattr(self, name) for name in self.__slots__}


@njit(nogil=True, cache=True)
def _ask(
    roots: NDArray[np.int32],
    columns: NDArray[np.int32],
    cuts: NDArray[np.float64],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
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
    for i in range(out.size):
        out[i] /= roots.size
