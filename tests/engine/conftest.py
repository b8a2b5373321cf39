"""An index with a staged snapshot."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import Clock
from tests.plan_world import SERVED, index, serve


@pytest.fixture(scope="session")
def staged_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that has staged what it learnt from some searches."""
    folder = tmp_path_factory.mktemp("interleaving") / "index"
    with index(folder, "epsilon_greedy", {"epsilon": 0.3}, Clock(), (0, 5, 20)) as engine:
        serve(engine, SERVED, seed=1)
        engine.learn(stage=True)
    return folder


@pytest.fixture
def folder(staged_index: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(staged_index, tmp_path / "index"))
