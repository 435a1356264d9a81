"""One section of a dossier on one page: filling it in, saving (also by itself), comparing two versions, rows of tables.

Saving always succeeds, finished or not: what still lacks is said only when the candidate says that the section is ready.
"""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.development import taking_over
from app.dossiers import answers, completeness, mentors, served, submission
from app.dossiers import contents as dossier_contents
from app.dossiers import evidence as folder
from app.dossiers.answers import NOT_TYPED, StaleAnswer
from app.dossiers.contents import Contents
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier
from app.errors import Conflict, InvalidInput, NotFound, Text
from app.extensions import transaction
from app.plugin_api import Answer, Finding, Problem
from app.schemes import question_types
from app.schemes.model import Question, Section
from app.schemes.question_types import Types
from app.texts import both, pick
from app.web import client_data, forms, late_forms, unprintable
from app.web import completeness as completeness_words
from app.web.auth import say
from app.web.candidate.invitation import statement_card
from app.web.candidate.mentor import tick
from app.web.candidate.stopping import findings_of
from app.web.dates import clock, is_today, when
from app.web.evidence import TakenIn, allow_files, file_dicts, kinds_of, take_in
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import dossier_of, form_lists, installation, only_fields, onward
from app.web.remarks import remark_dicts

blueprint = Blueprint("section", __name__)

OWN_FIELDS = frozenset({"csrf_token", late_forms.FIELD, "version", "action", "remove", "finished"})
ROW_FIELDS = frozenset({"csrf_token", late_forms.FIELD, "before", "action", "remove"})
COMPARED_CHARACTERS = 30_000  # longer texts are shown whole, without marks: finding the differences would take too long
EXCERPT = 90
Piece = tuple[str, str]


@dataclass(frozen=True)
class Opened:
    """A section of one's dossier with what is needed to ask and read its questions."""

    contents: Contents
    section: Section
    types: Types

    @property
    def questions(self) -> list[Question]:
        """Those that can be asked: a question whose plugin does not work is left out, and the page says so."""
        return [question for question in self.section.questions if question.type in self.types]

    @property
    def address(self) -> dict[str, Any]:
        return {"reference": self.contents.dossier.reference, "section_id": self.section.id}

    def findings(self) -> list[Finding]:
        """What the candidate can do something about: waiting for a check or for the supervisor keeps nobody from going on."""
        return completeness.section_findings(self.contents, self.section, self.types, submission.today(), also_waiting=False)

    def meter(self) -> dict[str, Any] | None:
        """How far a competency area is, in words; nothing for another section."""
        if not self.section.is_area:
            return None
        meter = served.measure(self.contents, self.section, self.types, self.findings())
        return completeness_words.view(self.section, meter)


@blueprint.url_value_preprocessor
def prepare_upload(endpoint: str | None, values: dict[str, Any] | None) -> None:
    if endpoint in ("section.save", "section.save_row"):
        allow_files()


def opened(dossier: Dossier, section_id: str) -> Opened:
    contents = dossier_contents.read(dossier)
    section = contents.template.section(section_id)
    if section is None:
        raise NotFound(both("Dit onderdeel bestaat niet in uw dossier."))
    return Opened(contents, section, question_types.types(installation().catalogue.plugins_of(contents.template)))


# --- the page ------------------------------------------------------------------------------------------------------


@blueprint.get("/dossier/<reference>/onderdeel/<section_id>")
@guard("dossier.read", dossier_of)
def show(dossier: Dossier, section_id: str) -> ResponseReturnValue:
    """The section. What lacks is named when it was marked as finished, or on coming from the page that names everything."""
    if dossier.stage not in OPEN_STAGES:
        return redirect(url_for("candidate.tasks", reference=dossier.reference))
    page = opened(dossier, section_id)
    asked = section_id in page.contents.finished or "controle" in request.args
    return section_page(page, page.findings() if asked else [], looks=asked)


@blueprint.post("/dossier/<reference>/onderdeel/<section_id>")
@guard("dossier.edit", dossier_of)
def save(dossier: Dossier, section_id: str) -> ResponseReturnValue:
    """Files first, then text: what is good is kept, whatever is wrong with the rest."""
    if (late := late_forms.keep(dossier, section_id)) is not None:
        return late
    page = opened(dossier, section_id)
    typed, version = read_form(page, OWN_FIELDS), read_version("version")
    shown = page.contents.visible[section_id]
    errors = add_files(page) + unfit(page, typed)
    try:
        with transaction():
            keep(dossier, page, typed, version, errors)
            detach(dossier, page)
    except StaleAnswer as conflict:
        return conflict_page(page, conflict, version)
    except InvalidInput as refusal:
        errors.append(Finding(section=section_id, text=refusal.text))
    ticked = tick(dossier)
    was_finished = section_id in page.contents.finished
    page = opened(dossier, section_id)
    aside = client_data.set_aside(page.contents, page.section)
    if errors:
        return section_page(page, errors, typed), 422
    finished = request.form.get("finished")
    lacking = page.findings() if finished == "yes" else []
    if finished in ("yes", "no"):
        with transaction():
            answers.save_section(dossier, section_id, {}, 0, finished=finished == "yes" and not lacking)
    if ticked:  # only a comment was dealt with: no time to say what lacks
        return redirect(f"{url_for('section.show', **page.address)}#opmerking-{ticked}")
    if aside:
        return redirect(url_for("section.show", **page.address, controle=1))
    if lacking:
        return section_page(opened(dossier, section_id), lacking, wants_to_finish=True, looks=True), 422
    goes_on = request.form.get("action") == "continue"
    just_finished = finished == "yes" and not was_finished  # shown once: nobody is kept from going on
    if goes_on and just_finished and client_data.pointed_out(page.contents, [page.section]):
        return redirect(url_for("section.show", **page.address, afgerond=1, _anchor="client-data"))
    if request.form.get("action") in ("continue", "later"):  # else the page itself says so
        for question, words in unprintable.in_section(page.contents, page.section):
            say("warn", {language: f"{pick(question.label, language)}: {text}" for language, text in words.items()})
    return redirect(after_saving(page, shown))


@blueprint.post("/dossier/<reference>/onderdeel/<section_id>/autosave")
@guard("dossier.edit", dossier_of)
def autosave(dossier: Dossier, section_id: str) -> ResponseReturnValue:
    """For the page's script. 409: the script then sends the whole form, whose answer shows both texts."""
    if (late := late_forms.keep(dossier, section_id, by_itself=True)) is not None:
        return late
    page = opened(dossier, section_id)
    typed, version = read_form(page, OWN_FIELDS), read_version("version")
    errors = unfit(page, typed)
    try:
        with transaction():
            row = keep(dossier, page, typed, version, errors, by_itself=True)
    except StaleAnswer as conflict:
        return jsonify(error=pick(conflict.text, current_language()), version=conflict.version), 409
    if errors:
        label = next(question.label for question in page.questions if question.id == errors[0].question)
        raise InvalidInput({language: f"{pick(label, language)}: {text}" for language, text in errors[0].text.items()})
    page = opened(dossier, section_id)
    contents, meter = page.contents, page.meter()
    return jsonify(
        version=row.version,
        time=clock(row.saved_at),
        shown=[question.id for question in contents.visible[section_id]],
        unprintable={
            question.id: pick(words, current_language()) for question, words in unprintable.in_section(contents, page.section)
        },
        **({"completeness": render_completeness(meter)} if meter else {}),
    )


def render_completeness(meter: Mapping[str, Any]) -> str:
    """The inside of the fold that tells how far an area is, for the page's script."""
    macros: Any = current_app.jinja_env.get_template("parts/completeness.html").module
    return str(macros.completeness_inside(meter))


def section_page(
    page: Opened,
    errors: Sequence[Finding] = (),
    typed: Mapping[str, Answer] | None = None,
    *,
    wants_to_finish: bool = False,
    looks: bool = False,
) -> str:
    """``typed`` is shown instead of what is stored: the page comes back because something could not be saved.

    ``looks``: the candidate is finishing, so words that look like a client's personal data are pointed out.
    """
    contents, section, language = page.contents, page.section, current_language()
    strange = {question.id: pick(words, language) for question, words in unprintable.in_section(contents, section)}
    fields = []
    for question in page.questions:
        answer = (typed or {}).get(question.id, contents.answer(section.id, question.id))
        context = _context(page, question, answer) | {"unprintable": strange.get(question.id, "")}
        fields.append(forms.render_question(section, question, answer, language, errors, **context))
    saved_at = contents.saved_at.get(section.id)
    return render_template(
        "candidate/section.html",
        dossier=contents.dossier,
        made_for=late_forms.mark(contents.dossier),
        section=section,
        title=pick(section.title, language),
        intro=pick(section.intro, language),
        guidance={
            "look_for": [pick(line, language) for line in section.guidance.look_for],
            "starr": section.guidance.starr,
            "example": pick(section.guidance.example, language),
            "weak_example": pick(section.guidance.weak_example, language),
            "weak_because": pick(section.guidance.weak_because, language),
        },
        fields=fields,
        has_files=any(question.type == "evidence" for question in page.questions),
        place=place(contents, section),
        caption=caption(contents, section),
        version=contents.versions.get(section.id, 0),
        saved={"time": clock(saved_at) if saved_at and is_today(saved_at) and contents.versions.get(section.id) else ""},
        unprintable=[
            {
                "id": question.id,
                "label": pick(question.label, language),
                "text": strange[question.id],
                "href": f"#{forms.element_id(question.id)}",
            }
            for question in page.questions
            if question.id in strange
        ],
        writes=any(page.types[question.type].widget == "long_text" for question in page.questions),
        client_data=client_data.pointed_out(contents, [section]) if looks else [],
        onward=following(page) if "afgerond" in request.args else "",
        left_out=len(page.questions) < len(section.questions),
        meter=page.meter(),
        remarks=remark_dicts(mentors.comments_of(contents.dossier).get(section.id, ())),
        is_last=section == contents.template.sections[-1],
        unsaved=typed is not None,
        finished="yes" if wants_to_finish or section.id in contents.finished else "no",
        wants_to_finish=wants_to_finish,
        errors=forms.error_list(section, errors, language, contents.answers.get(section.id)),
        returned=findings_of(contents.dossier, section.id),
    )


def _context(page: Opened, question: Question, answer: Answer) -> dict[str, Any]:
    """What ``forms.render_question`` needs beside the answer."""
    contents, section = page.contents, page.section
    context: dict[str, Any] = {
        "types": page.types,
        "shown": question in contents.visible[section.id],
        "settings": contents.settings(question, submission.today()),
        "written_in": contents.dossier.language,
    }
    if question.type == "long_text":
        context["earlier"] = url_for("earlier.show", **page.address, question_id=question.id)
    if question.type == "evidence":
        context |= {
            "files": file_dicts(contents, dossier_contents.evidence_in(question, answer), section.id),
            "choose_url": lambda question_id: url_for("section.choose", **page.address, question_id=question_id),
            "folder_count": sum(item.stage != "refused" for item in contents.evidence.values()),
            "max_file_mb": installation().settings.max_file_mb,
            "poll": url_for("section.show", **page.address),
            "send_to": url_for("uploads.start", reference=contents.dossier.reference),
            "use": f"{section.id}.{question.id}",
        }
    if question.type == "table":
        context |= {
            "add_url": lambda question_id: url_for("section.add_row", **page.address, question_id=question_id),
            "edit_url": lambda question_id, row: url_for("section.edit_row", **page.address, question_id=question_id, row_id=row),
            "remove_url": lambda question_id, row: url_for(
                "section.ask_remove_row", **page.address, question_id=question_id, row_id=row
            ),
            "evidence_titles": {item.id: item.shown_title for item in contents.evidence.values()},
            "row_problems": _row_problems(answer, context["settings"]),
            "row_asks": taking_over.also_elsewhere(contents.template, contents.answers, f"{section.id}.{question.id}"),
        }
    if question.type == "statement":
        context["statement"] = statement_card(contents, section.id, question)
    return context


def _row_problems(answer: Answer, settings: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with each row: a row is a whole, so this is said before the section is finished, too."""
    return [problem for problem in question_types.BUILT_IN["table"].check(answer, settings) if problem.row]


def place(contents: Contents, section: Section) -> str:
    """``Onderdeel 5 van 13 · Competentiegebied 3 van 6``."""
    sections = contents.template.sections
    words = both("Onderdeel %(number)s van %(all)s", number=sections.index(section) + 1, all=len(sections))[current_language()]
    return f"{words} · {caption(contents, section)}" if section.is_area else words


def caption(contents: Contents, section: Section) -> str:
    """Above the title: which area of its group this is, or the group that the section belongs to."""
    if section.is_area:
        areas = [one for one in contents.template.of_group(section.group) if one.is_area]
        text: Text = both("Competentiegebied %(number)s van %(all)s", number=areas.index(section) + 1, all=len(areas))
        return text[current_language()]
    return next((pick(group.title, current_language()) for group in contents.template.groups if group.id == section.group), "")


def after_saving(page: Opened, shown: Sequence[Question]) -> str:
    """Where the pressed button leads. Questions that an answer called up are shown first."""
    contents, action = page.contents, request.form.get("action")
    here, tasks = url_for("section.show", **page.address), url_for("candidate.tasks", reference=contents.dossier.reference)
    if address := onward(tasks):
        return address
    if action == "later":
        return tasks
    if action == "upload" or "remove" in request.form:
        return f"{here}#{forms.element_id(_question_of_button(page))}-title"
    called_up = [question for question in contents.visible[page.section.id] if question not in shown]
    if called_up:
        say("info", both("Opgeslagen. Door uw antwoord is er op deze pagina iets bijgekomen om in te vullen."))
        return here
    if action != "continue":
        say("ok", both("Opgeslagen om %(time)s uur.", time=clock(contents.saved_at[page.section.id])))
        return here
    return following(page)


def following(page: Opened) -> str:
    """The next section, after the last the overview."""
    sections, reference = page.contents.template.sections, page.contents.dossier.reference
    number = sections.index(page.section) + 1
    if number == len(sections):
        return url_for("candidate.tasks", reference=reference)
    return url_for("section.show", reference=reference, section_id=sections[number].id)


def _question_of_button(page: Opened) -> str:
    """The evidence question whose button was pressed, or that got files."""
    if "remove" in request.form:
        return request.form["remove"].partition(":")[0]
    with_files = [name for name in request.files if any(sent.filename for sent in request.files.getlist(name))]
    evidence = [question.id for question in page.questions if question.type == "evidence"]
    return next((name.partition(".")[0] for name in with_files), evidence[0] if evidence else "main")


# --- reading and keeping -------------------------------------------------------------------------------------------


def read_form(page: Opened, own: Iterable[str]) -> dict[str, Answer]:
    """Every answer that people type, as sent. Raises ``InvalidInput`` for fields that this page does not have."""
    known = {question.id for question in page.section.questions}
    for name in (*request.form, *request.files):
        if name not in own and name.partition(".")[0] not in known:
            raise InvalidInput(both("Dit formulier hoort niet bij dit onderdeel. Ververs de pagina."))
    form = form_lists()
    return {
        question.id: page.types[question.type].read(form, question.id, question.settings)
        for question in page.questions
        if question.type not in NOT_TYPED
    }


def read_version(name: str) -> int:
    version = request.form.get(name, "")
    if not re.fullmatch(r"[0-9]{1,9}", version):
        raise InvalidInput(both("Deze pagina is te oud of niet van ons. Ververs de pagina en probeer het opnieuw."))
    return int(version)


def unfit(page: Opened, typed: Mapping[str, Answer]) -> list[Finding]:
    """The answers that cannot be kept, each with its reason; they stay in the form."""
    found = []
    for question in page.questions:
        if question.id in typed:
            try:
                answers.fitting(question, typed[question.id], page.contents.answer(page.section.id, question.id))
            except InvalidInput as refusal:
                found.append(Finding(section=page.section.id, question=question.id, text=refusal.text))
    return found


def keep(
    dossier: Dossier,
    page: Opened,
    typed: Mapping[str, Answer],
    version: int,
    errors: Sequence[Finding],
    *,
    by_itself: bool = False,
) -> Any:
    """Saves all answers but those with errors; gives the section's row."""
    wrong = {error.question for error in errors}
    fit = {question_id: answer for question_id, answer in typed.items() if question_id not in wrong}
    return answers.save_section(dossier, page.section.id, fit, version, by_itself=by_itself)


def add_files(page: Opened) -> list[Finding]:
    """Takes the files of every evidence question in and lets the question use them; says which were refused and why."""
    errors = []
    dossier, section_id = page.contents.dossier, page.section.id
    for question in page.questions:
        if question.type != "evidence":
            continue
        taken = take_in(dossier, request.files.getlist(f"{question.id}.upload"), kinds_of(question.settings))
        errors += [Finding(section=section_id, question=question.id, text=text) for text in taken.refusals]
        if taken.ids:
            try:
                with transaction():
                    folder.attach(dossier_contents.read(dossier), section_id, question.id, taken.ids)
            except InvalidInput as refusal:
                text = both("%(reason)s Uw nieuwe bestanden staan wel in uw bewijsmap.", reason=refusal.text)
                errors.append(Finding(section=section_id, question=question.id, text=text))
    return errors


def detach(dossier: Dossier, page: Opened) -> None:
    """The button "Verwijder" beside a file: ``<question>:<evidence id>``."""
    question_id, _, evidence_id = request.form.get("remove", "").partition(":")
    if re.fullmatch(r"[0-9]{1,15}", evidence_id):
        folder.detach(dossier_contents.read(dossier), page.section.id, question_id, int(evidence_id))


# --- two versions --------------------------------------------------------------------------------------------------


@blueprint.post("/dossier/<reference>/onderdeel/<section_id>/vergelijken")
@guard("dossier.edit", dossier_of)
def resolve(dossier: Dossier, section_id: str) -> ResponseReturnValue:
    """Keeps the text that was chosen for each question; what does not conflict is merged as always."""
    if (late := late_forms.keep(dossier, section_id)) is not None:
        return late
    page = opened(dossier, section_id)
    conflicting = request.form.getlist("conflict-id")
    chosen = {one: request.form.get("keep-all") or request.form.get(f"keep-{one}") for one in conflicting}
    own = OWN_FIELDS | {"seen", "conflict-id", "keep-all"} | {f"keep-{one}" for one in conflicting}
    typed, base, seen = read_form(page, own), read_version("version"), read_version("seen")
    decided = all(choice in ("mine", "theirs") for choice in chosen.values())
    mine = {one: typed[one] for one, choice in chosen.items() if choice == "mine" and one in typed}
    try:
        with transaction():
            rest = {one: answer for one, answer in typed.items() if not (decided and one in chosen)}
            answers.save_section(dossier, section_id, rest, base)
            answers.save_section(dossier, section_id, mine, seen)
    except StaleAnswer as conflict:
        return conflict_page(page, conflict, base, chosen)
    say("ok", both("Uw keuze is opgeslagen."))
    return redirect(url_for("section.show", **page.address))


def conflict_page(
    page: Opened, conflict: StaleAnswer, base: int, chosen: Mapping[str, str | None] | None = None
) -> ResponseReturnValue:
    """Both texts of each question that was changed in two places. Nothing is written until a choice is made.

    ``chosen``: question id -> "mine", "theirs" or nothing yet, when the page comes back.
    """
    language = current_language()
    compared = [_compared(page, question, conflict) for question in page.questions if question.id in conflict.mine]
    own = (*OWN_FIELDS, "seen", "conflict-id", "keep-all", *(f"keep-{one}" for one in conflict.mine))
    html = render_template(
        "candidate/conflict.html",
        dossier=page.contents.dossier,
        made_for=late_forms.mark(page.contents.dossier),
        section=page.section,
        title=pick(page.section.title, language),
        place=place(page.contents, page.section),
        compared=compared,
        theirs_at=when(conflict.saved_at),
        text=pick(conflict.text, language),
        hidden=[(name, value) for name, values in form_lists().items() if name not in own for value in values],
        base=base,
        seen=conflict.version,
        chosen=chosen or {},
        errors=[
            {
                "text": both("Kies welke tekst u wilt houden: %(label)s", label=one["label"])[language],
                "href": f"#keep-{one['id']}",
            }
            for one in compared
            if chosen is not None and not chosen.get(one["id"])
        ],
    )
    return html, 409


def _compared(page: Opened, question: Question, conflict: StaleAnswer) -> dict[str, Any]:
    mine, theirs = (_as_text(page, question, version.get(question.id)) for version in (conflict.mine, conflict.theirs))
    return {"id": question.id, "label": pick(question.label, current_language()), **side_by_side(mine, theirs)}


def side_by_side(mine: str, theirs: str) -> dict[str, Any]:
    """Two texts as pieces for ``compare``: ``short`` with what is the same cut short, and ``whole`` when that is more."""
    if len(mine) + len(theirs) > COMPARED_CHARACTERS:
        pieces: tuple[list[Piece], list[Piece]] = [("same", mine)], [("same", theirs)]
    else:
        pieces = forms.difference(mine, theirs)
    short = tuple(excerpt(one) for one in pieces)
    return {"short": short, "whole": pieces if short != pieces else None}


def _as_text(page: Opened, question: Question, answer: Answer) -> str:
    of_type, language = page.types[question.type], current_language()
    if answer is None or of_type.is_empty(answer):
        return both("(leeg)")[language]
    return (
        answer
        if isinstance(answer, str) and of_type.widget.endswith("text")
        else of_type.summary(answer, question.settings, language)
    )


def excerpt(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces with long stretches that are the same cut short, so that the differences stand out."""
    cut: list[Piece] = []
    for number, (kind, words) in enumerate(pieces):
        first, last = number == 0, number == len(pieces) - 1
        if kind == "same" and not (first and last) and len(words) > 3 * EXCERPT:
            head = "" if first else words[:EXCERPT].rpartition(" ")[0]
            tail = "" if last else words[-EXCERPT:].partition(" ")[2]
            words = f"{head} … {tail}"
        cut.append((kind, words))
    return cut


# --- evidence from the folder --------------------------------------------------------------------------------------


@blueprint.get("/dossier/<reference>/onderdeel/<section_id>/<question_id>/bewijsmap")
@guard("dossier.edit", dossier_of)
def choose(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue:
    return choose_page(opened(dossier, section_id), question_id)


@blueprint.post("/dossier/<reference>/onderdeel/<section_id>/<question_id>/bewijsmap")
@guard("dossier.edit", dossier_of)
def use_chosen(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue:
    only_fields("files")
    ids = [int(one) for one in request.form.getlist("files") if re.fullmatch(r"[0-9]{1,15}", one)]
    try:
        with transaction():
            folder.attach(dossier_contents.read(dossier), section_id, question_id, ids)
    except InvalidInput as refusal:
        return choose_page(opened(dossier, section_id), question_id, ids, refusal.text), 422
    address = url_for("section.show", reference=dossier.reference, section_id=section_id)
    return redirect(f"{address}#{forms.element_id(question_id)}-title")


def choose_page(page: Opened, question_id: str, chosen: Sequence[int] = (), refusal: Text | None = None) -> str:
    question = page.section.question(question_id)
    if question is None or question.type != "evidence":
        raise NotFound(both("Deze vraag bestaat niet in uw dossier."))
    used = dossier_contents.evidence_in(question, page.contents.answer(page.section.id, question_id))
    language = current_language()
    kinds = kinds_of(question.settings)
    free = [item.id for item in page.contents.evidence.values() if item.id not in used and item.kind in kinds]
    return render_template(
        "candidate/choose.html",
        dossier=page.contents.dossier,
        section=page.section,
        title=pick(page.section.title, language),
        label=pick(question.label, language),
        files=file_dicts(page.contents, free),
        chosen=chosen,
        errors=[{"text": pick(refusal, language), "href": "#main-content"}] if refusal else [],
    )


# --- rows of a table -----------------------------------------------------------------------------------------------


@blueprint.get("/dossier/<reference>/onderdeel/<section_id>/<question_id>/nieuw")
@guard("dossier.edit", dossier_of)
def add_row(dossier: Dossier, section_id: str, question_id: str) -> ResponseReturnValue:
    table = answers.table_question(dossier, section_id, question_id)
    return row_page(opened(dossier, section_id), table, secrets.token_hex(6), {}, before="")


@blueprint.get("/dossier/<reference>/onderdeel/<section_id>/<question_id>/<row_id>")
@guard("dossier.edit", dossier_of)
def edit_row(dossier: Dossier, section_id: str, question_id: str, row_id: str) -> ResponseReturnValue:
    table, page = answers.table_question(dossier, section_id, question_id), opened(dossier, section_id)
    row = row_of(page, table, row_id)
    if row is None:
        raise NotFound(both("Deze regel is er niet (meer)."))
    return row_page(page, table, row_id, row, before=answers.fingerprint(row))


@blueprint.post("/dossier/<reference>/onderdeel/<section_id>/<question_id>/<row_id>")
@guard("dossier.edit", dossier_of)
def save_row(dossier: Dossier, section_id: str, question_id: str, row_id: str) -> ResponseReturnValue:
    """Keeps the row as typed, complete or not; only an empty new row is not added."""
    if (late := late_forms.keep_row(dossier, section_id, question_id, row_id)) is not None:
        return late
    table, page = answers.table_question(dossier, section_id, question_id), opened(dossier, section_id)
    before = request.form.get("before", "")
    row, problems = read_row(page, table, row_id)
    if before == "" and question_types.nothing(row) and not problems:
        return row_page(page, table, row_id, row, before, question_types.check_row(row, table.settings)), 422
    try:
        with transaction():
            answers.save_row(dossier, section_id, question_id, row_id, row, before)
    except InvalidInput as refusal:
        problem = Problem(refusal.text, row=row_id, field=str(refusal.details.get("field", "")))
        return row_page(page, table, row_id, row, before, [*problems, problem]), 422
    except Conflict as conflict:
        page = opened(dossier, section_id)
        stored = row_of(page, table, row_id)
        newest = answers.fingerprint(stored) if stored else ""
        return row_page(page, table, row_id, row, newest, [*problems, Problem(conflict.text)]), 409
    page = opened(dossier, section_id)
    stored = row_of(page, table, row_id) or {}
    adding = request.form.get("action") == "upload" or "remove" in request.form
    if not problems and adding:
        return redirect(url_for("section.edit_row", **page.address, question_id=question_id, row_id=row_id))
    problems = problems or question_types.check_row(stored, {**table.settings, "today": submission.today()})
    if problems:
        return row_page(page, table, row_id, stored, answers.fingerprint(stored), problems, saved=True), 422
    return redirect(f"{url_for('section.show', **page.address)}#{forms.element_id(question_id)}-row-{row_id}")


@blueprint.get("/dossier/<reference>/onderdeel/<section_id>/<question_id>/<row_id>/verwijderen")
@guard("dossier.edit", dossier_of)
def ask_remove_row(dossier: Dossier, section_id: str, question_id: str, row_id: str) -> ResponseReturnValue:
    table, page = answers.table_question(dossier, section_id, question_id), opened(dossier, section_id)
    row = row_of(page, table, row_id)
    if row is None:
        return redirect(url_for("section.show", **page.address))
    return render_template(
        "candidate/remove_row.html",
        dossier=dossier,
        section=page.section,
        label=pick(table.label, current_language()),
        facts=row_facts(page, table, row),
    )


@blueprint.post("/dossier/<reference>/onderdeel/<section_id>/<question_id>/<row_id>/verwijderen")
@guard("dossier.edit", dossier_of)
def remove_row(dossier: Dossier, section_id: str, question_id: str, row_id: str) -> ResponseReturnValue:
    with transaction():
        answers.remove_row(dossier, section_id, question_id, row_id)
    say("ok", both("De regel is verwijderd."))
    return redirect(
        url_for("section.show", reference=dossier.reference, section_id=section_id) + f"#{forms.element_id(question_id)}-title"
    )


def read_row(page: Opened, table: Question, row_id: str) -> tuple[dict[str, Any], list[Problem]]:
    """The row as sent, with the files that came along, and what is wrong with those."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", row_id):
        raise NotFound(both("Deze regel is er niet (meer)."))
    fields = forms.row_fields(table)
    known = {f"{table.id}.{field.id}" for field in fields}
    for name in (*request.form, *request.files):
        if name not in ROW_FIELDS and ".".join(name.split(".")[:2]) not in known:
            raise InvalidInput(both("Dit formulier hoort niet bij dit onderdeel. Ververs de pagina."))
    row = question_types.read_row(form_lists(), table.id, table.settings)
    row.pop("row", None)
    problems: list[Problem] = []
    for field in fields:
        if field.type != "evidence":
            continue
        name = f"{table.id}.{field.id}"
        taken: TakenIn = take_in(page.contents.dossier, request.files.getlist(f"{name}.upload"), kinds_of(field.settings))
        problems += [Problem(text, row=row_id, field=field.id) for text in taken.refusals]
        listed = [one for one in row[field.id] if one in page.contents.evidence]
        row[field.id] = [one for one in dict.fromkeys(listed + taken.ids) if request.form.get("remove") != f"{name}:{one}"]
    return row, problems


def row_of(page: Opened, table: Question, row_id: str) -> Mapping[str, Any] | None:
    rows = page.contents.answer(page.section.id, table.id) or []
    return next((row for row in rows if row["row"] == row_id), None)


def row_page(
    page: Opened,
    table: Question,
    row_id: str,
    row: Mapping[str, Any],
    before: str,
    problems: Sequence[Problem] = (),
    *,
    saved: bool = False,
) -> str:
    contents, language = page.contents, current_language()
    fields = [
        {
            "html": forms.render_row_field(
                table, field, row.get(field.id), language, problems, **_row_context(page, table, field, row.get(field.id))
            ),
            "choose": _choosable(page, field, row.get(field.id)) if field.type == "evidence" else [],
            "name": f"{table.id}.{field.id}",
        }
        for field in forms.row_fields(table)
    ]
    return render_template(
        "candidate/row.html",
        dossier=contents.dossier,
        made_for=late_forms.mark(contents.dossier),
        section=page.section,
        section_title=pick(page.section.title, language),
        label=pick(table.label, language),
        fields=fields,
        has_files=any(field.type == "evidence" for field in forms.row_fields(table)),
        before=before,
        is_new=before == "",
        saved=saved,
        save_url=url_for("section.save_row", **page.address, question_id=table.id, row_id=row_id),
        errors=[
            error if problem.field else {**error, "href": "#main-content"}
            for problem, error in zip(problems, forms.row_error_list(table, problems, language), strict=True)
        ],
    )


def _row_context(page: Opened, table: Question, field: Question, answer: Answer) -> dict[str, Any]:
    ids = answer if isinstance(answer, list) else []
    return {
        "types": page.types,
        "written_in": page.contents.dossier.language,
        "files": file_dicts(page.contents, ids, page.section.id),
        "max_file_mb": installation().settings.max_file_mb,
        "send_to": url_for("uploads.start", reference=page.contents.dossier.reference),
        "use": f"{page.section.id}.{table.id}.{field.id}",
    }


def _choosable(page: Opened, field: Question, answer: Answer) -> list[dict[str, Any]]:
    """The files in the folder that this field may use and does not use yet."""
    kinds, used = kinds_of(field.settings), answer or []
    fitting = [one.id for one in page.contents.evidence.values() if one.kind in kinds and one.stage != "refused"]
    return file_dicts(page.contents, [one for one in fitting if one not in used])


def row_facts(page: Opened, table: Question, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The row for reading: its filled fields."""
    language = current_language()
    titles = {item.id: item.shown_title for item in page.contents.evidence.values()}
    facts = []
    for field in forms.row_fields(table):
        answer, of_type = row.get(field.id), page.types[field.type]
        if not of_type.is_empty(answer):
            words = of_type.summary(answer, field.settings, language)
            if field.type == "evidence":
                words = ", ".join(titles[one] for one in answer or () if one in titles)
            facts.append({"key": pick(field.label, language), "value": words})
    return facts
