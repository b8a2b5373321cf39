"""From `Context.filters` to one mask over rows."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping

import numpy as np

from engine.catalog import Catalog
from engine.errors import BadContext
from retrievers.base import BoolMask, Docs

KEPT = 64


class Filters:
    """Masks over one state of a catalogue, built when first asked for and kept.

    OR within a tuple of values, AND across fields, membership for list fields, numbers compared as
    text; removed documents never pass. Thread-safe.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._rows: dict[str, dict[str, Docs]] = {}
        self._masks: OrderedDict[tuple[tuple[str, tuple[str, ...]], ...], BoolMask] = OrderedDict()
        self._some_removed = not bool(catalog.alive.all())

    def mask(self, filters: Mapping[str, str | tuple[str, ...]]) -> BoolMask | None:
        """Shape (rows,): which rows may be returned; None where every row may."""
        if not filters:
            return self._catalog.alive if self._some_removed else None
        key = tuple(
            sorted(
                (f, (v,) if isinstance(v, str) else tuple(sorted(v))) for f, v in filters.items()
            )
        )
        with self._lock:
            if key in self._masks:
                self._masks.move_to_end(key)
                return self._masks[key]
            mask = self._catalog.alive.copy()
            for field, values in key:
                passing = np.zeros(mask.shape, bool)
                rows = self._values(field)
                for value in values:
                    if value in rows:
                        passing[rows[value]] = True
                mask &= passing
            self._masks[key] = mask
            while len(self._masks) > KEPT:
                self._masks.popitem(last=False)
            return mask

    def _values(self, field: str) -> dict[str, Docs]:
        """value -> rows of one field."""
        if field not in self._catalog.fields:
            raise BadContext(
                f"Context.filters: unknown field {field!r}; the documents have "
                f"{', '.join(sorted(self._catalog.fields))}"
            )
        if field not in self._rows:
            lists: dict[str, list[int]] = {}
            for row, document in self._catalog.documents():
                values = (
                    (() if document.type is None else (document.type,))
                    if field == "type"
                    else document.values(field)
                )
                for value in values:
                    lists.setdefault(value, []).append(row)
            self._rows[field] = {v: np.array(rows, np.int32) for v, rows in lists.items()}
        return self._rows[field]
