"""Position bias as JSON types, for the manifest of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rankers.position_bias import PositionBias
from rankers.propensity import Examination
from rankers.surfaces import Surfaces


def surfaces_to_json(surfaces: Surfaces) -> dict[str, Any]:
    """{kind of page: its curve, errors (None: infinite, or none at all), floor, source, impressions}."""
    return {name: _bias_to_json(bias) for name, bias in surfaces.biases.items()}


def surfaces_from_json(data: Mapping[str, Any]) -> Surfaces:
    """The inverse of `surfaces_to_json`."""
    return Surfaces({name: _bias_from_json(one) for name, one in data.items()})


def _bias_to_json(bias: PositionBias) -> dict[str, Any]:
    examination = bias.examination
    errors = None
    if examination.errors is not None:
        errors = [e if np.isfinite(e) else None for e in examination.errors.tolist()]
    return {
        "curve": examination.curve.tolist(),
        "errors": errors,
        "floor": examination.floor,
        "source": bias.source,
        "impressions": bias.impressions,
    }


def _bias_from_json(data: Mapping[str, Any]) -> PositionBias:
    errors = data["errors"]
    if errors is not None:
        errors = np.array([np.inf if e is None else e for e in errors])
    examination = Examination(np.array(data["curve"], np.float64), errors, float(data["floor"]))
    return PositionBias(examination, data["source"], int(data["impressions"]))
