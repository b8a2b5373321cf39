"""Rewriting by cross-validation over whole dialogues, on the sets of mudoco, alexa-cqr and canard.

python -m benchmarks.rewriting DATA --out FOLDER [--folds 5] [--workers 2]

DATA holds mudoco/, alexa-cqr/ and, where there is one, canard/. Each fold is rewritten by a rewriter trained on all other
dialogues of all sets. Predictions {id, rewrite, confidence} for `score_rewrites.py` and `score_cqr.py` go to FOLDER:
mudoco.jsonl at 2% of idle queries changed, mudoco_loose.jsonl at 3.7% (what a published system changes), each fold's
threshold chosen on the queries of the other folds; mudoco_own.jsonl and cqr.jsonl by the threshold that the rewriter
chose itself, on dialogues held out within its training; cqr_always.jsonl with every query rewritten.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from conversation.base import Rewrite
from conversation.contextual_words import PieceReader
from conversation.processes import processes
from conversation.rewrite_data import RewriteExample, read_cqr, read_rewrites
from conversation.rewrite_files import write_rewrites
from conversation.rewrite_layouts import read_layout
from conversation.rewrite_tokens import same
from conversation.rewrite_training import Recipe
from conversation.rewriter import Proposal, Rewriter
from conversation.rewriter_training import (
    DEPTHS,
    Member,
    Task,
    assembled,
    part_of,
    rewriter_tasks,
    train_member,
)
from engine.pretrained_words import pretrained_words

STRICT, LOOSE = 0.02, 0.037
FILES = (
    "mudoco/rewrites_dev.jsonl.gz", "mudoco/rewrites_news_weather.jsonl.gz", "mudoco/dialogues.jsonl.gz",
    "alexa-cqr/dev.json", "canard/dev.jsonl.gz",
)  # fmt: skip


def read_all(data: Path) -> list[RewriteExample]:
    """Every set that is there."""
    found = [data / name for name in FILES if (data / name).is_file()]
    if not found:
        raise FileNotFoundError(f"{data}: found none of {', '.join(FILES)}, expected some of them")
    return [example for path in found for example in read_layout(path)]


def folds_of(
    examples: Sequence[RewriteExample],
    folds: int,
    reader: PieceReader | None,
    recipe: Recipe,
    depths: Sequence[int] = DEPTHS,
) -> list[list[Task]]:
    """For each fold what its networks are trained with."""
    made = []
    for fold in range(folds):
        learnt = [e for e in examples if part_of(e.group, folds) != fold]
        made.append(rewriter_tasks(learnt, reader=reader, recipe=recipe, depths=depths, seed=fold))
    return made


def train_folds(folds: Sequence[Sequence[Task]], workers: int) -> list[list[Member]]:
    """The networks of each fold, `workers` trained at a time."""
    flat = [task for tasks in folds for task in tasks]
    with processes(workers) as pool:
        trained = iter(pool.map(train_member, flat))
        return [[next(trained) for _ in tasks] for tasks in folds]


def thresholds(
    asked: Sequence[RewriteExample], proposals: Sequence[Proposal], folds: int, rate: float
) -> list[float]:
    """For each fold the worth that a share `rate` of the other folds' idle queries exceeds."""
    found = []
    for fold in range(folds):
        idle = [
            proposal.worth
            for e, proposal in zip(asked, proposals, strict=True)
            if part_of(e.group, folds) != fold and same(e.query, e.rewrite)
        ]
        idle = sorted(idle, reverse=True) or [math.inf]
        found.append(idle[min(int(rate * len(idle)), len(idle) - 1)])
    return found


def main() -> None:
    """Train, rewrite, write, and say how long a rewrite took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    folds = given.folds
    tasks = folds_of(read_all(given.data), folds, pretrained_words(), Recipe())
    started = time.perf_counter()
    trained = train_folds(tasks, given.workers)
    seconds = time.perf_counter() - started
    print(f"trained {sum(map(len, trained))} networks in {seconds:.0f} s")
    rewriters = [assembled(*one) for one in zip(tasks, trained, strict=True)]
    given.out.mkdir(parents=True, exist_ok=True)
    mudoco = read_rewrites(given.data / FILES[0])
    cqr = read_cqr(given.data / FILES[3], crowd=False)
    proposals = [_own(rewriters, e).propose(e.turns, e.query) for e in mudoco]
    for name, rate in (("mudoco", STRICT), ("mudoco_loose", LOOSE)):
        borders = thresholds(mudoco, proposals, folds, rate)
        made = [
            Rewrite(p.text if p.worth > borders[part_of(e.group, folds)] else e.query, 0.0)
            for e, p in zip(mudoco, proposals, strict=True)
        ]
        write_rewrites(given.out / f"{name}.jsonl", [e.id for e in mudoco], made)
    for name, asked in (("mudoco_own", mudoco), ("cqr", cqr)):
        made, took = [], []
        for e in asked:
            start = time.perf_counter()
            made.append(_own(rewriters, e).rewrite(e.turns, e.query))
            took.append((time.perf_counter() - start) * 1e3)
        write_rewrites(given.out / f"{name}.jsonl", [e.id for e in asked], made)
        print(f"{name}: {len(made)} queries, p50 {statistics.median(took):.2f} ms")
    always = [Rewrite(_own(rewriters, e).propose(e.turns, e.query).text, 0.0) for e in cqr]
    write_rewrites(given.out / "cqr_always.jsonl", [e.id for e in cqr], always)


def _own(rewriters: Sequence[Rewriter], example: RewriteExample) -> Rewriter:
    """The one that never saw the example's dialogue."""
    return rewriters[part_of(example.group, len(rewriters))]


if __name__ == "__main__":
    main()
