"""Any sentence-transformers model, by name or folder, as an encoder."""

from __future__ import annotations

import hashlib
import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class SentenceEncoder:
    """A sentence-transformers model. A folder is read without network; a name may be downloaded.

    `device` as in torch, None choosing the best there is. The model is loaded at the first
    `encode`. Thread-safe. Its batches are padded: a vector may differ in its last bits with the
    texts encoded beside it.
    """

    def __init__(self, model: str | Path, *, device: str | None = None) -> None:
        self._model = model
        self._device = device
        self._lock = threading.Lock()  # tokenizers refuse a second thread ("Already borrowed")
        if isinstance(model, Path) and not model.is_dir():
            raise FileNotFoundError(
                f"encoder: found no folder {model}, expected one of a sentence-transformers "
                f"model. To name a model of a hub, give a str"
            )

    @property
    def _is_folder(self) -> bool:
        return Path(self._model).is_dir()

    @cached_property
    def identity(self) -> str:
        """The name of a remote model; of a folder, a hash of its files, wherever it lies."""
        if not self._is_folder:
            return f"sentence-transformers:{self._model}"
        root = Path(self._model)
        digest = hashlib.sha256()
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root)
            if path.is_file() and not any(part.startswith(".") for part in name.parts):
                digest.update(f"{name.as_posix()}\0".encode())
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
        return f"sentence-transformers:sha256:{digest.hexdigest()[:32]}"

    @cached_property
    def _transformer(self) -> SentenceTransformer:
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(
            str(self._model), device=self._device, local_files_only=self._is_folder
        )

    def encode(self, texts: list[str], /) -> NDArray[np.float32]:
        """Shape (n, dim), L2-normalised."""
        with self._lock:
            vectors = self._transformer.encode(
                texts, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
            )
        return np.asarray(vectors, np.float32)
