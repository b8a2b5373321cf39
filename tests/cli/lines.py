"""Running a command line, and small files to run it on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cli.main import app

TRACKS = [
    ("t1", "Summer Rain", "The Gardeners", "pop"),
    ("t2", "Summer Night", "Ana Vale", "jazz"),
    ("t3", "Winter Rain", "Ana Vale", "jazz"),
    ("t4", "Rain on Summer Roofs", "Low Tide", "rock"),
    ("t5", "Paper Planes at Noon", "Low Tide", "rock"),
    ("t6", "[Untitled] (b-side)", "The Gardeners", "pop"),
    ("t7", "Ночной поезд", "Вокзал", "rock"),
]


class Ran:
    """What a command line left behind."""

    def __init__(self, arguments: Sequence[object]) -> None:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr
        self.raised = result.exception

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)

    def refused(self, *parts: object) -> None:
        """One line on standard error that holds the parts, exit code 2, nothing else printed."""
        assert (self.code, self.out) == (2, ""), (self.raised, self.err)
        assert self.err.startswith("error: ")
        assert self.err.count("\n") == 1
        for part in parts:
            assert str(part) in self.err


def ltrr(*arguments: object) -> Ran:
    return Ran(arguments)


def rows(path: Path, documents: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(d) + "\n" for d in documents), encoding="utf-8")
    return path


def corpus(path: Path) -> Path:
    return rows(
        path,
        [
            {"_id": i, "title": t, "metadata": {"type": "track", "artist": a, "genre": [g]}}
            for i, t, a, g in TRACKS
        ]
        + [{"_id": "a1", "title": "Low Tide", "metadata": {"type": "artist"}}],
    )


def found(index: Path, *arguments: object) -> Any:
    return ltrr("search", index, *arguments, "--json").json


def ids(answer: Mapping[str, Any]) -> list[str]:
    return [hit["id"] for hit in answer["hits"]]


def search_row(id: str, query: str, **more: object) -> dict[str, object]:
    return {"query_id": id, "user_query": query, "timestamp": "2026-01-05T10:00:00Z", **more}


def event_row(document: str, **more: object) -> dict[str, object]:
    return {
        "action_name": "click",
        "timestamp": "2026-01-05T10:00:09Z",
        "event_attributes": {"object": {"object_id": document}},
        **more,
    }
