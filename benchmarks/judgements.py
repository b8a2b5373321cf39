"""Relevance judgements (qrels), in BEIR's layout and in TREC's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from engine.errors import BadInput
from engine.formats import open_text, writing

Qrels = dict[str, dict[str, int]]
"""{query: {document: grade}}, queries and documents in the order of the file."""
HEADER = ("query-id", "corpus-id", "score")


def read_qrels(path: Path) -> Qrels:
    """Judgements of a file (.gz too): three columns as BEIR has them, or TREC's four.

    BEIR: query, document, grade, separated by tabs under a header line. TREC: query, iteration,
    document, grade, separated by blanks. A pair judged twice keeps the later grade.
    """
    qrels: Qrels = {}
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            fields = line.rstrip("\r\n").split("\t") if line.count("\t") == 2 else line.split()
            if not fields or (number == 1 and tuple(fields) == HEADER):
                continue
            where = f"{path}, line {number}"
            if len(fields) not in (3, 4):
                raise BadInput(
                    f"{where}: found {len(fields)} columns, expected query, document and grade "
                    "(BEIR) or query, iteration, document and grade (TREC)"
                )
            query, document, grade = fields[0], fields[-2], fields[-1]
            qrels.setdefault(query, {})[document] = _grade(grade, where)
    return qrels


def _grade(text: str, where: str) -> int:
    try:
        return int(text)
    except ValueError as e:
        raise BadInput(f"{where}: grade {text!r} is not a whole number") from e


def write_qrels(
    path: Path,
    qrels: Mapping[str, Mapping[str, int]],
    layout: Literal["beir", "trec"] = "beir",
) -> None:
    """The inverse of `read_qrels`."""
    with writing(path) as out:
        if layout == "beir":
            out.write("\t".join(HEADER) + "\n")
        for query, grades in qrels.items():
            for document, grade in grades.items():
                columns = (
                    (query, document, grade) if layout == "beir" else (query, 0, document, grade)
                )
                out.write(("\t" if layout == "beir" else " ").join(map(str, columns)) + "\n")


def in_first(query: str, share: float) -> bool:
    """Whether a hash of the id puts a query into the first `share` of all, the same everywhere."""
    drawn = int.from_bytes(blake2b(query.encode(), digest_size=8).digest(), "big")
    return drawn < share * 2.0**64


def divided(qrels: Qrels, share: float) -> tuple[Qrels, Qrels]:
    """The queries in two, about `share` of them in the first, by a stable hash of their id."""
    if not 0.0 < share < 1.0:
        raise BadInput(f"split: found {share}, expected a share between 0 and 1")
    first = {query: grades for query, grades in qrels.items() if in_first(query, share)}
    return first, {query: grades for query, grades in qrels.items() if query not in first}


def joined(parts: Iterable[Qrels]) -> Qrels:
    """All judgements of several files; a pair judged twice keeps the later grade."""
    together: Qrels = {}
    for part in parts:
        for query, grades in part.items():
            together[query] = together.get(query, {}) | grades
    return together
