"""The engine: composes generators, bandit and ranker into search, feedback and learn."""

from engine.config import EngineConfig
from engine.errors import (
    BadContext,
    BadDocuments,
    BadEvent,
    BadInput,
    BadQuery,
    LockedError,
    LtrrError,
    SnapshotError,
)
from engine.explaining import Missing
from engine.interleaved import Interleaved
from engine.promotion import Comparison, Promotion
from engine.response import (
    Event,
    Explanation,
    Hit,
    LearnReport,
    LoggedSearch,
    PlanStep,
    Priced,
    Response,
    SourceHit,
)
from engine.search_engine import SearchEngine
from engine.talking import Reply, Talk
from retrievers.base import Context, Document, Query, Turn

__all__ = [
    "BadContext",
    "BadDocuments",
    "BadEvent",
    "BadInput",
    "BadQuery",
    "Comparison",
    "Context",
    "Document",
    "EngineConfig",
    "Event",
    "Explanation",
    "Hit",
    "Interleaved",
    "LearnReport",
    "LockedError",
    "LoggedSearch",
    "LtrrError",
    "Missing",
    "PlanStep",
    "Priced",
    "Promotion",
    "Query",
    "Reply",
    "Response",
    "SearchEngine",
    "SnapshotError",
    "SourceHit",
    "Talk",
    "Turn",
]
