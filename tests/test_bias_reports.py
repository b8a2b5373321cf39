"""The two smaller benchmarks of position bias: the curve alone, and judged products."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import bias_curve, bias_products, bias_world
from benchmarks.bias_curve import Folded, models, sessions_of
from benchmarks.bias_products import NAIVE, TRUE
from benchmarks.bias_world import FILES, PAGE, folds
from benchmarks.clicks import PositionBased
from engine import EngineConfig
from engine.config import CORRECTIONS
from tests.test_bias import folder as letor
from tests.test_simulation import written

__all__ = ["letor"]


def test_a_folded_page_is_clicked_as_it_says() -> None:
    clicks = Folded().clicks(np.full((40_000, PAGE), 0.5), np.random.default_rng(0))
    np.testing.assert_allclose(clicks.mean(axis=0), 0.5 * Folded().examination(PAGE), atol=0.012)
    assert all(curve[0] == 1.0 and (np.diff(curve) < 0).all() for _, curve in models().values())


def test_swapped_sessions_know_where_rows_were_placed(
    letor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bias_world.SETTINGS, "n_estimators", 10)
    fold = folds(letor, 0, files=FILES[:2])[0]
    model, rng = PositionBased(), np.random.default_rng(0)
    plain = sessions_of(fold, model, 50, 0.0, rng)
    # Fourteen documents a query: groups are of their places alone.
    assert (plain.placed.reshape(50, PAGE) == 2 * PAGE * 14 + np.arange(PAGE)).all()
    moved = sessions_of(fold, model, 200, 0.2, rng)
    share = (moved.placed % (2 * PAGE) != np.tile(np.arange(PAGE), 200)).mean()
    assert 0.02 < share < 0.25


@pytest.mark.parametrize("arguments", [["--sessions", "3000"]])
def test_the_curve_is_told(
    letor: Path, tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = dict(list(models().items())[:1])
    monkeypatch.setattr(bias_curve, "models", lambda: few)
    monkeypatch.setattr(bias_curve, "folds", lambda path, seed: folds(path, seed, files=FILES[:2]))
    monkeypatch.setattr(
        sys, "argv", ["bias_curve", str(letor), "--out", str(tmp_path / "out"), *arguments]
    )
    bias_curve.main()
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert [one["loss"] for one in report["estimates"]] == [0.0, 0.01]
    assert all(one["largest_error"] < 0.5 for one in report["estimates"])
    shown = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert shown.count("<svg") == 2


def test_products_compare_every_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bias_products, "EngineConfig", _quick(EngineConfig))
    folder = written(tmp_path / "made")
    out = tmp_path / "out"
    arguments = [str(folder), "--out", str(out), "--searches", "250", "--split", "0.7"]
    monkeypatch.setattr(sys, "argv", ["bias_products", *arguments])
    bias_products.main()
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert set(report["methods"]) == {*CORRECTIONS, TRUE}
    assert report["methods"][NAIVE]["against_naive"]["difference"] == 0.0
    assert report["chosen"] in CORRECTIONS
    assert report["true_curve"][:2] == [1.0, 0.5]
    assert "against none" in capsys.readouterr().out
    assert "<svg" in (out / "report.html").read_text(encoding="utf-8")


def _quick(make: Callable[..., object]) -> Callable[..., object]:
    def config(**settings: object) -> object:
        return make(**settings, ranker_options={"n_estimators": 5})

    return config
