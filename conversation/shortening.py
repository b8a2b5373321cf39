"""Queries that say again what was said before, with a pronoun in its place: each is a rewrite of its own shortening."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from conversation.renaming import names_in, person_kind, renamed
from conversation.rewrite_data import RewriteExample
from conversation.rewrite_tokens import Token, keys, same, tokens

THING = re.compile(
    r"\b(?:the|that|this|my) (?:new |last |latest )?(?:video call|phone call|call|message|song|reminder|"
    r"article|album|alarm|text|event|appointment)\b",
    re.IGNORECASE,
)
THINGS = re.compile(
    r"\b(?:the|those|these|my) (?:new )?(?:messages|reminders|songs|calls|articles|alarms)\b",
    re.IGNORECASE,
)
FOR_ONE, FOR_MANY, FOR_A_NAME = ("it", "it", "that", "this"), ("them",), ("it", "it", "that song", "that")  # fmt: skip
OF_PEOPLE = {"man": ("him", "he", "his"), "woman": ("her", "she", "her")}
SUBJECT_AFTER = frozenset(
    [
        "did",
        "does",
        "is",
        "has",
        "was",
        "will",
        "if",
        "when",
        "that",
        "what",
        "where",
        "how",
        "can",
        "could",
        "should",
        "and",
        "until",
        "before",
        "after",
        "because",
        "why",
        "who",
        "since",
    ]
)
NO_NAME_AFTER = frozenset(("the", "a", "and", "or"))
LEAST_WORDS = 3
HEARD = 4
"""Turns back in which what is shortened has to stand."""

Edit = tuple[int, int, str]
"""Characters [start, end) and what takes their place."""


def shortened(example: RewriteExample, rng: np.random.Generator) -> RewriteExample | None:
    """A query that stands alone with one thing or name made a pronoun; None where nothing was said before."""
    text = example.query
    alone = same(text, example.rewrite) and len(keys(text)) >= LEAST_WORDS
    if not example.turns or not alone:
        return None
    before = " ".join(turn.text for turn in example.turns[-HEARD:]).lower()
    options = [*_things(text, before, rng), *_names(text, before, rng)]
    if not options:
        return None
    start, end, word = options[int(rng.integers(len(options)))]
    query = text[:start] + word + text[end:]
    return replace(example, id=f"{example.id}-shortened", query=query, style="linked")


def variants(
    examples: Sequence[RewriteExample], rng: np.random.Generator, copies: int = 2
) -> list[RewriteExample]:
    """What can be made of examples that people wrote: shortenings, and renamings of all of them,
    `copies` of those that change their query."""
    written = [e for e in examples if e.style in ("gold", "linked")]
    short = [made for e in written if (made := shortened(e, rng)) is not None]
    other = [
        made
        for e in (*written, *short)
        for _ in range(1 if same(e.query, e.rewrite) else copies)
        if (made := renamed(e, rng)) is not None
    ]
    return [*short, *other]


def _things(text: str, before: str, rng: np.random.Generator) -> list[Edit]:
    found = []
    for pattern, pronouns in ((THING, FOR_ONE), (THINGS, FOR_MANY)):
        for match in pattern.finditer(text):
            noun = match.group().split()[-1].lower()
            if re.search(rf"\b{noun[:-1]}", before):
                found.append(
                    (match.start(), match.end(), pronouns[int(rng.integers(len(pronouns)))])
                )
    return found


def _names(text: str, before: str, rng: np.random.Generator) -> list[Edit]:
    read = tokens(text)
    found = []
    for name in names_in(text):
        at = _where(read, name.split())
        if at is None or f" {name.lower()} " not in f" {before} ":
            continue
        start, end = read[at].start, read[at + len(name.split()) - 1].end
        last = read[at - 1].key if at else ""
        owns = text[end:].lstrip().startswith("'s")
        forms = OF_PEOPLE.get(person_kind(name.lower().split()[0]) or "")
        if last in NO_NAME_AFTER or (forms is None and owns):
            continue
        if forms is None:
            word = FOR_A_NAME[int(rng.integers(len(FOR_A_NAME)))]
        else:
            word = forms[2 if owns else 1 if last in SUBJECT_AFTER else 0]
        stop = end + (text[end:].index("'s") + 2 if owns else 0)
        found.append((start, stop, word))
    return found


def _where(read: Sequence[Token], words: Sequence[str]) -> int | None:
    said = [token.text for token in read]
    last = len(said) - len(words)
    return next((at for at in range(last + 1) if said[at : at + len(words)] == list(words)), None)
