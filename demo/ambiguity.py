"""Pages for queries that mean several things: how many of the things meant they serve.

python -m demo.ambiguity --out DIR [--seed 1] [--searches 5000] [--index DIR]

The demo's listeners search and click until the engine has learnt; then every method of
`EngineConfig.diversity` answers, for nobody in particular, each ambiguous query (see `demo.meant`) and
further searches whose queries mean one thing. Prints a table and writes `report.json`:

    queries, interpretations    ambiguous queries, and the mean number of what they mean
    methods.<name>
        intent_recall@10, alpha_nDCG@10, ERR-IA@10      over ambiguous queries, by pyndeval
        closed                  share of the distance from the plain page's intent recall to 1, and its
                                95% interval by resampling queries
        success@10, change      over the other searches: the item meant is on the page; against the plain
                                page, with a 95% interval
        candidates              mean, ambiguous queries and others
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import ERR_IA, StRecall, alpha_nDCG
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.bootstrap import Bootstrap
from demo.catalogue import catalogue
from demo.listeners import PAGE, Crowd, Wish
from demo.listening import listen
from demo.meant import Meant, heard, meant_by
from demo.run import engine_config
from engine import Context, Document, SearchEngine
from engine.answering import Answer, answered
from engine.config import DIVERSITIES
from engine.snapshots import CURRENT

HEARD = 40_000
"""Wishes from which interpretations are told."""
OTHERS = 2_000
"""Further wishes, of which those with other queries are answered too."""
BUDGET = 30.0
"""Candidates a search in the mean, more than the demo's: several meanings need room."""
PLAIN = DIVERSITIES[0]
MEASURES = {
    "intent_recall@10": StRecall @ 10,
    "alpha_nDCG@10": alpha_nDCG @ 10,
    "ERR-IA@10": ERR_IA @ 10,
}

Floats = NDArray[np.float64]


def measured(meant: Meant, pages: Mapping[str, Sequence[str]]) -> dict[str, Floats]:
    """{measure: (queries,)} of a page for each ambiguous query, in their order."""
    numbers = {query: str(number) for number, query in enumerate(meant.queries)}
    qrels = [
        ir_measures.Qrel(numbers[query], item, 1, str(place))
        for query, of in meant.queries.items()
        for place, one in enumerate(of)
        for item in sorted(meant.items[one])
    ]
    run = [
        ir_measures.ScoredDoc(numbers[query], item, float(-rank))
        for query, page in pages.items()
        for rank, item in enumerate(page)
    ]
    found = {name: np.zeros(len(numbers)) for name in MEASURES}
    names = {str(measure): name for name, measure in MEASURES.items()}
    for one in ir_measures.iter_calc(list(MEASURES.values()), qrels, run):
        found[names[str(one.measure)]][int(one.query_id)] = one.value
    return found


def report(
    engine: SearchEngine, meant: Meant, others: Sequence[Wish], now: datetime
) -> dict[str, Any]:
    """The report of an engine that has learnt, without what names the run."""
    state, catalog = engine.state, engine.state.catalog

    def answer(method: str, text: str) -> Answer:
        config = replace(engine.config, diversity=method)
        return answered(state, config, text, Context(time=now), now.timestamp())

    def page(made: Answer) -> list[str]:
        return [catalog.id(row) for row in made.candidates.docs[made.order[:PAGE]].tolist()]

    methods: dict[str, Any] = {}
    values: dict[str, tuple[dict[str, Floats], Floats]] = {}
    for method in DIVERSITIES:
        told = {query: answer(method, query) for query in meant.queries}
        single = [answer(method, wish.text) for wish in others]
        found = np.array(
            [w.item in page(a) for w, a in zip(others, single, strict=True)], np.float64
        )
        values[method] = (measured(meant, {q: page(a) for q, a in told.items()}), found)
        methods[method] = {
            **{name: float(each.mean()) for name, each in values[method][0].items()},
            "success@10": float(found.mean()),
            "candidates": [
                float(np.mean([len(a.candidates) for a in some]))
                for some in (told.values(), single)
            ],
            **_against(values[PLAIN], values[method], list(meant.queries)),
        }
    return {
        "queries": len(meant.queries),
        "interpretations": float(np.mean([len(of) for of in meant.queries.values()])),
        "other_searches": len(others),
        "methods": methods,
    }


def _against(
    plain: tuple[dict[str, Floats], Floats],
    found: tuple[dict[str, Floats], Floats],
    queries: list[str],
) -> dict[str, Any]:
    key = next(iter(MEASURES))
    bootstrap = Bootstrap(queries, 0)
    before, after = bootstrap.means(plain[0][key]), bootstrap.means(found[0][key])
    drawn = (after - before) / np.maximum(1.0 - before, 1e-9)
    gained = float((found[0][key] - plain[0][key]).mean())
    change = found[1] - plain[1]
    reach = 1.96 * float(change.std(ddof=1)) / change.size**0.5
    mean = float(change.mean())
    return {
        "closed": gained / max(1.0 - float(plain[0][key].mean()), 1e-9),
        "closed_interval": np.quantile(drawn, (0.025, 0.975)).tolist(),
        "change": mean,
        "change_interval": [mean - reach, mean + reach],
    }


def table(told: Mapping[str, Any]) -> Table:
    """The report as it is printed."""
    made = Table(
        title=f"{told['queries']} ambiguous queries with {told['interpretations']:.1f} interpretations "
        f"each, and {told['other_searches']:,} searches for one thing",
        title_justify="left",
    )
    made.add_column("page")
    for heading in (*MEASURES, "closed, 95%", "success@10", "change, 95%", "candidates"):
        made.add_column(heading, justify="right")
    for method, one in told["methods"].items():
        closed, change = one["closed_interval"], one["change_interval"]
        made.add_row(
            method,
            *(f"{one[name]:.3f}" for name in MEASURES),
            f"{one['closed']:.0%} ({closed[0]:.0%}…{closed[1]:.0%})",
            f"{one['success@10']:.3f}",
            f"{one['change']:+.4f} ({change[0]:+.4f}…{change[1]:+.4f})",
            " / ".join(f"{mean:.1f}" for mean in one["candidates"]),
        )
    return made


def learnt(
    documents: Sequence[Document], folder: Path, seed: int, searches: int, embeddings: Path
) -> SearchEngine:
    """The engine that is kept in a folder; a new one, taught by the listeners, where there is none."""
    if (folder / CURRENT).is_file():
        return SearchEngine.load(folder)
    engine = SearchEngine.build(
        documents, folder=folder, config=replace(engine_config(seed, jobs=1), budget=BUDGET),
        embeddings=embeddings, progress=True,
    )  # fmt: skip
    listen(engine, Crowd(documents, seed), searches)
    return engine


def main() -> None:
    """Teach, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--searches", type=int, default=5_000, help="from which the engine learns")
    parser.add_argument("--index", type=Path, help="where the engine is kept; default: OUT/index")
    parser.add_argument("--embeddings", type=Path, default=Path("build/embeddings"))
    given = parser.parse_args()
    documents = list(catalogue())
    wishes = heard(documents, given.seed, HEARD + OTHERS)
    meant = meant_by(documents, wishes[:HEARD])
    others = [wish for wish in wishes[HEARD:] if wish.text not in meant.queries]
    given.out.mkdir(parents=True, exist_ok=True)
    folder = given.index or given.out / "index"
    with learnt(documents, folder, given.seed, given.searches, given.embeddings) as engine:
        times = [row.time for row in engine.log.searches(0, engine.log.last()[0])]
        now = datetime.fromtimestamp(max(times), wishes[0].time.tzinfo)
        told = {"seed": given.seed, "searches": len(times), **report(engine, meant, others, now)}
    Console(width=160).print(table(told))
    text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    (given.out / "report.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
