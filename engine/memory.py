"""How many bytes each part of an engine takes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from mmap import mmap
from types import FunctionType, MethodType, ModuleType

import faiss
import numpy as np

from engine.log import Log
from engine.state import State


def memory_of(state: State, log: Log) -> dict[str, int]:
    """Bytes by part: arrays whether they lie in memory or are mapped from files, texts, objects.

    What two parts share counts in the first; what is read from a file when asked for does not. Of a mapped file the machine holds no more than what was
    read of it, so that this is an upper bound. "log" is what SQLite holds of the log.
    """
    seen: set[int] = set()
    parts: dict[str, object] = {
        "catalog": state.catalog,
        "filters": state.filters,
        "names": state.names,
        "topics": state.topics,
        "statistics": state.statistics,
        "foresight": state.foresight,
        "pruner": state.pruner,
        "policy": state.policy,
        "ranker": (state.ranker, state.gated, state.fusion),
        **{f"retrievers/{name}": retriever for name, retriever in state.retrievers.items()},
    }
    return {name: _size(part, seen) for name, part in parts.items()} | {"log": log.memory()}


def _size(whole: object, seen: set[int]) -> int:
    """What is reached from an object and was not counted before."""
    waiting, total = [whole], 0
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | ModuleType | FunctionType | MethodType):
            continue
        seen.add(id(one))
        if isinstance(one, np.ndarray):
            owner: object = one
            while isinstance(owner, np.ndarray) and owner.base is not None:
                owner = owner.base
            if owner is one:
                total += one.nbytes
            elif isinstance(owner, np.ndarray | bytes | mmap):
                waiting.append(owner)
            elif id(owner) not in seen:
                seen.add(id(owner))
                total += one.nbytes
        elif isinstance(one, mmap):
            total += len(one)
        elif isinstance(one, faiss.Index):
            total += _vectors(one)
        else:
            total += sys.getsizeof(one)
            waiting.extend(_within(one))
    return total


def _within(one: object) -> Iterator[object]:
    if isinstance(one, Mapping):
        yield from one.keys()
        yield from one.values()
    elif isinstance(one, list | tuple | set | frozenset):
        yield from one
    elif is_dataclass(one):
        yield from (getattr(one, field.name) for field in fields(one))
    else:
        yield from vars(one).values() if hasattr(one, "__dict__") else ()


def _vectors(index: faiss.Index) -> int:
    """Codes, and of inverted lists the ids, the map from ids to places and the centroids."""
    size = int(index.ntotal) * int(index.sa_code_size())
    if isinstance(index, faiss.IndexIVF):
        size += int(index.ntotal) * 16 + int(index.nlist) * 4 * int(index.d)
    return size
