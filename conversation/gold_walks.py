"""The walks that lead from queries to the rewrites that people wrote, as a network is taught them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conversation.edit_script import KEEP, SAY, Step, script
from conversation.rewrite_features import Encoded, Ints, Words


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """The T steps of a gold walk, as the network is taught them.

    `act`: (T,); `at`: the query's word each stands before; `last`: where the last said word was copied from,
    -1 where none was said in this edit, -2 - v where word v of `say` was generated; `word`: the target's place in
    `say` or -1; `targets`: (T, L) the tokens that are the target word; `known`: steps that can be learnt.
    """

    act: Ints
    at: Ints
    last: Ints
    word: Ints
    targets: NDArray[np.bool_]
    known: NDArray[np.bool_]


def teach(read: Encoded, rewrite: Sequence[str], words: Words) -> Taught:
    """The walk from the query to a rewrite, given as words."""
    steps = script([read.keys[i] for i in read.query[:-1]], rewrite)
    said = words.said
    keys = np.array(read.keys, object)
    places = aligned(read, steps)
    act, at, last, word, targets, known = [], [], [], [], [], []
    position, previous = 0, -1
    for number, step in enumerate([*steps, Step(KEEP)]):
        act.append(step.act)
        at.append(position)
        last.append(previous)
        generated = said.get(step.word, -1) if step.word is not None else -1
        match = (
            (keys == step.word) & read.is_word
            if step.word is not None
            else np.zeros(len(keys), bool)
        )
        word.append(generated)
        targets.append(match)
        known.append(step.act != SAY or generated >= 0 or bool(match.any()))
        if step.act == SAY:
            place = places[number]
            previous = place if place >= 0 else -2 - max(generated, 0)
        else:
            position += 1
            previous = -1
    return Taught(
        np.array(act, np.int64), np.array(at, np.int64), np.array(last, np.int64), np.array(word, np.int64),
        np.array(targets), np.array(known),
    )  # fmt: skip


def aligned(read: Encoded, steps: Sequence[Step]) -> list[int]:
    """For each step the token that its word is copied from, -1 for none: as few jumps as can be,
    to the nearest mention where several are left."""
    places = [-1] * len(steps)
    where: dict[str, list[int]] = {}
    for i, key in enumerate(read.keys):
        if read.is_word[i]:
            where.setdefault(key, []).append(i)
    start = 0
    while start < len(steps):
        if steps[start].act != SAY:
            start += 1
            continue
        end = start
        while end < len(steps) and steps[end].act == SAY:
            end += 1
        best: list[dict[int, tuple[float, int]]] = []
        for step in steps[start:end]:
            options: dict[int, tuple[float, int]] = {}
            for place in where.get(step.word or "", [-1]):
                jump = (
                    1.0
                    - place / (10.0 * len(read.keys))
                    + 0.3 * (place >= int(read.query[0]) or place < 0)
                )
                if not best:
                    options[place] = (jump, -1)
                else:
                    options[place] = min(
                        (
                            cost
                            + (0.0 if before >= 0 and read.following[before] == place else jump),
                            before,
                        )
                        for before, (cost, _) in best[-1].items()
                    )
            best.append(options)
        place = min(best[-1], key=lambda p: (best[-1][p][0], -p))
        for number in range(end - 1, start - 1, -1):
            places[number] = place
            place = best[number - start][place][1]
        start = end
    return places
