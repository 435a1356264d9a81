"""What the tests of simultaneous deeds stand on."""

import threading

import pytest
from together import together


def test_together_gives_what_each_returned_and_runs_them_at_once() -> None:
    met = threading.Barrier(3)
    assert [place >= 0 for place in together(*[lambda: met.wait(10)] * 3)] == [True] * 3
    assert together(lambda: 1, lambda: 2) == [1, 2]


def test_together_raises_what_a_thread_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        together(lambda: 1, lambda: 1 / 0)


def test_together_does_not_wait_for_ever() -> None:
    never = threading.Event()
    with pytest.raises(TimeoutError, match=r"of 2 these are not done: \[1\]"):
        together(lambda: 1, never.wait, seconds=0.2)
    never.set()
