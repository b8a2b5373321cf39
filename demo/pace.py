"""How long understanding takes, before anything is searched.

    python -m demo.pace --model DIR

Follow-ups of simulated sessions, each with the five turns before it, are rewritten and read, one after
the other on one thread.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from demo.catalogue import catalogue
from demo.conversation import shipped_model
from demo.run import BUDGET
from demo.samples import simulator
from demo.sessions import FollowUp, follow_ups
from engine import Context, EngineConfig, Query, SearchEngine
from engine.understanding import read, rewritten
from retrievers.blas import single_threaded

TURNS, SESSIONS = 5, 200
STAGES = ("rewriting", "readings")
SEED = 30_001


def pace(engine: SearchEngine, given: Sequence[FollowUp]) -> NDArray[np.float64]:
    """Milliseconds of each follow-up (n, stages); the first are asked before, to warm up."""
    spent = []
    warming = given[:20]
    for number, one in enumerate((*warming, *given)):
        timings = dict.fromkeys(STAGES, 0.0)
        notes: list[str] = []
        query = Query(one.typed, Context(turns=one.turns[-TURNS:]))
        query = rewritten(engine.state, engine.config, query, notes, timings)
        read(engine.state, replace(query, readings=()), notes, timings)
        if notes:
            raise RuntimeError(f"{one.typed!r}: {notes[0]}")
        if number >= len(warming):
            spent.append([timings[stage] for stage in STAGES])
    return np.array(spent)


def main(arguments: Sequence[str] | None = None) -> None:
    """Build, simulate, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m demo.pace", description=__doc__)
    parser.add_argument("--model", type=Path, metavar="DIR", default=shipped_model())
    given = parser.parse_args(arguments)
    documents = catalogue()
    config = EngineConfig(budget=BUDGET, generators=("bm25", "structured"))
    with (
        single_threaded(),
        SearchEngine.build(documents, config=config, conversation=given.model) as engine,
    ):
        sessions = follow_ups(simulator(documents), SESSIONS, SEED)
        turns = [one for one in sessions if len(one.turns) >= TURNS]
        spent = pace(engine, turns)
    columns = {stage: spent[:, n] for n, stage in enumerate(STAGES)} | {"both": spent.sum(axis=1)}
    told = "; ".join(
        f"{name} {np.median(of):.2f} ms p50, {np.percentile(of, 95):.2f} ms p95"
        for name, of in columns.items()
    )
    Console(width=110, highlight=False).print(f"{len(turns)} turns after {TURNS} others: {told}.")


if __name__ == "__main__":
    main()
