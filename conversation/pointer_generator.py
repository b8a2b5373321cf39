"""The pointer-generator network, as it is trained.

See, Liu & Manning 2017, "Get To The Point": at each step a word is generated from a vocabulary or copied from what
was read, P(w) = p_gen P_vocab(w) + (1 - p_gen) sum of the attention on the tokens that are w. Here two more
acts stand beside them, keep and drop, which walk along the query (`conversation.edit_script`), and the state
of a step is computed from where the walk stands instead of by a recurrence, so that all steps of a gold walk
are learnt at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from conversation.rewrite_features import COLUMNS, RELATIONS, SIZES

HANDS = 5
"""Whose rewrites are told apart; see `rewrite_batches.STYLES`."""
ACTS = 4
KEEP, DROP, COPY, GENERATE = range(ACTS)


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a network."""

    words: int
    say: int
    width: int = 96
    layers: int = 2
    heads: int = 4
    pretrained: int = 0
    dropout: float = 0.25
    word_dropout: float = 0.1
    near: int = 2


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """B examples, padded to L tokens and T steps; see `conversation.rewrite_features`.

    `pretrained` (B, L, dim): the words as an encoder reads them; `relations` (B, R, L, L); `covered` (B, T, L): the token's word was said before; `bag` (B, T, L + say): weights of
    what this edit said so far, `earlier`: of what the edits before said, `dropped` (B, T, L): of what this edit dropped.
    """

    columns: Tensor
    pretrained: Tensor | None
    style: Tensor
    mask: Tensor
    is_word: Tensor
    relations: Tensor
    here: Tensor
    before: Tensor
    last: Tensor
    last_act: Tensor
    bag: Tensor
    earlier: Tensor
    dropped: Tensor
    covered: Tensor
    following: Tensor
    act: Tensor
    word: Tensor
    targets: Tensor
    known: Tensor
    weight: Tensor


def _table(size: int, width: int) -> nn.Embedding:
    table = nn.Embedding(size, width)
    nn.init.normal_(table.weight, std=0.3)
    return table


def _rows(table: Tensor, places: Tensor) -> Tensor:
    """Of each example's `table` (B, n, width) the rows at `places` (B, T), zeros for -1."""
    wide = places.clamp(min=0)[..., None].expand(-1, -1, table.shape[-1])
    return table.gather(1, wide) * (places >= 0)[..., None]


class Locked(nn.Module):
    """Dropout with one mask for all tokens of an example (Gal and Ghahramani 2016), which costs little."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, width) with some of its columns zero while training."""
        if not self.training or not self.rate:
            return x
        kept = torch.rand(x.shape[0], 1, x.shape[-1], device=x.device) >= self.rate
        return x * (kept / (1 - self.rate))


class Attention(nn.Module):
    """Self-attention whose heads see how two tokens are related."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.relation = nn.Parameter(torch.zeros(heads, RELATIONS))
        self.inner = nn.Linear(width, 2 * width)
        self.outer = nn.Linear(2 * width, width)
        self.dropout = Locked(dropout)

    def forward(self, x: Tensor, mask: Tensor, relations: Tensor) -> Tensor:
        """x (B, L, width) and what each token sees of the others."""
        rows, length, width = x.shape
        q, k, v = (
            self.qkv(self.norm1(x)).view(rows, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        )
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        biases = (self.relation @ relations.flatten(2)).view(rows, self.heads, length, length)
        scores = (scores + biases).masked_fill(~mask[:, None, None, :], -1e9)
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(rows, length, width)
        x = x + self.dropout(self.out(mixed))
        inner = torch.relu(self.inner(self.norm2(x)))
        made: Tensor = x + self.dropout(self.outer(inner))
        return made


class Local(nn.Module):
    """What stands beside each token: a convolution over three."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(3 * width, width)
        self.outer = nn.Linear(width, width)
        self.dropout = Locked(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, L, width) and what each token sees of its neighbours."""
        y = nn.functional.pad(self.norm(x) * mask[..., None], (0, 0, 1, 1))
        y = torch.cat([y[:, :-2], y[:, 1:-1], y[:, 2:]], -1)
        made: Tensor = x + self.dropout(self.outer(torch.relu(self.inner(y))))
        return made


class PointerGenerator(nn.Module):
    """Reads a batch; `forward` gives the log-likelihood of each step of the gold walks."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        sizes = {"word": shape.words, **SIZES}
        self.embed = nn.ModuleDict({name: _table(sizes[name], width) for name in COLUMNS})
        self.style = _table(HANDS, width)
        self.pretrained = (
            nn.Linear(shape.pretrained, width, bias=False) if shape.pretrained else None
        )
        self.norm = nn.LayerNorm(width)
        self.near = nn.ModuleList(Local(width, shape.dropout) for _ in range(shape.near))
        self.far = Local(width, shape.dropout)
        self.attend = nn.ModuleList(
            Attention(width, shape.heads, shape.dropout) for _ in range(shape.layers)
        )
        self.norm2 = nn.LayerNorm(width)
        self.say = _table(max(shape.say, 1), width)
        self.last_act = nn.Embedding(ACTS + 1, width)
        self.state = nn.Linear(7 * width, 2 * width)
        self.state2 = nn.Linear(2 * width, width)
        self.acts = nn.Linear(width, ACTS)
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.biases = nn.Linear(width, 2)
        self.generate = nn.Linear(width, max(shape.say, 1))
        self.dropout = Locked(shape.dropout)

    def read(self, batch: Batch) -> Tensor:
        """(B, L, width): what the network makes of each token."""
        columns = batch.columns
        words = columns[..., 0]
        if self.training and self.shape.word_dropout:
            words = words.masked_fill(
                (torch.rand_like(words, dtype=torch.float) < self.shape.word_dropout) & (words > 2),
                1,
            )
        x = self.embed["word"](words)
        for at, name in enumerate(COLUMNS[1:], 1):
            x = x + self.embed[name](columns[..., at])
        if self.pretrained is not None and batch.pretrained is not None:
            x = x + self.pretrained(batch.pretrained)
        x = self.dropout(self.norm(x + self.style(batch.style)[:, None]))
        for near in self.near:
            x = near(x, batch.mask)
        for layer in self.attend:
            x = layer(x, batch.mask, batch.relations)
        made: Tensor = self.norm2(self.far(x, batch.mask))
        return made

    def forward(self, batch: Batch) -> Tensor:
        """(B, T): the log-likelihood of each step, 0 where there is none or none can be learnt."""
        h = self.read(batch)
        rows = len(h)
        table = torch.cat([h, self.say.weight.expand(rows, -1, -1)], 1)
        s = torch.cat([
            _rows(table, batch.here), _rows(table, batch.before), _rows(table, batch.last), self.last_act(batch.last_act),
            batch.bag @ table, batch.earlier @ table, batch.dropped @ h,
        ], -1)  # fmt: skip
        s = self.dropout(torch.relu(self.state2(torch.relu(self.state(self.dropout(s))))))
        acts = self.acts(s).log_softmax(-1)
        bias = self.biases(s)
        scores = self.query(s) @ self.key(h).transpose(1, 2) / math.sqrt(h.shape[-1])
        scores = scores + bias[..., :1] * batch.following + bias[..., 1:] * batch.covered
        scores = scores.masked_fill(~batch.is_word[:, None], -1e9)
        copy = (
            scores.log_softmax(-1).masked_fill(~batch.targets, -1e9).logsumexp(-1) + acts[..., COPY]
        )
        said = (
            self.generate(s).log_softmax(-1).gather(2, batch.word.clamp(min=0)[..., None])[..., 0]
        )
        said = torch.where(batch.word >= 0, said + acts[..., GENERATE], torch.full_like(said, -1e9))
        say = torch.logaddexp(copy, said)
        walk = acts[..., :2].gather(2, batch.act.clamp(max=1)[..., None])[..., 0]
        return torch.where(batch.act >= 2, say, walk) * batch.known
