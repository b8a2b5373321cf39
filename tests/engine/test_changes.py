"""The file of changes: what was acknowledged is there, what is damaged is noticed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from engine import SnapshotError
from engine.changes import CHANGES, Change, ChangeFile, read_changes
from retrievers.base import Document

MANIFEST = bytes(32)
GIVEN = (
    Change(
        added=(Document("a", "Björk", "Jóga", "track", {"genre": ["pop"]}), Document("b")),
        embeddings={"dense": np.arange(6, dtype=np.float16).reshape(2, 3)},
    ),
    Change(removed=("a", "桜")),
    Change(removed=("b",)),
)


def written(folder: Path) -> Path:
    ChangeFile(folder, MANIFEST).append(GIVEN)
    return folder / CHANGES


def ids(changes: object) -> list[tuple[list[str], tuple[str, ...]]]:
    assert isinstance(changes, list)
    return [([document.id for document in c.added], c.removed) for c in changes]


def test_changes_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert read_changes(tmp_path, MANIFEST) == []
    written(tmp_path)
    first, second, third = read_changes(tmp_path, MANIFEST)
    assert first.added[0].title == "Björk"
    assert first.added[0].values("genre") == ("pop",)
    assert first.embeddings["dense"].tobytes() == GIVEN[0].embeddings["dense"].tobytes()
    assert (second.removed, third.removed) == (("a", "桜"), ("b",))


def test_one_after_the_other_equals_all_at_once(tmp_path: Path) -> None:
    at_once, later = tmp_path / "a", tmp_path / "b"
    for folder in (at_once, later):
        folder.mkdir()
    for change in GIVEN:
        file = ChangeFile(later, MANIFEST)
        file.append([change])
    assert written(at_once).read_bytes() == (later / CHANGES).read_bytes()
    assert file.size == 5
    assert file.digest == ChangeFile(at_once, MANIFEST).digest != MANIFEST


def test_a_record_cut_short_is_dropped_and_written_over(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    ends = []
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        found = ids(read_changes(tmp_path, MANIFEST))
        assert found == ids(list(GIVEN))[: len(found)]
        ends.append(len(found))
    assert ends == sorted(ends)
    assert set(ends) == {0, 1, 2}
    ChangeFile(tmp_path, MANIFEST).append([Change(removed=("c",))])
    assert ids(read_changes(tmp_path, MANIFEST)) == [*ids(list(GIVEN[:2])), ([], ("c",))]


def test_damage_is_noticed_wherever_it_is(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        with pytest.raises(SnapshotError, match=r"changes: damaged"):
            read_changes(tmp_path, MANIFEST)
    path.write_bytes(whole)
    with pytest.raises(SnapshotError, match="record 1"):
        read_changes(tmp_path, bytes([1]) * 32)


def test_what_cannot_be_written_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ChangeFile(tmp_path, MANIFEST)
    file.append(GIVEN[:1])

    def full(handle: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        file.append(GIVEN[1:])
    monkeypatch.undo()
    assert ids(read_changes(tmp_path, MANIFEST)) == ids(list(GIVEN[:1]))
    file.append(GIVEN[2:])
    assert ids(read_changes(tmp_path, MANIFEST)) == ids([GIVEN[0], GIVEN[2]])
