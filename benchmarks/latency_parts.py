"""The calls that a search is made of, bare: no plan, union, features, response or state around them."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import faiss
import lightgbm
import numpy as np
from numpy.typing import NDArray

from engine import Context, SearchEngine
from engine.answering import Answer, answered
from engine.log_rows import SCHEMA
from rankers.lambdamart import LambdaMART
from retrievers.base import Query, Retriever
from retrievers.dense import Dense
from retrievers.structured import Structured

OWN_RANK = "own_rank"
"""The ranker's own evaluation, measured beside LightGBM's."""


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """What was searched for, and the answer whose plan the parts repeat."""

    text: str
    context: Context
    answer: Answer


def answers(engine: SearchEngine, asked: Sequence[tuple[str, Context]]) -> list[Searched]:
    """The engine's answers with all that led to them, not logged."""
    now = engine.config.clock()
    return [
        Searched(text, context, answered(engine.state, engine.config, text, context, now))
        for text, context in asked
    ]


def timed(call: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


class Bare:
    """The bare calls for the plans of some answers, on the state of an engine."""

    def __init__(self, engine: SearchEngine, scratch: Path) -> None:
        self._retrievers = engine.state.retrievers
        self._dense = next((r for r in self._retrievers.values() if isinstance(r, Dense)), None)
        self._structured = next(
            (r for r in self._retrievers.values() if isinstance(r, Structured)), None
        )
        ranker = engine.state.ranker
        self._booster: lightgbm.Booster | None = None
        if isinstance(ranker, LambdaMART) and ranker.model is not None:
            self._booster = lightgbm.Booster(model_str=ranker.model)
        self._ranker = ranker or engine.state.fusion
        self._place = tempfile.TemporaryDirectory(dir=scratch)
        self._db = sqlite3.connect(Path(self._place.name) / "log.sqlite", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)
        self._number = 0

    def __call__(self, one: Searched) -> dict[str, float]:
        """Milliseconds of each part: the encoder, the readings that `structured` searches by, each
        generator, rank, log; and of `OWN_RANK`."""
        answer = one.answer
        names = ("encoder", "readings", *self._retrievers, "rank", "log", OWN_RANK)
        taken = dict.fromkeys(names, 0.0)
        structured = self._structured
        if structured is not None:
            taken["readings"] = timed(lambda: structured.readings(structured.hear(one.text)))
        if self._dense is not None:
            encoder = self._dense.encoder
            taken["encoder"] = timed(lambda: encoder.encode([one.text]))
            vector = np.asarray(encoder.encode([one.text]), np.float32)
        depths = answer.choice.depths.tolist()
        for (name, retriever), depth in zip(self._retrievers.items(), depths, strict=True):
            if depth and retriever is self._dense:
                taken[name] = timed(partial(self._nearest, vector, depth))
            elif depth:
                taken[name] = timed(_asking(retriever, answer.query, depth))
        features = answer.features
        if self._booster is not None:
            booster = self._booster
            taken["rank"] = timed(lambda: booster.predict(features, num_threads=1))
        taken[OWN_RANK] = timed(lambda: self._ranker.score(features))
        taken["log"] = timed(self._logging(answer))
        return taken

    def _nearest(self, vector: NDArray[np.float32], depth: int) -> object:
        """FAISS alone."""
        index = self._dense.index if self._dense is not None else None
        if index is None or index.base is None:
            return None
        base = index.base
        parameters = faiss.SearchParametersIVF(nprobe=base.probes) if base.trained else None
        return base.index.search(vector, depth, params=parameters)

    def _logging(self, answer: Answer) -> Callable[[], None]:
        """One transaction with the rows of a search, all values at hand."""
        self._number += 1
        first = answer.order[:10]
        features = answer.features[answer.order[:30]].tobytes()
        shown = json.dumps([f"d{row}" for row in answer.candidates.docs[first].tolist()])
        search = (
            f"i{self._number}", 0.0, None, answer.query.text, answer.query.text, "{}", 0, "", "{}",
            1.0, 1, len(answer.order), shown, answer.facts.x.astype(np.float32).tobytes(), None,
        )  # fmt: skip
        rows = (self._number, 1, shown, np.ones(30, np.float32).tobytes(), features)

        def insert() -> None:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "INSERT INTO searches (impression, time, user, typed, text, context, imported, policy, plan, "
                "propensity, version, candidates, shown, x, interleaving) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                search,
            )
            self._db.execute("INSERT OR REPLACE INTO rows VALUES (?,?,?,?,?)", rows)
            self._db.execute("COMMIT")

        return insert

    def close(self) -> None:
        """Close the scratch log."""
        self._db.close()
        self._place.cleanup()


def _asking(retriever: Retriever, query: Query, depth: int) -> Callable[[], object]:
    return lambda: retriever.retrieve(query, depth, None)
