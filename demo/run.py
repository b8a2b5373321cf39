"""The demo: listeners search a music catalogue, and retrieval learns from what they click."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from demo.catalogue import catalogue
from demo.comparison import Compared, compare
from demo.listeners import INTENTS, Crowd, Wish
from engine import Context, Document, EngineConfig, Event, Response, SearchEngine
from engine.formats import read_documents
from retrievers.encoder import Encoder

SHOWN = (
    "beleiver",
    "imagine dragons",
    "tayler love",
    "love",
    "sad songs",
    "90s rock",
)
"""Searches shown before and after learning."""
ROUNDS = 6
"""Times the engine learns while listeners search."""
TESTED = 600
"""Searches after the last learn, on which systems are compared; nothing learns from them."""
BUDGET = 30.0
MARKS = {
    "bm25": "b", "fuzzy": "f", "dense": "d", "memory": "m", "personal": "p", "discovery": "n",
    "popular": "★",
}  # fmt: skip
"""Generators as the tables name them; the number behind is a rank, or the depth asked for."""
WIDTH = 120


def run(
    searches: int = 3000,
    seed: int = 0,
    catalog: Path | None = None,
    embeddings: Path | None = None,
    encoder: Encoder | None = None,
    console: Console | None = None,
    jobs: int = 2,
) -> Compared:
    """Build, show, let listeners search and the engine learn, show again, compare.

    `jobs`: threads that the ranker is trained with.
    """
    console = console or Console(highlight=False, width=WIDTH)
    started = time.perf_counter()
    documents = list(read_documents(catalog)) if catalog else list(catalogue())
    crowd = Crowd(documents, seed)
    config = EngineConfig(seed=seed, budget=BUDGET, chunk="week", ranker_options={"n_jobs": jobs})
    with SearchEngine.build(
        documents, config=config, encoder=encoder, embeddings=embeddings, progress=True
    ) as engine:
        console.print(
            f"\n[bold]{len(engine):,} documents[/] indexed for {len(config.generators)} generators "
            f"in {time.perf_counter() - started:.0f} s. Nothing is learnt yet.\n"
        )
        shown = SHOWN if catalog is None else _titles(documents, seed)
        before = [engine.search(text, Context(time=crowd.now)) for text in shown]
        history = _let_them_search(engine, crowd, searches)
        after = [engine.search(text, Context(time=crowd.now)) for text in shown]
        console.print(
            "[bold]The same searches before and after.[/] Found by: "
            + ", ".join(f"{mark} {name}" for name, mark in MARKS.items())
            + "; behind it the rank there. Last line: the depths asked for → candidates.\n"
        )
        for old, new in zip(before, after, strict=True):
            console.print(_side_by_side(old, new), "")
        console.print(_over_time(history), "")
        compared = compare(engine, [crowd.wish() for _ in range(TESTED)])
        console.print(_comparison(compared))
    console.print(
        f"[dim]{time.perf_counter() - started:.0f} s in all; the same seed repeats it.[/]"
    )
    return compared


def _titles(documents: Sequence[Document], seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [documents[i].title for i in rng.choice(len(documents), len(SHOWN), replace=False)]


History = list[list[tuple[Wish, bool, int]]]


def _let_them_search(engine: SearchEngine, crowd: Crowd, searches: int) -> History:
    """Search, click, learn, in rounds; per round (wish, whether its item was shown, candidates)."""
    history: History = []
    with tqdm(total=searches, desc="listeners searching", unit=" searches") as bar:
        for part in np.array_split(np.arange(searches), ROUNDS):
            done: list[tuple[Wish, bool, int]] = []
            for _ in part:
                wish = crowd.wish()
                response = engine.search(wish.text, wish.context)
                done.append(
                    (wish, wish.item in [hit.id for hit in response.hits], response.candidates)
                )
                clicked = crowd.clicks(wish, response)
                if clicked:
                    engine.feedback(
                        response.impression_id,
                        events=[Event("click", id, wish.time) for id in clicked],
                    )
                bar.update()
            history.append(done)
            bar.set_description("learning")
            report = engine.learn()
            bar.write(
                f"learnt {report.events} clicks of {report.searches} searches in "
                f"{report.seconds:.1f} s; {report.verdict}"
            )
            bar.set_description("listeners searching")
    return history


def _side_by_side(old: Response, new: Response) -> Table:
    table = Table(title=f"“{new.query.typed}”", title_justify="left", title_style="bold")
    for name in ("before learning", "after"):
        table.add_column(name, width=38, no_wrap=True)
        table.add_column("found by", width=15, no_wrap=True, style="dim")
    for place in range(5):
        table.add_row(*_line(old, place), *_line(new, place))
    table.add_section()
    table.add_row(*_plan(old), *_plan(new), style="dim")
    return table


def _line(response: Response, place: int) -> tuple[str, str]:
    if place >= len(response.hits):
        return "", ""
    hit = response.hits[place]
    artist = ", ".join(hit.document.values("artist"))
    found = " ".join(f"{MARKS.get(name, name)}{at.rank}" for name, at in hit.sources.items())
    named = f"{hit.document.title} – {artist}" if artist else hit.document.title
    return f"{named} ({hit.document.type})", found


def _plan(response: Response) -> tuple[str, str]:
    asked = " ".join(f"{MARKS.get(name, name)}{d}" for name, d in response.plan.items() if d)
    return f"asked {asked or 'none'}", f"→ {response.candidates}"


def _over_time(history: History) -> Table:
    table = Table(title="success@10 over time, in %", title_justify="left", title_style="bold")
    table.add_column("searches")
    for intent in (*INTENTS, "all", "candidates"):
        table.add_column(intent, justify="right")
    end = 0
    for done in history:
        start, end = end, end + len(done)
        of = {i: [found for wish, found, _ in done if wish.intent == i] for i in INTENTS}
        of["all"] = [found for _, found, _ in done]
        shares = [f"{100 * np.mean(found):.0f}" if found else "" for found in of.values()]
        mean = np.mean([candidates for *_, candidates in done])
        table.add_row(f"{start + 1:,}–{end:,}", *shares, f"{mean:.1f}")
    return table


def _comparison(compared: Compared) -> Table:
    table = Table(
        title=f"the next {len(compared.found['ltrr'])} searches, answered after learning",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("system")
    table.add_column("success@10", justify="right")
    table.add_column("candidates", justify="right")
    table.add_column("ltrr is ahead by", justify="right")
    for name in sorted(compared.found, key=lambda n: -compared.success(n)):
        label = {"ltrr": "ltrr (all of them, learnt)", "rrf": "RRF of all"}.get(name, name)
        style = "bold" if name == "ltrr" else ""
        lead, reach = (100.0 * figure for figure in compared.lead(name))
        table.add_row(
            label, f"{100 * compared.success(name):.1f}%", f"{compared.candidates[name]:.1f}",
            "" if name == "ltrr" else f"{lead:+.1f} ± {reach:.1f}",
            style=style,
        )  # fmt: skip
    return table
