"""Products of 8-bit integers, exact in 32 bits: the matrix products of a quantised encoder.

Where the processor has AVX-512 VNNI, a tile of 64 outputs stays in registers and one instruction
adds 64 products; numba's own loops reach a sixth of that. Elsewhere those loops run. Sums of
integers have no rounding: both ways give the same bits, whatever stands beside a row.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

Bytes = NDArray[np.int8]
Sums = NDArray[np.int32]

TILE = 64
"""Outputs computed together; a matrix has a multiple of them."""
GROUP = 4
"""Products that one instruction adds into a 32-bit lane; the depth is a multiple of it."""
LANES = 16
OFFSET = 128
"""Packed weights are unsigned, as the instruction wants one side to be: w + OFFSET."""


def _has_vnni() -> bool:
    """Whether numba compiles for a processor with the instruction."""
    chosen = config.CPU_NAME or config.CPU_FEATURES
    return not chosen and bool(llvm.get_host_cpu_features().get("avx512vnni", False))


VNNI = _has_vnni()


def packed(weights: Bytes) -> NDArray[np.uint8]:
    """Weights (out, depth) as `multiply` reads them: (out / TILE, depth / GROUP, TILE, GROUP)."""
    out, depth = weights.shape
    if out % TILE or depth % GROUP:
        raise ValueError(
            f"weights: found shape {weights.shape}, expected multiples of {TILE} and {GROUP}"
        )
    unsigned = (weights.astype(np.int16) + OFFSET).astype(np.uint8)
    tiles = unsigned.reshape(out // TILE, TILE, depth // GROUP, GROUP)
    return np.ascontiguousarray(tiles.transpose(0, 2, 1, 3))


def _tile(rows: int) -> Any:
    """The tile of `rows` rows of x: addresses of x, of one tile of weights and of the result, then
    groups, and the bytes from one row to the next of x and of the result."""

    @intrinsic
    def tile(_typing: Any, x: Any, w: Any, out: Any, groups: Any, x_row: Any, out_row: Any) -> Any:
        del x, w, out, groups, x_row, out_row

        def generate(context: Any, b: Any, _signature: Any, given: Any) -> Any:
            x, w, out, groups, x_row, out_row = given
            lane, size = ir.IntType(32), groups.type
            vector = ir.VectorType(lane, LANES)
            zeros, any_ = ir.Constant(vector, None), ir.Constant(vector, ir.Undefined)
            add_products = cgutils.get_or_insert_function(
                b.module, ir.FunctionType(vector, [vector] * 3), "llvm.x86.avx512.vpdpbusd.512"
            )
            across = TILE // LANES

            def at(address: Any, kind: Any, *offsets: tuple[Any, int]) -> Any:
                for number, step in offsets:
                    address = b.add(address, b.mul(number, ir.Constant(size, step)))
                return b.inttoptr(address, kind.as_pointer())

            def read(place: Any) -> Any:
                value = b.load(place)
                value.align = 1
                return value

            sums = [
                [cgutils.alloca_once_value(b, zeros) for _ in range(across)] for _ in range(rows)
            ]
            with cgutils.for_range(b, groups) as loop:
                tiles = at(w, vector, (loop.index, TILE * GROUP))
                weights = [read(b.gep(tiles, [ir.Constant(lane, q)])) for q in range(across)]
                for row, kept in enumerate(sums):
                    four = read(at(x, lane, (x_row, row), (loop.index, GROUP)))
                    one = b.insert_element(any_, four, ir.Constant(lane, 0))
                    all_ = b.shuffle_vector(one, any_, zeros)
                    for weight, total in zip(weights, kept, strict=True):
                        b.store(b.call(add_products, [b.load(total), weight, all_]), total)
            for row, kept in enumerate(sums):
                place = at(out, vector, (out_row, row))
                for q, total in enumerate(kept):
                    stored = b.store(b.load(total), b.gep(place, [ir.Constant(lane, q)]))
                    stored.align = 1
            return context.get_dummy_value()

        return types.void(*[types.intp] * 6), generate

    return tile


if VNNI:
    _one, _two = _tile(1), _tile(2)

    @njit(nogil=True, cache=True)
    def _products(x: Bytes, w: NDArray[np.uint8], out: Sums) -> None:
        n, depth = x.shape
        at, to, row = x.ctypes.data, out.ctypes.data, 4 * out.shape[1]
        for block in range(w.shape[0]):
            tiles, here = w.ctypes.data + block * depth * TILE, to + 4 * TILE * block
            for i in range(0, n - 1, 2):
                _two(at + i * depth, tiles, here + i * row, depth // GROUP, depth, row)
            if n % 2:
                i = n - 1
                _one(at + i * depth, tiles, here + i * row, depth // GROUP, depth, row)

else:

    @njit(nogil=True, cache=True)
    def _products(x: Bytes, w: NDArray[np.uint8], out: Sums) -> None:
        _plain_products(x, w, out)


@njit(nogil=True, cache=True)
def _plain_products(x: Bytes, w: NDArray[np.uint8], out: Sums) -> None:
    """What `_products` does, in plain loops."""
    out[:] = 0
    for block in range(w.shape[0]):
        for i in range(x.shape[0]):
            o = out[i, block * TILE : (block + 1) * TILE]
            for g in range(w.shape[1]):
                four = w[block, g]
                for q in range(GROUP):
                    value = np.int32(x[i, GROUP * g + q])
                    for j in range(TILE):
                        o[j] += value * np.int32(four[j, q])


@njit(nogil=True, cache=True)
def multiply(x: Bytes, w: NDArray[np.uint8], out: Sums) -> None:
    """Write x @ weights.T into `out` (n, m); x (n, depth) contiguous, w as `packed` gives it."""
    _products(x, w, out)
    for i in range(x.shape[0]):
        total = np.int32(0)
        for value in x[i]:
            total += np.int32(value)
        for j in range(out.shape[1]):
            out[i, j] -= np.int32(OFFSET) * total
