"""Which version of a scheme applies to a person on a day, and what is wrong with the dates of its versions. Pure.

A version applies from ``effective_from`` up to and including ``effective_until``, or until the next one takes effect. Its
``transition`` lets those who had started on an earlier version start on that one again for a while. Of a version of before there
were forms here only what its certificates follow is known (``EarlierVersion``); the same rules find it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import TypeVar

from app.errors import NotFound, TemplateFault
from app.schemes.model import DossierTemplate, EarlierVersion
from app.schemes.schemas import Earlier, Scheme
from app.texts import both

Version = TypeVar("Version", bound=DossierTemplate | EarlierVersion)


def in_order(versions: Sequence[Version]) -> list[Version]:
    """The first to take effect first."""
    return sorted(versions, key=lambda one: (one.effective_from, one.version))


def in_effect(versions: Sequence[Version], on: date) -> Version | None:
    """The version for somebody who begins on a day; None when there is none. Of several the one that took effect last."""
    day = on.isoformat()
    begun = [one for one in in_order(versions) if one.effective_from <= day]
    newest = begun[-1] if begun else None
    return newest if newest and (not newest.effective_until or day <= newest.effective_until) else None


def for_person(versions: Sequence[Version], on: date, started: Mapping[str, date]) -> Version:
    """The version on which a person starts on a day.

    ``started``: version -> the day on which this person first started a dossier on it, of this scheme. Raises ``NotFound``
    when no version is for that day.
    """
    newest = in_effect(versions, on)
    if newest is None:
        raise NotFound(both("Dit schema is op deze datum niet in gebruik. Neem contact op met het secretariaat."))
    rule = newest.transition
    if rule and on.isoformat() <= rule["until"]:
        earlier = next((one for one in versions if one.version == rule["from"]), None)
        began = started.get(rule["from"])
        if earlier is not None and began is not None and began.isoformat() < newest.effective_from:
            return earlier
    return newest


def accredited(version: DossierTemplate | EarlierVersion, on: date) -> bool:
    """Whether certificates under this version carry an accreditation on a day."""
    return accredited_days(version, on, on) is not None


def accredited_days(version: DossierTemplate | EarlierVersion, first: date, last: date) -> tuple[date, date] | None:
    """The days of a certificate under this version on which it is accredited, if any."""
    claim = version.accreditation
    if not claim:
        return None
    first = max(first, date.fromisoformat(claim["from"]))
    last = min(last, date.fromisoformat(claim.get("until") or "9999-12-31"))
    return (first, last) if first <= last else None


def faults(schemes: Sequence[Scheme | Earlier]) -> list[TemplateFault]:
    """What is wrong with the dates of the versions of one scheme: days with two versions or with none, and broken transitions."""
    order = sorted(schemes, key=lambda one: (one.template.effective_from, one.template.version))
    found: list[TemplateFault] = []
    for before, after in pairwise(order):
        begins, until = after.template.effective_from, before.template.effective_until
        name = f"version {before.template.version}"
        if begins == before.template.effective_from:
            problem = f"found {begins!r}; {name} takes effect on the same day"
        elif until and until >= begins:
            problem = f"found {begins!r}; {name} is in effect up to and including {until}; needed is the day after that"
        elif until and date.fromisoformat(until) + timedelta(days=1) < date.fromisoformat(begins):
            problem = (
                f"found {begins!r}; {name} ends on {until}, so there are days without a version; needed is the day after that"
            )
        else:
            continue
        found.append(after.document.fault(problem, (*after.path, "effective_from")))
    for place, one in enumerate(order):
        if rule := one.template.transition:
            earlier = [other.template.version for other in order[:place] if type(other) is type(one)]
            if rule["from"] not in earlier:
                problem = f"found {rule['from']!r}; needed is an earlier version: {', '.join(earlier) or 'there is none'}"
                found.append(one.document.fault(problem, (*one.path, "transition", "from")))
            if rule["until"] < one.template.effective_from:
                found.append(
                    one.document.fault(
                        f"found {rule['until']!r}; needed is a day on or after effective_from",
                        (*one.path, "transition", "until"),
                    )
                )
    return found
