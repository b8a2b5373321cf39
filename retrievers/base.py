"""The types every candidate generator speaks, and the `Retriever` interface itself."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Docs = NDArray[np.int32]
"""Row ids, shape (n,)."""
Scores = NDArray[np.float32]
"""One score a document, shape (n,); higher is better."""
BoolMask = NDArray[np.bool_]
"""One flag a row of the catalogue, shape (rows,); True where the row may be returned."""
Features = NDArray[np.float32]
"""Shape (n, f): one row a document, one column a feature; NaN where a value is unknown."""


@dataclass(frozen=True, slots=True)
class Document:
    """One item of the catalogue, with BEIR's keys (`_id`, `title`, `text`, `metadata`)."""

    id: str
    title: str = ""
    text: str = ""
    type: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def values(self, key: str) -> tuple[str, ...]:
        """The metadata under `key` as text: a list gives its entries, a missing key nothing."""
        value = self.metadata.get(key)
        if value is None:
            return ()
        if isinstance(value, (list, tuple)):
            return tuple(str(entry) for entry in value)
        return (str(value),)


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance of the conversation a query stands in."""

    speaker: Literal["user", "system"]
    text: str
    entities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a search besides its text.

    `filters` restrict the answer (OR within a tuple, AND across fields); `attributes` are free
    features such as device or country; `time` None means now.
    """

    user: str | None = None
    turns: tuple[Turn, ...] = ()
    time: datetime | None = None
    locale: str | None = None
    filters: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    attributes: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of a query's text, read as `value` of the catalogue's `field`.

    Fields are the catalogue's own (a title is called by its document's type) and three more: "type",
    a kind of document; "year", a range "low..high" of which one side may be missing; "order",
    "newest", "oldest" or "popular". A field with "-" before it excludes its value.
    """

    start: int
    end: int
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A span that the catalogue may have a value for.

    `likeness`: of the words to the value, in (0, 1]; `weight`: how popular the most popular document
    with it is, in the catalogue's unit; `rows`: how many have it; `whole`: the span has every word of
    it, as it is spelt.
    """

    span: Span
    likeness: float
    weight: float
    rows: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """A text as the catalogue hears it: where its n tokens stand, as [start, end), and what may be
    mentioned in it, words for kinds, years and orders included."""

    text: str
    places: tuple[tuple[int, int], ...]
    mentions: tuple[Mention, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Log probabilities that a token begins a span of a field or goes on with one ((n, fields) each),
    or is of none ((n,))."""

    fields: tuple[str, ...]
    begins: NDArray[np.float32]
    goes_on: NDArray[np.float32]
    outside: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a query: its spans, and how probable that is, in [0, 1]."""

    spans: tuple[Span, ...]
    probability: float


@dataclass(frozen=True, slots=True)
class Query:
    """What a generator is asked. `text` may be rewritten from the conversation, `typed` is as typed."""

    text: str
    context: Context = field(default_factory=Context)
    typed: str = ""
    readings: tuple[Reading, ...] = ()

    def __post_init__(self) -> None:
        if not self.typed:
            object.__setattr__(self, "typed", self.text)

    @property
    def seconds(self) -> float | None:
        """`context.time` as POSIX seconds, None where the context names no time."""
        return None if self.context.time is None else self.context.time.timestamp()


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """A generator's answer: distinct rows, best first, ties broken by row; scores finite."""

    docs: Docs
    scores: Scores

    def __post_init__(self) -> None:
        if self.docs.ndim != 1 or self.docs.shape != self.scores.shape:
            raise ValueError(
                f"Hits: docs and scores must be one-dimensional and of equal length, found "
                f"{self.docs.shape} and {self.scores.shape}"
            )

    def __len__(self) -> int:
        return int(self.docs.shape[0])

    @classmethod
    def none(cls) -> Hits:
        """An empty answer."""
        return cls(np.empty(0, np.int32), np.empty(0, np.float32))

    def top(self, k: int) -> Hits:
        """The first k."""
        return self if k >= len(self) else Hits(self.docs[:k], self.scores[:k])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What somebody did with a document: inside a search (`query`) or outside one (None).

    `time` is in POSIX seconds; `weight` is the reward of the action (negative for a skip);
    `position` is 1 for the top of the page, None where it was not shown or is unknown.
    """

    query: Query | None
    doc: int
    action: str
    weight: float
    user: str | None
    time: float
    position: int | None = None


class Retriever(ABC):
    """A candidate generator.

    State is replaced, never changed in place: `copy.copy(retriever)` taken before an `add`,
    `remove` or `observe` goes on answering as before, so that searches run on while the engine
    learns on copies. The same question to the same state gives the same answer.
    """

    name: ClassVar[str]
    by_text: ClassVar[bool] = False
    """Whether the answer follows from the query's text and `allowed` alone."""
    of_queries: ClassVar[bool] = False
    """Whether it learns what queries are for: it also observes what the next search of a person tells of one in
    which nothing was clicked."""

    @abstractmethod
    def retrieve(self, query: Query, k: int, allowed: BoolMask | None = None) -> Hits:
        """At most k rows, best first, ties by row; the first k of any larger k.

        With `allowed` (shape (rows,)) the answer equals the full ranking with the others dropped.
        An empty query text gives an empty answer unless the generator needs no words.
        """

    def at_most(self, query: Query) -> float:
        """How many rows `retrieve` can return, told at once and without asking; inf: not known."""
        del query
        return math.inf

    def retrieve_many(
        self, queries: Sequence[Query], k: int, allowed: BoolMask | None = None
    ) -> list[Hits]:
        """`retrieve` for each query; overridden where a batch is faster."""
        return [self.retrieve(query, k, allowed) for query in queries]

    @abstractmethod
    def add(self, rows: Docs, documents: Sequence[Document]) -> None:
        """Index documents under new rows, ascending and above every row added before."""

    @abstractmethod
    def remove(self, rows: Docs) -> None:
        """Never return these rows again."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the state into an existing empty folder. No pickle."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the loaded generator answers to the byte as the saved one."""


@runtime_checkable
class Learns(Protocol):
    """A generator that learns from what people do."""

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Take in outcomes, in order of time. Called by `SearchEngine.learn` alone."""


@runtime_checkable
class Merges(Protocol):
    """A generator that takes changes in cheaply, and can make good what that leaves inexact."""

    def merge(self) -> None:
        """Answer as if the documents that are left had been added at once. May take long."""


@runtime_checkable
class Joins(Protocol):
    """A generator that can read the state of another, beside or instead of one of its own."""

    joins: ClassVar[str]
    """The other's name."""

    def joined(self, other: Retriever) -> Retriever:
        """A twin that reads `other`."""


@runtime_checkable
class KnowsNames(Protocol):
    """A generator that can tell how near a text is to the names of the catalogue."""

    def nearness(self, query: Query) -> Scores:
        """Shape (n,): of the nearest names, best first, each in [0, 1]; 1: typed to the letter."""


@runtime_checkable
class Describes(Protocol):
    """A generator that knows more of a (query, document) pair than its score."""

    feature_names: tuple[str, ...]

    def describe(self, query: Query, docs: Docs) -> Features:
        """Shape (n, len(feature_names)); NaN where unknown. A row may depend on the whole set."""
