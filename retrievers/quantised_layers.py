"""The layers of a BERT encoder on 8-bit weights, compiled as one function.

Dynamic quantisation: a weight matrix has one scale an output, a row of activations one scale of its
own, so that a row's numbers do not depend on the rows beside it. Sums, norms and attention stay in
float32.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from retrievers.integer_products import LANES, multiply, packed

Array = NDArray[np.float32]

LIMIT = 127
EPSILON = np.float32(1e-12)
UNROLLED = 4
"""Terms that are added to a sum at once; the width of a head is a multiple of it."""


class Quantised(NamedTuple):
    """The same matrix of every layer: w (layers, …) packed, scale and bias (layers, out)."""

    w: NDArray[np.uint8]
    scale: Array
    bias: Array


class Norms(NamedTuple):
    """The same normalisation of every layer: both (layers, width)."""

    weight: Array
    bias: Array


def quantised(weights: list[Array], biases: list[Array]) -> Quantised:
    """From matrices (in, out) and biases (out,), one a layer."""
    scales = [np.abs(w).max(axis=0) / np.float32(LIMIT) for w in weights]
    integers = [np.rint(w / s).astype(np.int8).T for w, s in zip(weights, scales, strict=True)]
    return Quantised(np.stack([packed(w) for w in integers]), np.stack(scales), np.stack(biases))


@njit(nogil=True, cache=True, error_model="numpy")
def linear(x: Array, w: NDArray[np.uint8], scale: Array, bias: Array, out: Array) -> None:
    """Write the product and the bias into `out` (n, m); x (n, depth)."""
    out[:] = bias
    rest = np.empty((0, x.shape[1]), np.float32)
    _add_product(x, w, scale, out, rest)


@njit(nogil=True, cache=True, error_model="numpy")
def fine_linear(x: Array, w: NDArray[np.uint8], scale: Array, bias: Array, out: Array) -> None:
    """As `linear`, what rounding has left of x being multiplied too."""
    out[:] = bias
    rest, none = np.empty_like(x), np.empty((0, x.shape[1]), np.float32)
    _add_product(x, w, scale, out, rest)
    _add_product(rest, w, scale, out, none)


@njit(nogil=True, cache=True, error_model="numpy")
def _add_product(x: Array, w: NDArray[np.uint8], scale: Array, out: Array, rest: Array) -> None:
    """Add the product to `out`; `rest`, unless it has no rows, becomes what rounding leaves of x."""
    n, depth = x.shape
    rows, steps = np.empty((n, depth), np.int8), np.empty(n, np.float32)
    signed, largest = x.view(np.int32), np.zeros(n, np.int32)
    # Without their sign, floats stand in the order of their bits, and integers are compared a row at a time.
    for i in range(n):
        top = np.int32(0)
        for j in range(depth):
            top = max(top, signed[i, j] & np.int32(0x7FFFFFFF))
        largest[i] = top
    for i, most in enumerate(largest.view(np.float32)):
        steps[i] = most / np.float32(LIMIT)
        inverse = np.float32(LIMIT) / max(most, np.float32(1e-30))
        for j in range(depth):
            rows[i, j] = np.int8(np.rint(x[i, j] * inverse))
        if rest.shape[0]:
            for j in range(depth):
                rest[i, j] = x[i, j] - np.float32(rows[i, j]) * steps[i]
    sums = np.empty((n, scale.size), np.int32)
    multiply(rows, w, sums)
    for i in range(n):
        for j in range(scale.size):
            out[i, j] += np.float32(sums[i, j]) * (steps[i] * scale[j])


@njit(nogil=True, cache=True, error_model="numpy")
def normalise_rows(x: Array, weight: Array, bias: Array) -> None:
    """Layer normalisation, in place."""
    width = np.float32(x.shape[1])
    for i in range(x.shape[0]):
        total = np.float32(0)
        for j in range(x.shape[1]):
            total += x[i, j]
        mean, squares = total / width, np.float32(0)
        for j in range(x.shape[1]):
            squares += (x[i, j] - mean) * (x[i, j] - mean)
        inverse = np.float32(1) / np.sqrt(squares / width + EPSILON)
        for j in range(x.shape[1]):
            x[i, j] = (x[i, j] - mean) * inverse * weight[j] + bias[j]


@njit(nogil=True, cache=True, error_model="numpy")
def gelu(x: Array) -> None:
    """GELU (Hendrycks and Gimpel 2016), in place; its error function is Abramowitz and Stegun's
    7.1.28, off by at most 3e-7 and without an exponential."""
    flat = x.ravel()
    for j in range(flat.size):
        value = flat[j]
        z = abs(value) * np.float32(0.7071067811865476)
        p = np.float32(0.0002765672) + np.float32(0.0000430638) * z
        p = np.float32(0.0001520143) + p * z
        p = np.float32(0.0092705272) + p * z
        p = np.float32(0.0422820123) + p * z
        p = np.float32(0.0705230784) + p * z
        p = np.float32(1) + p * z
        p *= p
        p *= p
        p *= p
        p *= p
        tail = np.float32(0.5) / p
        share = np.float32(1) - tail if value > np.float32(0) else tail
        flat[j] = value * share


@njit(nogil=True, cache=True, error_model="numpy")
def exponentials(x: Array) -> None:
    """e to the power of x <= 0, in place, off by at most 2e-5 of its value.

    Taylor's polynomial of x / 256, squared eight times: unlike a library's function, a processor
    does it for a whole row at once.
    """
    for j in range(x.size):
        y = max(x[j], np.float32(-80)) * np.float32(1 / 256)
        p = np.float32(1 / 720) + y * np.float32(1 / 5040)
        p = np.float32(1 / 120) + y * p
        p = np.float32(1 / 24) + y * p
        p = np.float32(1 / 6) + y * p
        p = np.float32(1 / 2) + y * p
        p = np.float32(1) + y * p
        p = np.float32(1) + y * p
        for _ in range(8):
            p *= p
        x[j] = p


@njit(nogil=True, cache=True, error_model="numpy")
def _products(keys: Array, queries: Array, out: Array) -> None:
    """Write keys (n, size) @ queries (size, m) into `out`, each summed in the order of its size."""
    out[:] = np.float32(0)
    for d in range(0, keys.shape[1], UNROLLED):
        q0, q1, q2, q3 = queries[d], queries[d + 1], queries[d + 2], queries[d + 3]
        for j in range(keys.shape[0]):
            k0, k1, k2, k3 = keys[j, d], keys[j, d + 1], keys[j, d + 2], keys[j, d + 3]
            row = out[j]
            for i in range(row.size):
                row[i] = row[i] + k0 * q0[i] + k1 * q1[i] + k2 * q2[i] + k3 * q3[i]


@njit(nogil=True, cache=True, error_model="numpy")
def _softmax(weights: Array) -> None:
    """In place, down every column."""
    n, m = weights.shape
    most, total = weights[0].copy(), np.zeros(m, np.float32)
    for j in range(n):
        for i in range(m):
            most[i] = max(most[i], weights[j, i])
    for j in range(n):
        for i in range(m):
            weights[j, i] -= most[i]
    exponentials(weights.ravel())
    for j in range(n):
        for i in range(m):
            total[i] += weights[j, i]
    for j in range(n):
        for i in range(m):
            weights[j, i] /= total[i]


@njit(nogil=True, cache=True, error_model="numpy")
def _means(weights: Array, values: Array, out: Array) -> None:
    """Write values (n, size) weighed by `weights` (n, at least n), a column each, into `out`."""
    n = values.shape[0]
    out[:] = np.float32(0)
    whole = n // UNROLLED * UNROLLED
    for j in range(0, whole, UNROLLED):
        v0, v1, v2, v3 = values[j], values[j + 1], values[j + 2], values[j + 3]
        for i in range(n):
            w0, w1, w2, w3 = weights[j, i], weights[j + 1, i], weights[j + 2, i], weights[j + 3, i]
            row = out[i]
            for d in range(row.size):
                row[d] = row[d] + w0 * v0[d] + w1 * v1[d] + w2 * v2[d] + w3 * v3[d]
    for j in range(whole, n):
        for i in range(n):
            for d in range(out.shape[1]):
                out[i, d] += weights[j, i] * values[j, d]


@njit(nogil=True, cache=True, error_model="numpy")
def attend(qkv: Array, heads: int, first: int, last: int, out: Array) -> None:
    """Attention within the rows first..last of one text: qkv (n, 3 * width), out (n, width).

    Queries stand beside each other, as many as fill the processor's lanes, so that all of them take
    a step at once, and each still sums in the order of its own.
    """
    n, size = last - first, out.shape[1] // heads
    parts, contexts = qkv.reshape(-1, 3, heads, size), out.reshape(-1, heads, size)
    queries = np.zeros((size, (n + LANES - 1) // LANES * LANES), np.float32)
    weights = np.empty((n, queries.shape[1]), np.float32)  # of a key for a query
    keys, values = np.empty((n, size), np.float32), np.empty((n, size), np.float32)
    context = np.empty((n, size), np.float32)
    for head in range(heads):
        for i in range(n):
            for d in range(size):
                queries[d, i] = parts[first + i, 0, head, d]
            for d in range(size):
                keys[i, d] = parts[first + i, 1, head, d]
            for d in range(size):
                values[i, d] = parts[first + i, 2, head, d]
        _products(keys, queries, weights)
        _softmax(weights)
        _means(weights, values, context)
        for i in range(n):
            for d in range(size):
                contexts[first + i, head, d] = context[i, d]


@njit(nogil=True, cache=True, error_model="numpy")
def _through_layers(
    x: Array,
    starts: NDArray[np.int64],
    heads: int,
    qkv: Quantised,
    attended: Quantised,
    attended_norm: Norms,
    inner: Quantised,
    outer: Quantised,
    outer_norm: Norms,
) -> None:
    n, width = x.shape
    mixed, context = np.empty((n, 3 * width), np.float32), np.empty((n, width), np.float32)
    change, hidden = (
        np.empty((n, width), np.float32),
        np.empty((n, inner.bias.shape[1]), np.float32),
    )
    for i in range(qkv.bias.shape[0]):
        # Its input has the largest outliers: in one step it cost most of the precision lost.
        fine_linear(x, qkv.w[i], qkv.scale[i], qkv.bias[i], mixed)
        for text in range(starts.size - 1):
            attend(mixed, heads, starts[text], starts[text + 1], context)
        linear(context, attended.w[i], attended.scale[i], attended.bias[i], change)
        x += change
        normalise_rows(x, attended_norm.weight[i], attended_norm.bias[i])
        linear(x, inner.w[i], inner.scale[i], inner.bias[i], hidden)
        gelu(hidden)
        linear(hidden, outer.w[i], outer.scale[i], outer.bias[i], change)
        x += change
        normalise_rows(x, outer_norm.weight[i], outer_norm.bias[i])


class QuantisedLayers(NamedTuple):
    """All layers of an encoder, one behind the other; immutable, so that threads may share it."""

    heads: int
    qkv: Quantised
    attended: Quantised
    attended_norm: Norms
    inner: Quantised
    outer: Quantised
    outer_norm: Norms

    def __call__(self, x: Array, starts: NDArray[np.int64]) -> None:
        """In place: x (n, width), the tokens of several texts one below the other, text i from row
        starts[i] to starts[i + 1]. A row owes nothing to texts that are not its own."""
        _through_layers(x, starts, *self)
