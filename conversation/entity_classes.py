"""Names in a dialogue by who said them first and as which: the first the user named, the third of the system.

A network that has seen a few thousand dialogues knows no names; it can know where they stand. A name is a
run of words that are written large in the middle of a sentence, are no common words, or are given as
entities of the turn. The same name, or a part of it said later, stays the same class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from conversation.rewrite_tokens import Token, keys, runs, tokens
from retrievers.base import Turn

ORDINALS = 8
"""Names of one speaker told apart; later ones share the last class."""
CLASSES = 1 + 2 * ORDINALS
"""0 is no name, then the user's, then the system's."""
SENTENCE_ENDS = frozenset(".?!:\"`'")
COMMON_AT_LEAST, COMMON_SHARE = 2, 0.5


def common_words(texts: Iterable[str]) -> set[str]:
    """Words that the texts write small at least half the time."""
    small: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for text in texts:
        for token in tokens(text):
            every[token.key] += 1
            small[token.key] += token.text == token.key
    return {
        word
        for word, times in small.items()
        if times >= COMMON_AT_LEAST and times >= COMMON_SHARE * every[word]
    }


def name_flags(
    read: Sequence[Token], common: Collection[str], entities: Collection[str] = ()
) -> list[bool]:
    """Which tokens are of a name."""
    given = {word for entity in entities for word in keys(entity) if word not in common}
    flags = []
    opening = True
    for token in read:
        large = token.text[0].isupper() and not opening and token.text != "I"
        flags.append(token.is_word and (large or token.key not in common or token.key in given))
        opening = token.text in SENTENCE_ENDS
    return flags


def entity_classes(
    turns: Sequence[Turn], read: Sequence[Sequence[Token]], common: Collection[str]
) -> list[list[int]]:
    """For each token of each turn its class in [0, CLASSES)."""
    known: dict[str, int] = {}
    named = [0, 0]
    classes = []
    for turn, words in zip(turns, read, strict=True):
        speaker = int(turn.speaker == "system")
        row = [0] * len(words)
        for start, end in runs(name_flags(words, common, turn.entities)):
            parts = [token.key for token in words[start:end]]
            found = next((known[part] for part in parts if part in known), None)
            if found is None:
                found = 1 + speaker * ORDINALS + min(named[speaker], ORDINALS - 1)
                named[speaker] += 1
            for part in parts:
                known.setdefault(part, found)
            row[start:end] = [found] * (end - start)
        classes.append(row)
    return classes
