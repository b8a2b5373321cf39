"""What understanding a conversation is worth: simulated sessions on the demo's catalogue, end to end.

    python -m demo.sessions --model DIR

Two agents talk about the catalogue (`demo.samples`); each follow-up that cannot stand alone is searched
in three ways: as it is typed within the conversation, with and without rewriting, and as the full query
that the user would have to type instead. A success is a first result that is one of those the turn is
after.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from conversation.simulator import Simulator
from demo.catalogue import catalogue
from demo.conversation import shipped_model
from demo.run import BUDGET
from demo.samples import simulator
from engine import Context, EngineConfig, SearchEngine, Turn

FULL, REWRITTEN, ALONE = "the full query", "in conversation", "without rewriting"
SEED = 10_001
"""Of the sessions; training draws its own from others."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A turn that needs what was said before it: `full` is what would stand alone, `targets` what it is
    after, `action` what it is to lead to."""

    session: int
    turns: tuple[Turn, ...]
    typed: str
    full: str
    targets: frozenset[str]
    action: str


def follow_ups(simulated: Simulator, sessions: int, seed: int = SEED) -> Iterator[FollowUp]:
    """Those of so many sessions that have one; dialogues without are passed over."""
    number = found = 0
    while found < sessions:
        played = simulated.play(seed, number)
        number += 1
        turns: list[Turn] = []
        targets = iter(played.targets)
        is_one = False
        for turn in played.dialogue.turns:
            if turn.speaker == "user":
                wanted = frozenset(next(targets))
                full = turn.rewrite or turn.text
                if turns and wanted and full.casefold() != turn.text.casefold():
                    action = turn.actions[0].name if turn.actions else ""
                    yield FollowUp(found, tuple(turns), turn.text, full, wanted, action)
                    is_one = True
            turns.append(Turn(turn.speaker, turn.text, tuple(slot.value for slot in turn.slots)))
        found += is_one


@dataclass(frozen=True, slots=True)
class Measured:
    """Successes of each way over the same follow-ups, and the milliseconds that rewriting and reading
    took."""

    given: tuple[FollowUp, ...]
    successes: dict[str, np.ndarray]
    understanding: np.ndarray


def measure(engine: SearchEngine, given: Iterable[FollowUp], progress: bool = False) -> Measured:
    """Search each follow-up in the three ways."""
    asked: list[FollowUp] = []
    found: dict[str, list[bool]] = defaultdict(list)
    spent: list[float] = []
    for one in tqdm(given, desc="searching", unit=" turns", disable=not progress):
        asked.append(one)
        for way, text, turns in (
            (FULL, one.full, ()),
            (REWRITTEN, one.typed, one.turns),
            (ALONE, one.typed, ()),
        ):
            response = engine.search(text, Context(turns=turns), k=1)
            found[way].append(bool(response.hits) and response.hits[0].id in one.targets)
            if way == REWRITTEN:
                times = response.timings
                spent.append(times.get("rewriting", 0.0) + times.get("readings", 0.0))
    successes = {way: np.array(of, np.float64) for way, of in found.items()}
    return Measured(tuple(asked), successes, np.array(spent))


def table(measured: Measured) -> Table:
    """Success@1 of each way, by what the turn is to lead to, and beside that of full queries."""
    made = Table(title="success@1 of follow-up turns, in %", title_justify="left")
    made.add_column("turns that lead to")
    ways = (FULL, REWRITTEN, ALONE)
    for header in ("turns", *ways, "of the full query's"):
        made.add_column(header, justify="right")
    actions = np.array([one.action for one in measured.given])
    for name in (*sorted(set(actions.tolist())), "all"):
        rows = np.ones(actions.size, bool) if name == "all" else actions == name
        shares = [float(measured.successes[way][rows].mean()) for way in ways]
        share = f"{100 * shares[1] / shares[0]:.1f}" if shares[0] else ""
        made.add_row(name, f"{rows.sum()}", *(f"{100 * s:.1f}" for s in shares), share)
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Build, simulate, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m demo.sessions", description=__doc__)
    parser.add_argument("--model", type=Path, metavar="DIR", default=shipped_model())
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--embeddings", type=Path, default=Path("build/embeddings"))
    given = parser.parse_args(arguments)
    documents = catalogue()
    config = EngineConfig(budget=BUDGET)
    console = Console(highlight=False, width=120)
    with SearchEngine.build(
        documents, config=config, embeddings=given.embeddings, conversation=given.model
    ) as engine:
        turns = list(follow_ups(simulator(documents), given.sessions, given.seed))
        measured = measure(engine, turns, progress=True)
    console.print(table(measured))
    console.print(
        f"{given.sessions} sessions. Rewriting and reading took "
        f"{np.median(measured.understanding):.1f} ms (p50)."
    )


if __name__ == "__main__":
    main()
