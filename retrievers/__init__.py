"""Candidate generators: each answers a query with rows of the catalogue, best first."""

from retrievers.base import (
    Context,
    Describes,
    Document,
    Hits,
    Learns,
    Outcome,
    Query,
    Reading,
    Retriever,
    Span,
    Turn,
)
from retrievers.bm25 import BM25
from retrievers.candidates import Candidates, union
from retrievers.dense import Dense
from retrievers.fuzzy import Fuzzy
from retrievers.memory import Memory
from retrievers.personal import Personal
from retrievers.popular import Popular

__all__ = [
    "BM25",
    "Candidates",
    "Context",
    "Dense",
    "Describes",
    "Document",
    "Fuzzy",
    "Hits",
    "Learns",
    "Memory",
    "Outcome",
    "Personal",
    "Popular",
    "Query",
    "Reading",
    "Retriever",
    "Span",
    "Turn",
    "union",
]
