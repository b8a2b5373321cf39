from collections.abc import Callable
from typing import Any, TypeVar

_F = TypeVar("_F", bound=Callable[..., object])

def njit(
    *,
    cache: bool = ...,
    error_model: str = ...,
    fastmath: bool | set[str] = ...,
    nogil: bool = ...,
    parallel: bool = ...,
) -> Callable[[_F], _F]: ...

def carray(ptr: Any, shape: int) -> Any: ...

prange = range

config: Any
types: Any
