"""A client of a server on this machine that sends at a rate, whatever comes back.

Requests are due at random times (Poisson); the time of an answer counts from when it was due, so
that a server that falls behind can't hide it by slowing the client down.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLICKED = 0.4
"""Share of searches whose answer brings feedback."""


@dataclass(slots=True, eq=False)
class Measured:
    """What came back: milliseconds of searches and of feedback, errors, and every event that the
    server acknowledged as (impression, document)."""

    searches: list[float] = field(default_factory=list)
    feedback: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    partial: int = 0
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0

    def percentile(self, p: float) -> float:
        """Of the searches; NaN where there were none."""
        return float(np.percentile(self.searches, p)) if self.searches else float("nan")


class Connections:
    """Keep-alive connections, each with one request at a time."""

    def __init__(self, host: str, port: int, most: int) -> None:
        self._address = (host, port)
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter] | None]
        self._free = asyncio.Queue()
        for _ in range(most):
            self._free.put_nowait(None)

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        """(status, answer) of a JSON request."""
        data = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nhost: {self._address[0]}:{self._address[1]}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        )
        pair = await self._free.get()
        try:
            # A server may close what was idle; that is no error of a request.
            is_open = pair is not None and not pair[0].at_eof()
            reader, writer = (
                pair if pair and is_open else await asyncio.open_connection(*self._address)
            )
            pair = None
            writer.write(head.encode() + data)
            answer = await _read(reader)
            pair = (reader, writer)
            return answer
        finally:
            self._free.put_nowait(pair)

    async def close(self) -> None:
        """Close those that are free."""
        while not self._free.empty():
            if (pair := self._free.get_nowait()) is not None:
                pair[1].close()


async def _read(reader: asyncio.StreamReader) -> tuple[int, Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    length = next(
        int(line.partition(":")[2]) for line in head if line.lower().startswith("content-length:")
    )
    return int(head[0].split()[1]), json.loads(await reader.readexactly(length))


async def send(
    host: str,
    port: int,
    queries: Sequence[str],
    rate: float,
    seconds: float,
    rng: np.random.Generator,
    connections: int = 64,
) -> Measured:
    """Search `rate` times a second for so long, and click on some of what comes."""
    measured = Measured()
    pool = Connections(host, port, connections)
    due: NDArray[np.float64] = np.cumsum(rng.exponential(1.0 / rate, round(rate * seconds)))
    began = time.perf_counter()

    async def one(at: float, query: str, user: str, clicks: bool, place: float) -> None:
        await asyncio.sleep(max(0.0, began + at - time.perf_counter()))
        try:
            status, answer = await pool.post(
                "/v1/search", {"query": query, "k": 10, "context": {"user": user}}
            )
            measured.searches.append((time.perf_counter() - began - at) * 1000.0)
            if status != 200:
                measured.errors.append(f"search {status}: {answer.get('detail')}")
                return
            measured.partial += bool(answer["notes"])
            if clicks and answer["hits"]:
                hit = answer["hits"][int(place * len(answer["hits"]))]["id"]
                await click(answer["impression_id"], hit)
        except (OSError, asyncio.IncompleteReadError, ValueError) as e:
            measured.errors.append(f"{type(e).__name__}: {e}")

    async def click(impression: str, document: str) -> None:
        sent = time.perf_counter()
        status, answer = await pool.post(
            "/v1/feedback", {"impression_id": impression, "clicks": [document]}
        )
        measured.feedback.append((time.perf_counter() - sent) * 1000.0)
        if status != 200:
            measured.errors.append(f"feedback {status}: {answer.get('detail')}")
        else:
            measured.acknowledged.append((impression, document))

    picked = rng.integers(len(queries), size=due.size).tolist()
    users = rng.integers(60, size=due.size).tolist()
    chance, places = rng.random(due.size).tolist(), (rng.random(due.size) ** 2).tolist()
    await asyncio.gather(
        *(
            one(at, queries[q], f"listener{u}", c < CLICKED, p)
            for at, q, u, c, p in zip(due.tolist(), picked, users, chance, places, strict=True)
        )
    )
    measured.seconds = time.perf_counter() - began
    await pool.close()
    return measured
