"""Dates and times as people read them, in Amsterdam and in the page's language: 21 november 2026, 14.32; 14:32 in English."""

from datetime import date, datetime

from flask_babel import format_date, format_datetime

from app.dossiers.submission import ZONE, today
from app.texts import both, clock_pattern
from app.web.language import current_language


def day(moment: date | datetime) -> str:
    """``21 november 2026``."""
    return str(format_date(moment, "d MMMM y"))


def at(moment: datetime, pattern: str) -> str:
    """A moment in a pattern of Babel that writes times as ``HH.mm``; in templates the filter ``datetimeformat``."""
    return str(format_datetime(moment, clock_pattern(pattern, current_language())))


def clock(moment: datetime) -> str:
    """``14.32``."""
    return at(moment, "HH.mm")


def is_today(moment: datetime) -> bool:
    return moment.astimezone(ZONE).date() == today()


def when(moment: datetime) -> str:
    """``vandaag om 14.32 uur``, or ``21 november 2026 om 14.32 uur``."""
    if is_today(moment):
        return both("vandaag om %(time)s uur", time=clock(moment))[current_language()]
    return both("%(day)s om %(time)s uur", day=day(moment), time=clock(moment))[current_language()]


def stamp(moment: datetime) -> str:
    """As ``when``, to begin a line with."""
    words = when(moment)
    return words[:1].upper() + words[1:]
