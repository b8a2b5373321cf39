"""What goes in and comes out of the engine besides documents and contexts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from retrievers.base import Document, Query


@dataclass(frozen=True, slots=True)
class SourceHit:
    """Where one generator had a hit: `rank` from 1, and its own score."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: `rank` from 1, the ranker's score, and which generators brought it.

    `team`: on an interleaved page, which state drafted it, "incumbent" or "challenger"; score and
    sources are then that state's. None where there is no such page, and where a click on the item is
    to nobody's credit.
    """

    id: str
    score: float
    rank: int
    document: Document
    sources: Mapping[str, SourceHit]
    team: Literal["incumbent", "challenger"] | None = None


@dataclass(frozen=True, slots=True)
class PlanStep:
    """What was decided for one generator, and what came of it.

    `gain`: expected reward of the depth asked, of which `bonus` is optimism; NaN where the policy
    estimates nothing. `propensity`: of this depth on its own. `found`: candidates it returned;
    `ms`: time it took.
    """

    generator: str
    depth: int
    gain: float
    bonus: float
    propensity: float
    found: int
    ms: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """How an answer came about: the plan, and per hit what each feature added to its score.

    `contributions` is empty while fusion ranks, since it has no learnt features to tell of.
    `meanings`: what an ambiguous query may mean and how probable that is, where the page serves them all;
    empty on others. `dropped`: documents that were drawn and did not reach the ranker.
    """

    kind: str
    ranker: str
    price: float
    propensity: float
    steps: tuple[PlanStep, ...]
    contributions: Mapping[str, Mapping[str, float]]
    meanings: Mapping[str, float] = field(default_factory=dict)
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Response:
    """An answered search.

    `plan`: depth asked of each generator, 0 = not asked. `timings`: milliseconds per stage.
    `candidates`: distinct documents that reached the ranker. `notes`: what was degraded. `challenger`:
    the number of the snapshot with which the page was interleaved, None otherwise; plan, candidates
    and explanation are then those of the state in force, and `propensity` is NaN, since the page is
    not that plan's alone.
    """

    query: Query
    hits: tuple[Hit, ...]
    impression_id: str
    plan: Mapping[str, int]
    propensity: float
    candidates: int
    timings: Mapping[str, float]
    notes: tuple[str, ...] = ()
    explanation: Explanation | None = None
    challenger: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What somebody did with a document.

    `search`: the id of the search it answers to; None outside a search (a listen, a purchase),
    where it is the user's history. `time` None means now; a time without a zone is read as UTC.
    `position`: 1 = top of the page. Events with the same `id` are counted once.
    """

    action: str
    document: str
    time: datetime | None = None
    position: int | None = None
    weight: float = 1.0
    id: str | None = None
    user: str | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class LoggedSearch:
    """A search answered elsewhere, to be recorded as history.

    `shown`: what was shown, best first, where that is known. `attributes`: context as logged.
    """

    id: str
    query: str
    time: datetime
    user: str | None = None
    shown: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """What a candidate costs where a search may have `budget` in the mean; `price`, `bar`, `expected` and `drift` as in
    `engine.state.State`. `price` NaN: not known yet."""

    budget: float
    price: float = math.nan
    bar: float = -math.inf
    expected: float = math.nan
    drift: float = 1.0


@dataclass(frozen=True, slots=True)
class LearnReport:
    """What one `learn` did.

    `verdict` says in words what became of the newly trained ranker; `ignored` counts events whose
    action has no weight in `EngineConfig.rewards`; `staged`: the number of the snapshot that waits
    for `promote`, None where what was learnt is in force; `beside`: what a candidate costs now at
    other budgets, as far as `learn` was asked.
    """

    searches: int
    events: int
    chunks: int
    rounds: int
    ranker: str
    verdict: str
    price: float
    candidates_mean: float
    seconds: float
    ignored: Mapping[str, int] = field(default_factory=dict)
    staged: int | None = None
    beside: tuple[Priced, ...] = ()
