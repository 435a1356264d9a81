"""What an answer was earlier: its texts, what differs from the text of now, and putting one back as a new version."""

import textwrap
from itertools import groupby
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dossiers import answers, versions
from app.dossiers.answers import StaleAnswer
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier
from app.dossiers.submission import ZONE
from app.dossiers.versions import Earlier
from app.errors import InvalidInput, NotFound, Text
from app.extensions import transaction
from app.schemes.model import Question
from app.schemes.question_types import count_words
from app.texts import both, both_n, pick
from app.web import forms
from app.web.auth import say
from app.web.dates import clock, day, is_today, stamp, when
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import dossier_of, only_fields
from app.web.section import Opened, Piece, opened, place, read_version, side_by_side

blueprint = Blueprint("earlier", __name__)

PER_PAGE = 40


@blueprint.get("/dossier/<reference>/onderdeel/<section_id>/<question_id>/eerder")
@guard("dossier.read", dossier_of)
def show(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue:
    """All earlier texts of an answer, or with ``versie`` one of them beside the text of now."""
    page = opened(dossier, section_id)
    question = text_question(page, question_id)
    kept = versions.texts_of(dossier, section_id, question_id)
    if request.args.get("versie", "").isdecimal():
        return text_page(page, question, kept, chosen(kept, int(request.args["versie"][:9])))
    asked = request.args.get("pagina", "")
    number = int(asked) if asked.isdecimal() and 0 < len(asked) < 6 else 1
    return list_page(page, question, kept, max(number, 1))


@blueprint.post("/dossier/<reference>/onderdeel/<section_id>/<question_id>/eerder")
@guard("dossier.edit", dossier_of)
def put_back(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue:
    """Saves the text of then anew. ``seen``: the version that the page compared it with; if the answer changed since, it asks."""
    only_fields("versie", "seen")
    page = opened(dossier, section_id)
    question = text_question(page, question_id)
    then = chosen(versions.texts_of(dossier, section_id, question_id), read_version("versie"))
    try:
        with transaction():
            answers.save_section(dossier, section_id, {question_id: then.text}, read_version("seen"))
    except StaleAnswer:
        page = opened(dossier, section_id)
        kept = versions.texts_of(dossier, section_id, question_id)
        changed = both("Intussen is deze tekst ergens anders gewijzigd. Er is niets teruggezet: vergelijk hem opnieuw.")
        return text_page(page, question, kept, then, changed), 409
    words = both(
        "De tekst van %(time)s staat er weer. De tekst die er stond, vindt u bij de eerdere versies.", time=when(then.saved_at)
    )
    say("ok", words)
    return redirect(url_for("section.show", **page.address, _anchor=forms.element_id(question_id)))


def text_question(page: Opened, question_id: str) -> Question:
    question = page.section.question(question_id)
    if question is None or question.type != "long_text":
        raise NotFound(both("Deze vraag bestaat niet in uw dossier."))
    return question


def chosen(kept: list[Earlier], version: int) -> Earlier:
    found = next((one for one in kept if one.version == version), None)
    if found is None:
        raise InvalidInput(both("Deze versie is er niet meer. Ga terug naar de lijst en ververs hem."))
    return found


def list_page(page: Opened, question: Question, kept: list[Earlier], number: int) -> str:
    language = current_language()
    earlier, now = kept[1:], count_words(kept[0].text) if kept else 0
    last = max(1, -(-len(earlier) // PER_PAGE))
    number = min(number, last)
    rows = earlier[(number - 1) * PER_PAGE : number * PER_PAGE]
    address = {**page.address, "question_id": question.id}
    days = [
        {
            "title": both("Vandaag")[language] if is_today(texts[0].saved_at) else day(texts[0].saved_at),
            "texts": [
                {
                    "time": clock(one.saved_at),
                    "words": size(one.text, now),
                    "start": textwrap.shorten(one.text, 160, placeholder=" …"),
                    "href": url_for("earlier.show", **address, versie=one.version),
                }
                for one in texts
            ],
        }
        for texts in (list(group) for _, group in groupby(rows, key=lambda one: one.saved_at.astimezone(ZONE).date()))
    ]
    pages = {
        "previous_href": url_for("earlier.show", **address, pagina=number - 1) if number > 1 else "",
        "next_href": url_for("earlier.show", **address, pagina=number + 1) if number < last else "",
        "words": both("Pagina %(n)s van %(last)s", n=number, last=last)[language] if last > 1 else "",
    }
    return render_template("candidate/earlier.html", days=days, pages=pages, **head(page, question))


def size(text: str, now: int) -> str:
    """``312 woorden, 14 minder dan nu``."""
    words = count_words(text)
    here = both_n("%(n)s woord", "%(n)s woorden", words)
    if words == now:
        compared: Text = both("evenveel als nu")
    else:
        compared = both("%(n)s meer dan nu", n=words - now) if words > now else both("%(n)s minder dan nu", n=now - words)
    language = current_language()
    return f"{here[language]}, {compared[language]}"


def text_page(page: Opened, question: Question, kept: list[Earlier], then: Earlier, refusal: Text | None = None) -> str:
    language = current_language()
    now = kept[0]
    pieces = side_by_side(then.text, now.text)
    return render_template(
        "candidate/earlier_text.html",
        version=then.version,
        seen=page.contents.versions.get(page.section.id, 0),
        time=stamp(then.saved_at),
        same=then.text == now.text,
        words_back=counted(pieces["short"][0], "ins"),
        words_gone=counted(pieces["short"][1], "del"),
        may_put_back=page.contents.dossier.stage in OPEN_STAGES,
        errors=[{"text": pick(refusal, language), "href": "#main-content"}] if refusal else [],
        **pieces,
        **head(page, question),
    )


def counted(pieces: list[Piece], kind: str) -> str:
    number = sum(count_words(words) for one, words in pieces if one == kind)
    return both_n("%(n)s woord", "%(n)s woorden", number)[current_language()] if number else ""


def head(page: Opened, question: Question) -> dict[str, Any]:
    """What both pages begin with."""
    language = current_language()
    address = url_for("section.show", **page.address)
    return {
        "dossier": page.contents.dossier,
        "section": page.section,
        "title": pick(page.section.title, language),
        "label": pick(question.label, language),
        "place": place(page.contents, page.section),
        "field_href": f"{address}#{forms.element_id(question.id)}",
        "list_href": url_for("earlier.show", **page.address, question_id=question.id),
    }
