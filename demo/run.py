"""The demo: listeners search a music catalogue, and retrieval learns from what they click."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
from rich.console import Console

from demo.catalogue import catalogue
from demo.comparison import Compared, compare
from demo.conversation import converse, shipped_model
from demo.curve import draw
from demo.listeners import Crowd
from demo.listening import Round, listen, observe
from demo.new_items import add_and_hear, told
from demo.tables import MARKS, by_intent, comparison, failing, over_time, side_by_side
from demo.telling import examples, sentences
from engine import Context, Document, EngineConfig, SearchEngine
from engine.formats import read_documents
from retrievers.encoder import Encoder

SHOWN = (
    "beleiver",
    "imagine dragons",
    "tayler love",
    "love",
    "hallelujah",
    "bjork",
    "sad songs",
    "90s rock",
)
"""Searches shown before and after learning."""
TESTED = 600
"""Searches after the last learn, on which systems are compared; nothing learns from them."""
OBSERVED = 100
"""Searches of each round that are answered in full, for the learning curve."""
BUDGET = 24.0
WIDTH = 120


def run(
    searches: int = 3000,
    seed: int = 0,
    catalog: Path | None = None,
    embeddings: Path | None = None,
    encoder: Encoder | None = None,
    console: Console | None = None,
    picture: Path = Path("build/demo/learning.png"),
    jobs: int = 2,
) -> Compared:
    """Build, show, let listeners search and the engine learn, show again, compare.

    `picture`: where the learning curve is drawn. `jobs`: threads that the ranker is trained with.
    """
    console = console or Console(highlight=False, width=WIDTH)
    started = time.perf_counter()
    documents = list(read_documents(catalog)) if catalog else list(catalogue())
    crowd = Crowd(documents, seed)
    with SearchEngine.build(
        documents,
        config=engine_config(seed, jobs),
        encoder=encoder,
        embeddings=embeddings,
        conversation=None if catalog else shipped_model(),
        progress=True,
    ) as engine:
        console.print(
            f"\n[bold]{len(engine):,} documents[/] indexed for {len(engine.state.retrievers)} "
            f"generators in {time.perf_counter() - started:.0f} s. Nothing is learnt yet.\n"
        )
        shown = SHOWN if catalog is None else _titles(documents, seed)
        before = [engine.search(text, Context(time=crowd.now)) for text in shown]
        history = listen(engine, crowd, searches, observed=OBSERVED)
        after = [engine.search(text, Context(time=crowd.now)) for text in shown]
        console.print(
            "\n[bold]The same searches before and after, by nobody in particular.[/] Found by: "
            + ", ".join(f"{mark} {name}" for name, mark in MARKS.items())
            + "; behind it the rank there. Last line: the depths asked for → candidates.\n"
        )
        for old, new in zip(before, after, strict=True):
            console.print(side_by_side(old, new), "")
        console.print(over_time(history), "")
        names = list(engine.state.retrievers)
        tested = observe(engine, [crowd.wish() for _ in range(TESTED)], progress=True)
        fitted_on = [one for done in history[-3:] for one in done.observed]
        compared = compare(tested, fitted_on=fitted_on)
        console.print(comparison(compared), "")
        console.print(by_intent(compared, names, tested), "")
        console.print("[bold]What it learnt to ask[/], in the mean over each kind of wish:")
        first = history[0].searched
        for sentence in sentences(names, first, [one.searched for one in tested]):
            console.print(f"  {sentence}")
        console.print("", failing(tested), "\n[bold]For example[/]")
        for example in examples(tested, {d.id: d for d in documents}):
            console.print(f"  {example}")
        console.print("\n[bold]Something new[/]")
        for sentence in told(add_and_hear(engine, crowd)):
            console.print(f"  {sentence}")
        console.print("\n[bold]A conversation[/], each line understood by those before it")
        converse(engine, console)
        picture_of(history, f"ltrr learns to retrieve: {len(documents):,} documents", picture)
        console.print(f"\nThe learning curve is drawn in [bold]{picture}[/].")
    console.print(
        f"[dim]{time.perf_counter() - started:.0f} s in all; the same seed repeats it.[/]"
    )
    return compared


def engine_config(
    seed: int, jobs: int, *, budget: float = BUDGET, foresight: bool = True
) -> EngineConfig:
    """The engine that listeners search with."""
    return EngineConfig(
        seed=seed, budget=budget, chunk="week", ranker_options={"n_jobs": jobs}, foresight=foresight
    )


def picture_of(history: Sequence[Round], title: str, path: Path) -> None:
    """Draw success in each round, of the engine and of what it is compared with."""
    parts = [compare(done.observed) for done in history]
    draw(
        {name: [part.success(name) for part in parts] for name in parts[0].places},
        list(accumulate(len(done.searched) for done in history)),
        title,
        path,
    )


def _titles(documents: Sequence[Document], seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(documents), min(len(SHOWN), len(documents)), replace=False)
    return [documents[i].title for i in chosen.tolist()]
