"""One small index, built once and copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.lines import corpus, ltrr


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    done = ltrr(
        "index", corpus(folder / "corpus.jsonl"), "--out", folder / "index",
        "--generators", "bm25,fuzzy,memory,popular",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "Indexed 8 documents" in done.out
    assert "track 7, artist 1" in done.out
    return folder / "index"


@pytest.fixture
def index(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "index"))
