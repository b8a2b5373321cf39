"""Queries that look alike: character trigrams over those seen before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from retrievers.analysis import words

SIMILAR = 0.3
"""The least Jaccard similarity of trigrams at which two queries are near."""
_READ = 10_000


def query_key(text: str) -> str:
    """The form under which queries are one: normalised words in alphabetical order.

    "Love Story (Taylor Swift)" and "taylor swift love story" are the same query. Blank text gives
    an empty key.
    """
    return " ".join(sorted(words(text)))


def trigrams(key: str) -> frozenset[str]:
    """The distinct trigrams of a key, its start weighing more than its end."""
    padded = f"  {key} "
    return frozenset(padded[i : i + 3] for i in range(len(padded) - 2))


@dataclass(frozen=True, slots=True, eq=False)
class NearQueries:
    """Trigram postings over `keys`: an id is a place in `keys`, `sizes` their trigram counts."""

    keys: tuple[str, ...] = ()
    sizes: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    postings: Mapping[str, NDArray[np.int32]] = field(default_factory=lambda: MappingProxyType({}))

    def plus(self, keys: Iterable[str]) -> NearQueries:
        """With more keys, none of them known before."""
        added = tuple(keys)
        if not added:
            return self
        places: defaultdict[str, list[int]] = defaultdict(list)
        sizes = []
        for number, key in enumerate(added, len(self.keys)):
            grams = trigrams(key)
            sizes.append(len(grams))
            for gram in grams:
                places[gram].append(number)
        postings = dict(self.postings)
        for gram, numbers in places.items():
            new = np.array(numbers, np.int32)
            known = postings.get(gram)
            postings[gram] = new if known is None else np.concatenate([known, new])
        sizes_now = np.concatenate([self.sizes, np.array(sizes, np.int32)])
        return NearQueries(self.keys + added, sizes_now, postings)

    def find(self, key: str, limit: int) -> list[tuple[str, float]]:
        """At most `limit` other keys with their similarity in [SIMILAR, 1], the nearest first.

        The rarest trigrams are read first, and reading stops after ten thousand entries, so that a
        search costs the same however many queries are known; from there on a similarity is a
        lower bound.
        """
        grams = trigrams(key)
        found = [self.postings[gram] for gram in sorted(grams) if gram in self.postings]
        found.sort(key=len)
        read: list[NDArray[np.int32]] = []
        entries = 0
        for posting in found:
            entries += posting.size
            if read and entries > _READ:
                break
            read.append(posting)
        if not read:
            return []
        numbers = np.sort(np.concatenate(read))
        starts = np.flatnonzero(np.r_[True, numbers[1:] != numbers[:-1]])
        distinct = numbers[starts]
        shared = np.diff(np.r_[starts, numbers.size])
        similarity = shared / (len(grams) + self.sizes[distinct] - shared)
        near = np.flatnonzero(similarity >= SIMILAR)
        near = near[np.argsort(-similarity[near], kind="stable")[: limit + 1]]
        named = zip(distinct[near].tolist(), similarity[near].tolist(), strict=True)
        return [(self.keys[n], value) for n, value in named if self.keys[n] != key][:limit]
