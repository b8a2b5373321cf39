"""The likeliest rewrites that trained pointer-generator networks know, by beam search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conversation.edit_script import DROP, KEEP, SAY
from conversation.pointer_reading import Array, Networks
from conversation.rewrite_features import Encoded

MOST_SAID = 24
WORDS_A_STEP = 3
LEAST = 1e-3
"""What a step must be likely to be followed."""
BEHIND = 4.0
"""By how much a walk's log-probability may stay behind the best one's for it to be followed."""
NOTHING_DONE = 4
"""The last act where the walk begins."""

Place = int
"""A token, or behind the tokens a word of `say`."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk begun: its log-probability, where it stands, and what its next step depends on."""

    score: float = 0.0
    at: int = 0
    last: Place = -1
    last_act: int = NOTHING_DONE
    edited: bool = False
    steps: tuple[tuple[int, Place], ...] = ()
    now: tuple[Place, ...] = ()
    before: tuple[Place, ...] = ()
    lost: tuple[Place, ...] = ()
    said: frozenset[int] = frozenset()


Steps = tuple[tuple[int, Place], ...]


class Decoding:
    """One conversation's search; `h` (M, L, width) is what the networks made of it."""

    def __init__(self, networks: Networks, read: Encoded, h: Array, say: Sequence[str]) -> None:
        self.networks, self.read = networks, read
        self.table = np.concatenate([h, networks.say], 1)
        self.keys = networks.key(h)
        self.length = len(read.keys)
        self.say = len(say)
        numbers: dict[str, int] = {}
        self.ids = np.array([numbers.setdefault(key, len(numbers)) for key in (*read.keys, *say)])
        self.kinds = len(numbers)
        self.end = len(read.query) - 1

    def alone(self) -> float:
        """The probability that the query is left as it is."""
        walks = [Walk(at=at, last_act=KEEP if at else NOTHING_DONE) for at in range(self.end + 1)]
        acts, _, _ = self._step(walks)
        return float(np.exp(np.log(np.maximum(acts[:, 0], 1e-9)).sum()))

    def search(self, beam: int) -> list[tuple[float, Steps]]:
        """The likeliest walks that change something with their probabilities, best first, by beam search."""
        alive = [Walk()]
        done: list[Walk] = []
        for _ in range(self.end + 2 * MOST_SAID):
            acts, copied, said = self._step(alive)
            words = np.zeros((self.kinds, len(alive)), np.float32)
            np.add.at(words, self.ids[: self.length], copied.T)
            if self.say:
                np.add.at(words, self.ids[self.length :], said[:, : self.say].T)
            grown = [
                walk
                for k, begun in enumerate(alive)
                for walk in self._next(begun, acts[k], words[:, k], copied[k])
            ]
            done += [walk for walk in grown if walk.at > self.end and walk.edited]
            done = sorted(done, key=lambda walk: (-walk.score, walk.steps))[:beam]
            floor = done[-1].score if len(done) == beam else -math.inf
            going = [
                walk for walk in grown if walk.at <= self.end and walk.edited and walk.score > floor
            ]
            if going:
                floor = max(walk.score for walk in going) - BEHIND
                going = [walk for walk in going if walk.score > floor]
            alive = [walk for walk in grown if walk.at <= self.end and not walk.edited]
            alive += sorted(going, key=lambda walk: (-walk.score, walk.steps))[:beam]
            if not alive:
                break
        return [(math.exp(walk.score), walk.steps) for walk in done]

    def _step(self, walks: Sequence[Walk]) -> tuple[Array, Array, Array]:
        m, w = self.table.shape[0], self.networks.width
        follows = np.zeros((len(walks), self.length), np.float32)
        covered = np.zeros_like(follows)
        x = np.zeros((m, len(walks), 7 * w), np.float32)
        query = self.read.query
        x[..., :w] = self.table[:, query[[walk.at for walk in walks]]]
        x[..., 3 * w : 4 * w] = self.networks.last_act[:, [walk.last_act for walk in walks]]
        for k, walk in enumerate(walks):
            if walk.at:
                x[:, k, w : 2 * w] = self.table[:, query[walk.at - 1]]
            if walk.last >= 0:
                x[:, k, 2 * w : 3 * w] = self.table[:, walk.last]
                if walk.last < self.length and self.read.following[walk.last] >= 0:
                    follows[k, self.read.following[walk.last]] = 1
            for slot, places in ((4, walk.now), (5, walk.before), (6, walk.lost)):
                if places:
                    x[:, k, slot * w : (slot + 1) * w] = self.table[:, list(places)].mean(1)
            for word in walk.said:
                covered[k] += self.ids[: self.length] == word
        return self.networks.step(x, self.keys, (follows, covered), self.read.is_word)

    def _next(self, walk: Walk, acts: Array, words: Array, copied: Array) -> list[Walk]:
        found = []
        if acts[0] > LEAST or not walk.edited:
            found.append(Walk(
                walk.score + math.log(max(acts[0], 1e-9)), walk.at + 1, -1, KEEP, walk.edited, (*walk.steps, (KEEP, -1)),
                before=walk.before + walk.now, said=walk.said,
            ))  # fmt: skip
        if walk.at < self.end and not walk.now and acts[1] > LEAST:
            found.append(Walk(
                walk.score + math.log(acts[1]), walk.at + 1, -1, DROP, True, (*walk.steps, (DROP, -1)),
                before=walk.before, lost=(*walk.lost, int(self.read.query[walk.at])), said=walk.said,
            ))  # fmt: skip
        if len(walk.now) + len(walk.before) >= MOST_SAID:
            return found
        for word in np.argsort(-words, kind="stable")[:WORDS_A_STEP]:
            if words[word] < LEAST:
                break
            place = self._place(walk, int(word), copied)
            found.append(Walk(
                walk.score + math.log(words[word]), walk.at, place, SAY + (place >= self.length), True,
                (*walk.steps, (SAY, place)), (*walk.now, place), walk.before, walk.lost, walk.said | {int(word)},
            ))  # fmt: skip
        return found

    def _place(self, walk: Walk, word: int, copied: Array) -> Place:
        """Where a word is said from: behind the last copied one if it stands there, else where the
        networks look most, else the vocabulary."""
        same = np.flatnonzero(self.ids == word)
        tokens = same[same < self.length]
        tokens = tokens[self.read.is_word[tokens]]
        if not len(tokens):
            return int(same[-1])
        if 0 <= walk.last < self.length and self.read.following[walk.last] in tokens:
            return int(self.read.following[walk.last])
        return int(tokens[np.argmax(copied[tokens])])
