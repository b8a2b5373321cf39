"""The judged run: many searches from cold, several seeds, every system beside the engine."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from benchmarks.plans_found import best_plan
from conversation.processes import processes
from demo.catalogue import catalogue
from demo.comparison import LTRR, ORACLE, Compared, compare
from demo.curve import draw
from demo.listeners import INTENTS, Crowd
from demo.listening import Round, listen, observe
from demo.run import BUDGET, engine_config
from demo.telling import INTENT_NAMES
from engine import SearchEngine
from engine.formats import read_documents
from retrievers.encoder import Encoder

OBSERVED = 100
"""Searches of each round that are answered in full: for the curve, for the fixed plan and for the
weights of min-max fusion."""
WIDE, WIDE_PLAN = 40.0, "best fixed plan at 40"
T_975 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
"""Quantiles of Student's t by degrees of freedom; 1.96 beyond."""
MARKED = (500, 1000, 2500, 5000, 7500, 10000)
"""Searches after which the regret is told."""


@dataclass(frozen=True, slots=True, eq=False)
class Studied:
    """One seed. `regret` (searches,): successes of the fixed plan known in advance, which learns all
    else, less those of the engine, summed up; `plan`: that plan, by generator; `curve`: per system its
    success in each round; `ends`: searches made by then."""

    compared: Compared
    regret: NDArray[np.float64]
    plan: dict[str, int]
    candidates: list[float]
    curve: dict[str, list[float]]
    ends: list[int]


def study_one(
    seed: int,
    searches: int,
    tested: int,
    catalog: Path | None = None,
    embeddings: Path | None = None,
    encoder: Encoder | None = None,
    *,
    budget: float = BUDGET,
    foresight: bool = True,
) -> Studied:
    """Let listeners search from cold, compare on further searches, then let them search an engine
    that knows from the start which fixed plan would have been best."""
    documents = list(read_documents(catalog)) if catalog else list(catalogue())
    config = engine_config(seed, jobs=1, budget=budget, foresight=foresight)
    with SearchEngine.build(
        documents, config=config, encoder=encoder, embeddings=embeddings
    ) as engine:
        crowd = Crowd(documents, seed)
        history = listen(engine, crowd, searches, observed=OBSERVED, progress=False)
        wishes = observe(engine, [crowd.wish() for _ in range(tested)])
        known = [one for done in history for one in done.observed]
        compared = compare(
            wishes,
            fitted_on=[one for done in history[-5:] for one in done.observed],
            budgets={WIDE_PLAN: WIDE},
        )
        names, ladder = list(engine.state.retrievers), engine.state.ladder
    made = [one for done in history for one in done.searched]
    mean = float(np.mean([one.candidates for one in made]))
    plan = best_plan((one.asked for one in known), ladder, mean).tolist()
    fixed = replace(config, policy="fixed", policy_options={"depths": plan})
    with SearchEngine.build(
        documents, config=fixed, encoder=encoder, embeddings=embeddings
    ) as engine:
        other = listen(engine, Crowd(documents, seed), searches, progress=False)
    against = [one for done in other for one in done.searched]
    lost = np.array([one.place > 0 for one in against], float)
    lost -= np.array([one.place > 0 for one in made], float)
    parts = [compare(done.observed) for done in history]
    return Studied(
        compared=compared,
        regret=lost.cumsum(),
        plan=dict(zip(names, plan, strict=True)),
        candidates=[float(np.mean([s.candidates for s in done.searched])) for done in history],
        curve={name: [part.success(name) for part in parts] for name in parts[0].places},
        ends=_ends(history),
    )


def study(
    seeds: Sequence[int],
    searches: int,
    tested: int,
    out: Path,
    *,
    catalog: Path | None = None,
    embeddings: Path | None = None,
    jobs: int = 2,
    budget: float = BUDGET,
    foresight: bool = True,
    console: Console | None = None,
) -> None:
    """Study every seed, `jobs` at a time, print the tables, write `report.json` and `learning.png`."""
    console = console or Console(highlight=False, width=140)
    done: dict[int, Studied] = {}
    with processes(jobs) as pool:
        waiting = {
            pool.submit(
                study_one,
                seed,
                searches,
                tested,
                catalog,
                embeddings,
                budget=budget,
                foresight=foresight,
            ): seed
            for seed in seeds
        }
        for ready in tqdm(as_completed(waiting), total=len(waiting), desc="seeds", unit=" seeds"):
            done[waiting[ready]] = ready.result()
    studied = [done[seed] for seed in seeds]
    console.print(leads(studied), "", regrets(studied), "")
    for seed, one in zip(seeds, studied, strict=True):
        plan = ", ".join(f"{name} {depth}" for name, depth in one.plan.items() if depth)
        console.print(
            f"seed {seed}: candidates per round "
            f"{' '.join(f'{c:.0f}' for c in one.candidates)}; the fixed plan known in advance: {plan}"
        )
    out.mkdir(parents=True, exist_ok=True)
    curves = {
        name: np.mean([one.curve[name] for one in studied], axis=0).tolist()
        for name in studied[0].curve
    }
    title = f"success over searches, mean of {len(studied)} seeds"
    draw(curves, studied[0].ends, title, out / "learning.png")
    (out / "report.json").write_text(json.dumps(report(seeds, studied), indent=1) + "\n")
    console.print(f"Written: [bold]{out / 'report.json'}[/], [bold]{out / 'learning.png'}[/]")


def interval(values: Sequence[float]) -> tuple[float, float]:
    """(mean, half of its 95% interval over seeds, by Student's t); NaN for one seed."""
    found = np.array(values, float)
    if found.size < 2:
        return float(found.mean()), float("nan")
    t = T_975.get(found.size - 1, 1.96)
    return float(found.mean()), float(t * found.std(ddof=1) / math.sqrt(found.size))


def lead(studied: Sequence[Studied], system: str, intent: str | None) -> tuple[float, float]:
    """Points of success@10 by which the engine leads, over seeds."""
    return interval([100.0 * one.compared.lead(system, intent)[0] for one in studied])


def leads(studied: Sequence[Studied]) -> Table:
    """Success of the engine, and its lead over each system, by intent."""
    table = Table(
        title=f"success@10 in % after {studied[0].ends[-1]:,} searches from cold, and the lead of "
        f"ltrr in points, with 95% intervals over {len(studied)} seeds",
        title_justify="left",
        title_style="bold",
    )
    for name in ("system", "candidates", "all", *(INTENT_NAMES[i] for i in INTENTS)):
        table.add_column(name, justify="left" if name == "system" else "right")
    for system in studied[0].compared.places:
        drawn = np.mean([one.compared.candidates[system] for one in studied])
        cells = []
        for intent in (None, *INTENTS):
            success = 100 * np.mean(
                [one.compared.success(system, intent=intent) for one in studied]
            )
            mean, reach = lead(studied, system, intent)
            cells.append(
                f"{success:.1f}" if system == LTRR else f"{success:.1f} ({_about(mean, reach, 1)})"
            )
        style = "bold" if system == LTRR else "dim" if system == ORACLE else ""
        table.add_row(system, f"{drawn:.1f}", *cells, style=style)
    return table


def regrets(studied: Sequence[Studied]) -> Table:
    """Cumulative regret to the fixed plan known in advance."""
    table = Table(
        title="cumulative regret in successes, to an engine with the best fixed plan known in "
        "advance that learns all else from its own listeners; below 0 learning has paid",
        title_justify="left",
        title_style="bold",
    )
    size = studied[0].regret.size
    table.add_column("after searches")
    told = ["regret"]
    for mark in [*(m for m in MARKED if m < size), size]:
        mean, reach = interval([float(one.regret[mark - 1]) for one in studied])
        table.add_column(f"{mark:,}", justify="right")
        told.append(_about(mean, reach, 0))
    table.add_row(*told)
    mean_regret = np.mean([one.regret for one in studied], axis=0)
    above = np.flatnonzero(mean_regret >= 0)
    last = int(above[-1]) + 1 if above.size else 0
    table.caption = (
        f"In the mean it stays below 0 after search {last:,}."
        if last < size
        else "In the mean it is not below 0 at the end."
    )
    if reach >= abs(mean):
        table.caption += " At the end either may be ahead: seeds differ by more than the two do."
    return table


def report(seeds: Sequence[int], studied: Sequence[Studied]) -> dict[str, object]:
    """Everything as JSON types."""
    return {
        "searches": studied[0].ends[-1],
        "seeds": {
            str(seed): {
                "candidates": one.compared.candidates,
                "success@10": {
                    system: {
                        intent or "all": one.compared.success(system, intent=intent)
                        for intent in (None, *INTENTS)
                    }
                    for system in one.compared.places
                },
                "fixed_plan": one.plan,
                "candidates_per_round": one.candidates,
                "curve": one.curve,
                "ends": one.ends,
                "regret": one.regret[99::100].tolist(),
            }
            for seed, one in zip(seeds, studied, strict=True)
        },
    }


def _about(mean: float, reach: float, digits: int) -> str:
    """With its interval, which one seed does not have."""
    told = f"{mean:+.{digits}f}"
    return told if math.isnan(reach) else f"{told} ± {reach:.{digits}f}"


def _ends(history: Sequence[Round]) -> list[int]:
    return list(accumulate(len(done.searched) for done in history))
