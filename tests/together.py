"""Several things at the same moment, for tests of what happens when people click at once. Waits for nothing without a limit."""

import threading
from collections.abc import Callable
from typing import Any

from app.extensions import session

SECONDS = 90
"""For all together: each thread may have to wait for the database as long as ``extensions.BUSY_TIMEOUT_MS``."""


def together(*deeds: Callable[[], Any], seconds: float = SECONDS) -> list[Any]:
    """Calls each of ``deeds`` in a thread of its own, all at the same moment, and gives what they returned, in their order.

    Raises what one of them raised, or ``TimeoutError`` when one is not done after ``seconds``. Leaves no database session behind
    in the threads.
    """
    start = threading.Barrier(len(deeds))
    returned: dict[int, Any] = {}
    raised: list[BaseException] = []

    def run(number: int) -> None:
        try:
            start.wait(seconds)
            returned[number] = deeds[number]()
        except BaseException as problem:
            raised.append(problem)
        finally:
            session.remove()

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
    if raised:
        raise raised[0]
    if late := [number for number, thread in enumerate(threads) if thread.is_alive()]:
        raise TimeoutError(f"after {seconds} seconds, of {len(deeds)} these are not done: {late}")
    return [returned[number] for number in range(len(deeds))]
