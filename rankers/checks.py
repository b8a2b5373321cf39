"""What every ranker refuses, in the same words."""

from __future__ import annotations

import numpy as np

from rankers.base import Features, Floats, Judged


def check_columns(features: Features, feature_names: tuple[str, ...]) -> None:
    """ValueError unless `features` is (n, d) with one column for every name."""
    if features.ndim != 2:
        raise ValueError(f"features: found shape {features.shape}, expected (rows, columns)")
    if features.shape[1] != len(feature_names):
        raise ValueError(
            f"features: found {features.shape[1]} columns, expected {len(feature_names)} "
            f"({', '.join(feature_names[:4])}{', …' if len(feature_names) > 4 else ''}). This "
            "typically occurs because a generator or a feature was added or removed after this "
            "ranker was trained: fit it again, or restore what it was trained with"
        )


def check_judged(judged: Judged, feature_names: tuple[str, ...]) -> None:
    """ValueError unless the columns fit, labels are finite and ≥ 0, weights finite and > 0."""
    check_columns(judged.features, feature_names)
    _refuse("labels", judged.labels, judged.labels >= 0, "finite and ≥ 0 (a skip has no label)")
    _refuse("weights", judged.weights, judged.weights > 0, "finite and > 0 (leave the row out)")
    if (np.diff(judged.starts) < 0).any():
        raise ValueError("Judged.starts: found a descent, expected ascending row numbers")


def _refuse(
    name: str, values: Floats, accepted: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], rule: str
) -> None:
    bad = np.flatnonzero(~(accepted & np.isfinite(values)))
    if bad.size:
        raise ValueError(
            f"Judged.{name}: found {values[bad[0]]} in row {bad[0]} ({bad.size} such rows), "
            f"expected every value {rule}"
        )
