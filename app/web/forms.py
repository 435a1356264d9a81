"""From a question to the part of the form that asks it, and from an answer to what one reads: the door to the macros.

Each widget (``plugin_api.WIDGETS``) is drawn by the macro of its name in ``templates/parts/questions.html``; a plugin's question
type names one of them. A field's name is the question's id (``<id>.day``, ``<id>.from.day``; on a row's own page
``<table id>.<field id>``), as ``QuestionType.read`` expects it. The id of its first control is ``element_id(name)``, where the
error summary leads to, with the same words as stand beside the field.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, TypedDict

from babel.numbers import format_decimal
from flask import Flask, current_app
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from markupsafe import Markup

from app.plugin_api import Answer, Block, Finding, Problem, QuestionType
from app.schemes import question_types, spans
from app.schemes.model import Question, Section
from app.texts import both, both_n, fill, pick
from app.web.language import current_language

LARGE_LABELS = ("long_text", "table", "evidence", "statement")
TYPED = ("short_text", "long_text")  # fields of free words
LONG_ANSWER_WORDS = 120  # from this maximum on, a text field starts high

Types = Mapping[str, QuestionType]


class Error(TypedDict):
    """One line of the error summary."""

    text: str
    href: str


def install(app: Flask) -> None:
    """Gives templates the macros of GOV.UK Frontend and the functions of this module."""
    govuk = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    app.jinja_loader = ChoiceLoader([loader for loader in (app.jinja_loader, govuk) if loader])
    app.jinja_env.globals.update(render_question=render_question, render_answer=render_answer, render_blocks=render_blocks)
    app.jinja_env.filters["filesize"] = lambda size: file_size(size, current_language())


def element_id(name: str) -> str:
    """The id of the first control of the field ``name``."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)


# --- errors --------------------------------------------------------------------------------------------------------


def error_list(
    section: Section, findings: Iterable[Finding], language: str, answers: Mapping[str, Any] | None = None
) -> list[Error]:
    """The error summary of a section's page, in the order of its questions; leads to the field or the table's row."""
    order = [question.id for question in section.questions]
    mine = [finding for finding in findings if finding.section == section.id]
    mine.sort(key=lambda finding: order.index(finding.question) if finding.question in order else -1)
    return [Error(text=named(section, finding, language, answers), href=f"#{_place(finding)}") for finding in mine]


def named(section: Section, finding: Finding, language: str, answers: Mapping[str, Any] | None = None) -> str:
    """What lacks, for a place away from its question: with the question's label, unless the words hold it already; of a table
    with the row, as the page calls it, and its field. ``answers`` are those of the section.
    """
    text, question = pick(finding.text, language), section.question(finding.question)
    if question is None:
        return text
    labels = [pick(question.label, language)]
    if finding.row:
        labels = _row_labels(question, (answers or {}).get(question.id), finding, language)
    for label in reversed(labels):
        if label and label not in text:
            text = f"{label} {text}" if label[-1] in "?.!" else f"{label}: {text}"
    return text


def _row_labels(table: Question, answer: Answer, finding: Finding, language: str) -> list[str]:
    """What a page calls the row that a finding is about, and the field in it."""
    found = []
    for number, row in enumerate((row for row in _value("table", answer) if isinstance(row, Mapping)), 1):
        if str(row.get("row", number)) == finding.row:
            title = _cells(table, row, language, {}).get(table.settings.get("row_title", ""), "")
            found.append(title or both("Regel %(n)s", n=number)[language])
    found += [pick(one["label"], language) for one in table.settings.get("fields", ()) if one["id"] == finding.field]
    return found


def row_error_list(table: Question, problems: Iterable[Problem], language: str) -> list[Error]:
    """The error summary of a table row's own page."""
    return [
        Error(text=pick(problem.text, language), href=f"#{element_id(f'{table.id}.{problem.field}')}") for problem in problems
    ]


def _place(finding: Finding) -> str:
    if not finding.question:
        return "main-content"
    place = element_id(finding.question)
    return f"{place}-row-{finding.row}" if finding.row else place


# --- asking --------------------------------------------------------------------------------------------------------


def render_question(
    section: Section, question: Question, answer: Answer, language: str, errors: Sequence[Finding] = (), **context: Any
) -> Markup:
    """The part of the form that asks ``question``. ``errors`` are findings; only those of this question are shown.

    ``context``, as far as it applies:

    ``types``          question types by name (``question_types.types(plugins)``); default the built-in ones
    ``shown``          False: not to be answered now (``shown_if``); stays in the form, hidden, until an autosave's reply shows it
    ``earlier``        long text: address of the page with what it was earlier
    ``unprintable``    what to say of characters that the documents cannot show; kept up to date by section.js
    ``files``          evidence: the dicts of ``parts/evidence.html`` of the files in the answer, in its order
    ``choose_url``     evidence: (question id) -> address of the page to choose from the folder; ``folder_count``: files in there
    ``max_file_mb``    evidence: ``settings.max_file_mb``;  ``poll``: address of this page while a file is being checked
    ``send_to``        evidence: address for the script that sends files in parts; ``use``: ``<section>.<question>[.<field>]``
    ``add_url``        table: (question id) -> address;  ``edit_url``, ``remove_url``: (question id, row id) -> address
    ``evidence_titles``  table: evidence id -> how a row names it;  ``row_problems``: what is wrong with rows, also unasked
    ``written_in``     language of the dossier, in which people write their own words
    ``settings``       the question's settings with what its answer is weighed against (``question_types.in_dossier``)
    ``statement``      statement: {state, kind (of ``tag``), finished, lines [text], href, action}
    """
    mine = [finding for finding in errors if finding.section == section.id and finding.question == question.id]
    texts = [pick(finding.text, language) for finding in mine if not finding.row]
    field = field_of(question, question.id, answer, language, texts, **context)
    if field["widget"] == "table":
        field |= _table(question, answer, language, mine, **context)
    return _draw(question.id, field, context.get("shown", True), context.get("unprintable", ""))


def render_row_field(
    table: Question, field_question: Question, answer: Answer, language: str, problems: Sequence[Problem] = (), **context: Any
) -> Markup:
    """The part of a table row's own page that asks one of its fields. ``context`` as for ``render_question``."""
    name = f"{table.id}.{field_question.id}"
    texts = [pick(problem.text, language) for problem in problems if problem.field == field_question.id]
    return _draw(field_question.id, field_of(field_question, name, answer, language, texts, **context))


def row_fields(table: Question) -> list[Question]:
    """The fields of a table's row, each as a question."""
    return [question_types.question(field) for field in table.settings["fields"]]


def field_of(
    question: Question, name: str, answer: Answer, language: str, errors: Sequence[str] = (), **context: Any
) -> dict[str, Any]:
    """What a macro of ``parts/questions.html`` needs to draw ``question`` as the field ``name``."""
    types: Types = context.get("types") or question_types.BUILT_IN
    widget = types[question.type].widget
    settings = question.settings
    size = "m" if widget in LARGE_LABELS else "s"
    words = settings.get("words")
    field = {
        "id": element_id(name),
        "name": name,
        "widget": widget,
        "label": pick(question.label, language),
        "label_class": f"govuk-label--{size}",
        "legend_class": f"govuk-fieldset__legend--{size}",
        "hint": pick(question.hint, language),
        "optional": not question.required,
        "errors": list(errors),
        "value": _value(widget, answer),
        "autocomplete": settings.get("autocomplete"),
        "unit": pick(settings.get("unit"), language),
        "decimals": settings.get("decimals", 0),
        "text": pick(settings.get("text"), language),
        "open": settings.get("open", False),
        "words": words,
        "long": not words or (words.get("max") or words.get("min") or 0) >= LONG_ANSWER_WORDS,
    }
    if widget in ("choice", "choices", "scale"):
        field |= _options(settings, language)
    if widget == "choice" and field["value"] and field["value"] not in [option["value"] for option in field["options"]]:
        hint = {"text": both("Deze keuze staat er niet (meer) bij.")[language]}
        field["options"] = [*field["options"], {"value": field["value"], "text": field["value"], "hint": hint}]
    if widget == "long_text":
        field["plain"] = context.get("plain", False)  # a few words: no buttons for lists
        field["long"] = field["long"] and not field["plain"]
        field["count"] = question_types.count_words(field["value"])
        field["earlier_href"] = context.get("earlier", "")
        written_in = context.get("written_in") or language
        field["lang"] = written_in if written_in != language else ""
        field["advice"] = pick(question_types.advice(answer, settings), language)
    if widget == "evidence":
        field |= _evidence(question, language, context)
    if widget == "statement":
        field["statement"] = context.get("statement") or {}
    return field


def _draw(question_id: str, field: Mapping[str, Any], shown: bool = True, unprintable: str = "") -> Markup:
    macros = current_app.jinja_env.get_template("parts/questions.html").module
    drawn: Callable[[Mapping[str, Any]], Markup] = getattr(macros, field["widget"])
    hidden = Markup("") if shown else Markup(" hidden")
    said = Markup('<p class="question__said" role="status" data-unprintable>{}</p>').format(unprintable)
    inside = drawn(field) + (said if field["widget"] in TYPED else "")
    return Markup('<div class="question" data-question="{}"{}>{}</div>').format(question_id, hidden, inside)


def _value(widget: str, answer: Answer) -> Any:
    """The answer in the shape that the macro fills in; of another shape: empty."""
    if widget == "period":
        parts = answer if isinstance(answer, Mapping) else {}
        return {end: parts.get(end) or {} for end in ("from", "to")}
    if widget == "date":
        return answer if isinstance(answer, Mapping) else {}
    if widget in ("choices", "table", "evidence"):
        return answer if isinstance(answer, list) else []
    return answer if isinstance(answer, str) else ""


def _options(settings: Mapping[str, Any], language: str) -> dict[str, Any]:
    options = []
    for option in settings.get("options") or settings.get("levels") or ():
        hint = pick(option.get("hint"), language)
        options.append({"value": option["id"], "text": pick(option["label"], language), "hint": {"text": hint} if hint else None})
    numbered = all(option["value"].isdigit() and not option["text"].startswith(option["value"]) for option in options)
    return {"options": options, "numbered": numbered}


def _evidence(question: Question, language: str, context: Mapping[str, Any]) -> dict[str, Any]:
    files = list(context.get("files") or ())
    choose_url = context.get("choose_url")
    refused: Sequence[Mapping[str, str]] = question.settings.get("refused") or ()
    return {
        "files": files,
        "kinds": question.settings.get("kinds") or question_types.EVIDENCE_KINDS,
        "refused": [pick(text, language) for text in refused],
        "multiple": (question.settings.get("files") or {}).get("max") != 1,
        "range_words": _range_words(question.settings.get("files") or {}, language),
        "max_file_mb": context.get("max_file_mb", 50),
        "send_to": context.get("send_to", ""),
        "use": context.get("use", ""),
        "choose_href": choose_url(question.id) if choose_url else "",
        "folder_count": context.get("folder_count"),
        "poll": context.get("poll", "") if any(file["stage"] == "received" for file in files) else "",
    }


def _range_words(limits: Mapping[str, int], language: str) -> str:
    least, most = limits.get("min") or 0, limits.get("max")
    if least and most and least != most:
        text = both("Voeg %(least)s tot %(most)s bewijsstukken toe.", least=least, most=most)
    elif least:
        text = both_n("Voeg %(n)s bewijsstuk toe.", "Voeg %(n)s bewijsstukken toe.", least)
    elif most:
        text = both_n("U kunt %(n)s bewijsstuk toevoegen.", "U kunt tot %(n)s bewijsstukken toevoegen.", most)
    else:
        text = both("U kunt bewijsstukken toevoegen.")
    return text[language]


# --- tables --------------------------------------------------------------------------------------------------------


def _table(question: Question, answer: Answer, language: str, findings: Sequence[Finding], **context: Any) -> dict[str, Any]:
    add_url, edit_url, remove_url = (context.get(name) for name in ("add_url", "edit_url", "remove_url"))
    titles = context.get("evidence_titles") or {}
    shared = list(question_types.shared_evidence(answer, question.settings))
    rows: list[dict[str, Any]] = []
    for number, row in enumerate((row for row in _value("table", answer) if isinstance(row, Mapping)), 1):
        row_id = str(row.get("row", number))
        cells = _cells(question, row, language, titles)
        title = cells.pop(question.settings.get("row_title", ""), "") or both("Regel %(n)s", n=number)[language]
        rows.append(
            {
                "id": row_id,
                "title": title,
                "facts": [text for text in cells.values() if text],
                "errors": [pick(finding.text, language) for finding in findings if finding.row == row_id]
                or [pick(problem.text, language) for problem in context.get("row_problems") or () if problem.row == row_id],
                "asks": [
                    both(
                        "“%(file)s” staat ook bij regel %(n)s: %(title)s. Klopt dat? Dan hoeft u niets te doen.",
                        file=titles[evidence],
                        n=first,
                        title=rows[first - 1]["title"],
                    )[language]
                    for row_of, evidence, first in shared
                    if row_of == row_id and evidence in titles
                ]
                + [pick(words, language) for row_of, words in (context.get("row_asks") or {}).items() if row_of == row_id],
                "edit_href": edit_url(question.id, row_id) if edit_url else "",
                "remove_href": remove_url(question.id, row_id) if remove_url else "",
            }
        )
    return {
        "rows": rows,
        "totals": _sums(answer, context.get("settings") or question.settings, language),
        "add_href": add_url(question.id) if add_url else "",
    }


def _cells(table: Question, row: Mapping[str, Any], language: str, titles: Mapping[int, str]) -> dict[str, str]:
    """Each field of a row in a few words: field id -> text."""
    cells = {}
    for field in row_fields(table):
        of_type, answer = question_types.BUILT_IN[field.type], row.get(field.id)
        if of_type.is_empty(answer):
            cells[field.id] = ""
        elif field.type == "evidence" and titles:
            cells[field.id] = ", ".join(titles[number] for number in _value("evidence", answer) if number in titles)
        else:
            cells[field.id] = of_type.summary(answer, field.settings, language)
    return cells


def _sums(answer: Answer, settings: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
    """What the rows add up to: the totals, and how long the periods are together."""
    sums = [_total(total, language) for total in question_types.totals(answer, settings)]
    span = question_types.span(answer, settings)
    return [*sums, _span(span, language)] if span else sums


def _span(span: question_types.Span, language: str) -> dict[str, Any]:
    """How long: "2 jaar en 11 maanden van 3 jaar", "4 jaar (minstens 3 jaar nodig)"; below it what was left out."""
    told, needed = spans.length(span.stretches), spans.Length(span.min_years, 0, 0)
    words = both("%(length)s van %(limit)s") if span.short else both("%(length)s (minstens %(limit)s nodig)")
    values = {"length": question_types.length_text(told), "limit": question_types.length_text(needed)}
    return {
        "label": pick(span.label, language),
        "words": pick(fill(words, **values), language),
        "value": min(told.years * 12 + told.months, span.min_years * 12),
        "max": span.min_years * 12,
        "note": " ".join(pick(note, language) for note in question_types.span_notes(span)),
    }


def _total(total: question_types.Total, language: str) -> dict[str, Any]:
    """A running total: "46 van 60 punten", "93,5 (minstens 75 punten nodig)"."""
    target = total.min if total.min is not None else total.max
    unit = pick(total.unit, language)
    counted = question_types.shown_number(total.counted, language)
    if target is None:
        words = f"{counted} {unit}".strip()
    else:
        amount = f"{question_types.shown_number(target, language)} {unit}".strip()
        words = (
            both("%(counted)s van %(amount)s", counted=counted, amount=amount)
            if total.counted < target or total.min is None
            else both("%(counted)s (minstens %(amount)s nodig)", counted=counted, amount=amount)
        )[language]
    note = both(
        "U vulde %(entered)s in. Van sommige soorten telt maar een deel mee.",
        entered=question_types.shown_number(total.entered, language),
    )
    return {
        "label": pick(total.label, language),
        "words": words,
        "value": min(total.counted, target) if target else 0,
        "max": target or 0,
        "note": note[language] if total.entered != total.counted else "",
    }


# --- reading -------------------------------------------------------------------------------------------------------


def render_answer(question: Question, answer: Answer, language: str, **context: Any) -> Markup:
    """An answer for reading, safe to put in a page; "Nog niet ingevuld" for an empty one.

    ``context``: ``types``, ``settings``, ``written_in`` as for ``render_question``; ``files`` (evidence) and
    ``statement`` show those as they stand.
    """
    types: Types = context.get("types") or question_types.BUILT_IN
    of_type = types[question.type]
    if of_type.widget == "evidence" and context.get("files"):
        titles = [str(file["title"]) for file in context["files"]]
        return Markup("<ul>{}</ul>").format(Markup("").join(Markup("<li>{}</li>").format(title) for title in titles))
    if of_type.widget == "statement":
        statement = context.get("statement") or {}
        return Markup("").join(
            Markup("<p>{}</p>").format(line) for line in [statement.get("state", ""), *statement.get("lines", ())]
        )
    if of_type.is_empty(answer):
        return Markup('<p class="muted">{}</p>').format(both("Nog niet ingevuld")[language])
    settings = {**(context.get("settings") or question.settings), "evidence": context.get("evidence_titles") or {}}
    blocks = render_blocks(of_type.blocks(answer, settings, language))
    written_in = context.get("written_in") or language
    if written_in != language and of_type.widget in ("short_text", "long_text"):
        return Markup('<div lang="{}">{}</div>').format(written_in, blocks)  # so that it is read aloud in its own language
    return blocks


def render_blocks(blocks: Sequence[Block]) -> Markup:
    """Document blocks as markup; their texts are escaped."""
    macros: Any = current_app.jinja_env.get_template("parts/blocks.html").module
    return Markup(macros.blocks([(type(block).__name__, block) for block in blocks]))  # noqa: S704  made by our macro


def file_size(size: int, language: str) -> str:
    """``214 kB``, ``1,8 MB``."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000))} kB"
    return f"{format_decimal(size / 1_000_000, format='#,##0.0', locale=language)} MB"


# --- comparing -----------------------------------------------------------------------------------------------------


def difference(mine: str, theirs: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Two versions of a text as pieces for ``compare``: in mine what only stands there is ``ins``, in theirs ``del``."""
    left, right = re.findall(r"\s+|\S+\s*", mine), re.findall(r"\s+|\S+\s*", theirs)
    mine_pieces: list[tuple[str, str]] = []
    their_pieces: list[tuple[str, str]] = []
    for step, start, end, their_start, their_end in SequenceMatcher(None, right, left, autojunk=False).get_opcodes():
        old, new = "".join(right[start:end]), "".join(left[their_start:their_end])
        if step == "equal":
            mine_pieces.append(("same", new))
            their_pieces.append(("same", old))
            continue
        if new:
            mine_pieces.append(("ins", new))
        if old:
            their_pieces.append(("del", old))
    return mine_pieces, their_pieces
