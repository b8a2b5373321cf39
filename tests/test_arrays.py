"""Arrays in files: mapped, linked where a file holds them already."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrievers.arrays import file_id, is_mapped, keep, mapped, share, sharing


def test_a_mapped_array_is_linked_into_what_shares_it(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
    np.save(old / "a.npy", np.arange(5, dtype=np.int32))
    array = mapped(old / "a.npy", np.int32)
    assert is_mapped(array)
    with sharing(old):
        keep(new / "whole.npy", array)
        keep(new / "part.npy", array[1:])
        keep(new / "changed.npy", array + 1)
    keep(new / "outside.npy", array)
    linked = {path.name for path in new.iterdir() if file_id(path) == file_id(old / "a.npy")}
    assert linked == {"whole.npy"}
    assert np.load(new / "part.npy").tolist() == [1, 2, 3, 4]
    assert np.load(new / "outside.npy").tolist() == [0, 1, 2, 3, 4]


def test_a_file_is_known_after_its_first_name_is_gone(tmp_path: Path) -> None:
    folders = [tmp_path / str(n) for n in range(3)]
    for folder in folders:
        folder.mkdir()
    np.save(folders[0] / "a.npy", np.arange(5))
    array = mapped(folders[0] / "a.npy", np.int64)
    with sharing(folders[0]):
        keep(folders[1] / "a.npy", array)
    (folders[0] / "a.npy").unlink()
    with sharing(folders[1]):
        keep(folders[2] / "b.npy", array)
    assert file_id(folders[2] / "b.npy") == file_id(folders[1] / "a.npy")
    assert array.tolist() == [0, 1, 2, 3, 4]


def test_what_is_mapped_cannot_be_written_and_has_its_type(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3, np.float32))
    array = mapped(tmp_path / "a.npy", np.float32)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1.0
    with pytest.raises(ValueError, match=r"a\.npy: found float32, expected int32"):
        mapped(tmp_path / "a.npy", np.int32)


def test_nothing_is_shared_by_itself(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    assert not share(tmp_path / "b", file_id(tmp_path / "a"))
    assert not share(tmp_path / "b", None)
