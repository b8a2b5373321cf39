"""The dialogue manager's network: which action is wanted, with which values, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softmax

from conversation.turn_features import (
    ACTION_COLUMNS,
    ACTS,
    CANDIDATE_COLUMNS,
    SLOT_COLUMNS,
    STATE_COLUMNS,
    TOKEN_FLAGS,
)
from conversation.words import BUCKETS

WIDTH, HIDDEN = 48, 64


@dataclass(frozen=True, slots=True)
class Batch:
    """B turns, padded: T words, S slots, C candidates, A actions (with none), W words a text.

    Word numbers are rows of `pieces` (V, PIECES) and `frozen` (V, dimensions); 0 is no word.
    """

    pieces: Tensor
    frozen: Tensor
    words: Tensor  # (B, T)
    flags: Tensor  # (B, T, TOKEN_FLAGS)
    user: Tensor  # (B, T)
    slot_words: Tensor  # (B, S, W)
    slots: Tensor  # (B, S, SLOT_COLUMNS)
    values: Tensor  # (B, S, C, W)
    candidates: Tensor  # (B, S, C, CANDIDATE_COLUMNS)
    present: Tensor  # (B, S, C)
    action_words: Tensor  # (B, A, W)
    actions: Tensor  # (B, A, ACTION_COLUMNS)
    real: Tensor  # (B, A)


@dataclass(frozen=True, slots=True)
class Scores:
    """Logits: candidates (B, S, C), starts and ends of spans (B, S, T), actions (B, A); what acts
    are scored from: `turn` (B, HIDDEN), `slot` (B, S, HIDDEN)."""

    candidates: Tensor
    starts: Tensor
    ends: Tensor
    actions: Tensor
    turn: Tensor
    slot: Tensor


class DialogueNet(nn.Module):
    """Slots and actions come as words, so those of a service never seen can be scored.

    Words are sums of hashed pieces (and a projection of frozen vectors); a bidirectional GRU reads
    the system's turn and the user's; each slot's description attends to them and points at a
    beginning and an end (pointer networks, Vinyals et al. 2015); each candidate of a slot is scored
    against what the slot has read.
    """

    def __init__(self, frozen: int = 0) -> None:
        super().__init__()
        self.frozen = frozen
        two = 2 * HIDDEN
        self.embed = nn.EmbeddingBag(BUCKETS, WIDTH, mode="mean", padding_idx=0)
        # Pieces of words never seen in training keep these weights: small ones say little.
        nn.init.normal_(self.embed.weight, std=0.1)
        self.project = nn.Linear(frozen, WIDTH) if frozen else None
        self.read = nn.GRU(WIDTH + TOKEN_FLAGS, HIDDEN, batch_first=True, bidirectional=True)
        self.turn = nn.Linear(2 * two, HIDDEN)
        self.describe = nn.Linear(WIDTH, HIDDEN)
        self.start = nn.Linear(two, HIDDEN)
        self.end = nn.Linear(two, HIDDEN)
        self.attend = nn.Linear(two, HIDDEN)
        self.slot = nn.Linear(2 * two + HIDDEN + HIDDEN + SLOT_COLUMNS, HIDDEN)
        self.candidate = nn.Linear(CANDIDATE_COLUMNS + 2 + WIDTH, HIDDEN)
        self.match = nn.Linear(two, WIDTH)
        self.choose = nn.Sequential(nn.ReLU(), nn.Linear(HIDDEN, 1))
        self.from_slot = nn.Linear(HIDDEN, HIDDEN)
        self.action = nn.Sequential(
            nn.Linear(HIDDEN + HIDDEN + ACTION_COLUMNS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1)
        )
        self.act = nn.Sequential(
            nn.Linear(HIDDEN + STATE_COLUMNS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, len(ACTS))
        )
        self.about = nn.Linear(HIDDEN, 2)
        self.drop = nn.Dropout(0.2)

    def forward(self, batch: Batch) -> Scores:
        """The scores of a batch."""
        table = self.embed(batch.pieces)
        if self.project is not None:
            table = table + self.project(batch.frozen)
        table = self.drop(table) * (batch.pieces[:, :1] > 0)
        real = batch.words > 0
        lengths = real.sum(1).clamp(min=1).cpu()
        given = torch.cat([table[batch.words], batch.flags], -1)
        packed = nn.utils.rnn.pack_padded_sequence(given, lengths, True, False)
        read, _ = nn.utils.rnn.pad_packed_sequence(
            self.read(packed)[0], True, total_length=given.shape[1]
        )
        read = self.drop(read)
        mine, theirs = real & batch.user, real & ~batch.user
        turn = torch.cat([_highest(read, mine), _highest(read, theirs)], -1)
        turn = torch.relu(self.turn(turn))
        described = torch.tanh(self.describe(_mean(table, batch.slot_words)))
        starts = _pointed(self.start(read), described, mine)
        ends = _pointed(self.end(read), described, mine)
        attended = softmax(_pointed(self.attend(read), described, real), -1) @ read
        spanned = softmax(starts, -1) @ read
        wide = turn[:, None].expand(-1, described.shape[1], -1)
        slot = torch.relu(
            self.slot(torch.cat([attended, spanned, wide, described, batch.slots], -1))
        )
        values = _mean(table, batch.values)
        meant = (values * self.match(attended)[:, :, None]).sum(-1, keepdim=True) / 7.0
        best = starts.amax(-1)[:, :, None, None].expand(-1, -1, values.shape[2], 1) / 10.0
        known = torch.cat([batch.candidates, meant, best, values], -1)
        candidates = self.choose(self.candidate(known) + self.from_slot(slot)[:, :, None])[..., 0]
        candidates = candidates.masked_fill(~batch.present, -1e4)
        named = torch.tanh(self.describe(_mean(table, batch.action_words)))
        wide = turn[:, None].expand(-1, named.shape[1], -1)
        actions = self.action(torch.cat([wide, named, batch.actions], -1))[..., 0]
        return Scores(candidates, starts, ends, actions.masked_fill(~batch.real, -1e4), turn, slot)

    def acts(self, scores: Scores, state: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the system's acts (B, ACTS), and of what is informed of and asked (B, S, 2);
        `state` are `state_columns`, (B, STATE_COLUMNS)."""
        acts: Tensor = self.act(torch.cat([scores.turn, state], -1))
        about: Tensor = self.about(scores.slot)
        return acts, about


def rounded(net: DialogueNet) -> DialogueNet:
    """The network with the weights that a file of half precision gives back."""
    with torch.no_grad():
        for weight in net.parameters():
            weight.copy_(weight.half().float())
    return net


def _highest(read: Tensor, among: Tensor) -> Tensor:
    low = read.masked_fill(~among[..., None], -2.0).amax(1)
    return torch.mul(low, among.any(1, keepdim=True))


def _mean(table: Tensor, words: Tensor) -> Tensor:
    count = (words > 0).sum(-1, keepdim=True).clamp(min=1)
    return table[words].sum(-2) / count


def _pointed(read: Tensor, described: Tensor, among: Tensor) -> Tensor:
    scores: Tensor = described @ read.transpose(1, 2) / HIDDEN**0.5 * 4.0
    return scores.masked_fill(~among[:, None], -1e4)
