"""From documents to a first state."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from engine.answering import on_the_hour
from engine.catalog import Catalog
from engine.changes import Embeddings
from engine.config import EngineConfig
from engine.conversing import Conversation
from engine.errors import BadDocuments
from engine.filters import Filters
from engine.foresight import Foresight
from engine.full_answers import FullAnswers
from engine.names import Names
from engine.parts import make_fusion, make_policy, make_retrievers
from engine.positions import given_curves
from engine.pricing import Sampled, surveyed, tuned
from engine.pruning import Pruner
from engine.ranking_features import column_names
from engine.state import State
from engine.statistics import PlanStatistics
from engine.topics import Topics
from rankers.surfaces import Surfaces
from retrievers.base import Context, Document, Merges, Query
from retrievers.dense import Dense
from retrievers.encoder import Encoder

PROBES = 64
"""Titles searched for at build, so that the first plans know result counts and overlaps."""


def build_state(
    documents: Iterable[Document],
    config: EngineConfig,
    encoder: Encoder | str | None = None,
    embeddings: Path | None = None,
    progress: bool = False,
    conversation: Conversation | None = None,
) -> State:
    """Index a catalogue. Nothing is learnt yet but what searches for some titles return."""
    given = list(tqdm(documents, desc="reading", unit=" documents", disable=not progress))
    if not given:
        raise BadDocuments("documents: the catalogue is empty; there is nothing to search")
    ladder = np.array(config.ladder, np.int32)
    catalog = Catalog()
    retrievers = make_retrievers(config, encoder, embeddings, progress)
    policy = make_policy(config, ladder)
    foreseen = config.foresight and policy.heeds
    state = State(
        catalog=catalog,
        filters=Filters(catalog),
        names=Names(),
        topics=Topics(),
        retrievers=retrievers,
        statistics=PlanStatistics(len(retrievers), config.ladder),
        foresight=Foresight(len(retrievers), len(config.ladder)) if foreseen else None,
        pruner=Pruner() if config.prunes and policy.heeds else None,
        policy=policy,
        price=0.0,
        bar=-np.inf,
        expected=float("nan"),
        drift=1.0,
        fusion=make_fusion(column_names(retrievers)),
        ranker=None,
        gated=None,
        surfaces=Surfaces.assumed(given_curves(config)),
        version=0,
        learnt=(0, 0),
        conversation=conversation,
    )
    return _probed(added(state, given, progress), config)


def added(
    state: State,
    documents: Sequence[Document],
    progress: bool = False,
    embeddings: Embeddings | None = None,
) -> State:
    """A state that holds these documents too; the given one is left as it is.

    `embeddings`: those of the documents for every dense generator, where they are made already.
    """
    catalog, names, topics = (
        copy.copy(state.catalog),
        copy.copy(state.names),
        copy.copy(state.topics),
    )
    rows = catalog.add(documents)
    names.add(documents)
    topics.add(documents)
    retrievers = {name: copy.copy(r) for name, r in state.retrievers.items()}
    with tqdm(total=len(retrievers), unit=" generators", disable=not progress) as bar:
        for name, retriever in retrievers.items():
            bar.set_description(f"indexing: {name}")
            if isinstance(retriever, Dense):
                retriever.progress = progress  # encoding takes minutes where the rest takes seconds
                vectors = embeddings[name] if embeddings is not None else None
                retriever.add_embedded(
                    rows, retriever.embed(documents) if vectors is None else vectors
                )
            else:
                retriever.add(rows, documents)
            bar.update()
    return replace(
        state, catalog=catalog, filters=state.filters.after(catalog), names=names, topics=topics,
        retrievers=retrievers,
    )  # fmt: skip


def removed(state: State, ids: Sequence[str]) -> State:
    """A state without these documents; the given one is left as it is."""
    catalog = copy.copy(state.catalog)
    rows = catalog.remove(ids)
    retrievers = {name: copy.copy(r) for name, r in state.retrievers.items()}
    for retriever in retrievers.values():
        retriever.remove(rows)
    return replace(
        state, catalog=catalog, filters=state.filters.after(catalog), retrievers=retrievers
    )


def merged(state: State, *, anew: bool = True) -> State:
    """A state of the same documents as if they had been indexed at once; the given one stays.

    Not `anew`: vectors stay in the cells they are in, which is most of the work.
    """
    catalog, names = copy.copy(state.catalog), copy.copy(state.names)
    catalog.changes = 0
    names.merge()
    retrievers = {name: copy.copy(r) for name, r in state.retrievers.items()}
    for retriever in retrievers.values():
        if isinstance(retriever, Dense) and not anew:
            continue
        if isinstance(retriever, Merges):
            retriever.merge()
    return replace(
        state, catalog=catalog, filters=state.filters.after(catalog), names=names,
        retrievers=retrievers,
    )  # fmt: skip


def _probed(state: State, config: EngineConfig) -> State:
    """The price that meets the budget, and the overlaps, as searches for titles show them."""
    sample = _titles(state, config)
    statistics = copy.copy(state.statistics)
    statistics.look_at([(one.facts.kind, one.answers) for one in sample])
    state = replace(state, statistics=statistics)
    return replace(state, price=tuned(state, config, sample).price)


def first_price(state: State, config: EngineConfig) -> float:
    """The price at a budget before anything is learnt, of a state that was built with another."""
    return tuned(replace(state, price=0.0), config, _titles(state, config)).price


def _titles(state: State, config: EngineConfig) -> list[Sampled]:
    """Searches for some of the titles."""
    step = max(len(state.catalog) // PROBES, 1)
    context = Context(time=on_the_hour(config.clock()))
    titles = state.catalog.documents(range(0, state.catalog.rows, step))
    queries = [Query(document.title, context) for _, document in islice(titles, PROBES)]
    return surveyed(state, queries, FullAnswers(state))
