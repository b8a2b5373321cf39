"""The likeliest rewrites that a trained pointer-generator network knows, by beam search, in numpy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from conversation.edit_script import DROP, KEEP, SAY, Step
from conversation.rewrite_features import Encoded

Array = NDArray[np.float32]
MOST_SAID = 24
WORDS_A_STEP = 4


@dataclass(slots=True, eq=False)
class Walk:
    """A walk begun: where it stands and what its next step depends on."""

    score: float = 0.0
    at: int = 0
    last: int = -1
    last_act: int = 4
    edited: bool = False
    steps: tuple[tuple[int, int], ...] = ()
    now: tuple[int, ...] = ()
    before: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    said: frozenset[int] = frozenset()


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


class Decoder:
    """`members`: the state dicts of networks of one shape, whose probabilities are averaged."""

    def __init__(self, members: Sequence[Mapping[str, Array]], say: tuple[str, ...]) -> None:
        self.members, self.say = members, say
        self.width = members[0]["acts.weight"].shape[1]

    def walks(
        self, read: Encoded, states: Sequence[Array], beam: int = 4
    ) -> tuple[float, list[tuple[float, tuple[tuple[int, int], ...]]]]:
        """Log-probability of leaving the query alone, and the likeliest other walks with theirs; a step is
        (act, place) with places past the tokens for `say`."""
        length = len(read.keys)
        tables = [
            np.concatenate([h, m["say.weight"]]) for h, m in zip(states, self.members, strict=True)
        ]
        keys_of = [
            h @ m["key.weight"].T + m["key.bias"] for h, m in zip(states, self.members, strict=True)
        ]
        number: dict[str, int] = {}
        ids = np.array([number.setdefault(k, len(number)) for k in (*read.keys, *self.say)])
        self._ids, self._kinds = ids, len(number)
        alive = [Walk()]
        done: list[tuple[float, tuple[tuple[int, int], ...]]] = []
        alone = -math.inf
        end = len(read.query) - 1
        for _ in range(len(read.query) + MOST_SAID + 24):
            acts, words, attention = self._probabilities(read, alive, tables, keys_of)
            grown: list[Walk] = []
            for k, walk in enumerate(alive):
                grown += self._next(read, walk, acts[k], words[k], attention[k], end)
            finished = [walk for walk in grown if walk.at > end]
            for walk in finished:
                if walk.edited:
                    done.append((walk.score, walk.steps))
                else:
                    alone = walk.score
            going = [walk for walk in grown if walk.at <= end]
            plain = [walk for walk in going if not walk.edited]
            best = sorted((w for w in going if w.edited), key=lambda w: -w.score)[:beam]
            done = sorted(done, key=lambda d: -d[0])[:beam]
            if len(done) == beam:
                best = [walk for walk in best if walk.score > done[-1][0]]
            alive = plain + best
            if not alive:
                break
        return alone, done

    def _probabilities(
        self,
        read: Encoded,
        alive: Sequence[Walk],
        tables: Sequence[Array],
        keys_of: Sequence[Array],
    ) -> tuple[Array, Array, Array]:
        length = len(read.keys)
        acts = words = copied = None
        follow = np.zeros((len(alive), length), np.float32)
        covered = np.zeros((len(alive), length), np.float32)
        ids = self._ids
        for k, walk in enumerate(alive):
            if walk.last >= 0 and walk.last < length and read.following[walk.last] >= 0:
                follow[k, read.following[walk.last]] = 1
            for i in walk.said:
                covered[k] += ids[:length] == i
        for m, table, key in zip(self.members, tables, keys_of, strict=True):
            w = self.width
            x = np.zeros((len(alive), 7 * w), np.float32)
            for k, walk in enumerate(alive):
                x[k, :w] = table[read.query[walk.at]]
                if walk.at:
                    x[k, w : 2 * w] = table[read.query[walk.at - 1]]
                if walk.last >= 0:
                    x[k, 2 * w : 3 * w] = table[walk.last]
                x[k, 3 * w : 4 * w] = m["last_act.weight"][walk.last_act]
                for slot, places in ((4, walk.now), (5, walk.before), (6, walk.lost)):
                    if places:
                        x[k, slot * w : (slot + 1) * w] = table[list(places)].mean(0)
            s = np.maximum(x @ m["state.weight"].T + m["state.bias"], 0)
            s = np.maximum(s @ m["state2.weight"].T + m["state2.bias"], 0)
            a = softmax(s @ m["acts.weight"].T + m["acts.bias"])
            bias = s @ m["biases.weight"].T + m["biases.bias"]
            scores = (s @ m["query.weight"].T + m["query.bias"]) @ key.T / math.sqrt(w)
            scores = scores + bias[:, :1] * follow + bias[:, 1:] * covered
            scores[:, ~read.is_word] = -1e9
            copy = softmax(scores) * a[:, 2:3]
            both = np.concatenate(
                [
                    copy,
                    (softmax(s @ m["generate.weight"].T + m["generate.bias"]) * a[:, 3:4])[
                        :, : len(self.say)
                    ],
                ],
                1,
            )
            acts = a if acts is None else acts + a
            copied = both if copied is None else copied + both
        n = np.float32(len(self.members))
        acts, copied = acts / n, copied / n
        words = np.zeros((len(alive), self._kinds), np.float32)
        np.add.at(words.T, ids, copied.T)
        return acts, words, copied

    def _next(
        self, read: Encoded, walk: Walk, acts: Array, words: Array, copied: Array, end: int
    ) -> list[Walk]:
        found = []
        keep = walk.score + math.log(max(acts[0], 1e-9))
        found.append(Walk(
            keep, walk.at + 1, -1, KEEP, walk.edited, (*walk.steps, (KEEP, -1)), (),
            walk.before + walk.now, (), walk.said,
        ))  # fmt: skip
        if walk.at < end and not walk.now:
            found.append(Walk(
                walk.score + math.log(max(acts[1], 1e-9)), walk.at + 1, -1, DROP, True, (*walk.steps, (DROP, -1)), (),
                walk.before, (*walk.lost, int(read.query[walk.at])), walk.said,
            ))  # fmt: skip
        if len(walk.now) + len(walk.before) < MOST_SAID:
            for word in np.argpartition(-words, WORDS_A_STEP)[:WORDS_A_STEP]:
                if words[word] < 1e-4:
                    continue
                same = np.flatnonzero(self._ids == word)
                tokens = same[same < len(read.keys)]
                place = int(same[-1])
                if len(tokens):
                    place = int(tokens[np.argmax(copied[tokens])])
                    if (
                        walk.last >= 0
                        and walk.last < len(read.keys)
                        and read.following[walk.last] in tokens
                    ):
                        place = int(read.following[walk.last])
                found.append(Walk(
                    walk.score + math.log(words[word]), walk.at, place, 2 + (place >= len(read.keys)), True,
                    (*walk.steps, (SAY, place)), (*walk.now, place), walk.before, walk.lost, walk.said | {int(word)},
                ))  # fmt: skip
        return found


def words_of(read: Encoded, steps: Sequence[tuple[int, int]], say: tuple[str, ...]) -> list[str]:
    """The words of the rewrite that a walk makes."""
    made = []
    at = 0
    for act, place in steps:
        if act == SAY:
            made.append(read.keys[place] if place < len(read.keys) else say[place - len(read.keys)])
            continue
        if at < len(read.query) - 1 and act == KEEP:
            made.append(read.keys[read.query[at]])
        at += 1
    return made


def text_of(read: Encoded, steps: Sequence[tuple[int, int]], say: tuple[str, ...]) -> str:
    """The rewrite as text: what is kept as it was typed, what is copied as it was said."""
    query = read.texts[-1]
    made = ""
    at, written = 0, 0
    last = -1
    dropping = False
    for act, place in steps:
        if act == SAY:
            if place >= len(read.keys):
                made, last = f"{made.rstrip()} {say[place - len(read.keys)]}", -1
                continue
            turn, start, end = read.source[place]
            if last >= 0 and read.following[last] == place:
                made += read.texts[turn][read.source[last][2] : end]
            else:
                made = f"{made.rstrip()} {read.texts[turn][start:end]}"
            last = place
            continue
        _, start, end = read.source[read.query[at]]
        gap = query[written:start]
        if act == KEEP:
            if last >= 0 or (steps and not made.endswith(" ") and made and gap == ""):
                gap = gap if gap and (gap[0].isspace() or not gap.strip() == "") else " " + gap
            made += gap + query[start:end]
        elif not dropping and gap.strip() and made:
            made += gap
        dropping = act == DROP
        at, written = at + 1, end
        last = -1
    return " ".join(made.split())
