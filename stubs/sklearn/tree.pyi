# The part of scikit-learn that ltrr uses.
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

class Tree:
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    children_left: NDArray[np.int64]
    children_right: NDArray[np.int64]
    def apply(self, X: NDArray[np.float32]) -> NDArray[np.int64]: ...

class DecisionTreeRegressor:
    tree_: Tree
    def __init__(
        self,
        *,
        max_leaf_nodes: int | None = ...,
        min_samples_leaf: int | float = ...,
        max_features: int | float | str | None = ...,
        random_state: int | None = ...,
    ) -> None: ...
    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> Self: ...
    def predict(self, X: NDArray[Any]) -> NDArray[np.float64]: ...
