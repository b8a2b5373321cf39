"""The demo's scripted conversation: lines that mean something only where they are said."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.text import Text

from engine import Context, Response, SearchEngine, Talk
from engine.conversing import PARTS
from engine.saying import called

LINES = (
    "Believer is by Imagine Dragons.",
    "Play their latest album.",
    "songs from the 80s",
    "hallelujah",
    "no, the one by Jeff Buckley",
)
"""Of one user, one after the other."""
SHOWN = 3


def shipped_model() -> Path | None:
    """The model of conversations about the demo's catalogue that comes with the project, if one does."""
    folder = Path(str(files("demo"))) / "model"
    return folder if any((folder / part).is_file() for part in PARTS) else None


def converse(engine: SearchEngine, console: Console, lines: Sequence[str] = LINES) -> None:
    """Say the lines; print what each was taken for and what was found."""
    talk = Talk(engine, Context(), SHOWN)
    for line in lines:
        response = talk.say(line).response
        if response is None:
            continue
        console.print(Text.assemble(("  > ", "dim"), (line, "bold"), taken_for(response)))
        found = "; ".join(f"{called(hit.document)} ({hit.document.type})" for hit in response.hits)
        console.print(f"    {found or 'nothing'}")


def taken_for(response: Response) -> Text:
    """The rewritten query, where it was rewritten, and its likeliest reading."""
    query, told = response.query, Text()
    if query.text != query.typed:
        told.append(f"  = {query.text}")
    if query.readings:
        spans = ", ".join(f"{span.field} {span.value}" for span in query.readings[0].spans)
        told.append(f"  [{spans}]", style="dim")
    return told
