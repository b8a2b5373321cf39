"""The latency benchmark's command: what it writes and prints of figures that took an hour to measure."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import latency


def test_figures_and_growth_are_written_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {
        "documents": 100_000, "events": 7, "search_p50_ms": 2.5, "search_p99_ms": 20.0,
        "parts_ms": {"bm25": 0.125},
    }  # fmt: skip
    smaller = {"10000": {"search_p50_ms": 1.5, "search_p99_ms": 3.0}}
    monkeypatch.setattr(latency, "measure", lambda *_given, **_options: dict(found))
    monkeypatch.setattr(latency, "growth", lambda *_given: dict(smaller))
    out, plot = tmp_path / "figures.json", tmp_path / "growth.svg"
    given = ["latency", "--documents", "100000", "--json", str(out), "--growth", str(plot)]
    monkeypatch.setattr(sys, "argv", given)
    latency.main()
    written = json.loads(out.read_text())
    assert written == found | {
        "growth_10000": smaller["10000"],
        "growth_100000": {"search_p50_ms": 2.5, "search_p99_ms": 20.0},
    }
    told = capsys.readouterr().out
    assert "bm25 0.125" in told
    assert "search_p50_ms 1.500  search_p99_ms 3.000" in told
    assert "NO" in next(line for line in told.splitlines() if line.startswith("search_p99_ms"))
    assert plot.read_text().startswith("<svg")


def test_an_index_that_is_kept_is_not_changed_by_what_is_measured(tmp_path: Path) -> None:
    index = tmp_path / "index"
    index.mkdir()
    (index / "CURRENT").write_text("as made")
    with latency._copied(tmp_path) as copy:
        assert (copy / "CURRENT").read_text() == "as made"
        (copy / "CURRENT").write_text("learnt since")
    assert (index / "CURRENT").read_text() == "as made"
    assert [*tmp_path.iterdir()] == [index]
