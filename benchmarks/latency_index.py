"""The index that latencies are measured on: made once, from generated documents and a warm log."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.generated import Generated
from engine import Context, EngineConfig, SearchEngine
from retrievers.encoder import default_encoder

MADE = "made.json"
BUDGET = 200.0
SERVED, SEEN = 2000, 20
"""Searches served before anything is measured, and how many results each shows."""
COLD = """
import json, resource, sys, time
started = time.perf_counter()
from pathlib import Path
from engine import Context, SearchEngine
imported = time.perf_counter()
with SearchEngine.load(Path(sys.argv[1])) as engine:
    loaded = time.perf_counter()
    engine.search(sys.argv[2], Context(user=sys.argv[3]))
    answered = time.perf_counter()
    for query in sys.argv[4:]:
        engine.search(query, Context(user=sys.argv[3]))
    status = Path("/proc/self/status").read_text().splitlines()
    memory = {line.split(":")[0]: int(line.split()[1]) / 2**20 for line in status if line.startswith(("VmRSS", "RssAnon", "RssFile"))}
print(json.dumps({"import_s": imported - started, "load_s": loaded - imported,
                  "first_answer_s": answered - loaded, **memory}))
"""
"""What a process does that opens an index and answers. Printed: seconds of each step, and GiB of memory
afterwards: all, its own, and of files mapped, which the system may drop."""


def prepared(
    folder: Path, data: Generated, events: int, searches: int = SERVED
) -> dict[str, float]:
    """Seconds of each step of making the index under `folder / "index"`, now or before; `searches` are
    served after the log is learnt.

    RuntimeError where the folder holds another one's.
    """
    made = folder / MADE
    asked = {"documents": data.n, "seed": data.seed, "events": events}
    if made.exists():
        found = json.loads(made.read_text("utf-8"))
        if any(found[key] != value for key, value in asked.items()):
            raise RuntimeError(
                f"{made}: found an index of {found}, expected {asked}: take another folder"
            )
        return {key: value for key, value in found.items() if key.endswith("_s")}
    folder.mkdir(parents=True, exist_ok=True)
    seconds: dict[str, float] = {}
    last = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal last
        now = time.perf_counter()
        seconds[name], last = now - last, now
        print(f"{name} {seconds[name]:.1f}", file=sys.stderr, flush=True)

    data.embed_into(folder, default_encoder())
    lap("embed_s")
    config = EngineConfig(budget=BUDGET)
    with SearchEngine.build(
        data.documents(), folder=folder / "index", config=config, embeddings=folder
    ) as engine:
        lap("build_s")
        engine.record(*data.log(events))
        lap("record_s")
        engine.learn()
        lap("learn_s")
        served(engine, data, searches)
        lap("serve_s")
        report = engine.learn()
        lap("learn_served_s")
        print(report.verdict, file=sys.stderr, flush=True)
    made.write_text(json.dumps({**asked, **seconds}), encoding="utf-8")
    return seconds


def served(engine: SearchEngine, data: Generated, count: int) -> None:
    """Searches as they come in, each clicked where what it is for was shown high enough to be seen:
    what a ranker is trained on and judged by."""
    rng = np.random.default_rng((data.seed, 8))
    asked = data.asked(count, 90)
    users = rng.integers(max(data.n // 20, 20), size=count).tolist()
    for one, user, patience in zip(asked, users, rng.random(count).tolist(), strict=True):
        response = engine.search(one.text, Context(user=f"u{user}"), k=SEEN)
        found = [hit.rank for hit in response.hits if hit.id == f"d{one.row}"]
        if found and patience < found[0] ** -0.5:
            engine.feedback(response.impression_id, clicks=[f"d{one.row}"])


def cold_start(index: Path, user: str, queries: list[str]) -> dict[str, Any]:
    """What `COLD` prints, run in a process of its own."""
    command = [sys.executable, "-c", COLD, str(index), queries[0], user, *queries[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own script
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def learning(index: Path, data: Generated, events: int) -> dict[str, float]:
    """Seconds to take `events` new ones in on all cores, ranker included."""
    with SearchEngine.load(index) as engine:
        engine.record(*data.log(events, stream=1))
        report = engine.learn()
    return {f"learn_{events}_s": report.seconds}
