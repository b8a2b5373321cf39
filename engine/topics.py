"""Which topics (genres, categories…) a user's history is made of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retrievers.base import Document, Outcome

TOPICS = 8
FIELDS = ("genre", "genres", "category", "tags", "type")
"""The first of these that the catalogue has tells topics."""


class Topics:
    """The topic of each row, and each user's history by topic; `add` and `observe` replace."""

    def __init__(self) -> None:
        self.field: str | None = None
        self.names: tuple[str, ...] = ()
        self._of: NDArray[np.int16] = np.empty(0, np.int16)
        self._users: dict[str, NDArray[np.float64]] = {}

    def add(self, documents: Sequence[Document]) -> None:
        """Take in the documents of the next rows; the first batch fixes field and topics."""
        if self.field is None:
            present = {key for d in documents for key in d.metadata if d.values(key)}
            self.field = next((f for f in FIELDS if f in present), "")
            counts = Counter(v for d in documents for v in d.values(self.field))
            common = sorted(counts, key=lambda v: (-counts[v], v))[:TOPICS]
            self.names = tuple(common)
        codes = {name: code for code, name in enumerate(self.names)}
        field = self.field
        of = [
            next((codes[v] for v in document.values(field) if v in codes), -1)
            for document in documents
        ]
        self._of = np.concatenate([self._of, np.array(of, np.int16)])

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Count wanted items by user; play counts are compressed by their logarithm."""
        users = dict(self._users)
        fresh: set[str] = set()
        for outcome in outcomes:
            if outcome.user is None or outcome.weight <= 0:
                continue
            if outcome.user not in fresh:
                fresh.add(outcome.user)
                users[outcome.user] = users.get(outcome.user, np.zeros(TOPICS + 1)).copy()
            users[outcome.user][self._of[outcome.doc]] += np.log1p(outcome.weight)
        self._users = users

    def knows(self, user: str | None) -> bool:
        """Whether the user has a history."""
        return user is not None and user in self._users

    def shares(self, user: str | None) -> list[float]:
        """Shape (TOPICS,): the share of each topic in the user's history."""
        counts = None if user is None else self._users.get(user)
        if counts is None:
            return [0.0] * TOPICS
        shares: list[float] = (counts[:TOPICS] / max(float(counts.sum()), 1e-12)).tolist()
        return shares

    def save(self, folder: Path) -> None:
        """Write into an existing folder."""
        np.savez(
            folder / "topics.npz", of=self._of,
            counts=np.array(list(self._users.values())).reshape(-1, TOPICS + 1),
        )  # fmt: skip
        about: Mapping[str, object] = {
            "field": self.field, "names": self.names, "users": list(self._users)
        }  # fmt: skip
        (folder / "topics.json").write_text(json.dumps(about, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        topics = cls()
        about = json.loads((folder / "topics.json").read_text("utf-8"))
        topics.field, topics.names = about["field"], tuple(about["names"])
        with np.load(folder / "topics.npz", allow_pickle=False) as arrays:
            topics._of = arrays["of"]
            topics._users = dict(zip(about["users"], arrays["counts"], strict=True))
        return topics
