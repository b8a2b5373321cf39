"""The values of every field over a stretch of rows: which rows have a value, which words are in it."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from retrievers.analysis import words
from retrievers.arrays import keep, mapped_all
from retrievers.base import BoolMask, Docs, Scores
from retrievers.postings import Offsets
from retrievers.spellings import Hashes, Spellings
from retrievers.topk import frozen

Named = Iterable[tuple[str, str, bool]]
"""What names a document: field, value, whether it is a name of the document itself."""
_TYPES: dict[str, type[np.generic]] = {
    "keys": np.uint64, "field_of": np.int16, "texts": np.uint8, "text_starts": np.int64,
    "letters": np.int32, "weights": np.float32, "starts": np.int64, "rows": np.int32,
    "own": np.bool_, "calls": np.bool_, "row_starts": np.int64, "row_values": np.int32, "row_own": np.bool_,
    "with_starts": np.int64, "with_values": np.int32,
}  # fmt: skip


def key_of(text: str) -> str:
    """What values are compared by."""
    return " ".join(words(text))


def hash_of(key: str) -> int:
    """64 bits of a key."""
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


@dataclass(frozen=True, slots=True, eq=False)
class ValueTable:
    """Values in compressed columns; never changes.

    v values in ascending order of the hashes of their keys (`keys`, (v,)), each of a field: fields
    [field_of[i]]. Its spelling is bytes text_starts[i]:text_starts[i + 1] of `texts`, its key has
    `letters`, the most popular row that has it `weights`. Entries starts[i]:starts[i + 1] of `rows`
    (ascending) have it, as a name of their `own` or not; `calls` (v,): whether any does. The values of row `first` + r are entries
    row_starts[r]:row_starts[r + 1] of `row_values` and `row_own`. Word w of `spellings` is in the values
    with_starts[w]:with_starts[w + 1] of `with_values`, the most popular first.
    """

    first: int
    fields: tuple[str, ...]
    spellings: Spellings
    keys: Hashes
    field_of: NDArray[np.int16]
    texts: NDArray[np.uint8]
    text_starts: Offsets
    letters: NDArray[np.int32]
    weights: Scores
    starts: Offsets
    rows: Docs
    own: BoolMask
    calls: BoolMask
    row_starts: Offsets
    row_values: Docs
    row_own: BoolMask
    with_starts: Offsets
    with_values: Docs

    @classmethod
    def of(cls, rows: Docs, named: Iterable[Named], popularity: Scores) -> Self:
        """Of documents under ascending rows, one or more; `popularity` (n,)."""
        fields: dict[str, int] = {}
        known: dict[tuple[int, str], int] = {}
        spelt: dict[tuple[str, str], int] = {}
        texts: list[tuple[int, str, str]] = []
        values, own, ends = array("i"), array("b"), array("q")
        for names in named:
            for field, text, is_own in names:
                value = spelt.get((field, text))
                if value is None:
                    number, key = fields.setdefault(field, len(fields)), key_of(text)
                    value = known.setdefault((number, key), len(known))
                    spelt[field, text] = value
                    if value == len(texts):
                        texts.append((number, text, key))
                values.append(value)
                own.append(is_own)
            ends.append(len(values))
        first = int(rows[0])
        bounds = np.array([0, *ends], np.int64)
        sizes = bounds[1:] - bounds[:-1]
        per_row = np.zeros(int(rows[-1]) - first + 1, np.int64)
        per_row[rows - first] = sizes
        return cls._indexed(
            first, tuple(fields), texts, _starts(per_row), np.array(values, np.int32),
            np.array(own, np.bool_), np.repeat(popularity, sizes),
        )  # fmt: skip

    @classmethod
    def _indexed(
        cls,
        first: int,
        fields: tuple[str, ...],
        texts: Sequence[tuple[int, str, str]],
        row_starts: Offsets,
        row_values: Docs,
        row_own: BoolMask,
        popularity: Scores,
    ) -> Self:
        """`texts`: field, spelling and key of each value; `popularity`: of each entry of `row_values`."""
        hashes = np.fromiter((hash_of(key) for _, _, key in texts), np.uint64, len(texts))
        order = np.argsort(hashes, kind="stable")
        place = np.empty(order.size, np.int32)
        place[order] = np.arange(order.size, dtype=np.int32)
        row_values = place[row_values]
        texts = [texts[i] for i in order.tolist()]
        encoded = [text.encode("utf-8", "surrogatepass") for _, text, _ in texts]
        weights = np.zeros(order.size, np.float32)
        np.maximum.at(weights, row_values, popularity.astype(np.float32))
        by_value = np.argsort(row_values, kind="stable")
        row_of = np.repeat(np.arange(row_starts.size - 1), np.diff(row_starts)) + first
        vocabulary: dict[str, int] = {}
        in_words, in_values = array("i"), array("i")
        letters = np.zeros(order.size, np.int32)
        for value, (_, _, key) in enumerate(texts):
            parts = key.split(" ")
            letters[value] = sum(map(len, parts))
            for word in dict.fromkeys(parts):
                in_words.append(vocabulary.setdefault(word, len(vocabulary)))
                in_values.append(value)
        word_ids, value_ids = np.array(in_words, np.int32), np.array(in_values, np.int32)
        by_word = np.lexsort((value_ids, -weights[value_ids], word_ids))
        columns: dict[str, NDArray[Any]] = {
            "keys": hashes[order],
            "field_of": np.array([field for field, _, _ in texts], np.int16),
            "texts": np.frombuffer(b"".join(encoded), np.uint8),
            "text_starts": _starts(np.array([len(text) for text in encoded], np.int64)),
            "letters": letters,
            "weights": weights,
            "starts": _starts(np.bincount(row_values, minlength=order.size)),
            "rows": row_of[by_value].astype(np.int32),
            "own": row_own[by_value],
            "calls": np.bincount(row_values[row_own], minlength=order.size) > 0,
            "row_starts": row_starts,
            "row_values": row_values,
            "row_own": row_own,
            "with_starts": _starts(np.bincount(word_ids, minlength=len(vocabulary))),
            "with_values": value_ids[by_word],
        }
        arrays = {name: frozen(column) for name, column in columns.items()}
        return cls(first, fields, Spellings.of_words(list(vocabulary)), **arrays)

    def joined(self, live: BoolMask, popularity: Scores, *later: ValueTable) -> ValueTable:
        """With the rows of other tables behind its own, values of rows not `live` (rows,) forgotten;
        `popularity` (rows,)."""
        fields = {field: number for number, field in enumerate(self.fields)}
        known: dict[tuple[int, str], int] = {}
        texts: list[tuple[int, str, str]] = []
        counts: list[NDArray[np.int64]] = []
        values, own, popular = [], [], []
        end = self.first
        for table in (self, *later):
            here = table._live_entries(live)
            places = np.full(table.keys.size, -1, np.int32)
            for value in np.unique(table.row_values[here]).tolist():
                text = table.text(value)
                field = fields.setdefault(table.fields[table.field_of[value]], len(fields))
                key = key_of(text)
                places[value] = known.setdefault((field, key), len(known))
                if places[value] == len(texts):
                    texts.append((field, text, key))
            rows = np.repeat(np.arange(table.row_starts.size - 1), np.diff(table.row_starts))
            per_row = np.bincount(rows[here], minlength=table.row_starts.size - 1)
            counts += [np.zeros(table.first - end, np.int64), per_row.astype(np.int64)]
            end = table.first + per_row.size
            values.append(places[table.row_values[here]])
            own.append(table.row_own[here])
            popular.append(popularity[rows[here] + table.first])
        return ValueTable._indexed(
            self.first, tuple(fields), texts, _starts(np.concatenate(counts)),
            np.concatenate(values), np.concatenate(own), np.concatenate(popular),
        )  # fmt: skip

    def _live_entries(self, live: BoolMask) -> BoolMask:
        rows = np.repeat(np.arange(self.row_starts.size - 1), np.diff(self.row_starts))
        kept: BoolMask = live[rows + self.first]
        return kept

    @property
    def size(self) -> int:
        """Rows it is about."""
        return int(self.row_starts.size) - 1

    def text(self, value: int) -> str:
        """A value as it was first spelt."""
        start, end = int(self.text_starts[value]), int(self.text_starts[value + 1])
        return self.texts[start:end].tobytes().decode("utf-8", "surrogatepass")

    def field(self, value: int) -> str:
        """Its field."""
        return self.fields[int(self.field_of[value])]

    def find(self, field: str, text: str) -> int:
        """The value of a field, -1 where there is none."""
        hashed = np.uint64(hash_of(key_of(text)))
        for value in range(*self.between(hashed)):
            if self.fields[self.field_of[value]] == field:
                return value
        return -1

    def between(self, hashed: np.uint64) -> tuple[int, int]:
        """The first value of a key and the one behind the last."""
        return (
            int(self.keys.searchsorted(hashed)),
            int(self.keys.searchsorted(hashed, "right")),
        )

    def having(self, value: int) -> tuple[Docs, BoolMask]:
        """The rows that have a value, ascending, and whether it is their own name."""
        start, end = int(self.starts[value]), int(self.starts[value + 1])
        return self.rows[start:end], self.own[start:end]

    def called(self, values: Docs) -> Docs:
        """The rows that are called one of the values."""
        return _called(frozen(values), self.starts, self.rows, self.own)

    def values_of(self, row: int) -> tuple[Docs, BoolMask]:
        """The values of a row in it, and whether they are its own names."""
        at = row - self.first
        start, end = int(self.row_starts[at]), int(self.row_starts[at + 1])
        return self.row_values[start:end], self.row_own[start:end]

    def with_word(self, word: int) -> Docs:
        """The values that a word is in, the most popular first."""
        return self.with_values[int(self.with_starts[word]) : int(self.with_starts[word + 1])]

    def save(self, folder: Path) -> None:
        """Write into a new folder."""
        folder.mkdir()
        about = {"first": self.first, "fields": self.fields}
        (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
        self.spellings.save(folder / "spellings")
        for name in _TYPES:
            keep(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote, mapped from the files."""
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        columns = mapped_all(folder, _TYPES)
        spellings = Spellings.load(folder / "spellings")
        return cls(int(about["first"]), tuple(about["fields"]), spellings, **columns)


@njit(nogil=True, cache=True)
def _called(values: Docs, starts: Offsets, rows: Docs, own: BoolMask) -> Docs:
    size = 0
    for value in values:
        size += starts[value + 1] - starts[value]
    found = np.empty(size, np.int32)
    size = 0
    for value in values:
        for p in range(starts[value], starts[value + 1]):
            if own[p]:
                found[size] = rows[p]
                size += 1
    return found[:size]


def _starts(sizes: NDArray[np.integer]) -> Offsets:
    starts = np.zeros(sizes.size + 1, np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts
