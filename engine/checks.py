"""Refusing what cannot be searched, before anything happens."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC

from engine.config import EngineConfig
from engine.errors import BadContext, BadInput, BadQuery
from retrievers.base import Context

_IMPRESSION = re.compile(r"[A-Za-z0-9._:-]{16,128}")


def check_query(query: object, config: EngineConfig) -> str:
    """The query, where it is text within the limit."""
    if not isinstance(query, str):
        raise BadQuery(f"query: found {type(query).__name__}, expected text (str)")
    if len(query) > config.max_query_chars:
        raise BadQuery(
            f"query: found {len(query):,} characters, the limit is {config.max_query_chars:,} "
            "(EngineConfig.max_query_chars)"
        )
    if "\x00" in query or any("\ud800" <= c <= "\udfff" for c in query):
        raise BadQuery(
            "query: holds a NUL character or half of a surrogate pair; probably not text"
        )
    return query


def check_k(k: object, config: EngineConfig) -> int:
    """k, where it is a whole number in [1, max_k]."""
    if not isinstance(k, int) or isinstance(k, bool) or not 0 < k <= config.max_k:
        raise BadInput(f"k: found {k!r}, expected a whole number from 1 to {config.max_k:,}")
    return k


def check_impression(id: object) -> str:
    """An impression's id, where it is long enough not to be guessed and plain enough to be quoted."""
    if not isinstance(id, str) or not _IMPRESSION.fullmatch(id):
        raise BadInput(
            f"impression_id: found {id!r}, expected 16 to 128 letters, digits, dots, dashes or "
            "underscores, hard to guess (a UUID, say): whoever knows it may give feedback"
        )
    return id


def check_context(context: object) -> Context:
    """The context, where its parts are of the right types and no number is NaN; its time with a zone,
    UTC where it has none."""
    if not isinstance(context, Context):
        raise BadContext(f"context: found {type(context).__name__}, expected Context or None")
    if not isinstance(context.user, str | None):
        raise BadContext(f"Context.user: found {context.user!r}, expected text or None")
    if not isinstance(context.filters, Mapping) or not isinstance(context.attributes, Mapping):
        raise BadContext("Context.filters and Context.attributes: expected mappings")
    for field, value in context.filters.items():
        values = (value,) if isinstance(value, str) else value
        if not isinstance(values, tuple | list) or not all(isinstance(v, str) for v in values):
            raise BadContext(
                f"Context.filters[{field!r}]: found {value!r}, expected text or a tuple of texts "
                "(numbers as text too: '1999')"
            )
    for name, attribute in context.attributes.items():
        number = isinstance(attribute, int | float)
        if not number and not isinstance(attribute, str):
            raise BadContext(
                f"Context.attributes[{name!r}]: found {type(attribute).__name__}, expected text or a number"
            )
        if number and not math.isfinite(float(attribute)):
            raise BadContext(
                f"Context.attributes[{name!r}]: found {attribute}, expected a finite number"
            )
    if context.time is not None and context.time.tzinfo is None:
        return replace(context, time=context.time.replace(tzinfo=UTC))
    return context
