"""The data files of the demo: dates that count from the day on which a dossier was started, so that they never grow old."""

import calendar
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from app import yaml_lines
from app.schemes.question_types import shown_date

FRIDAY = 4


@cache
def read(name: str) -> Mapping[str, Any]:
    """The content of ``<name>.yaml`` in this folder."""
    content: Mapping[str, Any] = yaml_lines.read(Path(__file__).parent / f"{name}.yaml").data
    return content


def as_typed(data: Any, start: date, files: Mapping[str, int] | None = None) -> Any:
    """Answers as they are typed: each date as day, month and year; ``{files: [key]}`` as the ids of those files."""
    known = files or {}
    return _told(data, start, _typed, lambda keys: [known[key] for key in keys])


def in_words(data: Any, start: date, language: str = "nl") -> Any:
    """Texts for papers: each date as words."""
    return _told(data, start, lambda day: shown_date(day, language), list)


def files_in(data: Any) -> list[str]:
    """The keys of the files that answers refer to, each once."""
    found: dict[str, None] = {}
    _told(data, date(2000, 1, 1), lambda day: day, lambda keys: found.update(dict.fromkeys(keys)))
    return list(found)


def _told(data: Any, start: date, dated: Callable[[date], Any], filed: Callable[[Sequence[str]], Any]) -> Any:
    if isinstance(data, list):
        return [_told(one, start, dated, filed) for one in data]
    if not isinstance(data, Mapping):
        return data
    if set(data) == {"files"}:
        return filed(data["files"])
    if set(data) in ({"ago", "day"}, {"ahead", "day"}):
        return dated(_day(start, data.get("ahead", 0) - data.get("ago", 0), data["day"]))
    return {key: _told(one, start, dated, filed) for key, one in data.items()}


def _day(start: date, months: int, day: int) -> date:
    """That day of the month so many months away, or the last one before it that is a working day and exists."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    found = date(year, month + 1, min(day, calendar.monthrange(year, month + 1)[1]))
    return found - timedelta(days=max(0, found.weekday() - FRIDAY))


def _typed(day: date) -> dict[str, str]:
    return {"day": str(day.day), "month": str(day.month), "year": str(day.year)}
