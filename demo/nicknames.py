"""What people call artists: `catalog/nicknames.tsv`, which the listeners know and no document says."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files


def nicknames() -> Mapping[str, tuple[str, ...]]:
    """{artist: its nicknames}. A line is `artist TAB nickname, nickname`; `#` starts a comment.

    Raises ValueError, naming the line, where one cannot be read or an artist stands twice.
    """
    names: dict[str, tuple[str, ...]] = {}
    text = files("demo").joinpath("catalog", "nicknames.tsv").read_text("utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        artist, _, listed = line.partition("\t")
        called = tuple(name.strip() for name in listed.split(",") if name.strip())
        if not called or artist in names:
            raise ValueError(
                f"nicknames.tsv:{number}: expected a new artist, a tab and nicknames, found {line!r}"
            )
        names[artist] = called
    return names
