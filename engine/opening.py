"""An index made in its folder, or opened there: what an engine begins with."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.building import build_state
from engine.config import EngineConfig
from engine.conversing import Conversation
from engine.errors import BadDocuments, SnapshotError
from engine.folder import Folder
from engine.formats import read_documents
from engine.in_force import stored
from engine.parts import with_encoder
from engine.snapshots import read_snapshot
from engine.state import State
from retrievers.base import Document
from retrievers.encoder import Encoder

Opened = tuple[State, EngineConfig, Folder]


def made(
    documents: Iterable[Document] | Path | str,
    folder: Path | str | None,
    config: EngineConfig | None,
    encoder: Encoder | str | None,
    embeddings: Path | str | None,
    conversation: Conversation | Path | str | None,
    *,
    progress: bool,
) -> Opened:
    """An index of documents; see `SearchEngine.build`."""
    if isinstance(conversation, Path | str):
        conversation = Conversation.load(Path(conversation))
    config = config or EngineConfig()
    if isinstance(encoder, str):
        config, encoder = with_encoder(config, encoder), None
    if folder is not None and (Path(folder) / "CURRENT").exists():
        raise BadDocuments(
            f"folder: {folder} holds an index already; load it, or build into another folder"
        )
    source = read_documents(Path(documents)) if isinstance(documents, Path | str) else documents
    place = Folder(None if folder is None else Path(folder))
    try:
        kept = None if embeddings is None else Path(embeddings)
        state = build_state(source, config, encoder, kept, progress, conversation)
        if not place.temporary:
            state = stored(place.path, state, config)
        return state, config, place
    except BaseException:
        place.close()
        raise


def opened(folder: Path, encoder: Encoder | str | None) -> Opened:
    """What `made` or `SearchEngine.save` left in a folder."""
    if not folder.is_dir():
        raise SnapshotError(f"{folder}: no such folder; make an index with `ltrr index`")
    place = Folder(folder)
    try:
        return *read_snapshot(folder, encoder), place
    except BaseException:
        place.close()
        raise
