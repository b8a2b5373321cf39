"""A search's results, as a table for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.output import counted

if TYPE_CHECKING:
    from engine import Document, Hit, Response

BY = ("artist", "artists", "author", "authors", "creator", "brand")
"""Metadata that says whose work an item is."""
HEAD = 80
"""Characters of the text that stand in for a missing title."""


def name_of(document: Document) -> str:
    """What to call a document: its title, or the head of its text."""
    text = " ".join((document.title or document.text).split())
    return text if document.title or len(text) <= HEAD else text[: HEAD - 1] + "…"


def about(document: Document, kind: bool = True) -> str:
    """Whose work it is and, where `kind`, its type, as far as the metadata tells."""
    by = next((", ".join(document.values(key)) for key in BY if document.values(key)), "")
    return " · ".join(part for part in (by, document.type if kind else None) if part)


def differ(hits: Sequence[Hit]) -> bool:
    """Whether the types of some results tell them apart."""
    return len({hit.document.type for hit in hits}) > 1


def found_by(hit: Hit) -> str:
    """`bm25 1, fuzzy 3`: the generators that found it and the rank each gave it, best first."""
    found = sorted(hit.sources.items(), key=lambda item: item[1].rank)
    return ", ".join(f"{name} {source.rank}" for name, source in found)


def summary(response: Response) -> str:
    """How many of how many."""
    candidates = counted(response.candidates, "candidate")
    return f"{counted(len(response.hits), 'result')} of {candidates}"


def print_results(console: Console, response: Response) -> None:
    """The table; its ids are never cut."""
    if not response.hits:
        console.print("Nothing found.")
        return
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    kinds = differ(response.hits)
    abouts = [about(hit.document, kinds) for hit in response.hits]
    table.add_column("#", justify="right")
    table.add_column("title", ratio=4, overflow="fold")
    if any(abouts):
        table.add_column("about", ratio=3, overflow="fold")
    table.add_column("id", overflow="fold", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("found by (rank)", ratio=4)
    shared = response.challenger is not None
    if shared:
        table.add_column("team", no_wrap=True)
    for hit, says in zip(response.hits, abouts, strict=True):
        table.add_row(
            str(hit.rank),
            Text(name_of(hit.document), style="bold"),
            *([Text(says)] if any(abouts) else []),
            Text(hit.id, style="cyan"),
            f"{hit.score:.3f}",
            Text(found_by(hit), style="dim"),
            *([hit.team or ""] if shared else []),
        )
    console.print(table)
    asked = ", ".join(f"{name} {depth}" for name, depth in response.plan.items() if depth)
    console.print(summary(response), style="dim")
    console.print(f"asked: {asked or 'none'}", style="dim")
    if shared:
        console.print(f"interleaved with snapshot {response.challenger}", style="dim")


def response_to_json(response: Response) -> dict[str, Any]:
    """Everything a search tells."""
    return {
        "query": {
            "typed": response.query.typed,
            "text": response.query.text,
            "readings": response.query.readings,
        },
        "impression_id": response.impression_id,
        "plan": response.plan,
        "propensity": response.propensity,
        "candidates": response.candidates,
        "challenger": response.challenger,
        "hits": [
            {
                "rank": hit.rank,
                "id": hit.id,
                "score": hit.score,
                "title": hit.document.title,
                "type": hit.document.type,
                "text": hit.document.text,
                "metadata": hit.document.metadata,
                "sources": hit.sources,
                "team": hit.team,
            }
            for hit in response.hits
        ],
        "timings": response.timings,
        "notes": response.notes,
        "explanation": response.explanation,
    }
