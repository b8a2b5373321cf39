"""Documents that stay in their file until they are asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.lines import FileBytes, Lines
from tests.conftest import songs


def test_documents_are_what_they_were(tmp_path: Path) -> None:
    documents = songs()[:20]
    made = Lines.of(documents)
    made.save(tmp_path, "-0")
    loaded = Lines.load(tmp_path, "-0")
    for place in range(len(documents)):
        assert loaded.document(place) == made.document(place)
        assert loaded.document(place).title == documents[place].title
    assert Lines.joined([loaded, made]).document(25) == made.document(5)
    loaded.save(tmp_path, "-1")
    assert (tmp_path / "documents-1.jsonl").read_bytes() == made.blob[:]


def test_a_file_is_read_where_it_is_asked_for_though_it_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "blob"
    path.write_bytes(b"0123456789")
    data = FileBytes(path)
    path.unlink()
    assert data[2:5] == b"234"
    assert data[:] == b"0123456789"
    assert data[8:99] == b"89"
    assert data[4:4] == b""


def test_a_file_that_became_shorter_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "blob"
    path.write_bytes(b"0123456789")
    data = FileBytes(path)
    os.truncate(path, 6)
    with pytest.raises(OSError, match="found 2 bytes from byte 4 on, expected 4"):
        data[4:8]
