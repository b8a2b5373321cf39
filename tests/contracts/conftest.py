"""Every generator that there is, built once."""

from __future__ import annotations

import copy

import pytest

from retrievers.base import Retriever
from tests.contracts.retriever_cases import RETRIEVERS, built


@pytest.fixture(scope="module", params=RETRIEVERS, ids=lambda cls: cls.__name__)
def original(request: pytest.FixtureRequest) -> Retriever:
    """Built once for each class; only copies of it are changed."""
    cls: type[Retriever] = request.param
    return built(cls)


@pytest.fixture
def retriever(original: Retriever) -> Retriever:
    return copy.copy(original)
