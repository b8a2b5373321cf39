"""The text that a walk over a query makes: what is kept as it was typed, what is copied as it was said."""

from __future__ import annotations

from collections.abc import Sequence

from conversation.edit_script import KEEP, SAY
from conversation.rewrite_features import Encoded


def text_of(read: Encoded, steps: Sequence[tuple[int, int]], say: Sequence[str]) -> str:
    """Steps are (act, place); a place behind the tokens is a word of `say`."""
    query = read.texts[-1]
    made, written, at = "", 0, 0
    last, dropping = -1, False
    for act, place in steps:
        if act == SAY:
            if place >= len(read.keys):
                made, last = f"{made.rstrip()} {say[place - len(read.keys)]}", -1
            else:
                turn, start, end = read.source[place]
                if last >= 0 and read.following[last] == place:
                    made += read.texts[turn][read.source[last][2] : end]
                else:
                    made = f"{made.rstrip()} {read.texts[turn][start:end]}"
                last = place
            continue
        _, start, end = read.source[int(read.query[at])]
        gap = query[written:start]
        if act == KEEP:
            made += (gap or " ") + query[start:end]
        elif not dropping and gap.strip() and made:
            made += gap
        dropping = act != KEEP
        at, written, last = at + 1, end, -1
    return " ".join(made.split())
