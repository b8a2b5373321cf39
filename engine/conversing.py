"""The model of conversations that an engine understands queries with."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from conversation.base import Rewrite
from conversation.rewriter import FILE as REWRITER
from conversation.rewriter import Rewriter
from conversation.tagger import FILE as TAGGER
from conversation.tagger import Tagger
from engine.errors import BadInput
from engine.pretrained_words import pretrained_words
from retrievers.base import Turn

if TYPE_CHECKING:
    from conversation.dialogue import DialogueManager

MANAGER = "dialogue.safetensors"
PARTS = (REWRITER, TAGGER, MANAGER)


class Rewrites(Protocol):
    """Makes a query that stands in a conversation one that stands alone."""

    def rewrite(self, turns: Sequence[Turn], text: str) -> Rewrite:
        """`turns` are what was said before, in order."""

    def save(self, folder: Path) -> None:
        """Write into an existing empty folder."""


class Conversation:
    """The parts of a trained model, in one folder; each may be missing.

    `manager`: the file of a dialogue manager as it is, which searches have no use for.
    """

    def __init__(
        self,
        rewriter: Rewrites | None = None,
        tagger: Tagger | None = None,
        manager: bytes | None = None,
    ) -> None:
        self.rewriter, self.tagger, self.manager = rewriter, tagger, manager

    def rewrite(self, turns: Sequence[Turn], text: str) -> Rewrite:
        """The query itself, and no confidence, where there is no rewriter."""
        if self.rewriter is None:
            return Rewrite(text, 0.0)
        return self.rewriter.rewrite(turns, text)

    def dialogue_manager(self) -> DialogueManager | None:
        """Ready to decide; ValueError where its file is damaged."""
        if self.manager is None:
            return None
        # torch is imported where somebody talks, not for every search.
        from conversation.dialogue_file import load_manager

        with tempfile.TemporaryDirectory(prefix="ltrr-") as folder:
            path = Path(folder) / MANAGER
            path.write_bytes(self.manager)
            return load_manager(path)

    def save(self, folder: Path) -> None:
        """Write every part into an existing folder."""
        for part in (self.rewriter, self.tagger):
            if part is not None:
                part.save(folder)
        if self.manager is not None:
            (folder / MANAGER).write_bytes(self.manager)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` or `ltrr train-conversation` wrote; BadInput where there is no part, or one
        that cannot be read."""
        there = [name for name in PARTS if (folder / name).is_file()]
        if not there:
            raise BadInput(
                f"{folder}: found no model of conversations, expected a folder of "
                f"`ltrr train-conversation --out`, with one of {', '.join(PARTS)}"
            )
        try:
            return cls(
                rewriter=Rewriter.load(folder, pretrained_words()) if REWRITER in there else None,
                tagger=Tagger.load(folder) if TAGGER in there else None,
                manager=(folder / MANAGER).read_bytes() if MANAGER in there else None,
            )
        except (OSError, ValueError, KeyError) as e:
            raise BadInput(f"{folder}: a model of conversations that cannot be read ({e})") from e
