"""One thread for BLAS, and the former number again afterwards."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from retrievers.blas import single_threaded


def threads() -> list[object]:
    """Of the libraries with one pool a process; those on OpenMP have one a thread."""
    libraries = ThreadpoolController().select(user_api="blas")
    return [
        library["num_threads"]
        for library in libraries.info()
        if library.get("threading_layer") == "pthreads"
    ]


@pytest.fixture(autouse=True)
def two_threads() -> None:
    np.ones((2, 2)) @ np.ones((2, 2))
    if 2 not in threads():
        pytest.skip("the BLAS here has not two threads to begin with")


def test_one_thread_inside_and_as_before_outside() -> None:
    before = threads()
    for _ in range(2):
        with single_threaded():
            assert set(threads()) == {1}
            with single_threaded():
                assert set(threads()) == {1}
            assert set(threads()) == {1}
        assert threads() == before


def test_an_error_inside_restores_too() -> None:
    before = threads()
    with pytest.raises(KeyError), single_threaded():
        raise KeyError
    assert threads() == before


def test_entries_of_several_threads_leave_nothing_behind() -> None:
    before = threads()
    inside, leave = threading.Event(), threading.Event()
    seen: list[object] = []

    def first() -> None:
        with single_threaded():
            inside.set()
            leave.wait(10)

    def second() -> None:
        with single_threaded():
            seen.extend(threads())
            leave.set()
            one.join()

    one, two = threading.Thread(target=first), threading.Thread(target=second)
    one.start()
    inside.wait(10)
    two.start()
    two.join()
    assert set(seen) == {1}
    assert threads() == before
