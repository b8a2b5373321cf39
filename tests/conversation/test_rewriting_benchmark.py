from __future__ import annotations

import numpy as np

from benchmarks.rewriting import thresholds
from conversation.rewrite_data import RewriteExample
from conversation.rewriter import Proposal
from conversation.rewriter_training import part_of

FOLDS = 4


def test_the_threshold_of_a_fold_is_that_of_the_others() -> None:
    rng = np.random.default_rng(0)
    asked = [
        RewriteExample(str(n), f"dialogue {n}", (), "play it", "play it" if n % 4 else "play blue")
        for n in range(2000)
    ]
    proposals = [Proposal("play it again", float(worth)) for worth in rng.normal(size=2000)]
    found = thresholds(asked, proposals, FOLDS, 0.05)
    assert len(found) == FOLDS
    for fold, border in enumerate(found):
        others = [
            p.worth
            for e, p in zip(asked, proposals, strict=True)
            if e.rewrite == e.query and part_of(e.group, FOLDS) != fold
        ]
        assert sum(worth > border for worth in others) == int(0.05 * len(others))


def test_where_nothing_is_idle_nothing_is_changed() -> None:
    asked = [RewriteExample("1", "a dialogue", (), "play it", "play blue")]
    assert thresholds(asked, [Proposal("play blue", 3.0)], 2, 0.02) == [float("inf")] * 2
