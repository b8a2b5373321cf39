"""`ltrr replay --simulate`: what it hands on, prints and refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import benchmarks.simulation_report
from benchmarks.simulation import SimulationOptions
from cli.main import app
from engine import EngineConfig


def system(quality: float, **more: Any) -> dict[str, Any]:
    keys = ("ndcg@10", "mrr@10", "candidate_recall", "candidates_mean")
    values = dict.fromkeys(keys, quality) | {f"{key}_interval": [0.1, 0.9] for key in keys}
    return {**values, **more}


REPORT: dict[str, Any] = {
    "model": "dbn", "searches": 2000, "clicks": 1, "report_queries": 1844,
    "systems": {
        "ltrr": system(0.36, against_graded={"ndcg@10": {"interval": [-0.02, 0.01]}}),
        "graded": system(0.37),
    },
    "share_of_graded": {"value": 0.973, "interval": [0.95, 0.99]},
}  # fmt: skip


def test_options_reach_the_simulation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def instead(
        dataset: Path, out: Path, options: SimulationOptions, **more: Any
    ) -> dict[str, Any]:
        given.update(more, dataset=dataset, options=options)
        return REPORT

    monkeypatch.setattr(benchmarks.simulation_report, "simulate_into", instead)
    line = (
        "--simulate dbn --learn-on first --report-on second --split 0.7 --searches 2000 "
        "--learn-every 500 --budget 40 --seed 3 -k 5"
    )
    arguments = ["replay", str(tmp_path), "--out", str(tmp_path / "out"), *line.split()]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert given["options"] == SimulationOptions(
        model="dbn", learn_on="first", report_on="second", split=0.7, searches=2000,
        learn_every=500, k=5,
    )  # fmt: skip
    config: EngineConfig = given["config"]
    assert (config.budget, config.seed) == (40.0, 3)
    said = " ".join(result.output.split())
    for part in (
        "2,000 searches with 1 click (dbn)",
        "1,844 queries never searched",
        "-0.0200…+0.0100",
        "97.3% (95.0%…99.0%) of the engine's own",
        "report.html",
    ):
        assert part in said
    assert json.loads(CliRunner().invoke(app, [*arguments, "--json"]).output) == REPORT


CASES: tuple[tuple[list[str], str], ...] = (
    (["--simulate", "pbm", "--learn-every", "year"], "--learn-every: found 'year'"),
    (["--simulate", "pbm", "--budget", "20,40"], "--budget: found '20,40'"),
    (["--simulate", "pbm"], "found neither the split"),
)


@pytest.mark.parametrize(("options", "message"), CASES)
def test_refusals(tmp_path: Path, options: list[str], message: str) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a"}\n')
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "x"}\n')
    given = ["replay", str(tmp_path), "--out", str(tmp_path / "out"), "--json", *options]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 2
    assert message in json.loads(result.stderr)["error"]
