"""The model of conversations that an engine understands queries with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, Self

from conversation.base import Rewrite
from conversation.tagger import Tagger
from engine.errors import BadInput
from retrievers.base import Turn

TAGGER = "tagger"


class Rewrites(Protocol):
    """Makes a query that stands in a conversation one that stands alone."""

    def rewrite(self, turns: Sequence[Turn], text: str) -> Rewrite:
        """`turns` are what was said before, in order."""

    def save(self, folder: Path) -> None:
        """Write into an existing empty folder."""


class Conversation:
    """The parts of a trained model that a search uses; each may be missing.

    A folder of `ltrr train-conversation` has a folder for each part.
    """

    def __init__(self, rewriter: Rewrites | None = None, tagger: Tagger | None = None) -> None:
        self.rewriter, self.tagger = rewriter, tagger

    def rewrite(self, turns: Sequence[Turn], text: str) -> Rewrite:
        """The query itself, and no confidence, where there is no rewriter."""
        if self.rewriter is None:
            return Rewrite(text, 0.0)
        return self.rewriter.rewrite(turns, text)

    def save(self, folder: Path) -> None:
        """Write each part into a folder of its own."""
        for name, part in ((TAGGER, self.tagger),):
            if part is not None:
                (folder / name).mkdir()
                part.save(folder / name)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` or `ltrr train-conversation` wrote; BadInput where there is no part."""
        try:
            tagger = Tagger.load(folder / TAGGER) if (folder / TAGGER).is_dir() else None
        except (OSError, ValueError, KeyError) as e:
            raise BadInput(f"{folder}: not a model of conversations that can be read ({e})") from e
        if tagger is None:
            raise BadInput(
                f"{folder}: found no model of conversations, expected a folder of "
                "`ltrr train-conversation --out`"
            )
        return cls(tagger=tagger)
