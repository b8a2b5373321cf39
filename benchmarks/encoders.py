"""What an encoder's speed costs: MiniLM in float32 and int8, and the static one distilled from it.

python -m benchmarks.encoders DATASET [--split test] [--json OUT]

The dense generator alone, every document compared: nDCG@10 over the judged queries of a BEIR folder,
milliseconds a query and documents per second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import nDCG

from benchmarks.datasets import read_dataset
from retrievers.dense import document_text
from retrievers.encoder import Encoder
from retrievers.minilm import MiniLM
from retrievers.static_encoder import StaticEncoder

K = 100


def measure(dataset: Path, split: str) -> dict[str, dict[str, float]]:
    """{encoder: figures}."""
    data = read_dataset(dataset)
    qrels, texts = data.judgements(split), data.texts()
    documents = list(data.documents())
    read = [document_text(document) for document in documents]
    judged = [ir_measures.Qrel(q, d, g) for q, grades in qrels.items() for d, g in grades.items()]
    start = time.perf_counter()
    static = StaticEncoder.distil()
    distil_s = time.perf_counter() - start
    encoders: dict[str, Encoder] = {
        "float32": MiniLM(precision="float32"), "int8": MiniLM(), "static": static,
    }  # fmt: skip
    found: dict[str, dict[str, float]] = {}
    for name, encoder in encoders.items():
        encoder.encode(["warm", *["several"] * 16])
        start = time.perf_counter()
        vectors = np.asarray(encoder.encode(read), np.float32)
        rate = len(read) / (time.perf_counter() - start)
        taken, run = [], []
        for query in qrels:
            start = time.perf_counter()
            vector = np.asarray(encoder.encode([texts[query]]), np.float32)[0]
            taken.append((time.perf_counter() - start) * 1e3)
            scores = vectors @ vector
            best = np.argsort(-scores, kind="stable")[:K]
            run += [ir_measures.ScoredDoc(query, documents[i].id, float(scores[i])) for i in best]
        ndcg = ir_measures.calc_aggregate([nDCG @ 10], judged, run)[nDCG @ 10]
        found[name] = {
            "ndcg@10": ndcg,
            "query_p50_ms": statistics.median(taken),
            "documents_per_s": rate,
            "dimensions": float(vectors.shape[1]),
        }
    found["static"]["distil_s"] = distil_s
    return found


def main() -> None:
    """Measure, print a table, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    found: dict[str, Any] = measure(given.dataset, given.split)
    for name, figures in found.items():
        print(f"{name:<10}" + "  ".join(f"{key} {value:.4g}" for key, value in figures.items()))
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
