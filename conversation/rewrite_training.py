"""Training of one pointer-generator network on rewrites."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from conversation.contextual_words import ContextualWords
from conversation.gold_walks import teach
from conversation.pointer_generator import PointerGenerator, Shape
from conversation.rewrite_batches import STYLES, Prepared, collate, prepare
from conversation.rewrite_data import RewriteExample, Style
from conversation.rewrite_features import Words, encode
from conversation.rewrite_tokens import keys
from conversation.rewrite_words import learn_words, say_words

Progress = Callable[[float, float], None]
"""Told the share of the training done and the loss of an example."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained. `weights`: of an example's loss by its style; `drawn`: at most so many examples of a
    style an epoch, others the next time; `averaging`: decay of the average of weights that is kept."""

    width: int = 96
    layers: int = 1
    near: int = 2
    heads: int = 4
    dropout: float = 0.25
    word_dropout: float = 0.1
    epochs: int = 10
    batch: int = 96
    rate: float = 3e-3
    decay: float = 0.01
    averaging: float = 0.998
    read_at_least: int = 3
    say_at_least: int = 3
    scenes: int = 16000
    weights: Mapping[Style, float] = field(
        default_factory=lambda: {
            "gold": 1.0,
            "linked": 0.5,
            "canard": 0.3,
            "crowd": 0.3,
            "scene": 0.5,
            "renamed": 0.5,
        }
    )
    drawn: Mapping[Style, int] = field(
        default_factory=lambda: {"canard": 500, "crowd": 400, "scene": 3200, "renamed": 2000}
    )


def vocabulary(examples: Sequence[RewriteExample], recipe: Recipe) -> Words:
    """The words a network reads and says, learnt from its training examples."""
    told = [e for e in examples if e.source != "scene" and e.style != "renamed"] or list(examples)
    texts = {text: None for e in told for text in (*(t.text for t in e.turns), e.query, e.rewrite)}
    words = learn_words(list(texts), read_at_least=recipe.read_at_least)
    pairs = [
        (encode(e.turns, e.query, words), keys(e.rewrite))
        for e in examples
        if e.style in ("gold", "linked", "scene") and e.source != "canard"
    ]
    return Words(words.read, say_words(pairs, recipe.say_at_least), words.common)


def prepared(
    examples: Sequence[RewriteExample],
    words: Words,
    recipe: Recipe,
    reading: ContextualWords | None = None,
) -> list[Prepared]:
    """Examples as arrays, those of weight 0 left out; `reading` reads at one depth."""
    rows = []
    for e in examples:
        weight = recipe.weights.get(e.style, 1.0)
        if weight == 0:
            continue
        read = encode(e.turns, e.query, words)
        rewrite = keys(e.rewrite)[: len(read.query) + 40]
        # views of what `reading` remembers: the same turn stands in many examples
        pretrained = [states[0] for states in reading.turns(read)] if reading is not None else ()
        taught = teach(read, rewrite, words)
        rows.append(prepare(read, taught, max(len(words.say), 1), e.style, weight, pretrained))
    return rows


def train(
    rows: Sequence[Prepared], words: Words, recipe: Recipe, seed: int,
    device: str = "cpu", progress: Progress | None = None,
) -> dict[str, NDArray[np.float32]]:  # fmt: skip
    """The weights of a network trained on rows: their average over the last steps."""
    if not rows:
        raise ValueError("rows: found no examples, expected some: no file named holds a rewrite")
    rng = np.random.default_rng(seed)
    say = max(len(words.say), 1)
    pretrained = rows[0].pretrained
    shape = Shape(
        len(words.read) + 3, say, recipe.width, recipe.layers, recipe.heads,
        pretrained[0].shape[1] if pretrained else 0, recipe.dropout, recipe.word_dropout, recipe.near,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PointerGenerator(shape).to(device)
        network.train()
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=recipe.rate, weight_decay=recipe.decay, betas=(0.9, 0.98)
        )
        parameters: list[torch.Tensor] = list(network.parameters())
        average = [value.detach().clone() for value in parameters]
        epochs = [_batches(rows, recipe, rng) for _ in range(recipe.epochs)]
        total = sum(map(len, epochs))
        step, lost = 0, 0.0
        for batches in epochs:
            for chosen in batches:
                step += 1
                share = step / total
                for group in optimiser.param_groups:
                    warm = min(step / 100, 1.0)
                    group["lr"] = recipe.rate * max(
                        warm * (0.5 + 0.5 * math.cos(math.pi * share)), 0.01
                    )
                batch = collate([rows[i] for i in chosen], say, device)
                loss = -(network(batch).sum(-1) * batch.weight).sum() / len(chosen)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(parameters, 1.0)
                optimiser.step()
                with torch.no_grad():
                    keep = min(recipe.averaging, step / (step + 10))
                    torch._foreach_lerp_(average, parameters, 1 - keep)
                if step % 20 == 0:
                    lost = 0.9 * lost + 0.1 * float(loss.detach()) if lost else float(loss.detach())
                    if progress:
                        progress(share, lost)
    names = [name for name, _ in network.named_parameters()]
    return {name: value.cpu().numpy() for name, value in zip(names, average, strict=True)}


def _batches(
    rows: Sequence[Prepared], recipe: Recipe, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """One epoch's batches, of examples about as long as each other."""
    styles = np.array([row.style for row in rows])
    chosen = []
    for style in STYLES:
        own = np.flatnonzero(styles == style)
        chosen.append(rng.permutation(own)[: recipe.drawn.get(style, len(own))])
    order = np.concatenate(chosen)
    lengths = np.array([len(rows[i].read.keys) for i in order]) + rng.uniform(0, 30, len(order))
    order = order[np.argsort(lengths, kind="stable")]
    batches = [order[i : i + recipe.batch] for i in range(0, len(order), recipe.batch)]
    return [batches[i] for i in rng.permutation(len(batches))]
