"""The same work on many things, on threads."""

from __future__ import annotations

import threading

import pytest

from engine.threads import each


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_results_come_in_the_order_of_the_things(threads: int) -> None:
    assert each(lambda n: n * n, range(50), threads) == [n * n for n in range(50)]
    assert each(lambda n: n, [], threads) == []


def test_two_threads_work_at_the_same_time() -> None:
    meet = threading.Barrier(2, timeout=30)  # each waits until both are there
    assert sorted(each(lambda _: meet.wait(), range(2), 2)) == [0, 1]


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_comes_out(threads: int) -> None:
    def work(n: int) -> float:
        return 1 / (n - 2)

    with pytest.raises(ZeroDivisionError):
        each(work, range(5), threads)
