"""`ltrr chat`: search in a conversation."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from cli.arguments import Index
from cli.opening import opened
from cli.output import screen
from cli.results import about, differ, name_of

if TYPE_CHECKING:
    from engine import Response

group = typer.Typer()
SHOWN = 5


@group.command("chat")
def chat(
    folder: Index,
    user: Annotated[
        str | None, typer.Option("--user", "-u", show_default=False, help="Who is talking.")
    ] = None,
) -> None:
    """Talk to an index: every line is searched in the context of the lines before.

    A number takes that result, as a click. An empty line, or "bye", ends it. Where the
    index understands conversations (it was made with [bold]ltrr index --conversation[/]), it
    is shown what a line was taken for, and a dialogue manager decides what is done.

    [dim]ltrr chat build/music[/]

    [dim]printf 'believer\\nplay their latest album\\n' | ltrr chat build/music[/]
    """
    with opened(folder) as engine:
        from engine import BadInput, Context, Talk

        console = screen()
        model = engine.state.conversation
        manager = None if model is None else model.dialogue_manager()
        talk = Talk(engine, Context(user=user), SHOWN, manager)
        for line in _lines(console):
            try:
                if line.isdigit():
                    hit = talk.choose(int(line))
                    console.print(f"Playing {name_of(hit.document)}.")
                else:
                    reply = talk.say(line)
                    if reply.response is not None:
                        show(console, reply.response)
                    for note in reply.notes:
                        console.print(f"  Note: {note}", style="yellow")
                    if reply.actions:
                        console.print(reply.text)
                    if reply.is_last:
                        return
            except BadInput as e:
                console.print(str(e), style="yellow")


def _lines(console: Console) -> Iterator[str]:
    """What is typed, until nothing is."""
    while True:
        if sys.stdin.isatty():
            console.print("> ", end="", style="bold")
        line = sys.stdin.readline().strip()
        if not line or line.casefold() in ("bye", "quit", "exit"):
            return
        if not sys.stdin.isatty():
            console.print(f"> {line}", style="bold")
        yield line


def show(console: Console, response: Response) -> None:
    """What a line was taken for, and the first results."""
    query = response.query
    if query.text != query.typed:
        console.print(Text.assemble(("  searched for: ", "dim"), query.text))
    if query.readings:
        read = query.readings[0]
        spans = ", ".join(f"{span.field} = {span.value}" for span in read.spans)
        console.print(Text(f"  read as: {spans} ({read.probability:.0%})", style="dim"))
    if not response.hits:
        console.print("  Nothing found.")
    kinds = differ(response.hits)
    for hit in response.hits:
        says = about(hit.document, kinds)
        console.print(
            Text.assemble(f"  {hit.rank}  ", (name_of(hit.document), "bold"), ("  " + says, "dim"))
        )
    for note in response.notes:
        console.print(f"  Note: {note}", style="yellow")
