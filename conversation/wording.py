"""Turns as templates: words with places for slots, filled again with other values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from conversation.base import AnnotatedTurn
from conversation.memory import Memory
from conversation.world import KIND, SORT

BEFORE, REPLACED = "{before}", "{replaced"
"""In a rewrite's template: the user's last turn rewritten, and the same with one value exchanged
for own slot n (`{replaced:n:field}`)."""
PLACE = re.compile(r"\{([^{}]+)\}")


def template_of(turn: AnnotatedTurn) -> str:
    """The text with `{0}`, `{1}`… in place of its slots."""
    text, end = "", 0
    for at, slot in enumerate(turn.slots):
        text += _plain(turn.text[end : slot.start]) + f"{{{at}}}"
        end = slot.end
    return text + _plain(turn.text[end:])


def _plain(text: str) -> str:
    return text.replace("{", "(").replace("}", ")")


def pieces(template: str) -> Iterator[tuple[bool, str]]:
    """The template's parts in order: (is a place, its name or the words)."""
    for at, part in enumerate(PLACE.split(template)):
        if part:
            yield at % 2 == 1, part


def learnt_rewrite(
    turn: AnnotatedTurn,
    memory: Memory,
    old: Mapping[str, str],
    before: str | None,
    open: frozenset[str],
    words: Mapping[tuple[str, str], frozenset[str]],
) -> tuple[str | None, list[tuple[str, int]]]:
    """The template of a turn's rewrite, and the (field, nth latest) named before that it uses.

    None where the turn stands alone or nobody wrote one. A rewrite is told from the one before
    where it is that and more words that narrow it, or that with a value exchanged; else word by
    word. `words`:
    what values that stay as they are have been called; they are called in the rewrite as in the
    turn, though the sample may call them otherwise.
    """
    rewrite = turn.rewrite
    if rewrite is None or rewrite.casefold() == turn.text.casefold():
        return None, []
    surfaces = [turn.text[slot.start : slot.end] for slot in turn.slots]
    for slot, surface in zip(turn.slots, surfaces, strict=True):
        for other in sorted(words.get((slot.name, slot.value), ())):
            if surface.casefold() not in rewrite.casefold():
                rewrite = _sub(other, surface, rewrite)
    if before:
        narrows = not any(slot.name in (KIND, SORT) for slot in turn.slots)
        if narrows and rewrite.casefold().startswith(before.casefold() + " "):
            rest = _own_places(_plain(rewrite[len(before) :]), surfaces)
            if not _recalled(rest, memory, open)[1]:
                return BEFORE + rest, []
        for at, slot in enumerate(turn.slots):
            if slot.name in old:
                for mention in memory.recent(slot.name):
                    changed = _sub(mention.surface, surfaces[at], before)
                    if changed.casefold() == rewrite.casefold() != before.casefold():
                        return f"{REPLACED}:{at}:{slot.name}}}", []
    return _recalled(_own_places(_plain(rewrite), surfaces), memory, open)


def _own_places(text: str, surfaces: list[str]) -> str:
    for at in sorted(range(len(surfaces)), key=lambda at: -len(surfaces[at])):
        text = _sub(surfaces[at], f"{{{at}}}", text)
    return text


def _recalled(text: str, memory: Memory, open: frozenset[str]) -> tuple[str, list[tuple[str, int]]]:
    every = [(m.surface, f, n) for f in open for n, m in enumerate(memory.recent(f))]
    used: list[tuple[str, int]] = []
    for surface, field, nth in sorted(every, key=lambda each: (-len(each[0]), each[2], each[1])):
        changed = _sub(surface, f"{{{field}~{nth}}}", text)
        if changed != text:
            used.append((field, nth))
            text = changed
    return text, used


def _sub(old: str, new: str, text: str) -> str:
    """`old` as whole words, outside of places, replaced once by `new`."""
    found = re.compile(rf"(?<![\w{{~]){re.escape(old)}(?![\w}}~])", re.IGNORECASE)
    return found.sub(lambda _: new, text, count=1)
