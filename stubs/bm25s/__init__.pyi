from collections.abc import Sequence
from typing import Any

class BM25:
    def __init__(
        self, *, method: str = ..., k1: float = ..., b: float = ..., backend: str = ...
    ) -> None: ...
    def index(self, corpus: Sequence[Sequence[str]], *, show_progress: bool = ...) -> None: ...
    def retrieve(
        self,
        query_tokens: Sequence[Sequence[str]],
        *,
        k: int = ...,
        n_threads: int = ...,
        show_progress: bool = ...,
    ) -> Any: ...
