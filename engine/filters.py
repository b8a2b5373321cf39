"""From `Context.filters` to one mask over rows."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping

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
        self._rows: dict[str, tuple[int, dict[str, Docs]]] = {}
        self._masks: OrderedDict[tuple[tuple[str, tuple[str, ...]], ...], BoolMask] = OrderedDict()

    def after(self, catalog: Catalog) -> Filters:
        """Of the catalogue after changes: what is known of a field is only brought up to date."""
        later = Filters(catalog)
        with self._lock:
            later._rows = dict(self._rows)
        return later

    def mask(self, filters: Mapping[str, str | tuple[str, ...]]) -> BoolMask | None:
        """Shape (rows,): which rows may be returned; None without filters, since generators forget
        removed rows by themselves."""
        if not filters:
            return None
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
        read, known = self._rows.get(field, (0, {}))
        if read < self._catalog.rows:
            known = dict(known)
            for value, rows in self._read(field, read):
                known[value] = np.concatenate([known[value], rows]) if value in known else rows
            self._rows[field] = self._catalog.rows, known
        return known

    def _read(self, field: str, start: int) -> Iterator[tuple[str, Docs]]:
        """(value, rows ascending) of one field over the rows from `start` on."""
        catalog = self._catalog
        if field == "type":
            codes = catalog.types[start:]
            for code, name in enumerate(catalog.type_names):
                yield name, (np.flatnonzero(codes == code) + start).astype(np.int32)
            return
        lists: dict[str, list[int]] = {}
        for row, document in catalog.documents(
            (start + np.flatnonzero(catalog.alive[start:])).tolist()
        ):
            for value in document.values(field):
                lists.setdefault(value, []).append(row)
        for value, rows in lists.items():
            yield value, np.array(rows, np.int32)
