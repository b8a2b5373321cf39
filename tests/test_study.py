"""What the study says of regret over several seeds."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from demo.comparison import Compared
from demo.study import Studied, regrets


def studied(*ends: float) -> list[Studied]:
    """Seeds whose regret goes straight from 0 to its end."""
    return [
        Studied(
            compared=cast("Compared", None), regret=np.linspace(0.0, end, 600), plan={},
            candidates=[], curve={}, ends=[],
        )
        for end in ends
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ends", "expected", "either"),
    [
        ((-20.0, -21.0, -22.0), "stays below 0 after search 1", False),
        ((20.0, 21.0, 22.0), "not below 0 at the end", False),
        ((-30.0, 5.0, 10.0), "stays below 0 after search 1", True),
        ((-20.0,), "stays below 0 after search 1", False),
    ],
)
def test_regret_is_told_with_how_far_seeds_differ(
    ends: tuple[float, ...], expected: str, either: bool
) -> None:
    caption = str(regrets(studied(*ends)).caption)
    assert expected in caption
    assert ("either may be ahead" in caption) is either
