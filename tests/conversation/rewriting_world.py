"""A small rewriter, trained in a second on made conversations."""

from __future__ import annotations

from functools import cache

import numpy as np

from conversation.rewrite_training import Recipe
from conversation.rewriter import Rewriter
from conversation.rewriter_training import train_rewriter
from conversation.scenes import examples

RECIPE = Recipe(width=16, epochs=1, scenes=0, near=1, rate=5e-3, say_at_least=5)


@cache
def small_rewriter(seed: int = 0, depths: tuple[int, ...] = (0,)) -> Rewriter:
    """Trained on 120 scenes, called gold so that its trust is fitted."""
    from dataclasses import replace

    made = [replace(e, style="gold") for e in examples(120, np.random.default_rng(7))]
    return train_rewriter(made, recipe=RECIPE, depths=depths, seed=seed)
