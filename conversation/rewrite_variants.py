"""More rewrites out of those there are: other names in the same dialogues, and pronouns for names said before.

A rewrite stays right when a name is exchanged throughout (Andreas 2020, "Good-Enough Compositional Data
Augmentation"); and a query that says again what was said makes a rewrite out of its own shortening.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from conversation.rewrite_data import RewriteExample
from conversation.rewrite_tokens import Token, keys, same, tokens
from conversation.scene_names import LAST, MEN, WOMEN, fill
from retrievers.base import Turn

NEVER = frozenset(
    "i ok okay yes no what who when where which is are do does did can could play add send call please monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december am pm spotify youtube pandora hi hello mom dad thanks thank".split()
)
MEN_SMALL, WOMEN_SMALL, LAST_SMALL = ({w.lower() for w in names} for names in (MEN, WOMEN, LAST))
THINGS = re.compile(
    r"\b(?:the|that|this|my) (?:new |last |latest )?(?:video call|phone call|call|message|song|reminder|article|album|alarm|text|event|appointment)\b", re.I,
)  # fmt: skip
MANY_THINGS = re.compile(r"\b(?:the|those|these|my) (?:new )?(?:messages|reminders|songs|calls|articles|alarms)\b", re.I)
SUBJECT_AFTER = frozenset("did does is has was will if when that what where how can could should and until before after because why who since".split())


def renamed(example: RewriteExample, rng: np.random.Generator) -> RewriteExample | None:
    """The example with its names exchanged for others, or None where it has none."""
    texts = [*(turn.text for turn in example.turns), example.query, example.rewrite]
    said = Counter(run for text in texts for run in {r for r in _names(text)})
    exchanged: dict[str, str] = {}
    for name, times in said.items():
        for word in name.split():
            if word.lower() in exchanged:
                continue
            low = word.lower()
            if low in MEN_SMALL and low not in NEVER:
                exchanged[low] = _other(MEN, rng, exchanged.values())
            elif low in WOMEN_SMALL and low not in NEVER:
                exchanged[low] = _other(WOMEN, rng, exchanged.values())
            elif low in LAST_SMALL:
                exchanged[low] = _other(LAST, rng, exchanged.values())
        words = name.lower().split()
        if times > 1 and not any(word in exchanged or word in NEVER for word in words):
            new = fill("song", rng, ())[""].split()
            exchanged.update(
                {word: new[min(at, len(new) - 1)] if len(words) <= len(new) or at < len(new) else "" for at, word in enumerate(words) if len(word) > 2}
            )
    exchanged = {word: new for word, new in exchanged.items() if new}
    if not exchanged:
        return None
    turns = tuple(Turn(turn.speaker, _exchange(turn.text, exchanged)) for turn in example.turns)
    return replace(
        example, id=f"{example.id}-renamed-{int(rng.integers(1 << 30))}", turns=turns, style="renamed",
        query=_exchange(example.query, exchanged), rewrite=_exchange(example.rewrite, exchanged),
    )  # fmt: skip


def _other(names: Sequence[str], rng: np.random.Generator, taken: object) -> str:
    return names[rng.integers(len(names))]


def _exchange(text: str, exchanged: Mapping[str, str]) -> str:
    def of(found: re.Match[str]) -> str:
        word = found.group()
        new = exchanged.get(word.lower())
        if new is None or (word.islower() and word.lower() not in MEN_SMALL | WOMEN_SMALL | LAST_SMALL):
            return word
        return new.lower() if word.islower() else new

    return re.sub(r"\w+", of, text)


def _names(text: str) -> list[str]:
    """Runs of words written large, those that open a sentence only if they are people's names."""
    runs: list[list[str]] = []
    opening, open_run = True, False
    for token in tokens(text):
        low = token.key
        name = token.is_word and token.text[0].isupper() and low not in NEVER and len(token.text) > 1
        name = name and (not opening or low in MEN_SMALL | WOMEN_SMALL | LAST_SMALL)
        if name and open_run:
            runs[-1].append(token.text)
        elif name:
            runs.append([token.text])
        open_run = name
        opening = token.text in ".?!`"
    return [" ".join(run) for run in runs]


def shortened(example: RewriteExample, rng: np.random.Generator) -> RewriteExample | None:
    """A query that stands alone and says again what was said before, with a pronoun in its place."""
    if not example.turns or not same(example.query, example.rewrite):
        return None
    if len(keys(example.query)) < 3:
        return None
    before = " ".join(turn.text for turn in example.turns[-4:])
    text = example.query
    options: list[tuple[int, int, str]] = []
    for pattern, pronouns in ((THINGS, ("it", "it", "that", "this")), (MANY_THINGS, ("them",))):
        for found in pattern.finditer(text):
            noun = found.group().split()[-1]
            if re.search(rf"\b{noun[:-1]}", before, re.I):
                options.append((found.start(), found.end(), pronouns[rng.integers(len(pronouns))]))
    read = tokens(text)
    for name in _names(text):
        if f" {name.lower()} " not in f" {before.lower()} ":
            continue
        at = _where(read, name)
        if at is None:
            continue
        start, end, index = at
        if index > 0 and read[index - 1].key in ("the", "a", "and", "or", "to the"):
            continue
        low = name.lower().split()[0]
        after = text[end:].lstrip().startswith("'s")
        subject = index > 0 and read[index - 1].key in SUBJECT_AFTER
        if low in MEN_SMALL or low in WOMEN_SMALL:
            forms = ("him", "he", "his") if low in MEN_SMALL else ("her", "she", "her")
            word = forms[2] if after else forms[1] if subject else forms[0]
            stop = end + (text[end:].index("'s") + 2 if after else 0)
            options.append((start, stop, word))
        elif not after:
            options.append((start, end, ("it", "it", "that song", "that")[rng.integers(4)]))
    if not options:
        return None
    start, end, word = options[rng.integers(len(options))]
    query = text[:start] + word + text[end:]
    return replace(example, id=f"{example.id}-shortened", query=query, style="linked")


def _where(read: Sequence[Token], name: str) -> tuple[int, int, int] | None:
    wanted = name.split()
    for at in range(len(read) - len(wanted) + 1):
        if [token.text for token in read[at : at + len(wanted)]] == wanted:
            return read[at].start, read[at + len(wanted) - 1].end, at
    return None


def variants(examples: Sequence[RewriteExample], rng: np.random.Generator, copies: int = 2) -> list[RewriteExample]:
    """What can be made of gold and linked examples: shortenings, and of all of them renamings."""
    base = [e for e in examples if e.style in ("gold", "linked") and e.source != "cqr"]
    short = [made for e in base if (made := shortened(e, rng)) is not None]
    found = list(short)
    for e in (*base, *short):
        times = copies if not same(e.query, e.rewrite) else 1
        found += [made for _ in range(times) if (made := renamed(e, rng)) is not None]
    return found
