"""Finding policies by name: every concrete subclass of `RetrievalPolicy` that is imported."""

from __future__ import annotations

import inspect
from pathlib import Path

from bandit.base import RetrievalPolicy
from bandit.storage import saved_policy


def policies() -> dict[str, type[RetrievalPolicy]]:
    """Name to class, in order of name."""
    found: dict[str, type[RetrievalPolicy]] = {}
    waiting = RetrievalPolicy.__subclasses__()
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        if not inspect.isabstract(kind):
            found[kind.name] = kind
    return dict(sorted(found.items()))


def load_policy(folder: Path) -> RetrievalPolicy:
    """The policy saved in `folder`, whatever its kind."""
    name = saved_policy(folder)
    known = policies()
    if name not in known:
        raise ValueError(f"{folder}: found policy {name!r}, expected one of {list(known)}")
    return known[name].load(folder)
