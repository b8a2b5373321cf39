"""Training of the pointer-generator network on rewrites."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from conversation.pointer_generator import PointerGenerator, Shape
from conversation.rewrite_batches import STYLES, Prepared, collate, prepare
from conversation.rewrite_data import RewriteExample
from conversation.rewrite_features import Encoded, Words, encode, learn_words, say_words, teach
from conversation.rewrite_tokens import keys

Static = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained."""

    width: int = 96
    layers: int = 2
    heads: int = 4
    dropout: float = 0.25
    word_dropout: float = 0.1
    epochs: int = 14
    batch: int = 32
    rate: float = 2e-3
    decay: float = 0.01
    average: float = 0.998
    static: bool = True
    linked: float = 0.5
    canard: float = 0.3
    crowd: float = 0.1
    local: str = "conv"
    near: int = 2
    read_at_least: int = 3
    say_at_least: int = 3


def weight_of(example: RewriteExample, recipe: Recipe) -> float:
    return {"gold": 1.0, "linked": recipe.linked, "canard": recipe.canard, "crowd": recipe.crowd}[
        example.style
    ]


def vocabulary(examples: Sequence[RewriteExample], recipe: Recipe) -> Words:
    texts = {
        text: None for e in examples for text in (*(t.text for t in e.turns), e.query, e.rewrite)
    }
    words = learn_words(list(texts), read_at_least=recipe.read_at_least)
    pairs = [
        (encode(e.turns, e.query, words), keys(e.rewrite))
        for e in examples
        if e.style in ("gold", "linked")
    ]
    return Words(words.read, say_words(pairs, recipe.say_at_least), words.common)


def prepared(
    examples: Sequence[RewriteExample], words: Words, recipe: Recipe, static: Static | None
) -> list[Prepared]:
    rows = []
    for e in examples:
        weight = weight_of(e, recipe)
        if weight == 0:
            continue
        read = encode(e.turns, e.query, words)
        rewrite = keys(e.rewrite)[: len(read.query) + 40]
        rows.append(prepare(
            read, teach(read, rewrite, words), len(words.say) or 1, STYLES[e.style], weight,
            static(read.keys) if static else None,
        ))  # fmt: skip
    return rows


def train(
    rows: Sequence[Prepared],
    words: Words,
    recipe: Recipe,
    seed: int,
    device: str = "cpu",
    progress: Callable[[int, float], None] | None = None,
) -> PointerGenerator:
    """A network trained on rows; its weights are the average over the last steps."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    say = len(words.say) or 1
    dims = 0 if rows[0].static is None else rows[0].static.shape[1]
    shape = Shape(
        len(words.read) + 3,
        say,
        recipe.width,
        recipe.layers,
        recipe.heads,
        dims,
        recipe.dropout,
        recipe.word_dropout,
        recipe.local,
        recipe.near,
    )
    network = PointerGenerator(shape).to(device)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=recipe.rate, weight_decay=recipe.decay, betas=(0.9, 0.98)
    )
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    lengths = np.array([len(row.read.keys) for row in rows])
    per_epoch = -(-len(rows) // recipe.batch)
    total = per_epoch * recipe.epochs
    step = 0
    for epoch in range(recipe.epochs):
        network.train()
        loud = lengths + rng.uniform(0, 30, len(rows))
        order = np.argsort(loud, kind="stable")
        batches = [order[i : i + recipe.batch] for i in range(0, len(order), recipe.batch)]
        rng.shuffle(batches)
        total_loss = 0.0
        for chosen in batches:
            step += 1
            rate = min(step / 100, 1.0) * (0.5 + 0.5 * np.cos(np.pi * step / total))
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate * max(rate, 0.01)
            batch = collate([rows[i] for i in chosen], say, device)
            loss = -(network(batch).sum(-1) * batch.weight).sum() / len(chosen)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            total_loss += float(loss.detach()) if step % 10 == 0 else 0.0
            with torch.no_grad():
                keep = min(recipe.average, step / (step + 10))
                for name, value in network.state_dict().items():
                    if value.dtype.is_floating_point:
                        average[name].lerp_(value, 1 - keep)
        if progress:
            progress(epoch, total_loss * 10 / per_epoch)
    network.load_state_dict(average)
    return network.eval()


def states(
    network: PointerGenerator, rows: Sequence[Prepared], device: str = "cpu"
) -> list[NDArray[np.float32]]:
    """What a trained network makes of the tokens of each row, all rows written as "gold" writes."""
    found: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(rows)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].read.keys))
    say = network.shape.say
    with torch.inference_mode():
        for i in range(0, len(order), 64):
            chosen = order[i : i + 64]
            batch = collate([rows[j] for j in chosen], say, device)
            batch.style.zero_()
            h = network.read(batch).cpu().numpy()
            for j, row in zip(chosen, h, strict=True):
                found[j] = row[: len(rows[j].read.keys)]
    return found
