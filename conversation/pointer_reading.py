"""A trained pointer-generator network in numpy, for one conversation at a time.

Several networks of one shape, trained from several seeds, are read side by side: every array has an axis of
M members first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from conversation.rewrite_features import COLUMNS, Encoded, relations

Array = NDArray[np.float32]
EPSILON = 1e-5


def softmax(x: Array) -> Array:
    """Over the last axis."""
    e: Array = np.exp(x - x.max(axis=-1, keepdims=True))
    e /= e.sum(axis=-1, keepdims=True)
    return e


class Linear:
    """Weights (M, in, out) and biases (M, 1, out)."""

    def __init__(self, members: Sequence[Mapping[str, Array]], name: str) -> None:
        self.weight = np.stack([np.ascontiguousarray(m[f"{name}.weight"].T) for m in members])
        self.bias = np.stack([m[f"{name}.bias"][None] for m in members])

    def __call__(self, x: Array) -> Array:
        """x (M, n, in) mapped to (M, n, out)."""
        y: Array = np.matmul(x, self.weight)
        y += self.bias
        return y


class Norm:
    """Layer normalisation over the last axis."""

    def __init__(self, members: Sequence[Mapping[str, Array]], name: str) -> None:
        self.weight = np.stack([m[f"{name}.weight"][None] for m in members])
        self.bias = np.stack([m[f"{name}.bias"][None] for m in members])

    def __call__(self, x: Array) -> Array:
        """x (M, n, width) normalised."""
        y: Array = x - x.mean(axis=-1, keepdims=True)
        y /= np.sqrt(np.einsum("mlw,mlw->ml", y, y)[..., None] / x.shape[-1] + EPSILON)
        y *= self.weight
        y += self.bias
        return y


class _Attention:
    def __init__(self, members: Sequence[Mapping[str, Array]], at: str, heads: int) -> None:
        self.heads = heads
        self.norm1, self.norm2 = Norm(members, f"{at}.norm1"), Norm(members, f"{at}.norm2")
        self.qkv, self.out = Linear(members, f"{at}.qkv"), Linear(members, f"{at}.out")
        self.inner, self.outer = Linear(members, f"{at}.inner"), Linear(members, f"{at}.outer")
        self.relation = np.stack([m[f"{at}.relation"] for m in members])

    def __call__(self, x: Array, related: Array) -> Array:
        m, length, width = x.shape
        each = width // self.heads
        qkv = self.qkv(self.norm1(x)).reshape(m, length, 3, self.heads, each)
        q, k, v = (np.ascontiguousarray(qkv[:, :, i].swapaxes(1, 2)) for i in range(3))
        q *= np.float32(1 / math.sqrt(each))
        scores = np.matmul(q, k.swapaxes(2, 3))
        scores += np.matmul(self.relation, related).reshape(scores.shape)
        mixed = np.matmul(softmax(scores), v).swapaxes(1, 2).reshape(m, length, width)
        x = x + self.out(mixed)
        return x + self.outer(np.maximum(self.inner(self.norm2(x)), 0))


class _Local:
    def __init__(self, members: Sequence[Mapping[str, Array]], at: str) -> None:
        self.norm = Norm(members, f"{at}.norm")
        self.inner, self.outer = Linear(members, f"{at}.inner"), Linear(members, f"{at}.outer")

    def __call__(self, x: Array) -> Array:
        y = self.norm(x)
        edge = np.zeros_like(y[:, :1])
        wide = np.concatenate(
            [np.concatenate([edge, y[:, :-1]], 1), y, np.concatenate([y[:, 1:], edge], 1)], 2
        )
        return x + self.outer(np.maximum(self.inner(wide), 0))


def _count(names: Iterable[str], part: str) -> int:
    """Blocks of a network whose weights begin with `part`."""
    return len({name.split(".")[1] for name in names if name.startswith(part)})


class Networks:
    """M trained networks; `members` are their weights by the names of `PointerGenerator`."""

    def __init__(self, members: Sequence[Mapping[str, Array]], heads: int) -> None:
        first = members[0]
        self.tables = [np.stack([m[f"embed.{name}.weight"] for m in members]) for name in COLUMNS]
        self.style = np.stack([m["style.weight"][:1] for m in members])
        self.pretrained = (
            np.stack([np.ascontiguousarray(m["pretrained.weight"].T) for m in members])
            if "pretrained.weight" in first
            else None
        )
        self.norm, self.norm2 = Norm(members, "norm"), Norm(members, "norm2")
        self.near = [_Local(members, f"near.{i}") for i in range(_count(first, "near."))]
        self.attend = [
            _Attention(members, f"attend.{i}", heads) for i in range(_count(first, "attend."))
        ]
        self.far = _Local(members, "far")
        self.say = np.stack([m["say.weight"] for m in members])
        self.last_act = np.stack([m["last_act.weight"] for m in members])
        self.state, self.state2 = Linear(members, "state"), Linear(members, "state2")
        self.acts, self.biases = Linear(members, "acts"), Linear(members, "biases")
        self.query, self.key = Linear(members, "query"), Linear(members, "key")
        self.generate = Linear(members, "generate")
        self.width = self.say.shape[2]

    def read(self, read: Encoded, pretrained: Array | None) -> Array:
        """(M, L, width): what each makes of each token; `pretrained` (M, L, dim): what an encoder makes of them."""
        columns = read.columns
        x = self.tables[0][:, columns[:, 0]]
        for at in range(1, len(self.tables)):
            x += self.tables[at][:, columns[:, at]]
        if self.pretrained is not None and pretrained is not None:
            x += np.matmul(pretrained, self.pretrained)
        x = self.norm(x + self.style)
        for near in self.near:
            x = near(x)
        if self.attend:
            related = relations(read).astype(np.float32)
            related = related.reshape(len(related), -1)
            for layer in self.attend:
                x = layer(x, related)
        return self.norm2(self.far(x))

    def step(
        self, x: Array, keys: Array, extra: tuple[Array, Array], is_word: NDArray[np.bool_]
    ) -> tuple[Array, Array, Array]:
        """Of N states x (M, N, 7 width): the acts (N, 4), which tokens are copied (N, L) and which words
        said (N, say), each averaged over the members; `extra`: (N, L) follows, covered."""
        s = np.maximum(self.state2(np.maximum(self.state(x), 0)), 0)
        acts = softmax(self.acts(s))
        bias = self.biases(s)
        scores = np.matmul(self.query(s), keys.swapaxes(1, 2))
        scores *= np.float32(1 / math.sqrt(self.width))
        scores += bias[..., :1] * extra[0]
        scores += bias[..., 1:] * extra[1]
        scores[..., ~is_word] = -1e9
        copied = softmax(scores) * acts[..., 2:3]
        said = softmax(self.generate(s)) * acts[..., 3:4]
        return acts.mean(0), copied.mean(0), said.mean(0)
