"""The names of every row, as one blob of UTF-8 and numbers that point into it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from retrievers.arrays import keep, mapped
from retrievers.base import BoolMask, Docs
from retrievers.postings import Offsets
from retrievers.topk import frozen

Bytes: TypeAlias = NDArray[np.uint8]
Named: TypeAlias = Iterable[tuple[int, list[str]]]
"""A document's names: for each the number of its field (0 to 255) and its words."""

_TYPES: Mapping[str, type[np.generic]] = {
    "blob": np.uint8,
    "row_starts": np.int64,
    "row_names": np.int32,
    "row_fields": np.uint8,
    "name_starts": np.int64,
    "name_word_starts": np.int64,
    "name_words": np.int32,
    "word_spans": np.int64,
}


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The names of some rows, every text and word once.

    Entries starts[i]:starts[i + 1] of `names` and `fields` belong to the i-th row asked for; an
    entry of `names` is a place in `texts`. The words of that text are entries word_starts[name]:
    word_starts[name + 1] of `words`, places in `spelt`. Texts and words are kept one a line.
    """

    starts: Offsets
    fields: Bytes
    names: Docs
    word_starts: Offsets
    words: Docs
    text_lines: str
    word_lines: str

    @property
    def texts(self) -> list[str]:
        """Every text once."""
        return self.text_lines.split("\n")[:-1]

    @property
    def spelt(self) -> list[str]:
        """Every word once."""
        return self.word_lines.split("\n")[:-1]


@dataclass(frozen=True, slots=True, eq=False)
class NameTable:
    """Row → names → words, in compressed columns; a value that never changes.

    Row r has entries row_starts[r]:row_starts[r + 1] of `row_names` and `row_fields`. The blob has
    a name a line, its words between single spaces; name n starts at name_starts[n] and has entries
    name_word_starts[n]:name_word_starts[n + 1] of `name_words`. Word w is the bytes from
    word_spans[2 w] to word_spans[2 w + 1], a piece of the first name that has it. Documents added
    later write again what names of earlier ones have in common with theirs. All arrays are
    read-only.
    """

    blob: Bytes
    row_starts: Offsets
    row_names: Docs
    row_fields: Bytes
    name_starts: Offsets
    name_word_starts: Offsets
    name_words: Docs
    word_spans: Offsets

    @classmethod
    def empty(cls) -> Self:
        """No row."""
        one = frozen(np.zeros(1, np.int64))
        columns: dict[str, NDArray[Any]] = {
            key: frozen(np.empty(0, dtype)) for key, dtype in _TYPES.items()
        }
        return cls(**columns | {"row_starts": one, "name_starts": one, "name_word_starts": one})

    @property
    def rows(self) -> int:
        """One more than the highest row ever added."""
        return int(self.row_starts.size) - 1

    def add(self, rows: Docs, named: Iterable[Named]) -> NameTable:
        """With the names of documents under rows ascending and above all others."""
        if rows.size == 0:
            return self
        return self.joined(NameTable._of(rows - self.rows, named))

    @classmethod
    def _of(cls, rows: Docs, named: Iterable[Named]) -> Self:
        """The names of documents under ascending rows."""
        texts: dict[str, int] = {}
        vocabulary: dict[str, int] = {}
        row_ends, row_names, row_fields = array("q"), array("i"), array("B")
        name_ends, name_word_ends, name_words = array("q"), array("q"), array("i")
        spans, blob = array("q"), bytearray()
        for names in named:
            for field, words in names:
                if not words:
                    continue
                name = texts.setdefault(" ".join(words), len(texts))
                row_names.append(name)
                row_fields.append(field)
                if name < len(name_ends):
                    continue
                for word in words:
                    start = len(blob)
                    blob += word.encode()
                    number = vocabulary.setdefault(word, len(vocabulary))
                    if 2 * number == len(spans):
                        spans.extend((start, len(blob)))
                    name_words.append(number)
                    blob += b" "
                blob[-1:] = b"\n"
                name_ends.append(len(blob))
                name_word_ends.append(len(name_words))
            row_ends.append(len(row_names))
        starts = np.zeros(int(rows[-1]) + 2, np.int64)
        starts[rows + 1] = np.diff(np.frombuffer(row_ends, np.int64), prepend=0)
        columns: dict[str, NDArray[Any]] = {
            "blob": np.frombuffer(bytes(blob), np.uint8),
            "row_starts": np.cumsum(starts),
            "row_names": np.array(row_names, np.int32),
            "row_fields": np.array(row_fields, np.uint8),
            "name_starts": np.array([0, *name_ends], np.int64),
            "name_word_starts": np.array([0, *name_word_ends], np.int64),
            "name_words": np.array(name_words, np.int32),
            "word_spans": np.array(spans, np.int64),
        }
        return cls(**{key: frozen(column) for key, column in columns.items()})

    def joined(self, later: NameTable) -> NameTable:
        """With the rows of another table behind its own."""
        if self.rows == 0 or later.rows == 0:
            return later if self.rows == 0 else self
        written, named = self.blob.size, np.int32(self.name_starts.size - 1)
        parts = {
            "blob": later.blob,
            "row_starts": later.row_starts[1:] + self.row_names.size,
            "row_names": later.row_names + named,
            "row_fields": later.row_fields,
            "name_starts": later.name_starts[1:] + written,
            "name_word_starts": later.name_word_starts[1:] + self.name_words.size,
            "name_words": later.name_words + np.int32(self.word_spans.size // 2),
            "word_spans": later.word_spans + written,
        }
        columns: dict[str, NDArray[Any]] = {
            key: frozen(np.concatenate([getattr(self, key), part])) for key, part in parts.items()
        }
        return NameTable(**columns)

    def merge(self, live: BoolMask) -> NameTable:
        """Every text and word once, without the names of rows not `live` (shape (rows,))."""
        rows = np.flatnonzero(live).astype(np.int32)
        found = self.gather(rows)
        starts, kinds, names = found.starts.tolist(), found.fields.tolist(), found.names.tolist()
        texts = found.texts
        table = NameTable.empty().add(
            rows,
            (
                [(kinds[e], texts[names[e]].split(" ")) for e in range(start, end)]
                for start, end in pairwise(starts)
            ),
        )
        removed = np.full(self.rows - table.rows, table.row_names.size, np.int64)
        return replace(table, row_starts=frozen(np.concatenate([table.row_starts, removed])))

    def gather(self, docs: Docs) -> Gathered:
        """The names of the rows `docs` (n,), each at least 0 and below `rows`."""
        if docs.size and (docs.min() < 0 or docs.max() >= self.rows):
            raise ValueError(
                f"docs: must lie in [0, {self.rows}), found {docs.min()} to {docs.max()}; were "
                f"their documents added?"
            )
        starts, kinds, ids, names, word_starts, word_ids, words = _gather(
            frozen(docs), self.row_starts, self.row_names, self.row_fields,
            self.name_word_starts, self.name_words,
        )  # fmt: skip
        begin, end = self.name_starts[ids], self.name_starts[ids + 1] - 1
        texts = self._read(begin, end)
        spelt = self._read(self.word_spans[2 * word_ids], self.word_spans[2 * word_ids + 1])
        return Gathered(starts, kinds, names, word_starts, words, texts, spelt)

    def _read(self, begin: Offsets, end: Offsets) -> str:
        """The texts between the bytes `begin` and `end`, one a line."""
        return _lines(self.blob, frozen(begin), frozen(end)).tobytes().decode()

    def save(self, folder: Path) -> None:
        """Write into a new folder."""
        folder.mkdir()
        for column in fields(self):
            keep(folder / f"{column.name}.npy", getattr(self, column.name))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote, mapped from the files."""
        columns: dict[str, NDArray[Any]] = {
            key: mapped(folder / f"{key}.npy", dtype) for key, dtype in _TYPES.items()
        }
        return cls(**columns)


@njit(nogil=True, cache=True)
def _gather(
    docs: Docs,
    row_starts: Offsets,
    row_names: Docs,
    row_fields: Bytes,
    name_word_starts: Offsets,
    name_words: Docs,
) -> tuple[Offsets, Bytes, Docs, Docs, Offsets, Docs, Docs]:
    starts = np.zeros(docs.size + 1, np.int64)
    for i in range(docs.size):
        starts[i + 1] = starts[i] + row_starts[docs[i] + 1] - row_starts[docs[i]]
    listed = np.empty(starts[-1], np.int32)
    kinds = np.empty(starts[-1], np.uint8)
    for i in range(docs.size):
        at = row_starts[docs[i]]
        for e in range(starts[i], starts[i + 1]):
            listed[e], kinds[e] = row_names[at], row_fields[at]
            at += 1
    ids, names = _distinct(listed)
    word_starts = np.zeros(ids.size + 1, np.int64)
    for i in range(ids.size):
        count = name_word_starts[ids[i] + 1] - name_word_starts[ids[i]]
        word_starts[i + 1] = word_starts[i] + count
    spelt = np.empty(word_starts[-1], np.int32)
    for i in range(ids.size):
        at = name_word_starts[ids[i]]
        for e in range(word_starts[i], word_starts[i + 1]):
            spelt[e] = name_words[at]
            at += 1
    word_ids, words = _distinct(spelt)
    return starts, kinds, ids, names, word_starts, word_ids, words


@njit(nogil=True, cache=True)
def _distinct(values: Docs) -> tuple[Docs, Docs]:
    """The distinct values, ascending, and the place of each value among them."""
    order = np.argsort(values)
    distinct, places = np.empty(values.size, np.int32), np.empty(values.size, np.int32)
    size = 0
    for at in order:
        if size == 0 or distinct[size - 1] != values[at]:
            distinct[size] = values[at]
            size += 1
        places[at] = size - 1
    return distinct[:size].copy(), places


@njit(nogil=True, cache=True)
def _lines(blob: Bytes, begin: Offsets, end: Offsets) -> Bytes:
    size = begin.size
    for i in range(begin.size):
        size += end[i] - begin[i]
    lines = np.empty(size, np.uint8)
    at = 0
    for i in range(begin.size):
        for b in range(begin[i], end[i]):
            lines[at] = blob[b]
            at += 1
        lines[at] = 10
        at += 1
    return lines
