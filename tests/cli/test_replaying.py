"""`ltrr replay`: what it refuses before anything is built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app

CASES: tuple[tuple[list[str], str], ...] = (
    (["--budget", "many"], "--budget: found 'many'"),
    (["--learn-every", "year"], "learn-every: found 'year'"),
    (["--warmup", "1.5"], "warmup: found 1.5"),
    (["--systems", "ltrr,elastic"], "systems: found 'elastic'"),
    ([], "holds no corpus.jsonl"),
)


@pytest.mark.parametrize(("options", "message"), CASES)
def test_refusals(tmp_path: Path, options: list[str], message: str) -> None:
    (tmp_path / "data").mkdir()
    if options:
        (tmp_path / "data" / "corpus.jsonl").write_text('{"_id": "a"}\n')
    given = ["replay", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--json", *options]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 2
    assert message in json.loads(result.stderr)["error"]


def test_unfinished_is_refused(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a"}\n')
    work = tmp_path / "out" / "work"
    work.mkdir(parents=True)
    (work / "manifest.json").write_text('{"k": 5}')
    given = ["replay", str(tmp_path), "--out", str(tmp_path / "out"), "--json"]
    for more, message in (([], "go on with it by --resume"), (["--resume"], "k: now 10, then 5")):
        result = CliRunner().invoke(app, [*given, *more])
        assert result.exit_code == 2
        assert message in json.loads(result.stderr)["error"]
    assert work.exists()
