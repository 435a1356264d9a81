"""What the office's forms read: days, amounts, lines and texts, with an error in words for what cannot be read."""

import re
from datetime import date

from flask import request

from app.errors import InvalidInput
from app.extensions import now
from app.schemes.question_types import as_number
from app.texts import both
from app.web.language import current_language
from app.web.parts import LARGEST_ID

MOST_DIGITS = 12
YEARS_AROUND = 20


def text(name: str) -> str:
    return request.form.get(name, "")


def number(name: str) -> int:
    """A hidden number, such as a version; what is no number is no form of ours."""
    typed = request.form.get(name, "")
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 10 and int(typed) <= LARGEST_ID):
        raise InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw."))
    return int(typed)


def day(name: str) -> date:
    """The day in ``name.day``, ``name.month`` and ``name.year``."""
    typed = [request.form.get(f"{name}.{part}", "").strip() for part in ("day", "month", "year")]
    try:
        if not all(one.isascii() and one.isdigit() and len(one) <= 4 for one in typed):
            raise ValueError
        found = date(int(typed[2]), int(typed[1]), int(typed[0]))
        if abs(found.year - now().year) > YEARS_AROUND:
            raise ValueError
    except ValueError:
        raise InvalidInput(both("Vul een datum in, zoals 21 11 2026."), field=name) from None
    return found


def iso_day(name: str) -> date:
    """A hidden day, such as the one that the page showed."""
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        raise InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw.")) from None


def parts_of(moment: date | None) -> dict[str, str]:
    """A day as the three fields of a form."""
    return {} if moment is None else {"day": str(moment.day), "month": str(moment.month), "year": str(moment.year)}


def typed_day(name: str) -> dict[str, str]:
    return {part: request.form.get(f"{name}.{part}", "") for part in ("day", "month", "year")}


def cents(name: str) -> int | None:
    """An amount in euros, the Dutch or the English way: ``475``, ``1.250,00``, ``1,250.00``, ``€ 475,-``; ``None`` for none."""
    typed = request.form.get(name, "").strip()
    if not typed:
        return None
    euros = as_number(re.sub(r"[.,][-–]$", "", typed.removeprefix("€").strip()))
    if euros is None or euros < 0 or euros * 100 % 1 or len(str(euros)) > MOST_DIGITS:
        raise InvalidInput(both("Vul een bedrag in, zoals 475 of 1.250,50."), field=name)
    return int(euros * 100)


def amount(value: int | None) -> str:
    """Cents as one types them, in the language of the page."""
    if value is None:
        return ""
    point = "," if current_language() == "nl" else "."
    return f"{value // 100}" if value % 100 == 0 else f"{value // 100}{point}{value % 100:02d}"
