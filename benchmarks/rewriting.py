"""Rewriting by cross-validation over whole dialogues, on the sets of mudoco, alexa-cqr and canard.

python -m benchmarks.rewriting DATA --out FOLDER [--folds 5] [--members 3] [--workers 2]

DATA holds mudoco/, alexa-cqr/ and, where there is one, canard/. Each fold is rewritten by a rewriter trained on all other
dialogues of all sets, whose threshold comes from dialogues held out within them. Predictions {id, rewrite,
confidence} for `score_rewrites.py` and `score_cqr.py` go to FOLDER: mudoco.jsonl at 2% of idle queries
changed, mudoco_loose.jsonl at 3.7% (what a published system changes), cqr.jsonl; figures.json holds times.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from conversation.base import Rewrite
from conversation.rewrite_data import RewriteExample, read_cqr, read_rewrites
from conversation.rewrite_files import write_rewrites
from conversation.rewrite_layouts import read_layout
from conversation.rewrite_training import Recipe
from conversation.rewriter_training import (
    MEMBERS,
    Member,
    Task,
    assembled,
    part_of,
    rewriter_tasks,
    train_member,
)
from conversation.word_vectors import WordVectors
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
    members: int,
    recipe: Recipe,
    vectors: WordVectors | None,
) -> list[list[Task]]:
    """For each fold what its networks are trained with."""
    made = []
    for fold in range(folds):
        learnt = [e for e in examples if part_of(e.group, folds) != fold]
        made.append(
            rewriter_tasks(learnt, vectors=vectors, recipe=recipe, members=members, seed=fold)
        )
    return made


def train_folds(folds: Sequence[Sequence[Task]], workers: int) -> list[list[Member]]:
    """The networks of each fold, `workers` trained at a time."""
    flat = [task for tasks in folds for task in tasks]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        trained = iter(pool.map(train_member, flat))
        return [[next(trained) for _ in tasks] for tasks in folds]


def predict(
    folds: Sequence[Sequence[Task]],
    trained: Sequence[Sequence[Member]],
    asked: Sequence[RewriteExample],
    rate: float,
) -> tuple[dict[str, Rewrite], list[float]]:
    """Rewrites by id, each by the rewriter that never saw its dialogue, and milliseconds taken."""
    made: dict[str, Rewrite] = {}
    took = []
    for fold, (tasks, members) in enumerate(zip(folds, trained, strict=True)):
        rewriter = assembled(tasks[0], members, rate)
        for e in asked:
            if part_of(e.group, len(folds)) == fold:
                start = time.perf_counter()
                made[e.id] = rewriter.rewrite(e.turns, e.query)
                took.append((time.perf_counter() - start) * 1e3)
    return made, took


def main() -> None:
    """Train, rewrite, write, and say how long a rewrite took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    examples = read_all(given.data)
    folds = folds_of(examples, given.folds, given.members, Recipe(), pretrained_words())
    started = time.perf_counter()
    trained = train_folds(folds, given.workers)
    print(
        f"trained {given.folds * given.members} networks in {time.perf_counter() - started:.0f} s"
    )
    given.out.mkdir(parents=True, exist_ok=True)
    mudoco = read_rewrites(given.data / FILES[0])
    cqr = read_cqr(given.data / FILES[3], crowd=False)
    for name, asked, rate in (
        ("mudoco", mudoco, STRICT),
        ("mudoco_loose", mudoco, LOOSE),
        ("cqr", cqr, STRICT),
    ):
        made, took = predict(folds, trained, asked, rate)
        write_rewrites(given.out / f"{name}.jsonl", list(made), list(made.values()))
        print(f"{name}: {len(made)} queries, p50 {statistics.median(took):.2f} ms")


if __name__ == "__main__":
    main()
