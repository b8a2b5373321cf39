"""A small music catalogue, searches in it and what two users did: what generators are tested on."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from datetime import UTC, datetime

import numpy as np

import retrievers
from retrievers.base import Context, Docs, Document, Hits, Learns, Outcome, Query, Retriever

NOW = 1_700_000_000.0

ARTISTS = (
    "Björk", "Sigur Rós", "Кино", "宇多田ヒカル", "방탄소년단", "AC/DC", "!!!", "The The",
    "Simon & Garfunkel", "أم كلثوم",
)  # fmt: skip
TITLES = ("Love", "Love", "Night Train", "Группа крови", "桜流し", "봄날", "?", "Don't Stop Me Now")


def catalogue() -> list[Document]:
    """Artists, tracks of which many share a title, a text in several scripts, empty documents."""
    documents = [
        Document(f"a{i}", name, "", "artist", {"popularity": 10 * i})
        for i, name in enumerate(ARTISTS)
    ]
    for i in range(46):
        metadata = {
            "type": "track",
            "artist": ARTISTS[i % len(ARTISTS)],
            "genre": [("rock", "jazz", "folk")[i % 3]],
            "year": 1970 + i % 5,
        }
        text = "a song about love and the night" if i % 4 == 0 else ""
        documents.append(Document(f"t{i}", TITLES[i % len(TITLES)], text, "track", metadata))
    documents.extend(Document(f"e{i}") for i in range(3))
    documents.append(Document("x", "Love", "", "track", {"popularity": "unknown", "year": None}))
    return documents


DOCUMENTS = catalogue()
ROWS = len(DOCUMENTS)


def asked(text: str, user: str | None = None) -> Query:
    when = datetime.fromtimestamp(NOW + 86_400, UTC)
    return Query(text, Context(user=user, time=when))


def clicks(first: int = 0) -> list[Outcome]:
    """Searches and listens of two users, in order of time; some skips."""
    outcomes = []
    for i in range(60):
        query = asked(("love", "night train", "björk", "봄날")[i % 4]) if i % 5 else None
        outcomes.append(
            Outcome(
                query,
                doc=(first + 7 * i + i // 9) % ROWS,
                action="skip" if i % 11 == 10 else "click",
                weight=-0.5 if i % 11 == 10 else 1.0,
                user=("u1", "u2", None)[i % 3],
                time=NOW + 600.0 * i,
                position=None if query is None else 1 + i % 10,
            )
        )
    return outcomes


QUERIES = (
    asked("love"), asked("love", "u1"), asked("love", "nobody"), asked("Night train", "u2"),
    asked("bjork"), asked("кино"), asked("桜"), asked("봄날", "u1"), asked("!!!"), asked("?"),
    asked("simon and garfunkel 1972"), asked("dont stop"), asked("l"), asked("qqqq zzzz"),
    asked("love love night"), asked("", "u1"), asked(""), asked("   "), asked("\x00\n"),
)  # fmt: skip


def assert_hits(hits: Hits, k: int, rows: int = ROWS) -> None:
    assert hits.docs.dtype == np.int32
    assert hits.scores.dtype == np.float32
    assert len(hits) <= k
    assert np.isfinite(hits.scores).all()
    assert np.unique(hits.docs).size == len(hits)
    assert ((hits.docs >= 0) & (hits.docs < rows)).all()
    ordered = np.lexsort((hits.docs, -hits.scores))
    assert ordered.tolist() == list(range(len(hits)))


def _found() -> list[type[Retriever]]:
    for module in pkgutil.walk_packages(retrievers.__path__, "retrievers."):
        importlib.import_module(module.name)

    found, pending = set(), Retriever.__subclasses__()
    while pending:
        cls = pending.pop()
        pending.extend(cls.__subclasses__())
        if cls.__module__.startswith("retrievers.") and not inspect.isabstract(cls):
            found.add(cls)
    return sorted(found, key=lambda cls: cls.__qualname__)


RETRIEVERS = _found()


def rows_of(documents: list[Document], start: int = 0) -> Docs:
    return np.arange(start, start + len(documents), dtype=np.int32)


def built(cls: type[Retriever]) -> Retriever:
    retriever = cls()
    retriever.add(rows_of(DOCUMENTS), DOCUMENTS)
    if isinstance(retriever, Learns):
        retriever.observe(clicks())
    return retriever


Answer = list[tuple[bytes, bytes]]


def answers(retriever: Retriever, k: int = ROWS + 10) -> Answer:
    found = (retriever.retrieve(query, k) for query in QUERIES)
    return [(hits.docs.tobytes(), hits.scores.tobytes()) for hits in found]


def change(retriever: Retriever) -> None:
    """Everything that changes a generator, once."""
    later = [Document("n1", "Love", "love"), Document("n2", "Night Love Train")]
    retriever.add(rows_of(later, ROWS), later)
    if isinstance(retriever, Learns):
        retriever.observe(clicks(first=3))
    retriever.remove(np.array([0, 10, 11], np.int32))
