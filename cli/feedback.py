"""`ltrr feedback`: tell what was of use; needs the log alone, so it is quick on any index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import Index, Json
from cli.output import command, counted, print_json, print_next, screen

if TYPE_CHECKING:
    from engine import Event

group = typer.Typer()


@group.command("feedback")
def feedback(
    folder: Index,
    impression: Annotated[
        str,
        typer.Argument(
            metavar="IMPRESSION", show_default=False, help="The id that a search printed."
        ),
    ],
    clicks: Annotated[
        list[str] | None,
        typer.Option("--click", metavar="ID", show_default=False, help="An item clicked."),
    ] = None,
    events: Annotated[
        list[str] | None,
        typer.Option(
            "--event",
            metavar="ACTION=ID",
            show_default=False,
            help="Anything else: play, listen, purchase, like, add, skip.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Record what was done with the results of a search.

    Only items that the search showed; the same event twice counts once.
    Nothing is learnt before [bold]ltrr learn[/].

    [dim]ltrr feedback build/music 3bd0…f1 --click t42[/]

    [dim]ltrr feedback build/music 3bd0…f1 --event play=t42 --event skip=t7[/]
    """
    from engine import BadEvent
    from engine.feedback import record_feedback

    given = [_event(text) for text in events or ()]
    if not clicks and not given:
        raise BadEvent("feedback: nothing to record; give --click ID or --event ACTION=ID")
    new = record_feedback(folder, impression, clicks=clicks or (), events=given)
    known = len(clicks or ()) + len(given) - new
    if json:
        print_json({"impression_id": impression, "new": new, "known": known})
        return
    console = screen()
    again = f" ({counted(known, 'event')} known already, counted once)" if known else ""
    console.print(f"Recorded {counted(new, 'new event')}{again}")
    print_next(console, "Next:", command("ltrr", "learn", str(folder)))


def _event(text: str) -> Event:
    from engine import BadEvent, Event

    action, equals, document = text.partition("=")
    if not (action and equals and document):
        raise BadEvent(f"--event: found {text!r}, expected ACTION=ID, as in play=t42")
    return Event(action, document)
