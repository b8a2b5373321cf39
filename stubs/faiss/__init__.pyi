# The part of faiss that ltrr uses. The stub inside the package types `IDSelectorBitmap`,
# `SearchParameters` and `Index.nlist` without what `faiss.class_wrappers` adds at import.
from typing import SupportsInt

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]
_Ids = NDArray[np.int64]

METRIC_INNER_PRODUCT: int
IO_FLAG_MMAP_IFC: int

class IDSelector: ...

class IDSelectorBitmap(IDSelector):
    def __init__(self, bitmap: NDArray[np.uint8]) -> None: ...

class SearchParameters:
    def __init__(self, *, sel: IDSelector | None = None) -> None: ...

class SearchParametersIVF(SearchParameters):
    def __init__(self, *, sel: IDSelector | None = None, nprobe: int = 1) -> None: ...

class Index:
    d: int
    ntotal: int
    def add(self, x: _Floats) -> None: ...
    def train(self, x: _Floats) -> None: ...
    def search(
        self, x: _Floats, k: int, *, params: SearchParameters | None = None
    ) -> tuple[_Floats, _Ids]: ...
    def reconstruct_batch(self, key: _Ids) -> _Floats: ...
    def sa_code_size(self) -> int: ...

class IndexFlatIP(Index):
    def __init__(self, d: int) -> None: ...

class IndexIVF(Index):
    nlist: int
    quantizer: Index
    def make_direct_map(self, new_maintain_direct_map: bool = True) -> None: ...

class ScalarQuantizer:
    QT_fp16: int
    qtype: int

class Int64Vector:
    def data(self) -> object: ...
    def size(self) -> int: ...

class DirectMap:
    array: Int64Vector

class InvertedLists:
    def get_codes(self, list_no: int) -> SupportsInt | None: ...

class IndexIVFScalarQuantizer(IndexIVF):
    sq: ScalarQuantizer
    by_residual: bool
    direct_map: DirectMap
    invlists: InvertedLists
    def __init__(
        self,
        quantizer: Index,
        d: int,
        nlist: int,
        qtype: int,
        metric: int,
        by_residual: bool = True,
    ) -> None: ...

class Kmeans:
    centroids: _Floats
    def __init__(
        self,
        d: int,
        k: int,
        *,
        niter: int = 25,
        spherical: bool = False,
        seed: int = 1234,
        min_points_per_centroid: int = 39,
        max_points_per_centroid: int = 256,
    ) -> None: ...
    def train(self, x: _Floats) -> float: ...

def clone_index(index: Index) -> Index: ...
def deserialize_index(data: NDArray[np.uint8]) -> Index: ...
def read_index(fname: str, io_flags: int = 0) -> Index: ...
def rev_swig_ptr(ptr: object, n: int) -> _Ids: ...
def serialize_index(index: Index) -> NDArray[np.uint8]: ...
def write_index(index: Index, fname: str) -> None: ...
