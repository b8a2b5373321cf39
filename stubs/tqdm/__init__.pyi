from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

_T = TypeVar("_T")

class tqdm(Generic[_T]):
    def __init__(
        self,
        iterable: Iterable[_T],
        *,
        desc: str | None = None,
        total: int | None = None,
        unit: str = "it",
        disable: bool | None = False,
    ) -> None: ...
    def __iter__(self) -> Iterator[_T]: ...
