from collections.abc import Callable
from typing import TypeVar

_F = TypeVar("_F", bound=Callable[..., object])

def njit(
    *,
    cache: bool = ...,
    fastmath: bool | set[str] = ...,
    nogil: bool = ...,
    parallel: bool = ...,
) -> Callable[[_F], _F]: ...

prange = range
