"""Examples as padded tensors for the pointer-generator network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from conversation.edit_script import DROP, SAY
from conversation.gold_walks import Taught
from conversation.pointer_generator import ACTS, Batch
from conversation.rewrite_data import Style
from conversation.rewrite_features import RELATIONS, Encoded, relations

STYLES: dict[Style, int] = {
    "gold": 0,
    "renamed": 0,
    "linked": 1,
    "canard": 2,
    "crowd": 3,
    "scene": 4,
}


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """One example in dense arrays; see `pointer_generator.Batch`."""

    read: Encoded
    taught: Taught
    style: Style
    weight: float
    pretrained: Sequence[NDArray[np.float16]]
    relations: NDArray[np.bool_]
    bag: NDArray[np.float32]
    earlier: NDArray[np.float32]
    dropped: NDArray[np.float32]
    covered: NDArray[np.bool_]
    following: NDArray[np.bool_]
    last_act: NDArray[np.int64]


def prepare(
    read: Encoded,
    taught: Taught,
    say: int,
    style: Style,
    weight: float,
    pretrained: Sequence[NDArray[np.float16]] = (),
) -> Prepared:
    """What every step of a gold walk knows of the steps before it; `pretrained`: the tokens as an encoder
    reads them, (tokens, dim) a turn, or nothing."""
    steps, length = taught.targets.shape
    bag = np.zeros((steps, length + say), np.float32)
    earlier, dropped = np.zeros_like(bag), np.zeros((steps, length), np.float32)
    covered = np.zeros((steps, length), bool)
    following = np.zeros((steps, length), bool)
    last_act = np.full(steps, ACTS, np.int64)
    now: list[int] = []
    before: list[int] = []
    lost: list[int] = []
    said = np.zeros(length, bool)
    for t in range(steps):
        if now:
            bag[t] = _mean(now, length + say)
        if before:
            earlier[t] = _mean(before, length + say)
        if lost:
            dropped[t] = _mean(lost, length)
        covered[t] = said
        last = int(taught.last[t])
        if last >= 0 and read.following[last] >= 0:
            following[t, read.following[last]] = True
        if t:
            last_act[t] = taught.act[t - 1] + (taught.act[t - 1] == SAY and last < 0)
        act = int(taught.act[t])
        if act == SAY:
            after = int(taught.last[t + 1])
            now.append(after if after >= 0 else length + (-2 - after))
            said |= taught.targets[t]
        elif act == DROP:
            lost.append(int(read.query[taught.at[t]]))
        else:
            before, now, lost = before + now, [], []
    return Prepared(
        read,
        taught,
        style,
        weight,
        pretrained,
        relations(read),
        bag,
        earlier,
        dropped,
        covered,
        following,
        last_act,
    )


def _mean(places: Sequence[int], size: int) -> NDArray[np.float32]:
    return (np.bincount(places, minlength=size) / len(places)).astype(np.float32)


def collate(rows: Sequence[Prepared], say: int, device: str = "cpu") -> Batch:
    """A batch; places in `say` move behind the longest example's tokens."""
    length = max(len(row.read.keys) for row in rows)
    steps = max(len(row.taught.act) for row in rows)

    def pad(arrays: Sequence[NDArray[Any]], shape: tuple[int, ...], fill: float = 0) -> Tensor:
        out = np.full((len(rows), *shape), fill, arrays[0].dtype)
        for i, array in enumerate(arrays):
            out[i][tuple(slice(0, n) for n in array.shape)] = array
        return torch.from_numpy(out).to(device)

    def real(arrays: Sequence[NDArray[Any]], shape: tuple[int, ...]) -> Tensor:
        return pad(arrays, shape).to(torch.float32)

    def shifted(name: str) -> Tensor:
        out = np.zeros((len(rows), steps, length + say), np.float32)
        for i, row in enumerate(rows):
            array = getattr(row, name)
            t, own = array.shape[0], array.shape[1] - say
            out[i, :t, :own] = array[:, :own]
            out[i, :t, length:] = array[:, own:]
        return torch.from_numpy(out).to(device)

    here = [row.read.query[row.taught.at] for row in rows]
    before = [np.where(row.taught.at > 0, row.read.query[row.taught.at - 1], -1) for row in rows]
    last = [
        np.where(row.taught.last <= -2, length - 2 - row.taught.last, row.taught.last)
        for row in rows
    ]
    act = [row.taught.act for row in rows]
    ones = [np.ones(len(row.read.keys), bool) for row in rows]
    pretrained = [np.concatenate(row.pretrained) for row in rows if row.pretrained]
    return Batch(
        pad([row.read.columns for row in rows], (length, rows[0].read.columns.shape[1])),
        real(pretrained, (length, pretrained[0].shape[1])) if pretrained else None,
        torch.tensor([STYLES[row.style] for row in rows], device=device),
        pad(ones, (length,)),
        pad([row.read.is_word for row in rows], (length,)),
        real([row.relations for row in rows], (RELATIONS, length, length)),
        pad(here, (steps,)), pad(before, (steps,), -1), pad(last, (steps,), -1),
        pad([row.last_act for row in rows], (steps,)),
        shifted("bag"), shifted("earlier"), pad([row.dropped for row in rows], (steps, length)),
        real([row.covered for row in rows], (steps, length)),
        real([row.following for row in rows], (steps, length)),
        pad(act, (steps,)), pad([row.taught.word for row in rows], (steps,), -1),
        pad([row.taught.targets for row in rows], (steps, length)),
        real([row.taught.known for row in rows], (steps,)),
        torch.tensor([row.weight for row in rows], device=device),
    )  # fmt: skip
