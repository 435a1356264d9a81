"""The built-in question types: how each is read from a form, checked, summarised and set in a document.

``types(plugins)`` is the table of all types by name; plugin types come with a guard around them. A settings mapping
holds the keys of the type (``model.Question.settings``); callers may add ``label`` (for a table's caption), ``today``
(``date`` or ``YYYY-MM-DD``, for limits that say ``today`` and for periods that go on) and ``evidence`` (evidence id -> how a
table's cell names it).

Nested questions (``fields`` of a table, ``questions`` of a statement) stand in the settings as in the YAML: a mapping with
``id``, ``type``, ``label``, ``hint``, ``required`` and the keys of its type, so that the mapping itself is its settings.

Answers are as typed, so no function here fails on one of another shape: it then counts as wrong, not as an error.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

from babel.dates import format_date
from babel.numbers import format_decimal

from app.errors import NotFound
from app.plugin_api import (
    Answer,
    Block,
    Declaration,
    Facts,
    Heading,
    ListBlock,
    Paragraph,
    Problem,
    QuestionType,
    Run,
    Runs,
    Table,
    Text,
)
from app.plugin_loader import Plugin, call_hook, fail, guarded_call, is_blocks
from app.schemes import markup, spans
from app.schemes.model import Question
from app.texts import LANGUAGES, both, both_n, fill, pick

EVIDENCE_KINDS = ("pdf", "jpg", "png", "heic", "docx")
ROW_TYPES = ("short_text", "long_text", "number", "date", "period", "choice", "evidence")
SUMMARY_LENGTH = 160
CARD_FIELDS, CARD_LETTERS = 4, 120
"""In documents, rows with more fields than this, and a text longer than this, are cards instead of a table."""

Form = Mapping[str, Sequence[str]]
Settings = Mapping[str, Any]
Problems = Sequence[Problem]


class Types(dict[str, QuestionType]):
    """Question types by name. One that no working plugin brings is refused in words for people."""

    def __missing__(self, name: str) -> QuestionType:
        raise NotFound(
            both("Een vraag in dit dossier hoort bij een uitbreiding die nu niet werkt. Neem contact op met het secretariaat."),
            question_type=name,
        )


def types(plugins: Sequence[Plugin] = ()) -> Types:
    """The built-in types and those of ``plugins``. A plugin that takes a name which is already there is disabled."""
    result = Types(BUILT_IN)
    for plugin in plugins:
        added: Mapping[str, QuestionType] = call_hook(plugin, "question_types")
        if taken := sorted(set(added) & set(result)):
            fail(plugin, f"hooks.py: question_types: {', '.join(taken)}: there is a question type of this name already")
        else:
            result.update({name: _guarded(plugin, question_type) for name, question_type in added.items()})
    return result


def question(mapping: Mapping[str, Any]) -> Question:
    """A nested question (a table's field, a statement's question) as a ``Question``; its settings are the mapping itself."""
    return Question(
        id=mapping["id"],
        type=mapping["type"],
        label=mapping["label"],
        hint=mapping.get("hint"),
        required=mapping.get("required", True),
        settings=mapping,
    )


def in_dossier(question: Question, answers: Mapping[str, Mapping[str, Any]], today: date | str) -> Settings:
    """A question's settings with what its answer is weighed against: the day, and what stands elsewhere in the dossier."""
    settings = {**question.settings, "today": str(today)}
    if within := question.settings.get("within"):
        section, _, name = within["period"].partition(".")
        settings["between"] = as_period(answers.get(section, {}).get(name))
    if among := question.settings.get("among"):
        section, _, name = among["table"].partition(".")
        settings["days"] = [as_date(row.get(among["field"])) for row in _rows(answers.get(section, {}).get(name))]
    for key in ("not_before", "not_after"):
        if order := question.settings.get(key):
            section, _, name = order["question"].partition(".")
            settings[key] = {**order, "day": as_date(answers.get(section, {}).get(name))}
    return settings


def nothing(answer: Answer) -> bool:
    """Whether an answer of any built-in type holds nothing that can be seen."""
    if isinstance(answer, str):
        return markup.is_blank(answer)
    if isinstance(answer, Mapping):
        return all(nothing(part) for key, part in answer.items() if key != "row")
    if isinstance(answer, Sequence):
        return not answer
    return answer is None


def count_words(text: str) -> int:
    """Words as the page counts them too: stretches without white space."""
    return len(re.findall(r"\S+", text))


# --- numbers and dates as typed ------------------------------------------------------------------------------------

_NUMBER = re.compile(
    r"(?P<sign>[-−+]?)(?:"
    r"(?P<grouped>[1-9][0-9]{0,2}(?:(?P<group>[.,' ])[0-9]{3})(?:(?P=group)[0-9]{3})*)(?:(?!(?P=group))[.,](?P<rest>[0-9]+))?"
    r"|(?P<whole>[0-9]+)(?:[.,](?P<decimals>[0-9]+))?"
    r")"
)
_MAX_NUMBER_LENGTH = 30


def as_number(answer: Answer) -> Decimal | None:
    """The number that was typed the Dutch or the English way (``12,5`` ``12.5`` ``1.234,50`` ``1,234.50`` ``1 234``), or None.

    A point or comma before exactly three digits parts thousands, so ``1.234`` is 1234, but ``0.125`` is an eighth.
    """
    typed = " ".join(_word(answer).split())
    found = _NUMBER.fullmatch(typed) if len(typed) <= _MAX_NUMBER_LENGTH else None
    if found is None:
        return None
    whole = re.sub(r"[^0-9]", "", found["grouped"] or found["whole"])
    decimals = found["rest"] or found["decimals"] or "0"
    number = Decimal(f"{whole}.{decimals}")
    return -number if found["sign"] in ("-", "−") and number else number


def as_date(answer: Answer) -> date | None:
    """The date of ``{"day", "month", "year"}`` as typed, or None when it is incomplete or does not exist."""
    day, month, year = _date_parts(answer)
    if not (re.fullmatch(r"[0-9]{1,2}", day) and re.fullmatch(r"[0-9]{1,2}", month) and re.fullmatch(r"[0-9]{4}", year)):
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def as_period(answer: Answer, settings: Settings | None = None) -> tuple[date, date] | None:
    """First and last day of a period as typed, or None when either is no date or they stand the wrong way round.

    One that goes on (``open`` in the settings) lasts up to and including ``today``.
    """
    first, last = as_date(_part(answer, "from")), as_date(_part(answer, "to"))
    if settings and goes_on(answer, settings):
        last = _today(settings)
    return (first, last) if first and last and first <= last else None


def goes_on(answer: Answer, settings: Settings) -> bool:
    """Whether a period has no last day yet, where that is allowed."""
    return bool(settings.get("open")) and nothing(_part(answer, "to"))


def shown_number(number: Decimal, language: str) -> str:
    """``1.234,5`` in Dutch, ``1,234.5`` in English."""
    return str(format_decimal(number, locale=language, decimal_quantization=False))


def shown_date(day: date, language: str) -> str:
    """``21 november 2026``."""
    return str(format_date(day, "d MMMM y", locale=language))


# --- the shape of answers ------------------------------------------------------------------------------------------


def _word(answer: Answer) -> str:
    return answer if isinstance(answer, str) else ""


def _part(answer: Answer, name: str) -> Any:
    return answer.get(name) if isinstance(answer, Mapping) else None


def _date_parts(answer: Answer) -> tuple[str, str, str]:
    day, month, year = (_word(_part(answer, name)).strip() for name in ("day", "month", "year"))
    return day, month, year


def _words(answer: Answer) -> list[str]:
    return [item for item in answer if isinstance(item, str)] if isinstance(answer, list) else []


def _numbers(answer: Answer) -> list[int]:
    return [item for item in answer if type(item) is int] if isinstance(answer, list) else []


def _rows(answer: Answer) -> list[Mapping[str, Any]]:
    return [row for row in answer if isinstance(row, Mapping)] if isinstance(answer, list) else []


def _filled(text: Text, **values: Any) -> dict[str, str]:
    """``text`` with its ``%(name)s`` places filled in, numbers and dates the way of each language."""
    return fill(text, **{name: _per_language(value) for name, value in values.items()})


def _per_language(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {language: shown_number(value, language) for language in LANGUAGES}
    if isinstance(value, date):
        return {language: shown_date(value, language) for language in LANGUAGES}
    return value


def _problem(text: Text, **values: Any) -> list[Problem]:
    return [Problem(_filled(text, **values) if values else text)]


def _plain(text: str) -> tuple[Block, ...]:
    return (Paragraph((Run(text),)),)


def _short(text: str) -> str:
    """The start of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= SUMMARY_LENGTH else line[: SUMMARY_LENGTH - 1].rstrip() + "…"


def _first(form: Form, name: str) -> str:
    return next(iter(form.get(name, ())), "")


def _range(settings: Settings, key: str) -> tuple[int | None, int | None]:
    limits = settings.get(key) or {}
    return limits.get("min"), limits.get("max")


# --- short and long text -------------------------------------------------------------------------------------------


def _read_line(form: Form, name: str, settings: Settings) -> str:
    return markup.clean_line(_first(form, name))


def _check_short_text(answer: Answer, settings: Settings) -> Problems:
    excess = len(_word(answer)) - settings.get("max_length", 200)
    if excess > 0:
        return _problem(both_n("Maak de tekst %(n)s teken korter.", "Maak de tekst %(n)s tekens korter.", excess))
    return ()


def _text_blocks(answer: Answer, settings: Settings, language: str) -> Sequence[Block]:
    return _plain(_word(answer).strip())


def _text_summary(answer: Answer, settings: Settings, language: str) -> str:
    return _short(_word(answer))


def _read_text(form: Form, name: str, settings: Settings) -> str:
    return markup.clean(_first(form, name))


def _check_long_text(answer: Answer, settings: Settings) -> Problems:
    count = count_words(_word(answer))
    least, most = _range(settings, "words")
    if least is not None and count < least:
        return _problem(
            both_n(
                "Schrijf nog %(n)s woord. Het zijn er nu %(count)s en er zijn er minstens %(limit)s nodig.",
                "Schrijf nog %(n)s woorden. Het zijn er nu %(count)s en er zijn er minstens %(limit)s nodig.",
                least - count,
                count=count,
                limit=least,
            )
        )
    if most is not None and count > most:
        return _problem(
            both_n(
                "Schrap nog %(n)s woord. Het zijn er nu %(count)s en het mogen er hoogstens %(limit)s zijn.",
                "Schrap nog %(n)s woorden. Het zijn er nu %(count)s en het mogen er hoogstens %(limit)s zijn.",
                count - most,
                count=count,
                limit=most,
            )
        )
    return ()


def advice(answer: Answer, settings: Settings) -> Text | None:
    """What a text makes one look at again: it does not mention what is expected. Nothing is refused for it."""
    expected = settings.get("mentions")
    if not expected or nothing(answer):
        return None
    said = _word(answer).casefold()
    if any(re.search(rf"\b{re.escape(word.casefold())}\b", said) for word in expected["words"]):
        return None
    return cast(Text, expected["otherwise"])


def _long_text_blocks(answer: Answer, settings: Settings, language: str) -> Sequence[Block]:
    return markup.parse(_word(answer))


def _long_text_summary(answer: Answer, settings: Settings, language: str) -> str:
    return _short(_flat(_word(answer)))


def _flat(text: str) -> str:
    """Long text without its markup, as one stretch."""
    return " ".join(run.text for run in _flat_runs(text))


def _flat_runs(text: str) -> Runs:
    """Long text as runs on one line, for a table's cell: list items get their marker back."""
    flat: list[Run] = []
    for block in markup.parse(text):
        if isinstance(block, Paragraph):
            lines = [("", block.runs)]
        else:
            lines = [(f"{number}. " if block.ordered else "• ", item) for number, item in enumerate(block.items, 1)]
        for marker, line in lines:
            start = (" " if flat else "") + marker
            flat += [Run(start), *line] if start else line
    return tuple(flat)


# --- numbers and dates ---------------------------------------------------------------------------------------------


def _check_number(answer: Answer, settings: Settings) -> Problems:
    number = as_number(answer)
    if number is None:
        return _problem(
            both("Vul alleen een getal in, bijvoorbeeld 12 of 12,5. U vulde in: %(typed)s."), typed=_short(_word(answer))
        )
    decimals = settings.get("decimals", 0)
    if -int(number.normalize().as_tuple().exponent) > decimals:
        if decimals == 0:
            return _problem(both("Vul een heel getal in, zonder cijfers achter de komma."))
        return _problem(
            both_n(
                "Gebruik hoogstens %(n)s cijfer achter de komma.", "Gebruik hoogstens %(n)s cijfers achter de komma.", decimals
            )
        )
    least, most = settings.get("min"), settings.get("max")
    if least is not None and number < _decimal(least):
        return _problem(both("Vul een getal in van %(limit)s of meer."), limit=_decimal(least))
    if most is not None and number > _decimal(most):
        return _too_large(_word(answer).strip(), number, settings)
    return ()


def _too_large(typed: str, number: Decimal, settings: Settings) -> Problems:
    """Who typed ``1.500`` most likely meant one and a half: then that is asked, and how the number was read is said."""
    limit = _decimal(settings["max"])
    if not re.fullmatch(r"[-−+]?[0-9]{1,3}[.,][0-9]{3}", typed):
        return _problem(both("Vul een getal in van %(limit)s of minder."), limit=limit)
    values = {"typed": typed, "number": str(int(number)), "limit": limit}
    meant = Decimal(typed.replace(",", ".")).normalize()
    three = typed[-1] != "0"  # three digits behind the comma cannot be typed: they part thousands
    if three or _check_number(f"{meant:f}", settings):
        return _problem(both("%(typed)s lezen wij als %(number)s. Vul een getal in van %(limit)s of minder."), **values)
    text = both("%(typed)s lezen wij als %(number)s. Bedoelt u %(meant)s? Vul dat dan in. Er kan hoogstens %(limit)s staan.")
    return _problem(text, meant=meant, **values)


def _decimal(value: float | Decimal) -> Decimal:
    return Decimal(str(value))


def _number_summary(answer: Answer, settings: Settings, language: str) -> str:
    number = as_number(answer)
    if number is None:
        return _short(_word(answer))
    return f"{shown_number(number, language)} {pick(settings.get('unit'), language)}".strip()


def _number_blocks(answer: Answer, settings: Settings, language: str) -> Sequence[Block]:
    return _plain(_number_summary(answer, settings, language))


def _read_date(form: Form, name: str, settings: Settings) -> dict[str, str]:
    return {part: markup.clean_line(_first(form, f"{name}.{part}")) for part in ("day", "month", "year")}


def _check_date(answer: Answer, settings: Settings) -> Problems:
    day = as_date(answer)
    if day is None:
        return _date_form_problem(answer)
    if not spans.EARLIEST <= day <= spans.LATEST:
        return _problem(both("Het jaar %(year)s klopt vast niet. Controleer het jaar."), year=_date_parts(answer)[2])
    least, most = _limit(settings, "min"), _limit(settings, "max")
    if least and day < least:
        return _problem(both("Vul een datum in op of na %(limit)s."), limit=least)
    if most and day > most and settings.get("max") == "today":
        return _problem(both("%(day)s ligt in de toekomst. Vul een datum in tot en met vandaag."), day=day)
    if most and day > most:
        return _problem(both("Vul een datum in op of voor %(limit)s."), limit=most)
    first, last = (settings.get(key, {}) for key in ("not_before", "not_after"))
    if first.get("day") and day < first["day"]:
        text = both("Vul een datum in op of na %(limit)s. %(because)s")
        return _problem(text, limit=first["day"], because=first["because"])
    if last.get("day") and day > last["day"]:
        text = both("Vul een datum in op of voor %(limit)s. %(because)s")
        return _problem(text, limit=last["day"], because=last["because"])
    days = [one for one in settings.get("days", ()) if one]
    return _problem(settings["among"]["otherwise"]) if days and day not in days else ()


def _date_form_problem(answer: Answer) -> Problems:
    """What is wrong with a date that is no date."""
    day, month, year = _date_parts(answer)
    missing = [name for name, part in (("day", day), ("month", month), ("year", year)) if not part]
    if len(missing) == 1:
        return _problem(
            {
                "day": both("Vul ook de dag in."),
                "month": both("Vul ook de maand in."),
                "year": both("Vul ook het jaar in."),
            }[missing[0]]
        )
    if missing:
        return _problem(both("Vul dag, maand en jaar in, bijvoorbeeld 31 3 2026."))
    if not all(re.fullmatch(r"[0-9]+", part) for part in (day, month, year)):
        return _problem(both("Vul dag, maand en jaar in cijfers in, bijvoorbeeld 31 3 2026."))
    if len(year) != 4:
        return _problem(both("Vul het jaar in met vier cijfers, bijvoorbeeld 2026."))
    if len(month) > 2 or not 1 <= int(month) <= 12:
        return _problem(both("Maand %(month)s bestaat niet. Vul een maand in van 1 tot en met 12."), month=month)
    if len(day) > 2 or not 1 <= int(day) <= 31:
        return _problem(both("Dag %(day)s bestaat niet. Vul een dag in van 1 tot en met 31."), day=day)
    names = {language: format_date(date(2000, int(month), 1), "MMMM", locale=language) for language in LANGUAGES}
    return _problem(
        both("%(day)s %(month)s %(year)s bestaat niet. Controleer de dag en de maand."), day=int(day), month=names, year=year
    )


def _limit(settings: Settings, key: str) -> date | None:
    """A limit of a date question; ``today`` counts only where the caller says which day that is."""
    limit = settings.get(key)
    if limit == "today":
        return _today(settings)
    return date.fromisoformat(limit) if limit else None


def _today(settings: Settings) -> date | None:
    today = settings.get("today")
    return today if isinstance(today, date) or not today else date.fromisoformat(today)


def _date_summary(answer: Answer, settings: Settings, language: str) -> str:
    day = as_date(answer)
    return shown_date(day, language) if day else "-".join(part for part in _date_parts(answer) if part)


def _date_blocks(answer: Answer, settings: Settings, language: str) -> Sequence[Block]:
    return _plain(_date_summary(answer, settings, language))


def _read_period(form: Form, name: str, settings: Settings) -> dict[str, dict[str, str]]:
    return {end: _read_date(form, f"{name}.{end}", settings) for end in ("from", "to")}


def _check_period(answer: Answer, settings: Settings) -> Problems:
    for end, words in (("from", both("Begindatum: %(problem)s")), ("to", both("Einddatum: %(problem)s"))):
        part = _part(answer, end)
        if end == "to" and goes_on(answer, settings):
            today, first = _today(settings), as_date(_part(answer, "from"))
            if today and first and first > today:
                text = both("Begindatum: %(day)s ligt in de toekomst. Vul een datum in tot en met vandaag.")
                return _problem(text, day=first)
            return ()
        if problems := _check_date(part, settings):
            return _problem(words, problem=problems[0].text)
    today, first = _today(settings), as_date(_part(answer, "from"))
    if settings.get("begun") and today and first and first > today:
        return _problem(both("Begindatum: %(day)s ligt in de toekomst. Vul een datum in tot en met vandaag."), day=first)
    if as_period(answer) is None:
        return _problem(both("De einddatum ligt voor de begindatum. Controleer beide data."))
    return ()


def _period_summary(answer: Answer, settings: Settings, language: str) -> str:
    first, last = (_date_summary(_part(answer, end), settings, language) for end in ("from", "to"))
    return " – ".join((first, both("heden")[language] if goes_on(answer, settings) else last))


def _period_blocks(answer: Answer, settings: Settings, language: str) -> Sequence[Block]:
    return _plain(_period_summary(answer, settings, language))


# --- choosing ------------------------------------------------------------------------------------------------------


def _label(settings: Settings, key: str, option_id: str, language: str) -> str:
    """An option's label; an id that is not among the options stands as it is."""
    found = next((option for option in settings.get(key, ()) if option["id"] == option_id), None)
    return pick(found["label"], language) if found else option_id


def _known(settings: Settings, key: str) -> set[str]:
    return {option["id"] for option in settings.get(key, ())}


def _check_choice(answer: Answer, settings: Settings) -> Problems:
    chosen = next((option for option in settings.get("options", ()) if option["id"] == _word(answer)), None)
    if chosen is None:
        return _not_there(_word(answer), settings)
    today, until = _today(settings), chosen.get("until")
    if today and until and today > date.fromisoformat(until):
        text = both(
            "%(name)s staat na %(day)s niet meer op de lijst. Maak een andere keuze, of vraag het secretariaat of deze nog mag."
        )
        return _problem(text, name=chosen["label"], day=date.fromisoformat(until))
    return ()


def _not_there(typed: str, settings: Settings) -> Problems:
    """``list`` in the settings: the name of the maintained list that the options come from."""
    if "list" not in settings:
        return _problem(both("“%(typed)s” is hier geen mogelijkheid. Maak een andere keuze."), typed=_short(typed))
    text = both(
        "“%(typed)s” staat niet op de lijst %(list)s. Het secretariaat houdt die lijst bij. Maak een andere keuze, of vraag het "
        "secretariaat wat u het best kunt kiezen."
    )
    return _problem(text, typed=_short(typed), list=settings["list"])


def _choice_summary(answer: Answer, settings: Settings, language: str) -> str:
    return _label(settings, "options", _word(answer), language)


def _choice_blocks(answer: Answer, settings: Settings, language: str) -> Sequence[Block]:
    return _plain(_choice_summary(answer, settings, language))


def _read_choices(form: Form, name: str, settings: Settings) -> list[str]:
    return [markup.clean_line(value) for value in dict.fromkeys(form.get(name, ())) if value]


def _check_choices(answer: Answer, settings: Settings) -> Problems:
    chosen = set(_words(answer))
    if unknown := sorted(chosen - _known(settings, "options")):
        return _not_there(unknown[0], settings)
    least, most = _range(settings, "choose")
    if least is not None and len(chosen) < least:
        return _problem(both("Kies er nog %(n)s."), n=least - len(chosen))
    if most is not None and len(chosen) > most:
        return _problem(both("Kies er %(n)s minder: hoogstens %(limit)s."), n=len(chosen) - most, limit=most)
    return ()


def _chosen(answer: Answer, settings: Settings, language: str) -> list[str]:
    """Labels of what was chosen, in the order of the options."""
    order = [option["id"] for option in settings.get("options", ())]
    chosen = sorted(_words(answer), key=lambda option: order.index(option) if option in order else len(order))
    return [_label(settings, "options", option, language) for option in chosen]


def _choices_summary(answer: Answer, settings: Settings, language: str) -> str:
    return ", ".join(_chosen(answer, settings, language))


def _choices_blocks(answer: Answer, settings: Settings, language: str) -> Sequence[Block]:
    return (ListBlock(tuple((Run(label),) for label in _chosen(answer, settings, language))),)


def _check_scale(answer: Answer, settings: Settings) -> Problems:
    return () if _word(answer) in _known(settings, "levels") else _problem(both("Kies een van de scores."))


def _scale_summary(answer: Answer, settings: Settings, language: str) -> str:
    level = _word(answer)
    label = _label(settings, "levels", level, language)
    return label if label.startswith(level) else f"{level} – {label}"


def _scale_blocks(answer: Answer, settings: Settings, language: str) -> Sequence[Block]:
    return _plain(_scale_summary(answer, settings, language))


def _read_declaration(form: Form, name: str, settings: Settings) -> str:
    return "yes" if _first(form, name) else ""


def _check_declaration(answer: Answer, settings: Settings) -> Problems:
    return () if answer == "yes" else _problem(both("Zet een vinkje als u het hiermee eens bent."))


def _declaration_summary(answer: Answer, settings: Settings, language: str) -> str:
    return (both("Akkoord") if answer == "yes" else both("Nog niet akkoord"))[language]


def _declaration_blocks(answer: Answer, settings: Settings, language: str) -> Sequence[Block]:
    return (Declaration(pick(settings.get("text"), language), agreed=answer == "yes"),)


# --- evidence and statement ----------------------------------------------------------------------------------------


def _read_evidence(form: Form, name: str, settings: Settings) -> list[int]:
    return list(dict.fromkeys(int(value) for value in form.get(name, ()) if re.fullmatch(r"[0-9]{1,15}", value)))


def _check_evidence(answer: Answer, settings: Settings) -> Problems:
    count = len(set(_numbers(answer)))
    least, most = _range(settings, "files")
    if least is not None and count < least:
        return _problem(
            both_n("Voeg nog %(n)s bewijsstuk toe.", "Voeg nog %(n)s bewijsstukken toe.", least - count),
        )
    if most is not None and count > most:
        return _problem(
            both_n(
                "Haal %(n)s bewijsstuk weg: hoogstens %(limit)s.",
                "Haal %(n)s bewijsstukken weg: hoogstens %(limit)s.",
                count - most,
                limit=most,
            )
        )
    return ()


def _evidence_summary(answer: Answer, settings: Settings, language: str) -> str:
    return both_n("%(n)s bewijsstuk", "%(n)s bewijsstukken", len(set(_numbers(answer))))[language]


def _no_blocks(answer: Answer, settings: Settings, language: str) -> Sequence[Block]:
    """Nothing here: ``documents.outline`` shows it, which knows the numbers of the evidence and the statements."""
    return ()


# --- tables --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Total:
    """One total of a table: ``entered`` is the sum, ``counted`` what is left of it after the caps."""

    field: str
    label: Text
    entered: Decimal
    counted: Decimal
    min: Decimal | None
    max: Decimal | None
    unit: Text | None


def totals(answer: Answer, settings: Settings) -> tuple[Total, ...]:
    """The totals of a table's rows. What is no number counts for nothing, and so does a row that does not count."""
    counted = counting(answer, settings)
    return tuple(_total(counted, total, settings) for total in settings.get("totals", ()))


def counting(answer: Answer, settings: Settings) -> list[Mapping[str, Any]]:
    """The rows of a table that count: within the period that the scheme counts, and no double of a row before it."""
    inside = [row for row in _rows(answer) if not _outside(row, settings)]
    doubles = {id(row) for row, _, _ in _doubles(inside, settings)}
    return [row for row in inside if id(row) not in doubles]


def _outside(row: Mapping[str, Any], settings: Settings) -> bool:
    """Whether the date of a row lies outside the period that the scheme counts, as far as that is known (``in_dossier``)."""
    between: tuple[date, date] | None = settings.get("between")
    day = as_date(row.get(settings["within"]["field"])) if between else None
    return bool(between and day and not between[0] <= day <= between[1])


def _check_within(rows: Sequence[Mapping[str, Any]], settings: Settings) -> list[Problem]:
    between: tuple[date, date] | None = settings.get("between")
    if not between:
        return []
    text = _filled(
        both("Deze datum valt buiten de periode die telt: %(first)s – %(last)s. Pas de datum aan of haal de regel weg."),
        first=between[0],
        last=between[1],
    )
    field = settings["within"]["field"]
    return [Problem(text, row=_word(row.get("row")), field=field) for row in rows if _outside(row, settings)]


def _check_distinct(rows: Sequence[Mapping[str, Any]], settings: Settings) -> list[Problem]:
    """Rows that say the same as one before them in all fields of a group, so that nothing counts twice."""
    text = both("Dit lijkt op een andere regel: %(title)s. Alles telt één keer. Hoort het bij elkaar? Maak er dan één regel van.")
    problems: list[Problem] = []
    for row, first, group in _doubles(rows, settings):
        title = _word(first.get(settings.get("row_title", ""))).strip()
        problems.append(Problem(_filled(text, title=title or "…"), row=_word(row.get("row")), field=group[0]))
    return problems


def _doubles(
    rows: Sequence[Mapping[str, Any]], settings: Settings
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any], Sequence[str]]]:
    """Each row that is the same as one before it in all fields of a group: the row, that first one, and the group."""
    types = {field["id"]: field["type"] for field in settings["fields"]}
    for group in settings.get("distinct", ()):
        first: dict[Any, Mapping[str, Any]] = {}
        for row in rows:
            keys = _keys(row, group, types)
            other = next((first[key] for key in keys if key in first), None)
            if other is not None:
                yield row, other, group
            else:
                first |= dict.fromkeys(keys, row)


def shared_evidence(answer: Answer, settings: Settings) -> Iterator[tuple[str, int, int]]:
    """What of a table's evidence stands at a row before it too: (the row's id, evidence id, number of that first row from 1).

    Not wrong, for one certificate may prove two activities; only worth a question. Fields that ``distinct`` refuses are left out.
    """
    refused = {group[0] for group in settings.get("distinct", ()) if len(group) == 1}
    for field in settings["fields"]:
        if field["type"] != "evidence" or field["id"] in refused:
            continue
        first: dict[int, int] = {}
        for number, row in enumerate(_rows(answer), 1):
            for evidence in dict.fromkeys(_numbers(row.get(field["id"]))):
                if first.setdefault(evidence, number) != number:
                    yield _word(row.get("row")), evidence, first[evidence]


def _keys(row: Mapping[str, Any], group: Sequence[str], types: Mapping[str, str]) -> list[Any]:
    """What a row is known by in a group of fields; nothing when one of them is empty. Each file of evidence counts alone."""
    if any(nothing(row.get(name)) for name in group):
        return []
    if len(group) == 1 and types[group[0]] == "evidence":
        return sorted(set(_numbers(row.get(group[0]))))
    return [tuple(_same(row.get(name)) for name in group)]


def alike(one: Answer, other: Answer) -> bool:
    """Whether two answers say the same, however they are typed."""
    return bool(_same(one) == _same(other))


def _same(answer: Answer) -> Any:
    """An answer in a form in which two ways of typing it are equal."""
    if isinstance(answer, str):
        return as_number(answer) or " ".join(answer.casefold().split())
    return as_date(answer) or as_period(answer) or str(answer)


@dataclass(frozen=True)
class Cap:
    """How much the rows with one ``value`` of the choice ``by`` add to a total: at most ``max`` of what was ``entered``."""

    field: str
    by: str
    value: str
    entered: Decimal
    max: Decimal

    @property
    def excess(self) -> Decimal:
        return max(self.entered - self.max, Decimal(0))


def caps(answer: Answer, settings: Settings) -> tuple[Cap, ...]:
    """What the caps of a table leave of its rows, as ``totals`` counts them."""
    return tuple(_caps(counting(answer, settings), settings))


def _caps(rows: Sequence[Mapping[str, Any]], settings: Settings) -> list[Cap]:
    return [
        Cap(
            field=cap["field"],
            by=cap["by"],
            value=cap["value"],
            entered=_sum([row for row in rows if row.get(cap["by"]) == cap["value"]], cap["field"], settings),
            max=_decimal(cap["max"]),
        )
        for cap in settings.get("caps", ())
    ]


def _total(rows: Sequence[Mapping[str, Any]], total: Mapping[str, Any], settings: Settings) -> Total:
    field = total["field"]
    entered = _sum(rows, field, settings)
    excess = sum((cap.excess for cap in _caps(rows, settings) if cap.field == field), Decimal(0))
    least, most = total.get("min"), total.get("max")
    return Total(
        field=field,
        label=total["label"],
        entered=entered,
        counted=entered - excess,
        min=None if least is None else _decimal(least),
        max=None if most is None else _decimal(most),
        unit=total.get("unit"),
    )


def _sum(rows: Sequence[Mapping[str, Any]], name: str, settings: Settings) -> Decimal:
    """A number with something wrong in it, such as -5 or 1500 where 40 is the most, counts for nothing until it is mended."""
    field = next(one for one in settings["fields"] if one["id"] == name)
    typed = [row.get(name) for row in rows]
    return sum((as_number(one) or Decimal(0) for one in typed if not _check_number(one, field)), Decimal(0))


@dataclass(frozen=True)
class Span:
    """What the periods in a table's rows make together. ``until``: the day up to which one that goes on is counted."""

    label: Text
    stretches: tuple[spans.Stretch, ...]
    min_years: int
    within_years: int | None
    until: date | None
    max_years: int | None = None
    today: date | None = None

    @property
    def left_out(self) -> tuple[spans.Stretch, ...]:
        """The time between the periods, and from the last one up to today."""
        between = spans.gaps(self.stretches)
        day = timedelta(days=1)
        if self.stretches and self.today and self.stretches[-1].last < self.today - day:
            return (*between, spans.Stretch(self.stretches[-1].last + day, self.today))
        return between

    @property
    def is_too_long(self) -> bool:
        """Whether it is longer than anybody can have done this: a year is wrong."""
        return self.max_years is not None and spans.short_of(self.stretches, self.max_years) is None

    @property
    def short(self) -> spans.Length | None:
        """What lacks; None when it is enough."""
        return spans.short_of(self.stretches, self.min_years)


def span(answer: Answer, settings: Settings) -> Span | None:
    """What a table's ``span`` asks for, if it has one. A period with something wrong in it counts for nothing."""
    asked = settings.get("span")
    if not asked:
        return None
    field = next(one for one in settings["fields"] if one["id"] == asked["field"])
    inner, today, within = _nested(field, settings), _today(settings), asked.get("within_years")
    typed = [row.get(asked["field"]) for row in _rows(answer)]
    good = [one for one in typed if not nothing(one) and not _check_period(one, inner)]
    periods = [period for one in good if (period := as_period(one, inner)) is not None]
    first = spans.months_after(today, -12 * within) if today and within else spans.EARLIEST
    return Span(
        label=asked["label"],
        stretches=spans.joined(periods, first),
        min_years=asked["min_years"],
        within_years=within,
        until=today if any(goes_on(one, inner) for one in good) else None,
        max_years=asked.get("max_years"),
        today=today,
    )


def _check_span(found: Span | None) -> list[Problem]:
    if found is not None and found.is_too_long:
        return _problem(
            both("%(label)s: %(length)s is langer dan iemand dit werk doet. Controleer de jaren van elke periode."),
            label=found.label,
            length=length_text(spans.length(found.stretches)),
        )
    if found is None or found.short is None:
        return []
    return _problem(
        both("%(label)s: u komt nog %(short)s tekort. Het is nu %(length)s en er is minstens %(limit)s nodig."),
        label=found.label,
        short=length_text(found.short),
        length=length_text(spans.length(found.stretches)),
        limit=length_text(spans.Length(found.min_years, 0, 0)),
    )


def length_text(length: spans.Length) -> Text:
    """``4 jaar en 2 maanden``. Days are left out behind years and months together."""
    told = _length_parts(length)
    return told[0] if len(told) == 1 else both("%(first)s en %(second)s", first=told[0], second=told[1])


def _length_parts(length: spans.Length) -> list[Text]:
    parts = [
        (length.years, both_n("%(n)s jaar", "%(n)s jaar", length.years)),
        (length.months, both_n("%(n)s maand", "%(n)s maanden", length.months)),
        (length.days, both_n("%(n)s dag", "%(n)s dagen", length.days)),
    ]
    return [text for count, text in parts if count] or [parts[-1][1]]


def span_notes(found: Span) -> list[Text]:
    """What explains a span: up to which day was counted, and the time that the periods leave out."""
    notes = _counting_notes(found)
    if left_out := found.left_out:
        listed = {language: "; ".join(_stretch_words(gap, language) for gap in left_out) for language in LANGUAGES}
        notes.append(both("Niet ingevuld: %(listed)s.", listed=listed))
    return notes


def _counting_notes(found: Span) -> list[Text]:
    notes: list[Text] = []
    if found.until:
        notes.append(_filled(both("Gerekend tot en met %(day)s."), day=found.until))
    if found.within_years:
        notes.append(both("Alleen de laatste %(n)s jaar telt mee.", n=found.within_years))
    return notes


def _stretch_words(stretch: spans.Stretch, language: str) -> str:
    ends = (stretch.first,) if stretch.first == stretch.last else (stretch.first, stretch.last)
    return " – ".join(shown_date(day, language) for day in ends)


def _span_blocks(found: Span | None, rows: int, language: str) -> tuple[Block, ...]:
    """The length in a sentence; with more than one row also how it was counted, so that nobody has to do it again."""
    if found is None:
        return ()
    needed = both(
        "%(length)s (minstens %(limit)s nodig).",
        length=length_text(spans.length(found.stretches)),
        limit=length_text(spans.Length(found.min_years, 0, 0)),
    )
    words = " ".join(text[language] for text in (needed, *_counting_notes(found)))
    told = Paragraph((Run(f"{pick(found.label, language)}: ", bold=True), Run(words)))
    return (told, _counted(found, language)) if found.stretches and (rows > 1 or found.left_out) else (told,)


def _counted(found: Span, language: str) -> Table:
    """Each stretch that counts, and the time that does not."""
    left_out = found.left_out
    rows = []
    for stretch in sorted((*found.stretches, *left_out)):
        counts = stretch not in left_out
        length = _whole_length(spans.length([stretch]), language) if counts else both("telt niet mee")[language]
        ends = ((Run(shown_date(day, language)),) for day in (stretch.first, stretch.last))
        rows.append((*ends, (Run(length, italic=not counts),)))
    sum_of_all = (Run(_whole_length(spans.length(found.stretches), language), bold=True),)
    return Table(
        caption=both("%(label)s: wat meetelt", label=found.label)[language],
        header=tuple(text[language] for text in (both("Van"), both("Tot en met"), both("Duur"))),
        rows=tuple(rows),
        totals=((Run(both("Samen")[language], bold=True),), (), sum_of_all),
        numeric=(2,),
    )


def _whole_length(length: spans.Length, language: str) -> str:
    """``2 jaar, 10 maanden en 15 dagen``."""
    told = [text[language] for text in _length_parts(length)]
    if len(told) < 2:
        return told[0]
    return both("%(first)s en %(second)s")[language] % {"first": ", ".join(told[:-1]), "second": told[-1]}


def _nested(field: Mapping[str, Any], settings: Settings) -> Settings:
    """A field's own settings, with what the caller told about the day and the evidence."""
    return {**{key: settings[key] for key in ("today", "evidence") if key in settings}, **field}


def read_row(form: Form, name: str, settings: Settings) -> dict[str, Any]:
    """One row of a table, from fields named ``<name>.<field>``; ``<name>.row`` is the row's own id, when it has one."""
    row: dict[str, Any] = {
        field["id"]: BUILT_IN[field["type"]].read(form, f"{name}.{field['id']}", field) for field in settings["fields"]
    }
    row_id = _first(form, f"{name}.row")
    return {**row, "row": row_id} if row_id else row


def check_row(row: Mapping[str, Any], settings: Settings) -> list[Problem]:
    """What is wrong with one row, each problem placed by row and field."""
    row_id = _word(row.get("row"))
    problems: list[Problem] = []
    for field in settings["fields"]:
        of_type, answer = BUILT_IN[field["type"]], row.get(field["id"])
        if not of_type.is_empty(answer):
            found = of_type.check(answer, _nested(field, settings))
            problems += (Problem(problem.text, row=row_id, field=field["id"]) for problem in found)
        elif field.get("required", True):
            text = both("Vul in: %(label)s", label=field["label"])
            problems.append(Problem(text, row=row_id, field=field["id"]))
    labels = {field["id"]: field["label"] for field in settings["fields"]}
    for first, then in settings.get("chronological", ()):
        days = as_date(row.get(first)), as_date(row.get(then))
        if days[0] and days[1] and days[1] < days[0]:
            text = both("“%(then)s” ligt vóór “%(first)s”. Controleer beide data.", first=labels[first], then=labels[then])
            problems.append(Problem(text, row=row_id, field=then))
    return problems


def _check_table(answer: Answer, settings: Settings) -> Problems:
    rows = _rows(answer)
    problems = [problem for row in rows for problem in check_row(row, settings)]
    least, most = _range(settings, "rows")
    counted = len(counting(rows, settings))
    if least is not None and counted < least:
        problems += _problem(both_n("Voeg nog %(n)s regel toe.", "Voeg nog %(n)s regels toe.", least - counted))
    if most is not None and len(rows) > most:
        problems += _problem(
            both_n(
                "Haal %(n)s regel weg: hoogstens %(limit)s.",
                "Haal %(n)s regels weg: hoogstens %(limit)s.",
                len(rows) - most,
                limit=most,
            )
        )
    for total in totals(answer, settings):
        problems += _check_total(total)
    return [*problems, *_check_span(span(answer, settings)), *_check_within(rows, settings), *_check_distinct(rows, settings)]


def _check_total(total: Total) -> list[Problem]:
    values = {"label": total.label, "counted": total.counted}
    if total.min is not None and total.counted < total.min:
        text = both("%(label)s: u komt nog %(short)s tekort. Het zijn er nu %(counted)s en er zijn er minstens %(limit)s nodig.")
        return _problem(text, short=total.min - total.counted, limit=total.min, **values)
    if total.max is not None and total.counted > total.max:
        text = both(
            "%(label)s: er zijn er %(over)s te veel. Het zijn er nu %(counted)s en het mogen er hoogstens %(limit)s zijn."
        )
        return _problem(text, over=total.counted - total.max, limit=total.max, **values)
    return []


def shown_total(total: Total, language: str) -> str:
    """``70 punten``, or ``70 punten (82 ingevuld)`` where a cap took something off."""
    amount = f"{shown_number(total.counted, language)} {pick(total.unit, language)}".strip()
    if total.counted == total.entered:
        return amount
    return _filled(both("%(amount)s (%(entered)s ingevuld)"), amount=amount, entered=total.entered)[language]


def _table_summary(answer: Answer, settings: Settings, language: str) -> str:
    rows = both_n("%(n)s regel", "%(n)s regels", len(_rows(answer)))[language]
    found = span(answer, settings)
    lengths = [length_text(spans.length(found.stretches))[language]] if found else []
    return ", ".join([rows, *(shown_total(total, language) for total in totals(answer, settings)), *lengths])


def _table_blocks(answer: Answer, settings: Settings, language: str) -> Sequence[Block]:
    fields = settings["fields"]
    rows = tuple(
        tuple(_cell(row.get(field["id"]), _nested(field, settings), language) for field in fields) for row in _rows(answer)
    )
    told = [column for column, field in enumerate(fields) if field["type"] == "long_text"]
    longest = max((sum(len(run.text) for run in row[column]) for row in rows for column in told), default=0)
    if len(fields) > CARD_FIELDS and longest > CARD_LETTERS:
        whole: tuple[Block, ...] = tuple(_cards(answer, settings, language))
    else:
        table = Table(
            caption=pick(settings.get("label"), language),
            header=tuple(_column_title(field, language) for field in fields),
            rows=rows,
            totals=_totals_row(totals(answer, settings), fields, language),
            numeric=tuple(column for column, field in enumerate(fields) if field["type"] == "number"),
        )
        whole = (table,)
    by_kind = _by_kind(answer, settings, language)
    return (*whole, *by_kind, *_span_blocks(span(answer, settings), len(rows), language))


def _cards(answer: Answer, settings: Settings, language: str) -> Iterator[Block]:
    """Each row as a heading and its facts, where a column of running text would become a narrow ribbon."""
    for number, row in enumerate(_rows(answer), 1):
        title = _word(row.get(settings.get("row_title", ""))).strip()
        yield Heading(f"{number}. {title}".strip(), level=3)
        facts = []
        for field in settings["fields"]:
            if not title or field["id"] != settings["row_title"]:
                runs = _cell(row.get(field["id"]), _nested(field, settings), language, alone=True)
                facts.append((pick(field["label"], language), runs or (Run(both("Niet ingevuld")[language], italic=True),)))
        yield Facts(tuple(facts))
    if sums := totals(answer, settings):
        yield Facts(tuple((pick(one.label, language), (Run(shown_total(one, language), bold=True),)) for one in sums))


def _by_kind(answer: Answer, settings: Settings, language: str) -> Iterator[Table]:
    """What was entered and what counts for each kind, for a total that caps take something off."""
    fields = {field["id"]: field for field in settings["fields"]}
    rows = counting(answer, settings)
    for total in totals(answer, settings):
        caps = [cap for cap in settings.get("caps", ()) if cap["field"] == total.field]
        for by in dict.fromkeys(cap["by"] for cap in caps):
            most = {cap["value"]: _decimal(cap["max"]) for cap in caps if cap["by"] == by}
            shown = []
            for kind in dict.fromkeys([option["id"] for option in fields[by].get("options", ())]):
                entered = _sum([row for row in rows if row.get(by) == kind], total.field, settings)
                if entered:
                    amounts = (entered, most.get(kind), min(entered, most.get(kind, entered)))
                    shown.append(
                        (
                            (Run(_label(fields[by], "options", kind, language)),),
                            *((Run("–" if amount is None else shown_number(amount, language)),) for amount in amounts),
                        )
                    )
            if shown:
                sums = (shown_number(total.entered, language), "", shown_number(total.counted, language))
                words = (both("Ingevuld"), both("Hoogstens"), both("Telt mee"))
                yield Table(
                    caption=both("%(label)s, per soort", label=total.label)[language],
                    header=(pick(fields[by]["label"], language), *(text[language] for text in words)),
                    rows=tuple(shown),
                    totals=(
                        (Run(both("Samen")[language], bold=True),),
                        *((Run(one, bold=True),) if one else () for one in sums),
                    ),
                    numeric=(1, 2, 3),
                )


def _column_title(field: Settings, language: str) -> str:
    """With the unit behind it, unless the label says it already: below it stand numbers alone."""
    label, unit = pick(field["label"], language), pick(field.get("unit"), language)
    said = re.search(rf"\b{re.escape(unit)}", label, re.IGNORECASE)
    return label if said else f"{label} ({unit})"


def _cell(answer: Answer, field: Settings, language: str, *, alone: bool = False) -> Runs:
    """``alone``: beside its own label, with its unit and on one line."""
    of_type = BUILT_IN[field["type"]]
    if of_type.is_empty(answer):
        return ()
    if field["type"] == "long_text":
        return _flat_runs(_word(answer))
    if field["type"] == "short_text":
        return (Run(_word(answer).strip()),)
    if field["type"] == "evidence" and "evidence" in field:
        return (Run(", ".join(field["evidence"].get(number, str(number)) for number in _numbers(answer))),)
    if field["type"] == "number" and not alone:
        return (Run(of_type.summary(answer, {**field, "unit": None}, language)),)
    words = of_type.summary(answer, field, language)
    return (Run(words.replace(" – ", " –\n", 1) if field["type"] == "period" and not alone else words),)


def _totals_label(sums: Sequence[Total], language: str) -> str:
    """With one total also what it takes: ``Totaal aantal punten (88,5 ingevuld, minstens 75 nodig)``."""
    if len(sums) > 1:
        return both("Totaal")[language]
    (total,) = sums
    entered = [] if total.counted == total.entered else [_filled(both("%(entered)s ingevuld"), entered=total.entered)]
    needed = [] if total.min is None else [_filled(both("minstens %(limit)s nodig"), limit=total.min)]
    notes = ", ".join(text[language] for text in (*entered, *needed))
    return pick(total.label, language) + (f" ({notes})" if notes else "")


def _totals_row(sums: Sequence[Total], fields: Sequence[Mapping[str, Any]], language: str) -> tuple[Runs, ...]:
    if not sums:
        return ()
    by_field = {total.field: total for total in sums}
    row: list[Runs] = []
    for column, field in enumerate(fields):
        if total := by_field.get(field["id"]):
            row.append((Run(shown_number(total.counted, language), bold=True),))
        elif column == 0:
            row.append((Run(_totals_label(sums, language), bold=True),))
        else:
            row.append(())
    return tuple(row)


# --- the table of types --------------------------------------------------------------------------------------------


def _shaped(
    fits: Callable[[Answer], bool], check: Callable[[Answer, Settings], Problems]
) -> Callable[[Answer, Settings], Problems]:
    """``check``, after the question whether the answer has the type's shape at all."""

    def checked(answer: Answer, settings: Settings) -> Problems:
        if not fits(answer):
            return _problem(both("Dit antwoord past niet bij deze vraag. Vul het opnieuw in."))
        return check(answer, settings)

    return checked


def _is_text(answer: Answer) -> bool:
    return isinstance(answer, str)


def _is_mapping(answer: Answer) -> bool:
    return isinstance(answer, Mapping)


def _is_list_of(kind: type[Any]) -> Callable[[Answer], bool]:
    return lambda answer: isinstance(answer, list) and all(isinstance(item, kind) for item in answer)


def _guarded(plugin: Plugin, question_type: QuestionType) -> QuestionType:
    """A plugin's type whose failures disable the plugin and reach people as ``PluginFailed``, not as a crash."""

    def guard(function: Callable[..., Any], fits: Callable[[Any], bool]) -> Callable[..., Any]:
        def guarded(*args: Any) -> Any:
            return guarded_call(plugin, f"{question_type.name}: {function.__name__}", function, fits, *args)

        return guarded

    return replace(
        question_type,
        read=guard(question_type.read, lambda answer: True),
        check=guard(question_type.check, _is_sequence_of(Problem)),
        blocks=guard(question_type.blocks, is_blocks),
        summary=guard(question_type.summary, _is_text),
        is_empty=guard(question_type.is_empty, lambda empty: isinstance(empty, bool)),
    )


def _is_sequence_of(kind: type) -> Callable[[Any], bool]:
    return lambda result: isinstance(result, list | tuple) and all(isinstance(item, kind) for item in result)


BUILT_IN: Mapping[str, QuestionType] = {
    built_in.name: built_in
    for built_in in (
        QuestionType(
            name="short_text",
            widget="short_text",
            read=_read_line,
            check=_shaped(_is_text, _check_short_text),
            blocks=_text_blocks,
            summary=_text_summary,
            is_empty=nothing,
            settings={"max_length": "int", "autocomplete": "str"},
        ),
        QuestionType(
            name="long_text",
            widget="long_text",
            read=_read_text,
            check=_shaped(_is_text, _check_long_text),
            blocks=_long_text_blocks,
            summary=_long_text_summary,
            is_empty=nothing,
            settings={"words": "range", "mentions": "list"},
        ),
        QuestionType(
            name="number",
            widget="number",
            read=_read_line,
            check=_shaped(_is_text, _check_number),
            blocks=_number_blocks,
            summary=_number_summary,
            is_empty=nothing,
            settings={"min": "number", "max": "number", "unit": "text", "decimals": "int"},
        ),
        QuestionType(
            name="date",
            widget="date",
            read=_read_date,
            check=_shaped(_is_mapping, _check_date),
            blocks=_date_blocks,
            summary=_date_summary,
            is_empty=nothing,
            settings={"min": "date", "max": "date", "among": "list", "not_before": "list", "not_after": "list"},
        ),
        QuestionType(
            name="period",
            widget="period",
            read=_read_period,
            check=_shaped(_is_mapping, _check_period),
            blocks=_period_blocks,
            summary=_period_summary,
            is_empty=nothing,
            settings={"min": "date", "max": "date", "open": "bool", "begun": "bool"},
        ),
        QuestionType(
            name="choice",
            widget="choice",
            read=_read_line,
            check=_shaped(_is_text, _check_choice),
            blocks=_choice_blocks,
            summary=_choice_summary,
            is_empty=nothing,
            settings={"options": "options"},
        ),
        QuestionType(
            name="choices",
            widget="choices",
            read=_read_choices,
            check=_shaped(_is_list_of(str), _check_choices),
            blocks=_choices_blocks,
            summary=_choices_summary,
            is_empty=nothing,
            settings={"options": "options", "choose": "range"},
        ),
        QuestionType(
            name="scale",
            widget="scale",
            read=_read_line,
            check=_shaped(_is_text, _check_scale),
            blocks=_scale_blocks,
            summary=_scale_summary,
            is_empty=nothing,
            settings={"levels": "options"},
        ),
        QuestionType(
            name="declaration",
            widget="declaration",
            read=_read_declaration,
            check=_shaped(_is_text, _check_declaration),
            blocks=_declaration_blocks,
            summary=_declaration_summary,
            is_empty=nothing,
            settings={"text": "text"},
        ),
        QuestionType(
            name="table",
            widget="table",
            read=read_row,
            check=_shaped(_is_list_of(Mapping), _check_table),
            blocks=_table_blocks,
            summary=_table_summary,
            is_empty=nothing,
            settings={
                "fields": "fields",
                "rows": "range",
                "row_title": "str",
                "totals": "list",
                "caps": "list",
                "span": "list",
                "within": "list",
                "distinct": "list",
                "chronological": "list",
            },
        ),
        QuestionType(
            name="evidence",
            widget="evidence",
            read=_read_evidence,
            check=_shaped(_is_list_of(int), _check_evidence),
            blocks=_no_blocks,
            summary=_evidence_summary,
            is_empty=nothing,
            settings={"files": "range", "kinds": "list", "refused": "list"},
        ),
        QuestionType(
            name="statement",
            widget="statement",
            read=lambda form, name, settings: None,
            check=lambda answer, settings: (),
            blocks=_no_blocks,
            summary=lambda answer, settings, language: "",
            is_empty=lambda answer: True,
            settings={
                "kind": "str",
                "role": "text",
                "many": "text",
                "reads": "list",
                "questions": "fields",
                "consent": "text",
                "independence": "text",
                "upload": "bool",
                "count": "int",
                "reminders": "list",
                "days": "int",
                "anonymous": "bool",
                "least": "int",
                "quote_if": "str",
                "together_with": "str",
            },
        ),
    )
}
