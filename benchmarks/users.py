"""Simulated users: they search for the queries of a test collection and click as it was judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.clicks import ClickModel, attraction


class SimulatedUsers:
    """Draws queries of `qrels` ({query: {document: grade}}) and clicks on what they are shown.

    `highest`: the grade that surely attracts, by default the highest in `qrels`; `noise`: attraction
    of grade 0. What nobody judged is clicked as grade 0.
    """

    def __init__(
        self,
        qrels: Mapping[str, Mapping[str, int]],
        model: ClickModel,
        *,
        highest: int | None = None,
        noise: float = 0.1,
    ) -> None:
        if not qrels:
            raise ValueError("qrels: found no query, expected judgements of at least one")
        top = max((grade for grades in qrels.values() for grade in grades.values()), default=0)
        self._highest = max(1, top) if highest is None else highest
        self._attraction = attraction(
            np.arange(self._highest + 1), highest=self._highest, noise=noise
        )
        self._qrels = qrels
        self._model = model
        self.queries = tuple(qrels)

    def query(self, rng: np.random.Generator) -> str:
        """The id of somebody's query; each is as likely as any other."""
        return self.queries[int(rng.integers(len(self.queries)))]

    def clicks(self, query: str, shown: Sequence[str], rng: np.random.Generator) -> list[str]:
        """Which of the documents shown, best first, are clicked; in order of position."""
        grades = self._qrels[query]
        levels = [min(max(grades.get(document, 0), 0), self._highest) for document in shown]
        clicked = self._model.clicks(self._attraction[levels], rng)
        return [document for document, click in zip(shown, clicked.tolist(), strict=True) if click]
