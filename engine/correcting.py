"""Position bias in a ranker's training: left in, corrected, or whichever the latest clicks prefer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.config import CORRECTIONS, EngineConfig
from engine.parts import make_ranker
from rankers.base import Judged
from rankers.doubly_robust import doubly_robust
from rankers.exposures import Exposures
from rankers.gate import between, held_out, scored
from rankers.ips import debiased
from rankers.lambdamart import LambdaMART
from rankers.latent_grades import latent_grades
from rankers.ndcg import debiased_ndcg
from rankers.propensity import Examination

ROBUST = 0.2
"""Examination below which a doubly robust label trusts the regression more than the clicks."""


def trained(
    config: EngineConfig,
    names: tuple[str, ...],
    judged: Judged,
    examination: Examination,
    correction: str,
) -> LambdaMART:
    """A ranker fitted to clicks: as they are ("none"), each divided by the examination of its place
    ("ips"), beside an effect of the place that LightGBM learns ("lightgbm"), or to what a regression
    expects of each row, corrected by its click ("doubly_robust", see `robust`)."""
    options = {**config.ranker_options}
    if correction != "lightgbm":
        options["position_debias"] = False
    if correction == "ips":
        judged = debiased(judged, examination)
    elif correction == "doubly_robust":
        judged = robust(judged, examination, config.seed)
    ranker = make_ranker(replace(config, ranker_options=options), names)
    ranker.fit(judged)
    return ranker


def robust(judged: Judged, examination: Examination, seed: int) -> Judged:
    """`judged` with doubly robust labels: a regression on the features, cross-fitted by impression, plus
    what the click at a place says beyond it; where a place is looked at less often than `ROBUST`, the
    regression makes up for what the clicks, weighed no higher, leave out.

    Where clicks have a trust bias (`latent_grades` decides by how likely they are), what is clicked
    at a place whatever it is worth is taken off; else the curve is that of `examination`. Rows that
    were not shown are left as they are.
    """
    if not ((judged.positions > 0) & (judged.labels > 0)).any():
        return judged
    queries = np.arange(judged.queries)
    every = np.arange(judged.labels.size)
    counted = Exposures.of(judged, queries, every, examination.curve.size)
    model = latent_grades(counted, prior=examination, regressions=1, seed=seed)
    if not model.trust:
        places = np.arange(1, examination.curve.size + 1, dtype=np.int32)
        model = replace(model, slope=model.slope[0] * examination.of(places))
    floor = ROBUST * float(model.slope[0])
    grades = doubly_robust(counted, model.regressed, model.slope, model.offset, floor)
    worth = np.maximum(model.slope[0] * grades, 0.0) * np.where(judged.labels > 0, judged.labels, 1)
    shown = np.where(judged.positions > 0, worth, judged.labels)
    return replace(judged, labels=shown, positions=np.zeros_like(judged.positions))


def chosen(
    config: EngineConfig, names: tuple[str, ...], judged: Judged, examination: Examination
) -> str:
    """The correction that `config` names, or the one whose ranker orders the latest fifth of these
    impressions best, position-debiased, when trained on those before."""
    if config.correction != "chosen":
        return config.correction
    first = held_out(judged.starts)
    before, after = between(judged, 0, first), shown_rows(between(judged, first, judged.queries))
    values = {}
    for correction in CORRECTIONS:
        ranker = trained(config, names, before, examination, correction)
        if ranker.fitted:
            values[correction] = debiased_ndcg(after, scored(ranker, after), examination).sum()
    return max(values, key=lambda name: values[name], default=CORRECTIONS[0])


def shown_rows(judged: Judged) -> Judged:
    """The rows that people could click: of an impression whose positions are known, those shown.

    A row that was not shown has no click whatever it is worth: counted as worthless it would speak
    for whichever ranker showed the others.
    """
    queries = np.repeat(np.arange(judged.queries), np.diff(judged.starts))
    placed = np.bincount(queries, judged.positions > 0, judged.queries) > 0
    kept = (judged.positions > 0) | ~placed[queries]
    return Judged(
        judged.features[kept],
        judged.labels[kept],
        judged.weights[kept],
        judged.positions[kept],
        np.r_[0, np.bincount(queries[kept], minlength=judged.queries).cumsum()].astype(np.int64),
    )
