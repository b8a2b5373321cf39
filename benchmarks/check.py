"""Has anything become slower? Ratios of times against a committed baseline.

python -m benchmarks.check [--write]

Ratios between what runs in one process, ours and libraries', hold on any machine where seconds don't. A
ratio may be `TOLERANCE` times the baseline's before it fails, since a busy machine moves them; a share
(recall, cosine) may be `LOST` below. `--write` makes the figures found the new baseline.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks import latency_stages as stages
from benchmarks.generated import Generated
from benchmarks.latency import QUERIES, WARM, searches_of, searching
from benchmarks.latency_index import prepared
from engine import SearchEngine
from retrievers.blas import single_threaded

BASELINE = Path(__file__).parent / "baseline.json"
DOCUMENTS, SEARCHES = 10_000, 800
TOLERANCE, LOST = 1.5, 0.01
ROUNDS = 3
"""Of the word searches, which take microseconds: the lowest ratio is the one least disturbed."""
RATIOS = (
    "search_over_parts", "search_over_rank_bm25", "bm25_over_bm25s", "bm25_over_tantivy",
    "rank_over_lightgbm", "int8_over_float32",
)  # fmt: skip
"""Lower is better."""
SHARES = ("encode_cosine", "dense_recall@100")
"""Higher is better."""


def figures() -> dict[str, float]:
    """The ratios and shares of this working tree."""
    data = Generated(DOCUMENTS)
    asked = searches_of(data, WARM + QUERIES, 1)
    texts = [text for text, _ in asked]
    with tempfile.TemporaryDirectory() as name, single_threaded():
        folder = Path(name)
        prepared(folder, data, DOCUMENTS, SEARCHES)
        vectors = stages.load_vectors(folder / "embeddings.npy")
        encoding = stages.encoding(texts[:200], stages.texts_of(data, 64), vectors)
        rank = stages.ranking()
        lexical = [stages.lexical(data, 200, 20) for _ in range(ROUNDS)]
        with SearchEngine.load(folder / "index") as engine:
            search = searching(engine, asked, folder)
            dense = stages.dense(engine, texts[:200], vectors)
    return {
        "search_over_parts": search["ratio_to_own_parts"],
        "search_over_rank_bm25": min(
            search["search_p50_ms"] / one["rank_bm25_p50_ms"] for one in lexical
        ),
        "bm25_over_bm25s": min(one["ours_bm25_p50_ms"] / one["bm25s_p50_ms"] for one in lexical),
        "bm25_over_tantivy": min(
            one["ours_bm25_p50_ms"] / one["tantivy_p50_ms"] for one in lexical
        ),
        "rank_over_lightgbm": rank["rank_200_ms"] / rank["rank_200_lightgbm_ms"],
        "int8_over_float32": encoding["encode_p50_ms"] / encoding["encode_float32_p50_ms"],
        "encode_cosine": encoding["encode_cosine"],
        "dense_recall@100": dense["dense_recall@100"],
    }


def worse(found: Mapping[str, float], baseline: Mapping[str, float]) -> list[str]:
    """A line for each figure beyond the tolerance."""
    lines = [
        f"{name}: found {found[name]:.3f}, expected at most {TOLERANCE:g} × {baseline[name]:.3f}"
        for name in RATIOS
        if not found[name] <= TOLERANCE * baseline[name]
    ]
    return lines + [
        f"{name}: found {found[name]:.4f}, expected at least {baseline[name]:.4f} - {LOST:g}"
        for name in SHARES
        if not found[name] >= baseline[name] - LOST
    ]


def main() -> None:
    """Measure, compare, and exit with 1 where something has become worse."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="make the figures the new baseline")
    given = parser.parse_args()
    found = figures()
    for name, value in found.items():
        print(f"{name:<24} {value:.4f}")
    if given.write:
        BASELINE.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        return
    lines = worse(found, json.loads(BASELINE.read_text("utf-8")))
    print("\n".join(lines) or "nothing has become worse")
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
