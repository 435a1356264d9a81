"""How often something was tried, counted in the database, so that it holds for all processes together."""

import hashlib
import math
from datetime import timedelta

from sqlalchemy import delete, select

from app.accounts.models import Attempt
from app.errors import TooManyRequests
from app.extensions import now, session
from app.texts import both_n

WINDOW = timedelta(minutes=15)


def count(what: str, whom: str, *, limit: int, window: timedelta = WINDOW) -> None:
    """Counts one try of ``what`` for ``whom`` (an address of any kind); raises ``TooManyRequests`` after ``limit`` in ``window``.

    Counted *before* the deed, in a transaction of its own, so that tries at the same moment count too.
    """
    moment, key = now(), _key(what, whom)
    times = session.scalars(
        select(Attempt.at).where(Attempt.key == key, Attempt.at > moment - window).order_by(Attempt.at.desc()).limit(limit)
    ).all()
    if len(times) == limit:
        seconds = max(1, math.ceil((times[-1] + window - moment).total_seconds()))
        raise TooManyRequests(
            both_n(
                "U hebt dit te vaak geprobeerd. Wacht %(n)s minuut en probeer het dan opnieuw.",
                "U hebt dit te vaak geprobeerd. Wacht %(n)s minuten en probeer het dan opnieuw.",
                math.ceil(seconds / 60),
            ),
            retry_after=seconds,
        )
    session.add(Attempt(key=key, at=moment))
    session.flush()


def forget(what: str, whom: str) -> None:
    """Takes back all tries of ``what`` for ``whom``."""
    session.execute(delete(Attempt).where(Attempt.key == _key(what, whom)))


def take_back(what: str, whom: str) -> None:
    """Takes back the last try of ``what`` for ``whom``."""
    last = select(Attempt.id).where(Attempt.key == _key(what, whom)).order_by(Attempt.id.desc()).limit(1)
    session.execute(delete(Attempt).where(Attempt.id == last.scalar_subquery()))


def _key(what: str, whom: str) -> str:
    return hashlib.sha256(f"{what}:{whom}".encode()).hexdigest()
