"""The position-bias benchmark on a made LETOR set, small: its world, its report, its figures."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks import bias, bias_methods, bias_world
from benchmarks.bias_methods import EXPLORED, ROWS, explored
from benchmarks.bias_world import (
    ATTRACTION,
    FILES,
    PAGE,
    Fold,
    click_models,
    clicks_a_visit,
    folds,
    orders,
    true_curve,
    visited,
)
from benchmarks.clicks import Cascade, PositionBased


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 queries a file; the grade follows two of the 46 features."""
    place = tmp_path_factory.mktemp("letor")
    for number, name in enumerate(FILES):
        rng = np.random.default_rng(number)
        lines = []
        for query in range(60):
            for _ in range(14):
                x = rng.random(46)
                wanted = 2 * x[0] + x[1] + 0.2 * rng.normal()
                grade = int(wanted > 1.9) + int(wanted > 2.4)
                pairs = " ".join(f"{j}:{value:.4f}" for j, value in enumerate(x, start=1))
                lines.append(f"{grade} qid:{number}{query:03d} {pairs}\n")
        (place / name).write_text("".join(lines))
    return place


@pytest.fixture(scope="module")
def small(folder: Path) -> Fold:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(bias_world.SETTINGS, "n_estimators", 30)
        return folds(folder, 0, files=FILES[:2])[0]


def test_clicks_follow_the_model_and_the_page(small: Fold) -> None:
    pages = [[rows] for rows in orders(small.train, small.production.score(small.train.features))]
    log = visited(small.train, pages, 60_000, PositionBased(), np.random.default_rng(0))
    assert log.shown.sum() == 60_000 * PAGE
    grades = small.train.labels.astype(np.int64)
    for grade in range(3):
        for place in (0, 4):
            rows = grades == grade
            rate = log.clicks[rows, place].sum() / log.shown[rows, place].sum()
            assert rate == pytest.approx(ATTRACTION[grade] / (place + 1), rel=0.1)
    expected = clicks_a_visit(small.train, pages, true_curve(PositionBased(), small.train, pages))
    assert log.clicks.sum() / 60_000 == pytest.approx(expected, rel=0.02)


def test_a_cascade_is_looked_at_as_far_as_nothing_attracts(small: Fold) -> None:
    pages = [[np.arange(3)]]
    first = ATTRACTION[small.train.labels[:3].astype(np.int64)]
    curve = true_curve(Cascade(), small.train, pages)
    np.testing.assert_allclose(
        curve[:3], [1, 1 - first[0], (1 - first[0]) * (1 - first[1])], atol=1e-3
    )


def test_models_have_their_names() -> None:
    named = click_models(["pbm", "trust", "cascade"], [1.0, 2.0])
    assert list(named) == ["pbm, η = 1", "pbm, η = 2", "trust, η = 1", "trust, η = 2", "cascade"]


def test_exploring_is_bounded_and_learns(small: Fold, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bias_world.SETTINGS, "n_estimators", 30)
    found = explored(small, PositionBased(), 20_000, 0.1, np.random.default_rng(1), rounds=3)
    assert found.quality >= small.quality(small.production)
    assert found.about["promoted"] > 0
    assert found.about["loss_by_exploring"] < 0.1
    again = explored(small, PositionBased(), 20_000, 0.1, np.random.default_rng(1), rounds=3)
    assert (again.quality, again.about) == (found.quality, found.about)


def test_the_command_writes_both_reports(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(bias_world.SETTINGS, "n_estimators", 10)
    monkeypatch.setattr(bias_methods, "VARIANTS", 1)
    monkeypatch.setattr(bias, "folds", lambda path, seed: folds(path, seed, files=FILES[:2]))
    monkeypatch.setattr(bias, "explored", partial(explored, rounds=2))
    arguments = ["bias", str(folder), "--out", str(tmp_path / "out"), "--sessions", "2000"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--eta", "1", "--models", "pbm"])
    bias.main()
    assert "expected grade" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert [cell["method"] for cell in report["cells"]] == list(ROWS)
    assert all(len(cell["folds"]) == 2 for cell in report["cells"])
    assert (
        "loss_by_exploring"
        in next(cell for cell in report["cells"] if cell["method"] == EXPLORED)["about"][0]
    )
    shown = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert all(method in shown for method in ROWS)
    assert shown.count("<svg") == 1
