"""The stages on their own: encoder, dense index, ranker, BM25 beside other libraries."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from benchmarks import bm25
from benchmarks.generated import Generated
from benchmarks.latency_parts import timed
from engine import SearchEngine
from rankers.base import Judged
from rankers.lambdamart import LambdaMART
from retrievers.analysis import words
from retrievers.base import Query
from retrievers.dense import Dense, document_text
from retrievers.encoder import on_grid
from retrievers.minilm import MiniLM

Floats = NDArray[np.float32]
K = 100
SLICE = 16_384
ROWS, COLUMNS = 200, 40
ENCODED = 512


def nearest(vectors: NDArray[np.float16], queries: Floats, k: int) -> NDArray[np.int64]:
    """Shape (q, k): the true k best rows by inner product, in no order, comparing every vector."""
    best = np.full((len(queries), k), -np.inf, np.float32)
    rows = np.zeros((len(queries), k), np.int64)
    for start in range(0, len(vectors), SLICE):
        part = vectors[start : start + SLICE].astype(np.float32)
        scores = np.concatenate([best, queries @ part.T], axis=1)
        here = np.broadcast_to(np.arange(start, start + len(part)), (len(queries), len(part)))
        kept = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        best = np.take_along_axis(scores, kept, axis=1)
        rows = np.take_along_axis(np.concatenate([rows, here], axis=1), kept, axis=1)
    return rows


def shared(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """Mean share of rows that are in both, line by line."""
    return float(np.mean([np.isin(x, y).mean() for x, y in zip(a, b, strict=True)]))


def encoding(
    texts: Sequence[str], documents: Sequence[str], vectors: NDArray[np.float16]
) -> dict[str, float]:
    """Queries one by one; cosine to float32 and what it does to the true first 100; documents on all
    cores."""
    encoder, exact = MiniLM(), MiniLM(precision="float32")
    encoder.encode(["warm"])
    taken = [timed(partial(encoder.encode, [text])) for text in texts]
    exact.encode(["warm"])
    slow = [timed(partial(exact.encode, [text])) for text in texts[:100]]
    own = np.concatenate([encoder.encode([text]) for text in texts])
    true = np.concatenate([exact.encode([text]) for text in texts])
    cosines = (own * true).sum(axis=1)
    start = time.perf_counter()
    encoder.encode(list(documents))
    rate = len(documents) / (time.perf_counter() - start)
    few = slice(0, 100)
    depth = min(K, len(vectors))
    overlap = shared(nearest(vectors, own[few], depth), nearest(vectors, true[few], depth))
    return {
        "encode_p50_ms": statistics.median(taken),
        "encode_float32_p50_ms": statistics.median(slow),
        "encode_cosine": float(cosines.mean()),
        "encode_cosine_least": float(cosines.min()),
        "encode_overlap@100": overlap,
        "encode_documents_per_s": rate,
        "encode_cores": float(os.cpu_count() or 1),
    }


def dense(
    engine: SearchEngine, texts: Sequence[str], vectors: NDArray[np.float16]
) -> dict[str, float]:
    """Recall of the generator's first 100 against every vector compared, and its time."""
    found = next(r for r in engine.state.retrievers.values() if isinstance(r, Dense))
    queries = [Query(text) for text in texts]
    answers = [found.retrieve(query, K) for query in queries]  # vectors of the queries are kept
    taken = [timed(partial(found.retrieve, query, K)) for query in queries]
    encoded = on_grid(np.concatenate([found.encoder.encode([text]) for text in texts]))
    depth = min(K, len(vectors))
    exact = nearest(vectors, encoded.astype(np.float32), depth)
    least = np.array(
        [
            (vectors[rows].astype(np.float32) @ q.astype(np.float32)).min()
            for rows, q in zip(exact, encoded, strict=True)
        ]
    )
    # By score, so that one of several equal documents is as good as another.
    recall = [
        float((a.scores >= cut - 1e-6).sum()) / depth for a, cut in zip(answers, least, strict=True)
    ]
    return {
        "dense_recall@100": float(np.mean(recall)),
        "dense_p50_ms": statistics.median(taken),
        "dense_documents": float(len(vectors)),
    }


def ranking() -> dict[str, float]:
    """200 rows of 40 features through 300 trees: ours and LightGBM's on one thread."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(6000, COLUMNS)).astype(np.float32)
    features[rng.random(features.shape) < 0.2] = np.nan
    labels = (np.nan_to_num(features[:, :5]).sum(axis=1) + rng.normal(size=6000) > 2).astype(float)
    ranker = LambdaMART(tuple(f"f{i}" for i in range(COLUMNS)), n_estimators=300)
    ranker.fit(
        Judged(features, labels, np.ones(6000), np.zeros(6000, np.int32), np.arange(0, 6001, 20))
    )
    few = features[:ROWS]
    booster = lightgbm.Booster(model_str=ranker.model or "")
    ours, theirs = ranker.score(few), np.asarray(booster.predict(few, num_threads=1))
    return {
        "rank_200_ms": statistics.median(timed(lambda: ranker.score(few)) for _ in range(200)),
        "rank_200_lightgbm_ms": statistics.median(
            timed(lambda: booster.predict(few, num_threads=1)) for _ in range(50)
        ),
        "rank_200_difference": float(np.abs(ours - theirs).max()),
    }


def lexical(
    data: Generated, queries: int, slow_queries: int, *, others: bool = True
) -> dict[str, Any]:
    """BM25 beside bm25s, tantivy and rank-bm25: the same words, 3-word queries, the first 100."""
    texts = [words(document_text(document)) for document in data.documents()]
    rng = np.random.default_rng((data.seed, 7))
    asked: list[list[str]] = []
    while len(asked) < queries:
        distinct = sorted(set(texts[int(rng.integers(data.n))]))
        if len(distinct) >= bm25.TERMS:
            asked.append([str(word) for word in rng.choice(distinct, bm25.TERMS, replace=False)])
    catalogue = bm25.Catalogue(texts, asked)
    found = {"ours": bm25.ours(catalogue)[0].p50_ms, "bm25s": bm25.bm25s(catalogue)[0].p50_ms}
    if others:
        found["tantivy"] = bm25.tantivy(catalogue)[0].p50_ms
        found["rank_bm25"] = bm25.rank_bm25(catalogue, slow_queries)[0].p50_ms
    return {
        f"{name}_bm25_p50_ms" if name == "ours" else f"{name}_p50_ms": ms
        for name, ms in found.items()
    }


def texts_of(data: Generated, count: int) -> list[str]:
    """What is embedded of the first documents."""
    return [document_text(document) for document in data.documents(0, min(count, data.n))]


def load_vectors(path: Path) -> NDArray[np.float16]:
    """The embeddings that `Generated.embed_into` wrote, mapped."""
    vectors: NDArray[np.float16] = np.load(path, mmap_mode="r")
    return vectors
