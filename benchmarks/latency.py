"""Latency, memory and freshness of the whole engine and of its stages, beside bare libraries.

python -m benchmarks.latency --documents 1000000 --json OUT [--folder DIR] [--growth OUT.svg]

A generated catalogue (`generated.py`) with a warm log of as many events as documents. One thread
unless said. `--folder` keeps index and embeddings for the next run: what is measured is a copy, which
searches, additions and learning change; `--growth` draws p50 over 10,000, 100,000 and up to `--documents`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import latency_stages as stages
from benchmarks.charts import chart
from benchmarks.generated import Generated
from benchmarks.latency_index import cold_start, learning, prepared
from benchmarks.latency_parts import OWN_RANK, Bare, answers, timed
from engine import Context, Document, SearchEngine
from retrievers.blas import single_threaded

WARM, QUERIES = 100, 500
NEW = 1000
KEYS = (
    "search_p50_ms", "search_p99_ms", "ratio_to_parts", "speedup_over_rank_bm25", "bm25_over_bm25s",
    "bm25_over_tantivy", "encode_p50_ms", "encode_cosine", "dense_recall@100", "rank_200_ms",
    "memory_gib", "load_s", "add_1000_s", "feedback_p50_ms",
)  # fmt: skip
"""What the JSON leads with; the other figures explain these."""
LIMITS = {
    "search_p50_ms": 5.0, "search_p99_ms": 15.0, "ratio_to_parts": 1.25, "bm25_over_bm25s": 1.3,
    "bm25_over_tantivy": 1.0, "encode_p50_ms": 2.0, "rank_200_ms": 1.0, "memory_gib": 2.0, "load_s": 5.0,
    "add_1000_s": 1.0, "feedback_p50_ms": 1.0,
}  # fmt: skip
"""Wanted at most, at a million documents."""
LEAST = {"speedup_over_rank_bm25": 100.0, "encode_cosine": 0.99, "dense_recall@100": 0.95}
"""Wanted at least."""

Asked = list[tuple[str, Context]]


def searches_of(data: Generated, count: int, stream: int) -> Asked:
    """Distinct queries, half of them by users with a history."""
    rng = np.random.default_rng((data.seed, stream))
    distinct = dict.fromkeys(one.text for one in data.asked(2 * count, stream))
    users = rng.integers(max(data.n // 20, 20), size=count).tolist()
    known = rng.random(count) < 0.5
    return [
        (text, Context(user=f"u{user}") if knows else Context())
        for text, user, knows in zip(distinct, users, known, strict=False)
    ]


def searching(engine: SearchEngine, asked: Asked, folder: Path) -> dict[str, Any]:
    """End to end, then the same searches as bare calls."""
    warm, measured = asked[:WARM], asked[WARM:]
    for text, context in warm:
        engine.search(text, context)
    taken, stages_ms, candidates, notes = [], [], [], set[str]()
    for text, context in measured:
        start = time.perf_counter()
        response = engine.search(text, context)
        taken.append((time.perf_counter() - start) * 1e3)
        stages_ms.append(dict(response.timings))
        candidates.append(response.candidates)
        notes.update(response.notes)
    searched = answers(engine, asked)
    bare = Bare(engine, folder)
    for one in searched[:WARM]:
        bare(one)
    parts = [bare(one) for one in searched[WARM:]]
    bare.close()
    sums = [sum(one.values()) - one[OWN_RANK] for one in parts]
    own = [total - one["rank"] + one[OWN_RANK] for total, one in zip(sums, parts, strict=True)]
    p50 = statistics.median(taken)
    names = sorted({name for one in stages_ms for name in one})
    return {
        "search_p50_ms": p50,
        "search_p99_ms": float(np.percentile(taken, 99)),
        "ratio_to_parts": p50 / statistics.median(sums),
        "ratio_to_own_parts": p50 / statistics.median(own),
        "candidates_mean": statistics.mean(candidates),
        "ranker": (engine.state.ranker or engine.state.fusion).name,
        "notes": sorted(notes),
        "stages_ms": {n: statistics.median(one.get(n, 0.0) for one in stages_ms) for n in names},
        "parts_ms": {n: statistics.median(one[n] for one in parts) for n in parts[0]},
    }


def throughput(engine: SearchEngine, asked: Asked) -> dict[str, float]:
    """Searches per second by 1, 2 and 8 threads, and in one batch by 1 and 2; each a new text."""
    found: dict[str, float] = {}
    share = len(asked) // 5
    for place, threads in enumerate((1, 2, 8)):
        part = asked[place * share : (place + 1) * share]
        start = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda one: engine.search(*one), part))
        found[f"searches_per_s_{threads}_threads"] = len(part) / (time.perf_counter() - start)
    for place, threads in enumerate((1, 2), 3):
        part = asked[place * share : (place + 1) * share]
        start = time.perf_counter()
        engine.search_many(part, threads=threads)
        found[f"searches_per_s_batch_{threads}_threads"] = len(part) / (time.perf_counter() - start)
    return found


def living(engine: SearchEngine, data: Generated, asked: Asked) -> dict[str, float]:
    """Feedback, new documents and removals, each as a user sees it. Documents are added twice: with all
    cores, and beside searches that keep one of them busy."""
    clicks = []
    for text, context in asked[:200]:
        response = engine.search(text, context)
        if response.hits:
            shown = response.hits[0].id
            clicks.append(timed(partial(engine.feedback, response.impression_id, clicks=[shown])))
    alone, new = (
        [
            Document(f"{kind}{i}", f"zyxgloss{i}{kind} {d.title}", d.text, d.type, d.metadata)
            for i, d in enumerate(data.documents(0, min(NEW, data.n)))
        ]
        for kind in ("alone", "new")
    )
    alone_s = timed(lambda: engine.add(alone)) / 1e3
    waits: list[float] = []
    done = threading.Event()

    def search_on() -> None:
        for text, context in asked[200:] * 20:
            if done.is_set():
                return
            waits.append(timed(partial(engine.search, text, context)))

    beside = threading.Thread(target=search_on)
    beside.start()
    busy_s = timed(lambda: engine.add(new)) / 1e3
    done.set()
    beside.join()
    for last in (alone[-1], new[-1]):
        seen = engine.search(last.title.split()[0])
        if not seen.hits or seen.hits[0].id != last.id:
            raise RuntimeError("a document that was added is not found at once")
    remove_s = timed(lambda: engine.remove([d.id for d in new])) / 1e3
    engine.remove([d.id for d in alone])
    again = engine.search(new[-1].title.split()[0])
    if any(hit.id == new[-1].id for hit in again.hits):
        raise RuntimeError("a document that was removed is still found")
    return {
        "feedback_p50_ms": statistics.median(clicks),
        "add_1000_s": alone_s,
        "add_1000_beside_searches_s": busy_s,
        "remove_1000_s": remove_s,
        "search_worst_while_adding_ms": max(waits, default=0.0),
    }


def measure(
    data: Generated, folder: Path, *, slow_queries: int, live: bool = True, new_events: int
) -> dict[str, Any]:
    """All figures; `KEYS` first."""
    found: dict[str, Any] = {"documents": data.n, "events": data.n, "seed": data.seed}
    found |= {f"make_{name}": s for name, s in prepared(folder, data, data.n).items()}
    asked = searches_of(data, WARM + QUERIES, 1)
    texts = [text for text, _ in asked]
    vectors = stages.load_vectors(folder / "embeddings.npy")
    with _copied(folder) as index:
        cold = cold_start(index, "u1", texts[:50])
        found |= {f"cold_{key}": value for key, value in cold.items()}
        found["load_s"] = cold["load_s"] + cold["first_answer_s"]
        found["memory_gib"] = cold["VmRSS"]
        with single_threaded():
            found |= stages.ranking()
            found |= stages.encoding(texts[:300], stages.texts_of(data, stages.ENCODED), vectors)
            with SearchEngine.load(index) as engine:
                found |= searching(engine, asked, folder)
                found["memory_parts_gib"] = {n: size / 2**30 for n, size in engine.memory().items()}
                found |= stages.dense(engine, texts[:200], vectors)
                found |= throughput(engine, searches_of(data, 1000, 2))
                if live:
                    found |= living(engine, data, searches_of(data, 400, 3))
            lexical = stages.lexical(data, 200, slow_queries)
        if new_events:
            found |= learning(index, data, new_events)
    found |= lexical
    found["speedup_over_rank_bm25"] = lexical["rank_bm25_p50_ms"] / found["search_p50_ms"]
    found["bm25_over_bm25s"] = lexical["ours_bm25_p50_ms"] / lexical["bm25s_p50_ms"]
    found["bm25_over_tantivy"] = lexical["ours_bm25_p50_ms"] / lexical["tantivy_p50_ms"]
    return {key: found[key] for key in KEYS if key in found} | found


def table(found: dict[str, Any]) -> str:
    """One line a figure, those of `KEYS` with what is wanted of them."""
    lines = [f"{found['documents']:,} documents, {found['events']:,} events"]
    for key, value in found.items():
        if isinstance(value, dict):
            inner = "  ".join(f"{name} {ms:.3f}" for name, ms in value.items())
            lines.append(f"{key:<28} {inner}")
            continue
        wanted = ""
        if key in LIMITS:
            wanted = f"≤ {LIMITS[key]:g}  {'yes' if value <= LIMITS[key] else 'NO'}"
        elif key in LEAST:
            wanted = f"≥ {LEAST[key]:g}  {'yes' if value >= LEAST[key] else 'NO'}"
        shown = f"{value:,.3f}" if isinstance(value, float) else str(value)
        lines.append(f"{key:<28} {shown:>12}  {wanted}")
    return "\n".join(lines)


def growth(sizes: Sequence[int], folder: Path | None, seed: int) -> dict[str, Any]:
    """p50 and p99 at each size."""
    found: dict[str, Any] = {}
    for n in sizes:
        data = Generated(n, seed)
        with _folder(folder, n) as place:
            prepared(place, data, n)
            with _copied(place) as index, single_threaded(), SearchEngine.load(index) as engine:
                searched = searching(engine, searches_of(data, WARM + QUERIES, 1), place)
            found[str(n)] = {key: searched[key] for key in ("search_p50_ms", "search_p99_ms")}
    return found


def plot(sizes: dict[str, Any]) -> str:
    """The growth as SVG, documents by their logarithm."""
    series = {
        key: [(float(np.log10(int(n))), one[key]) for n, one in sizes.items()]
        for key in ("search_p50_ms", "search_p99_ms")
    }
    return chart(series, "documents (log 10)", "ms", lines=True)


@contextmanager
def _copied(folder: Path) -> Iterator[Path]:
    """An index that may be changed and is gone afterwards: the one kept there stays as it was made."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        yield Path(shutil.copytree(folder / "index", Path(name) / "index"))


@contextmanager
def _folder(given: Path | None, n: int) -> Iterator[Path]:
    if given is not None:
        yield given / str(n)
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def main() -> None:
    """Measure, print a table, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slow-queries", type=int, default=5, help="queries for rank-bm25")
    parser.add_argument("--new-events", type=int, default=0, help="events of a measured learn()")
    parser.add_argument("--folder", type=Path, help="where indexes are kept for the next run")
    parser.add_argument("--growth", type=Path, help="an SVG of p50 by size, up to --documents")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    data = Generated(given.documents, given.seed)
    with _folder(given.folder, given.documents) as place:
        found = measure(data, place, slow_queries=given.slow_queries, new_events=given.new_events)
    if given.growth:
        sizes = [n for n in (10_000, 100_000, 1_000_000) if n < given.documents]
        grown = growth(sizes, given.folder, given.seed)
        grown[str(given.documents)] = {k: found[k] for k in ("search_p50_ms", "search_p99_ms")}
        given.growth.write_text(plot(grown), encoding="utf-8")
        found |= {f"growth_{n}": one for n, one in grown.items()}
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
