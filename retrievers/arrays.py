"""Arrays in files: mapped when read, and not written again where a file holds them already.

Files are never changed once written, so a later snapshot of an index may share them by hard links.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

_Element = TypeVar("_Element", bound=np.generic)
FileId: TypeAlias = tuple[int, int]
"""Device and inode: the same for all names of one file."""

_shared: ContextVar[Mapping[FileId, Path] | None] = ContextVar("_shared", default=None)


class _Mapped(np.memmap[Any, Any]):
    """A whole .npy file; `file` names it after its path is gone."""

    file: FileId


def file_id(path: Path) -> FileId:
    """Of a file that exists."""
    found = path.stat()
    return found.st_dev, found.st_ino


def mapped(path: Path, dtype: type[_Element]) -> NDArray[_Element]:
    """The array in a .npy file, read-only and read from the disk as it is used."""
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.dtype != dtype:
        raise ValueError(
            f"{path}: found {array.dtype}, expected {np.dtype(dtype)}; not written by this version"
        )
    if isinstance(array, np.memmap):
        whole = array.view(_Mapped)
        whole.file = file_id(path)
        array = whole
    view: NDArray[_Element] = array.view(np.ndarray)
    view.flags.writeable = False
    return view


def mapped_all(folder: Path, kinds: Mapping[str, type[np.generic]]) -> dict[str, NDArray[Any]]:
    """`mapped` of several files, by name and type."""
    return {name: mapped(folder / f"{name}.npy", kind) for name, kind in kinds.items()}


def keep(path: Path, array: NDArray[Any]) -> None:
    """Write an array, or link the file that it is mapped from; see `sharing`."""
    whole = _whole(array)
    if whole is None or not share(path, whole.file):
        np.save(path, array)


def _whole(array: NDArray[Any]) -> _Mapped | None:
    """The mapped file that `array` is all of."""
    base: Any = array
    while base is not None and not isinstance(base, _Mapped):
        base = getattr(base, "base", None)
    same = (
        base is not None
        and hasattr(base, "file")
        and base.shape == array.shape
        and base.dtype == array.dtype
        and base.strides == array.strides
    )
    return base if same else None


def is_mapped(array: NDArray[Any]) -> bool:
    """Whether the array lies in a file rather than in memory of the process."""
    base: Any = array
    while base is not None and not isinstance(base, np.memmap):
        base = getattr(base, "base", None)
    return base is not None


def share(path: Path, file: FileId | None) -> bool:
    """Give a file that is shared here a further name, `path`; False where there is none."""
    source = (_shared.get() or {}).get(file) if file is not None else None
    if source is None:
        return False
    os.link(source, path)
    return True


@contextmanager
def sharing(folder: Path) -> Iterator[None]:
    """Within it, what is mapped from a file below `folder` is linked by `keep`, not written."""
    files = {file_id(path): path for path in folder.rglob("*") if path.is_file()}
    token = _shared.set(files)
    try:
        yield
    finally:
        _shared.reset(token)
