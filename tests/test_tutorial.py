"""The tutorial's code runs, block after block, and prints what the tutorial shows."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.md"


def blocks() -> list[tuple[str, str]]:
    """(language, text) of each fenced block, in order."""
    text = TUTORIAL.read_text(encoding="utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def same(shown: str, printed: str) -> bool:
    """`...` stands for anything, and spaces at the ends of lines for nothing."""
    printed = "".join(line.rstrip() + "\n" for line in printed.splitlines())
    return doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS)


def python(code: str, names: dict[str, Any]) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, str(TUTORIAL), "exec"), names)
    return said.getvalue()


def console(text: str) -> tuple[str, str]:
    """(what is shown, what is printed) by the command of a block."""
    command, _, shown = text.partition("\n")
    assert command.startswith("$ ltrr "), command
    result = CliRunner().invoke(app, shlex.split(command)[2:], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return shown, result.output


def test_the_tutorial_prints_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    names: dict[str, Any] = {}
    printed, checked = "", 0
    for language, text in blocks():
        if language == "python":
            assert printed == "", f"printed and not shown: {printed}"
            printed = python(text, names)
            continue
        shown = text
        if language == "console":
            shown, printed = console(text)
        assert same(shown, printed), f"shown:\n{shown}\nprinted:\n{printed}"
        printed, checked = "", checked + 1
    assert printed == ""
    assert checked >= 8


def test_a_wrong_output_would_be_noticed() -> None:
    assert same("1 Believer\n... of 18\n", "1 Believer  \n12 of 18\n")
    assert not same("1 Believer\n", "1 Thunder\n")
