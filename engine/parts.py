"""Making and reading the exchangeable parts: generators, policies, rankers, each found by its name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import retrievers
from bandit import RetrievalPolicy, load_policy, policies
from bandit.linear import LinearPolicy
from engine.config import EngineConfig
from engine.errors import BadInput
from rankers.lambdamart import LambdaMART
from rankers.rrf import ReciprocalRankFusion
from retrievers.base import Retriever
from retrievers.dense import Dense
from retrievers.encoder import Encoder
from retrievers.memory import Memory
from retrievers.popular import Popular
from retrievers.structured import Structured

CONTEXT_SCALE, ACTION_SCALE = 0.02, 3.0
"""How the policy weighs its features: what a rung has brought before tells more of what it will than
what a query looks like; see the decision in ARCHITECTURE.md."""
VOTES = {Popular.name: 0.1, Structured.name: 1.5}
"""Weights in fusion, beside 1 of every other generator: `popular` heeds no query; what is as a query
says, field by field, is more than alike."""

BELIEVED = 0.15
"""What fusion adds times memory's score, (count + m·prior) / (clicks + m), m = 3: three clicks on one
document after the same words outweigh the first places of four generators, one those of two."""


def retriever_types() -> dict[str, type[Retriever]]:
    """Name to class: all of this package, and every subclass of `Retriever` a user has defined."""
    for module in pkgutil.iter_modules(retrievers.__path__, "retrievers."):
        importlib.import_module(module.name)
    found: dict[str, type[Retriever]] = {}
    waiting = Retriever.__subclasses__()
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        if not inspect.isabstract(kind):
            found[kind.name] = kind
    return dict(sorted(found.items()))


def _known(config: EngineConfig) -> dict[str, type[Retriever]]:
    types = retriever_types()
    unknown = [name for name in config.generators if name not in types]
    if unknown:
        raise BadInput(
            f"EngineConfig.generators: found {unknown[0]!r}; known are {', '.join(types)}. A "
            "generator of your own is known once its class, a subclass of Retriever, is imported"
        )
    return types


def make_retrievers(
    config: EngineConfig,
    encoder: Encoder | str | None,
    embeddings: Path | None,
    progress: bool,
) -> dict[str, Retriever]:
    """Empty generators in the order of the configuration."""
    types = _known(config)
    made: dict[str, Retriever] = {}
    for name in config.generators:
        options: dict[str, Any] = dict(config.generator_options.get(name, {}))
        if issubclass(types[name], Dense):
            options = {"encoder": encoder, "cache": embeddings, "progress": progress} | options
        try:
            made[name] = types[name](**options)
        except TypeError as e:
            raise BadInput(f"EngineConfig.generator_options[{name!r}]: {e}") from e
    return made


def with_encoder(config: EngineConfig, encoder: str) -> EngineConfig:
    """The configuration with a named model for the dense generator, remembered when saved."""
    options = {name: dict(kept) for name, kept in config.generator_options.items()}
    options[Dense.name] = {**options.get(Dense.name, {}), "encoder": encoder}
    return replace(config, generator_options=options)


def load_retrievers(
    config: EngineConfig, folder: Path, encoder: Encoder | str | None
) -> dict[str, Retriever]:
    """The saved generators."""
    types = _known(config)
    loaded: dict[str, Retriever] = {}
    for name in config.generators:
        kind = types[name]
        if issubclass(kind, Dense):
            # A model named in the configuration is found again; one given now comes first.
            named = config.generator_options.get(name, {}).get("encoder")
            loaded[name] = kind.load(folder / name, encoder=named if encoder is None else encoder)
        else:
            loaded[name] = kind.load(folder / name)
    return loaded


def make_policy(config: EngineConfig, ladder: NDArray[np.int32]) -> RetrievalPolicy:
    """A policy that has learnt nothing yet."""
    known = policies()
    if config.policy not in known:
        raise BadInput(
            f"EngineConfig.policy: found {config.policy!r}; known are {', '.join(known)}"
        )
    kind: Callable[..., RetrievalPolicy] = known[config.policy]
    options: dict[str, Any] = dict(config.policy_options)
    if issubclass(known[config.policy], LinearPolicy):
        options = {"context_scale": CONTEXT_SCALE, "action_scale": ACTION_SCALE, **options}
    try:
        return kind(ladder=ladder, generators=len(config.generators), **options)
    except TypeError as e:
        raise BadInput(f"EngineConfig.policy_options: {e}") from e


def make_fusion(columns: tuple[str, ...]) -> ReciprocalRankFusion:
    """What ranks before a ranker has learnt. Popularity's vote fills up a page and decides little else;
    a few clicks on one document for one query bring it to the top, which no vote by rank can."""
    return ReciprocalRankFusion(
        columns, weights=VOTES, added={f"{Memory.name}.memory_score": BELIEVED}
    )


def make_ranker(config: EngineConfig, columns: tuple[str, ...]) -> LambdaMART:
    """A ranker that has learnt nothing yet."""
    options: dict[str, Any] = {
        "seed": config.seed,
        "position_debias": True,
        **config.ranker_options,
    }
    try:
        return LambdaMART(columns, **options)
    except TypeError as e:
        raise BadInput(f"EngineConfig.ranker_options: {e}") from e


__all__ = ["load_policy", "load_retrievers", "make_policy", "make_ranker", "make_retrievers"]
