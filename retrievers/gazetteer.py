"""What the catalogue calls things: from words to the values of its fields, and from these to rows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from retrievers.arrays import keep, mapped
from retrievers.base import BoolMask, Docs, Document, Mention, Scores, Span
from retrievers.field_names import named
from retrievers.tokens import Place, Spellings, places, spellings
from retrievers.value_table import ValueTable, hash_of

ALIASES = ("also", "alias", "aliases")
"""Keys of metadata that hold other names of a document."""
LONGEST = 8
"""Words of the longest name that is looked up whole."""
COMMON = 50
"""Names with a word from which on the word alone does not stand for one of them."""
FEWEST = 0.4
"""Share of a name's letters that must be there."""
OTHER_ORDER = 0.95
"""How alike the words of a name are to it in another order."""
TRIED = 64
"""Names with a word that are looked at, the most popular."""
NEAR = 3
"""Words that a misspelt one is tried as."""
KEPT = 12
"""Incomplete or misspelt names that a text is read with."""


@dataclass(frozen=True, slots=True, eq=False)
class Gazetteer:
    """Names of a catalogue in tables of consecutive rows, each less than half of the one before, so
    that an addition moves little. A value that never changes.

    `live` (rows,): False where a row is removed or was never added.
    """

    tables: tuple[ValueTable, ...] = ()
    live: BoolMask = field(default_factory=lambda: np.empty(0, np.bool_))

    def add(self, rows: Docs, documents: Sequence[Document], popularity: Scores) -> Gazetteer:
        """With documents under rows ascending and above all others; `popularity` (rows,) of all."""
        if rows.size == 0:
            return self
        live = np.concatenate([self.live, np.zeros(int(rows[-1]) + 1 - self.live.size, np.bool_)])
        live[rows] = True
        tables = [
            *self.tables,
            ValueTable.of(rows, (named(d, ALIASES) for d in documents), popularity[rows]),
        ]
        while len(tables) > 1 and tables[-2].size < 2 * tables[-1].size:
            tables[-2:] = [tables[-2].joined(live, popularity, tables[-1])]
        return Gazetteer(tuple(tables), live)

    def remove(self, rows: Docs) -> Gazetteer:
        """Without these rows; names that nothing else has are not found any more."""
        live = self.live.copy()
        live[rows] = False
        return Gazetteer(self.tables, live)

    def merge(self, popularity: Scores) -> Gazetteer:
        """As if the rows that are left had been added at once; `popularity` (rows,)."""
        if not self.tables or (len(self.tables) == 1 and self.live.all()):
            return self
        whole = self.tables[0].joined(self.live, popularity, *self.tables[1:])
        return Gazetteer((whole,), self.live)

    def mentions(self, text: str) -> list[Mention]:
        """Every value that some words of the text may name, in the order of the text.

        Whole names of up to `LONGEST` words; and names of which a part is there, or one misspelt, if
        that is at least `FEWEST` of them.
        """
        where = places(text)
        spelt = [spellings(text[start:end]) for start, end in where]
        found: dict[Span, Mention] = {}
        for table in self.tables:
            for mention in (*self._whole(table, where, spelt), *self._parts(table, where, spelt)):
                known = found.get(mention.span)
                if known is None or (mention.likeness, mention.weight) > (
                    known.likeness,
                    known.weight,
                ):
                    found[mention.span] = mention
        order = sorted(found.values(), key=lambda m: (-m.likeness, -m.weight))
        partial = [mention for mention in order if not mention.whole][:KEPT]
        chosen = [mention for mention in order if mention.whole] + partial
        return sorted(chosen, key=lambda m: (m.span.start, m.span.end, m.span.field, m.span.value))

    def fields_named(self, text: str) -> frozenset[str]:
        """The fields of the names of documents that stand in a text whole, longer ones first."""
        where = places(text)
        spelt = [spellings(text[start:end]) for start, end in where]
        whole = [m.span for table in self.tables for m in self._whole(table, where, spelt)]
        named: set[str] = set()
        taken = [(0, 0)]
        for span in sorted(whole, key=lambda s: (s.start - s.end, s.start)):
            same = (span.start, span.end) == taken[-1]
            if same or all(span.end <= start or span.start >= end for start, end in taken):
                taken.append((span.start, span.end))
                named.add(span.field)
        return frozenset(named)

    def _whole(
        self, table: ValueTable, where: list[Place], spelt: list[Spellings]
    ) -> Iterator[Mention]:
        keys: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
        for first in range(len(where)):
            text = ""
            for last in range(first, min(first + LONGEST, len(where))):
                for spelling, alike in spelt[last]:
                    keys[f"{text} {spelling}".lstrip()].append((first, last, alike))
                plain = spelt[last][0][0]
                # A sign between words ("AC / DC") is no part of a name with words.
                if any(map(str.isalnum, plain)):
                    text = f"{text} {plain}".lstrip()
        hashes = np.fromiter(map(hash_of, keys), np.uint64, len(keys))
        lows = table.keys.searchsorted(hashes).tolist()
        highs = table.keys.searchsorted(hashes, "right").tolist()
        for spans, low, high in zip(keys.values(), lows, highs, strict=True):
            for value in range(low, high):
                if self._is_live(table, value):
                    for first, last, alike in spans:
                        yield _mention(table, value, where[first][0], where[last][1], alike, True)

    def _parts(
        self, table: ValueTable, where: list[Place], spelt: list[Spellings]
    ) -> Iterator[Mention]:
        matched, got, tokens, rare = [np.empty(0, np.int32)], [], [], []
        for token, variants in enumerate(spelt):
            for word in variants[0][0].split():
                if not word.isalpha():
                    continue  # "1980" is no misspelling of 1970
                place = table.spellings.place(word)
                tried = [(place, 1.0)] if place >= 0 else self._misspelt(word, table)
                for near, alike in tried:
                    size = int(table.spellings.starts[near + 1] - table.spellings.starts[near])
                    values = table.with_word(near)
                    matched.append(values[:TRIED])
                    got += [size * alike] * matched[-1].size
                    tokens += [token] * matched[-1].size
                    rare += [values.size <= COMMON] * matched[-1].size
        found, of = np.unique(np.concatenate(matched), return_inverse=True)
        # Most values have one of their words here: at most as alike as all that they have.
        enough = np.bincount(of, got, found.size) >= FEWEST * table.letters[found]
        hits: dict[int, list[int]] = defaultdict(list)
        for at in np.flatnonzero(enough[of]).tolist():
            hits[int(of[at])].append(at)
        for place, ats in hits.items():
            value = int(found[place])
            run = _run([(tokens[at], got[at]) for at in ats])
            letters = float(table.letters[value])
            likeness = sum(got for _, got in run) / letters if letters else 0.0
            if likeness < FEWEST or (len(run) == 1 and not any(rare[at] for at in ats)):
                continue
            # Every word in another order; as they stand they are found by `_whole`.
            likeness = min(likeness, OTHER_ORDER)
            if self._is_live(table, value):
                start, end = where[run[0][0]][0], where[run[-1][0]][1]
                yield _mention(table, value, start, end, likeness, False)

    def _misspelt(self, word: str, table: ValueTable) -> list[tuple[int, float]]:
        others = (one for one in self.tables if one is not table)
        if any(one.spellings.place(word) >= 0 for one in others):
            return []
        return table.spellings.near(word)[:NEAR]

    def _is_live(self, table: ValueTable, value: int) -> bool:
        return bool(self.live[table.having(value)[0]].any())

    def having(self, field: str, text: str) -> tuple[Docs, BoolMask]:
        """The rows that have a value in a field, ascending, and whether it is their own name; of a
        document that has the value as another name, also what belongs to its title."""
        found = [(t, value) for t in self.tables if (value := t.find(field, text)) >= 0]
        if not found:
            return np.empty(0, np.int32), np.empty(0, np.bool_)
        rows, own = _joined([table.having(value) for table, value in found])
        others: set[str] = set()
        for table, value in found:
            called, owned = table.having(value)
            for row in called[owned][:LONGEST].tolist():
                values, are_own = table.values_of(row)
                others |= {table.text(v) for v in values[are_own].tolist() if v != value}
        if not others:
            return rows, own
        parts = [(rows, own)]
        for other in sorted(others):
            parts += [t.having(v) for t in self.tables if (v := t.find(field, other)) >= 0]
        rows, own = _joined(parts)
        rows, first = np.unique(rows, return_index=True)
        return rows, own[first]

    def pages(self, rows: Docs) -> Docs:
        """The documents whose own names are values of these rows: the artist and album of a track."""
        found = [np.empty(0, np.int32)]
        for table in self.tables:
            here = rows[(rows >= table.first) & (rows < table.first + table.size)]
            values = [v[~own] for v, own in map(table.values_of, here.tolist())]
            for value in np.unique(np.concatenate(values)).tolist() if values else ():
                hashed = table.keys[value]
                for other in self.tables:
                    for same in (value,) if other is table else range(*other.between(hashed)):
                        if other.calls[same] and other.field(same) == table.field(value):
                            called, own = other.having(same)
                            found.append(called[own])
        return np.unique(np.concatenate(found))

    def knows(self, word: str) -> bool:
        """Whether a word is in some name or value."""
        return any(table.spellings.place(word) >= 0 for table in self.tables)

    def called(self, word: str) -> Docs:
        """The rows that have a word in a name of their own, ascending."""
        found = [np.empty(0, np.int32)]
        for table in self.tables:
            place = table.spellings.place(word)
            if place >= 0:
                found.append(table.called(table.with_word(place)))
        return np.unique(np.concatenate(found))

    def save(self, folder: Path) -> None:
        """Write into a new folder."""
        folder.mkdir()
        (folder / "tables.json").write_text(json.dumps(len(self.tables)))
        keep(folder / "live.npy", self.live)
        for number, table in enumerate(self.tables):
            table.save(folder / str(number))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote, mapped from the files."""
        count = json.loads((folder / "tables.json").read_text())
        tables = tuple(ValueTable.load(folder / str(number)) for number in range(count))
        return cls(tables, mapped(folder / "live.npy", np.bool_))


def _mention(
    table: ValueTable, value: int, start: int, end: int, likeness: float, whole: bool
) -> Mention:
    return Mention(
        Span(start, end, table.field(value), table.text(value)), likeness,
        float(table.weights[value]), int(table.starts[value + 1] - table.starts[value]), whole,
    )  # fmt: skip


def _joined(parts: Sequence[tuple[Docs, BoolMask]]) -> tuple[Docs, BoolMask]:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([rows for rows, _ in parts]), np.concatenate([own for _, own in parts])


def _run(hits: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The best of the tokens that stand together, at most one other between two."""
    best: list[tuple[int, float]] = []
    run: list[tuple[int, float]] = []
    for hit in sorted(hits):
        if run and hit[0] > run[-1][0] + 2:
            run = []
        run.append(hit)
        if sum(got for _, got in run) > sum(got for _, got in best):
            best = list(run)
    return best
