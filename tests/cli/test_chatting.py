"""`ltrr chat`: lines in, results out, a number takes one."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from cli.main import app
from engine import SearchEngine
from tests.cli.lines import ltrr


def test_a_conversation(index: Path) -> None:
    said = "summer rain\n2\n9\nwinter\nbye\nnever read\n"
    result = CliRunner().invoke(app, ["chat", str(index), "--user", "ann"], input=said)
    assert result.exit_code == 0, result.output
    assert "> summer rain\n  1  Summer Rain" in result.stdout
    assert "\nPlaying " in result.stdout
    assert "expected the number of a result" in result.stdout
    assert "Winter Rain" in result.stdout
    assert "never read" not in result.stdout
    with SearchEngine.load(index) as engine:
        searches = engine.log.searches(0, engine.log.last()[0])
        assert [row.typed for row in searches[-2:]] == ["summer rain", "winter"]
        turns = searches[-1].context["turns"]
        assert [turn["speaker"] for turn in turns] == ["user", "system", "system"]
        assert len(engine.log.events(0, engine.log.last()[1])) == 1


def test_an_index_that_is_not_there(tmp_path: Path) -> None:
    ltrr("chat", tmp_path / "none").refused("no such folder")
