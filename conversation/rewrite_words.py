"""The words that a rewriter reads, and those it can say of itself, as its training examples tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from conversation.entity_classes import common_words
from conversation.rewrite_features import Encoded, Words
from conversation.rewrite_tokens import tokens


def learn_words(texts: Sequence[str], read_at_least: int = 3, limit: int = 3000) -> Words:
    """The words of training texts; those of `say` come from `say_words` once texts can be encoded."""
    counts = Counter(token.key for text in texts for token in tokens(text))
    frequent = [
        w
        for w, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if n >= read_at_least
    ]
    return Words(
        {word: at + 3 for at, word in enumerate(frequent[:limit])},
        (),
        frozenset(common_words(texts)),
    )


def say_words(
    pairs: Sequence[tuple[Encoded, Sequence[str]]], at_least: int = 3, limit: int = 300
) -> tuple[str, ...]:
    """Words that rewrites say and their conversation doesn't, the most frequent."""
    counts: Counter[str] = Counter()
    for read, rewrite in pairs:
        have = set(read.keys)
        counts.update({word for word in rewrite if word not in have})
    found = [
        w for w, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if n >= at_least
    ]
    return tuple(found[:limit])
