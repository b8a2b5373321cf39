"""TREC run files: `query Q0 document rank score tag`, one line a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from engine.errors import BadInput
from engine.formats import open_text, writing

Run = dict[str, dict[str, float]]
"""{query: {document: score}}, documents best first."""


def read_run(path: Path, rows: Mapping[str, int] | None = None) -> Run:
    """A run (.gz too), each query's documents by falling score.

    Ties are broken by catalogue row where `rows` ({document: row}) is given, else by the rank in
    the file; documents without a row come after those with one.
    """
    found: dict[str, list[tuple[float, int, int, str]]] = {}
    last = 0 if rows is None else len(rows)
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            fields = line.split()
            if not fields:
                continue
            if len(fields) != 6:
                raise BadInput(
                    f"{path}, line {number}: found {len(fields)} columns, expected 6 (query, Q0, "
                    "document, rank, score, tag)"
                )
            query, _, document, rank, score, _ = fields
            try:
                place, value = int(rank), float(score)
            except ValueError as e:
                raise BadInput(
                    f"{path}, line {number}: rank {rank!r} and score {score!r}, expected a whole "
                    "number and a number"
                ) from e
            tie = 0 if rows is None else rows.get(document, last)
            found.setdefault(query, []).append((-value, tie, place, document))
    run: Run = {}
    for query, results in found.items():
        results.sort()
        run[query] = {document: -negated for negated, _, _, document in results}
        if len(run[query]) < len(results):
            raise BadInput(f"{path}: query {query!r} has a document twice")
    return run


def untied(scores: Sequence[float]) -> list[float]:
    """Scores that fall strictly, for results in the order given, as near to `scores` as float32
    allows.

    Tools that read runs sort by score and break ties by document id, some in single precision; with
    these they keep our order.
    """
    out: list[float] = []
    below = np.float32(np.inf)
    for score in scores:
        below = min(np.float32(score), np.nextafter(below, np.float32(-np.inf)))
        out.append(float(below))
    return out


def write_run(
    path: Path, rankings: Iterable[tuple[str, Sequence[tuple[str, float]]]], tag: str = "ltrr"
) -> None:
    """Write (query, results best first as (document, score)), one query at a time.

    Ranks count from 1; scores are `untied`, so that whoever reads the file ranks as we did.
    """
    with writing(path) as out:
        for query, results in rankings:
            scores = untied([score for _, score in results])
            for rank, ((document, _), score) in enumerate(zip(results, scores, strict=True), 1):
                if len(f"{query} {document}".split()) != 2:
                    raise BadInput(
                        f"run: query {query!r} and document {document!r}, expected ids without "
                        "blanks, as the layout separates by them"
                    )
                out.write(f"{query} Q0 {document} {rank} {score!r} {tag}\n")
