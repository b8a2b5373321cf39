"""How a ranker's training takes account of position: left as it was by default, or chosen."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import BadInput, EngineConfig
from engine.config import CORRECTIONS
from engine.correcting import chosen, shown_rows, trained
from engine.parts import make_ranker
from rankers import Examination, Judged, LambdaMART
from tests.test_safe_updates import CURVE, NAMES, world

CONFIG = EngineConfig(ranker_options={"n_estimators": 30, "num_leaves": 5})


def scores(ranker: LambdaMART, judged: Judged) -> NDArray[np.float32]:
    return ranker.score(judged.features)


def test_the_default_is_what_it_was() -> None:
    judged, _, _, _ = world(400, seed=0)
    assert CONFIG.correction == "lightgbm"
    plain = make_ranker(CONFIG, NAMES)
    plain.fit(judged)
    assert chosen(CONFIG, NAMES, judged, CURVE) == "lightgbm"
    found = trained(CONFIG, NAMES, judged, CURVE, "lightgbm")
    assert scores(found, judged).tobytes() == scores(plain, judged).tobytes()


def test_each_correction_makes_another_ranker() -> None:
    judged, _, _, _ = world(600, seed=1)
    found = {
        name: scores(trained(CONFIG, NAMES, judged, CURVE, name), judged) for name in CORRECTIONS
    }
    assert len({values.tobytes() for values in found.values()}) == len(CORRECTIONS)


def test_held_out_clicks_choose() -> None:
    judged, _, _, _ = world(1500, seed=2)
    config = EngineConfig(correction="chosen", ranker_options={"n_estimators": 30, "num_leaves": 5})
    assert chosen(config, NAMES, judged, Examination.even()) in CORRECTIONS
    nothing = Judged(
        judged.features[:20],
        np.zeros(20),
        np.ones(20),
        judged.positions[:20],
        np.array([0, 10, 20]),
    )
    assert chosen(config, NAMES, nothing, CURVE) == CORRECTIONS[0]


def test_shown_rows_are_those_with_a_place() -> None:
    judged, _, _, _ = world(2, seed=3)
    hidden = Judged(
        judged.features, judged.labels, judged.weights,
        np.r_[np.arange(5), np.zeros(15)].astype(np.int32), judged.starts,
    )  # fmt: skip
    assert np.diff(shown_rows(hidden).starts).tolist() == [4, 10]


def test_an_unknown_correction_is_refused() -> None:
    with pytest.raises(BadInput, match=r"EngineConfig\.correction: found 'wrong', expected one of"):
        EngineConfig(correction="wrong")
