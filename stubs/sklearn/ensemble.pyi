# The part of scikit-learn that ltrr uses.
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

class _Tree:
    children_left: NDArray[np.int64]
    children_right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    value: NDArray[np.float64]

class DecisionTreeRegressor:
    tree_: _Tree

class RandomForestRegressor:
    estimators_: list[DecisionTreeRegressor]
    def __init__(
        self,
        n_estimators: int = 100,
        *,
        min_samples_leaf: int = 1,
        max_features: float = 1.0,
        n_jobs: int | None = None,
        random_state: int | None = None,
    ) -> None: ...
    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> Self: ...
    def predict(self, X: NDArray[Any]) -> NDArray[np.float64]: ...
