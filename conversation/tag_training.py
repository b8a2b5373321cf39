"""Training of the tagger, from dialogues whose turns say which words are which slot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from conversation.base import AnnotatedTurn, Dialogue, Slot
from conversation.tag_features import BUCKETS, PER_FIELD, SHAPES, Past, Seen, field_of, labels, seen
from conversation.tagger import Tagger
from retrievers.base import Heard, Turn

KIND = "type"
RAREST = 20
"""Slots of a name below which it is no field."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the tagger is trained. `unseen`: the share of words whose own embedding is left out, so that
    the pieces and the catalogue count too; `unheard`: of utterances whose mentions are left out."""

    embedding: int = 24
    hidden: int = 48
    epochs: int = 3
    batch: int = 64
    rate: float = 3e-3
    dropout: float = 0.2
    unseen: float = 0.25
    unheard: float = 0.1
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """An utterance with its labels (n,)."""

    seen: Seen
    labels: NDArray[np.int64]


def fields_of(dialogues: Iterable[Dialogue]) -> tuple[str, ...]:
    """The fields that users name often enough."""
    counted = Counter(
        field_of(slot.name)
        for dialogue in dialogues
        for turn in dialogue.turns
        if turn.speaker == "user"
        for slot in turn.slots
    )
    return tuple(sorted(field for field, count in counted.items() if count >= RAREST))


def examples(
    dialogues: Iterable[Dialogue], fields: Sequence[str], hear: Callable[[str], Heard]
) -> list[Example]:
    """The users' utterances, each with what was said before; `hear` knows the catalogue."""
    numbers = {field: number for number, field in enumerate(fields)}
    found: list[Example] = []
    for dialogue in dialogues:
        turns: list[Turn] = []
        named: list[list[str]] = []
        for turn in dialogue.turns:
            if turn.speaker == "user":
                heard = hear(turn.text)
                if heard.places:
                    past = Past.of(turns, named)
                    marked = labels(heard.places, slots_of(turn, heard), numbers)
                    found.append(Example(seen(heard, past, numbers), marked))
            turns.append(Turn(turn.speaker, turn.text))
            named.append([slot.name for slot in turn.slots])
    return found


def slots_of(turn: AnnotatedTurn, heard: Heard) -> tuple[Slot, ...]:
    """The slots of a turn; and the word for the kind of thing that its action is about ("songs by…"),
    which samples leave out where it is the usual kind."""
    if any(field_of(slot.name) == KIND for slot in turn.slots):
        return turn.slots
    kinds = {
        value
        for action in (*turn.actions, *filter(None, [turn.wants]))
        for name, value in action.arguments.items()
        if field_of(name) == KIND
    }
    spans = (mention.span for mention in heard.mentions)
    said = [span for span in spans if span.field == KIND and span.value in kinds]
    return (*turn.slots, *(Slot(KIND, span.value, span.start, span.end) for span in said[:1]))


class _Network(nn.Module):
    """What `Tagger` runs, as it is trained."""

    def __init__(self, fields: int, recipe: Recipe) -> None:
        super().__init__()
        self.words = nn.Embedding(BUCKETS, recipe.embedding)
        self.pieces = nn.Embedding(BUCKETS + 1, recipe.embedding, padding_idx=BUCKETS)
        nn.init.normal_(self.words.weight, std=0.1)
        nn.init.normal_(self.pieces.weight[:-1], std=0.1)
        width = 2 * recipe.embedding + SHAPES + PER_FIELD * fields
        self.dropout = nn.Dropout(recipe.dropout)
        self.lstm = nn.LSTM(width, recipe.hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * recipe.hidden, 2 * fields + 1)

    def forward(self, batch: _Batch) -> Tensor:
        """Scores (utterances, tokens, labels)."""
        words = self.words(batch.words) * batch.known[..., None]
        pieces = (
            self.pieces(batch.pieces).sum(2)
            / (batch.pieces < BUCKETS).sum(2).clamp(min=1)[..., None]
        )
        x = self.dropout(torch.cat([words, pieces, batch.columns], dim=2))
        packed = nn.utils.rnn.pack_padded_sequence(
            x, batch.sizes, batch_first=True, enforce_sorted=False
        )
        hidden, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        scores: Tensor = self.out(self.dropout(hidden))
        return scores


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    words: Tensor
    pieces: Tensor
    columns: Tensor
    known: Tensor
    labels: Tensor
    sizes: Tensor


def _batch(chosen: Sequence[Example], recipe: Recipe, rng: np.random.Generator) -> _Batch:
    n, most = len(chosen), max(one.labels.size for one in chosen)
    words = np.zeros((n, most), np.int64)
    pieces = np.full((n, most, chosen[0].seen.pieces.shape[1]), BUCKETS, np.int64)
    columns = np.zeros((n, most, chosen[0].seen.columns.shape[1]), np.float32)
    marked = np.full((n, most), -1, np.int64)
    for row, one in enumerate(chosen):
        size = one.labels.size
        words[row, :size] = one.seen.words
        pieces[row, :size] = np.where(one.seen.pieces < 0, BUCKETS, one.seen.pieces)
        columns[row, :size] = one.seen.columns
        if rng.random() < recipe.unheard:
            heard = columns[row, :size, SHAPES:].reshape(size, -1, PER_FIELD)
            heard[:, :, :3] = 0.0
        marked[row, :size] = one.labels
    known = (rng.random((n, most)) >= recipe.unseen).astype(np.float32)
    sizes = torch.tensor([one.labels.size for one in chosen])
    return _Batch(
        torch.from_numpy(words), torch.from_numpy(pieces), torch.from_numpy(columns),
        torch.from_numpy(known), torch.from_numpy(marked), sizes,
    )  # fmt: skip


def train(
    given: Sequence[Example],
    fields: tuple[str, ...],
    recipe: Recipe | None = None,
    *,
    progress: bool = False,
) -> Tagger:
    """A tagger of the examples; the same ones in the same order give the same."""
    recipe = recipe or Recipe()
    if not given or not fields:
        raise ValueError(
            f"tagger: found {len(given)} utterances with {len(fields)} fields to learn from, expected "
            f"some; slots of a name must occur {RAREST} times at least"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        rng = np.random.default_rng(recipe.seed)
        network = _Network(len(fields), recipe)
        optimiser = torch.optim.Adam(network.parameters(), lr=recipe.rate)
        steps = recipe.epochs * -(-len(given) // recipe.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, total_steps=steps)
        with tqdm(total=steps, desc="training: tagger", unit=" steps", disable=not progress) as bar:
            for _ in range(recipe.epochs):
                order = rng.permutation(len(given))
                for start in range(0, order.size, recipe.batch):
                    batch = _batch(
                        [given[i] for i in order[start : start + recipe.batch]], recipe, rng
                    )
                    scores = network(batch)
                    loss = nn.functional.cross_entropy(
                        scores.flatten(0, 1), batch.labels.flatten(), ignore_index=-1
                    )
                    optimiser.zero_grad()
                    torch.autograd.backward(loss)
                    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                    optimiser.step()
                    schedule.step()
                    bar.update()
    return Tagger(fields, _weights(network))


def _weights(network: _Network) -> dict[str, NDArray[np.float32]]:
    def of(tensor: Tensor) -> NDArray[np.float32]:
        array: NDArray[np.float32] = tensor.detach().numpy()
        return array.copy()

    lstm = dict(network.lstm.named_parameters())
    weights = {
        "words": of(network.words.weight),
        "pieces": of(network.pieces.weight[:-1]),
        "out": of(network.out.weight.T),
        "out_bias": of(network.out.bias),
    }
    for way, suffix in (("forward", ""), ("backward", "_reverse")):
        weights[f"{way}_in"] = of(lstm[f"weight_ih_l0{suffix}"].T)
        weights[f"{way}_on"] = of(lstm[f"weight_hh_l0{suffix}"].T)
        weights[f"{way}_bias"] = of(lstm[f"bias_ih_l0{suffix}"] + lstm[f"bias_hh_l0{suffix}"])
    return weights
