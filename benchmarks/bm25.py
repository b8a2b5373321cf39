"""BM25 side by side: rank-bm25, bm25s (numba), tantivy and ours, on one generated catalogue.

python -m benchmarks.bm25 --documents 1000000 [--json OUT]

All four index the same words and answer the same queries in one process, one query at a time on
one thread; bm25s is also given all queries at once, which spares it the work around each call.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from retrievers.base import Document, Query
from retrievers.bm25 import BM25

K = 100
TERMS = 3


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Documents and queries as lists of words."""

    documents: list[list[str]]
    queries: list[list[str]]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds to build, and milliseconds a query at the median and the 95th percentile."""

    system: str
    build_s: float
    queries: int
    p50_ms: float
    p95_ms: float


def zipf_catalogue(documents: int, queries: int, seed: int = 0) -> Catalogue:
    """Words by Zipf's law over a vocabulary that grows with the catalogue; 8 words a document.

    A query is three distinct words of one document, so that common words come as they do in use.
    """
    rng = np.random.default_rng(seed)
    size = max(1000, documents // 5)
    chances = 1.0 / np.arange(1, size + 1)
    words = np.array([f"w{i}" for i in range(size)], dtype=object)
    lengths = 1 + rng.poisson(7, documents)
    drawn = words[rng.choice(size, lengths.sum(), p=chances / chances.sum())].tolist()
    ends = np.cumsum(lengths).tolist()
    texts = [drawn[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]
    asked: list[list[str]] = []
    while len(asked) < queries:
        distinct = sorted(set(texts[rng.integers(documents)]))
        if len(distinct) >= TERMS:
            asked.append([str(word) for word in rng.choice(distinct, TERMS, replace=False)])
    return Catalogue(texts, asked)


def _timing(
    system: str, build_s: float, search: Callable[[list[str]], object], queries: list[list[str]]
) -> Timing:
    for query in queries[:3]:
        search(query)
    taken = []
    for query in queries:
        start = time.perf_counter()
        search(query)
        taken.append((time.perf_counter() - start) * 1e3)
    p95 = float(np.percentile(taken, 95))
    return Timing(system, build_s, len(queries), statistics.median(taken), p95)


def ours(catalogue: Catalogue) -> list[Timing]:
    """`retrievers.bm25.BM25`, the text cut into words again on every call."""
    start = time.perf_counter()
    index = BM25(weights={"title": 1.0})
    rows = np.arange(len(catalogue.documents), dtype=np.int32)
    index.add(rows, [Document("", " ".join(words)) for words in catalogue.documents])
    build_s = time.perf_counter() - start
    return [
        _timing(
            "ltrr",
            build_s,
            lambda words: index.retrieve(Query(" ".join(words)), K),
            catalogue.queries,
        )
    ]


def rank_bm25(catalogue: Catalogue, queries: int) -> list[Timing]:
    """`BM25Okapi.get_scores` and numpy's selection of the best; its first few queries only."""
    from rank_bm25 import BM25Okapi

    start = time.perf_counter()
    index = BM25Okapi(catalogue.documents)
    build_s = time.perf_counter() - start

    def search(words: list[str]) -> object:
        scores = index.get_scores(words)
        kept = np.argpartition(scores, -min(K, scores.size))[-K:]
        return kept[np.argsort(-scores[kept])]

    return [_timing("rank-bm25", build_s, search, catalogue.queries[:queries])]


def bm25s(catalogue: Catalogue) -> list[Timing]:
    """Its numba backend on one thread, query by query and as one batch."""
    import bm25s as library

    start = time.perf_counter()
    index = library.BM25(method="atire", k1=1.5, b=0.75, backend="numba")
    index.index(catalogue.documents, show_progress=False)
    build_s = time.perf_counter() - start

    def search(queries: Sequence[list[str]]) -> object:
        return index.retrieve(list(queries), k=K, n_threads=1, show_progress=False)

    single = _timing("bm25s", build_s, lambda words: search([words]), catalogue.queries)
    start = time.perf_counter()
    search(catalogue.queries)
    mean = (time.perf_counter() - start) / len(catalogue.queries) * 1e3
    return [single, Timing("bm25s (batch, mean)", build_s, len(catalogue.queries), mean, mean)]


def tantivy(catalogue: Catalogue) -> list[Timing]:
    """An in-memory index of one field, one writer thread; any of the words matches."""
    import tantivy as library

    start = time.perf_counter()
    schema = library.SchemaBuilder().add_text_field("title", stored=False).build()
    index = library.Index(schema)
    writer = index.writer(num_threads=1)
    for words in catalogue.documents:
        writer.add_document(library.Document(title=" ".join(words)))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    build_s = time.perf_counter() - start
    searcher = index.searcher()

    def search(words: list[str]) -> object:
        return searcher.search(index.parse_query(" ".join(words), ["title"]), K, count=False).hits

    return [_timing("tantivy", build_s, search, catalogue.queries)]


def measure(documents: int, queries: int, slow_queries: int) -> dict[str, Any]:
    """All systems, and each one's p50 over ours."""
    catalogue = zipf_catalogue(documents, queries)
    timings = [
        *ours(catalogue),
        *bm25s(catalogue),
        *tantivy(catalogue),
        *rank_bm25(catalogue, slow_queries),
    ]
    return {
        "documents": documents,
        "k": K,
        "terms": TERMS,
        "timings": [asdict(timing) for timing in timings],
        "ratios": {timing.system: timing.p50_ms / timings[0].p50_ms for timing in timings[1:]},
    }


def main() -> None:
    """Measure, print a table, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--slow-queries", type=int, default=5, help="queries for rank-bm25")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    arguments = parser.parse_args()
    result = measure(arguments.documents, arguments.queries, arguments.slow_queries)
    print(f"{arguments.documents:,} documents, top {K} for {TERMS} words")
    for timing in result["timings"]:
        ratio = result["ratios"].get(timing["system"], 1.0)
        print(
            f"{timing['system']:<20} build {timing['build_s']:7.1f} s   "
            f"p50 {timing['p50_ms']:9.3f} ms   p95 {timing['p95_ms']:9.3f} ms   ×{ratio:.2f}"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
