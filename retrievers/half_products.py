"""Inner products with vectors that FAISS keeps as 16-bit floats, read where they stand.

`reconstruct_batch` decodes number by number, and writes every vector before anything is multiplied.
"""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
from numba import carray, njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Positions = NDArray[np.int64]
Addresses = NDArray[np.int64]

EXPONENT = np.float32(2.0**112)
"""What a 16-bit float's bits, moved into a 32-bit float, lack: the biases differ by 127 - 15."""


class HalfVectors:
    """The vectors of an inverted file under positions 0..n-1, as long as the file lives unchanged.

    `index`: of 16-bit floats, with a direct map. Products differ from those of `reconstruct_batch` by
    the order of sums alone, which on the grid of `retrievers.encoder` means not at all.
    """

    def __init__(self, index: faiss.IndexIVFScalarQuantizer) -> None:
        if index.sq.qtype != faiss.ScalarQuantizer.QT_fp16 or index.by_residual:
            raise TypeError("index: expected vectors stored as 16-bit floats, without residuals")
        places = index.direct_map.array
        self._index = index  # keeps what is pointed to
        self._places: Positions = faiss.rev_swig_ptr(places.data(), places.size())
        lists = index.invlists
        self._lists: Addresses = np.array(
            [int(lists.get_codes(number) or 0) for number in range(index.nlist)], np.int64
        )

    def products(self, query: Floats, positions: Positions) -> Floats:
        """With the query (dim,), shape (n,); every position must be of the index."""
        out = np.empty(positions.size, np.float32)
        _products(self._lists, self._places, positions, query, out)
        return out


@intrinsic
def _at(_typing: Any, address: Any) -> Any:
    """The 16-bit numbers from an address on."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.inttoptr(given[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.uint16)(address), generate


@njit(nogil=True, cache=True)
def _products(
    lists: Addresses, places: Positions, positions: Positions, query: Floats, out: Floats
) -> None:
    dim = query.size
    bits = np.empty(dim, np.uint32)
    numbers = bits.view(np.float32)
    for i in range(positions.size):
        place = places[positions[i]]
        # A place is the number of its list and, in the lower half, where in that it stands.
        address = lists[place >> 32] + (place & 0xFFFFFFFF) * 2 * dim
        halves = carray(_at(address), dim)
        for j in range(dim):
            half = np.uint32(halves[j])
            bits[j] = (half & np.uint32(0x8000)) << np.uint32(16) | (
                half & np.uint32(0x7FFF)
            ) << np.uint32(13)
        total = np.zeros(16, np.float32)
        for j in range(0, dim - 15, 16):
            for lane in range(16):
                total[lane] += numbers[j + lane] * EXPONENT * query[j + lane]
        rest = np.float32(0)
        for j in range(dim - dim % 16, dim):
            rest += numbers[j] * EXPONENT * query[j]
        out[i] = total.sum() + rest
