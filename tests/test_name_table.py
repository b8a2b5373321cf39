"""Names in compressed columns: they read as they were written, and shared ones are stored once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retrievers.base import Docs
from retrievers.name_table import NameTable

Names = list[tuple[int, list[str]]]


def read(table: NameTable, docs: Docs) -> list[Names]:
    """The names of rows, texts checked against their words."""
    found = table.gather(docs)
    assert len(set(found.words.tolist())) == len(found.spelt)
    rows = []
    for i in range(docs.size):
        names = []
        for entry in range(found.starts[i], found.starts[i + 1]):
            name = found.names[entry]
            places = found.words[found.word_starts[name] : found.word_starts[name + 1]]
            words = [found.spelt[place] for place in places]
            assert found.texts[name] == " ".join(words)
            names.append((int(found.fields[entry]), words))
        rows.append(names)
    return rows


def rows_of(numbers: list[int]) -> Docs:
    return np.array(numbers, np.int32)


words = st.text("aé桜ß𝄞", min_size=1, max_size=3)
names = st.lists(st.tuples(st.integers(0, 255), st.lists(words, max_size=3)), max_size=3)


@given(st.lists(st.lists(st.tuples(st.integers(1, 3), names), max_size=4), max_size=3))
def test_names_read_as_written(batches: list[list[tuple[int, Names]]]) -> None:
    table, expected, row = NameTable.empty(), dict[int, Names](), -1
    for batch in batches:
        rows = []
        for gap, named in batch:
            row += gap
            rows.append(row)
            expected[row] = [(field, spelt) for field, spelt in named if spelt]
        table = table.add(rows_of(rows), [named for _, named in batch])
    assert table.rows == row + 1
    every = [expected.get(r, []) for r in range(row + 1)]
    asked = np.random.default_rng(len(every)).permutation(row + 1).astype(np.int32)
    assert read(table, asked) == [every[r] for r in asked]
    live = np.arange(row + 1) % 2 == 0
    merged = table.merge(live)
    assert merged.rows == table.rows
    assert read(merged, asked) == [every[r] if live[r] else [] for r in asked]
    assert read(table, asked) == [every[r] for r in asked]


def test_what_names_share_is_stored_once() -> None:
    named = [[(0, ["night", "train"]), (1, ["the", "night"])], [(0, ["night", "train"])]]
    table = NameTable.empty().add(rows_of([0, 1]), named)
    assert table.blob.tobytes() == b"night train\nthe night\n"
    assert table.word_spans.tolist() == [0, 5, 6, 11, 12, 15]
    later = table.add(rows_of([2]), [[(0, ["the", "night"])]])
    assert later.blob.tobytes() == b"night train\nthe night\nthe night\n"
    assert later.merge(np.ones(3, np.bool_)).blob.tobytes() == table.blob.tobytes()
    assert table.rows == 2


def test_saved_columns_are_mapped_and_equal(tmp_path: Path) -> None:
    table = NameTable.empty().add(rows_of([1, 3]), [[(0, ["桜", "流し"])], []])
    table.save(tmp_path / "names")
    loaded = NameTable.load(tmp_path / "names")
    assert not loaded.blob.flags.writeable
    assert read(loaded, rows_of([3, 2, 1, 0])) == [[], [], [(0, ["桜", "流し"])], []]
    more = loaded.add(rows_of([4]), [[(1, ["桜"])]])
    assert read(more, rows_of([4, 1])) == [[(1, ["桜"])], [(0, ["桜", "流し"])]]


def test_an_empty_table_has_no_rows(tmp_path: Path) -> None:
    NameTable.empty().save(tmp_path / "names")
    loaded = NameTable.load(tmp_path / "names")
    assert loaded.rows == 0
    assert read(loaded, rows_of([])) == []
