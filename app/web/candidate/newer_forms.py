"""A newer version of the forms: what changes, going over to it and back, and the answers that are not asked any more."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.documents.outcome_blocks import outcome_blocks
from app.dossiers import contents as dossier_contents
from app.dossiers import former, moving_statements, outcomes, rebasing, statements, submission
from app.dossiers.contents import Contents
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, FormerAnswer, Statement, TemplateMove
from app.errors import Conflict, Text
from app.extensions import transaction
from app.schemes import changes, question_types, schemas, statement_settings
from app.schemes import models as stored_templates
from app.schemes.changes import Comparison, Detail, Place, QuestionChange, SectionChange
from app.schemes.model import DossierTemplate, Question
from app.texts import both, both_n, pick
from app.web import forms
from app.web.auth import say
from app.web.candidate import blueprint
from app.web.dates import day, when
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import dossier_of, installation, me, only_fields
from app.web.section import side_by_side

TAGS: Mapping[str, tuple[Text, str]] = {
    "added": (both("Nieuw"), "blue"),
    "removed": (both("Wordt niet meer gevraagd"), ""),
    "moved": (both("Staat op een andere plaats"), "blue"),
    "retyped": (both("Wordt anders gevraagd"), "yellow"),
    "more": (both("Strenger"), "yellow"),
    "less": (both("Soepeler"), "green"),
    "words": (both("Andere woorden"), ""),
    "other": (both("Iets anders"), ""),
}
OUTCOMES: Mapping[str, Text] = {
    "stays": both("Uw antwoord blijft."),
    "part": both("Een deel van uw antwoord wordt niet meer gevraagd. U kunt dat deel blijven lezen."),
    "gone": both("Uw antwoord wordt niet meer gevraagd. U kunt het blijven lezen."),
    "back": both("Uw antwoord van toen komt terug."),
}


@dataclass(frozen=True)
class Step:
    """Where a dossier may go: to a newer version, or back by ``back_of``."""

    to: DossierTemplate
    sha256: str
    comparison: Comparison
    back_of: TemplateMove | None = None


# --- which way -----------------------------------------------------------------------------------------------------


def newer_version(template: DossierTemplate) -> DossierTemplate | None:
    """What the task list tells of: a version that this dossier may go to."""
    return rebasing.newer(template, installation().catalogue, submission.today())


def step_forward(contents: Contents) -> Step | None:
    to = newer_version(contents.template)
    if to is None:
        return None
    return Step(to, schemas.fingerprint(schemas.canonical(to)), changes.compare(contents.template, to))


def step_back(contents: Contents) -> Step | None:
    made = rebasing.way_back(contents.dossier, former.moves(contents.dossier))
    if made is None:
        return None
    to = stored_templates.get(made.from_sha256)
    return Step(to, made.from_sha256, changes.compare(contents.template, to), made)


def asked_step(contents: Contents) -> Step | None:
    """The step that the address or the form names: forward, or with ``terug`` back."""
    return step_back(contents) if request.values.get("terug") == "1" else step_forward(contents)


# --- the pages -----------------------------------------------------------------------------------------------------


@blueprint.get("/dossier/<reference>/formulieren")
@guard("dossier.read", dossier_of)
def forms_version(dossier: Dossier) -> ResponseReturnValue:
    """What is different in the newer version, by section, and what that means for the answers; or that there is none."""
    if dossier.stage not in OPEN_STAGES:
        return redirect(url_for("candidate.tasks", reference=dossier.reference))
    contents = dossier_contents.read(dossier)
    step = asked_step(contents)
    back = step if step is not None and step.back_of is not None else step_back(contents)
    return render_template(
        "candidate/forms.html",
        dossier=dossier,
        version=contents.template.version,
        step=_told(contents, step) if step is not None else None,
        back={"version": stored_templates.get(back.sha256).version, "day": day(back.back_of.at)}
        if back is not None and back.back_of is not None
        else None,
        has_former=has_former(contents),
    )


@blueprint.get("/dossier/<reference>/formulieren/overstappen")
@guard("dossier.edit", dossier_of)
def ask_move(dossier: Dossier) -> ResponseReturnValue:
    contents = dossier_contents.read(dossier)
    step = asked_step(contents)
    if step is None:
        return redirect(url_for("candidate.forms_version", reference=dossier.reference))
    return render_template(
        "candidate/move.html", dossier=dossier, before=dossier.template_sha256, after=step.sha256, step=_told(contents, step)
    )


@blueprint.post("/dossier/<reference>/formulieren/overstappen")
@guard("dossier.edit", dossier_of)
def move(dossier: Dossier) -> ResponseReturnValue:
    """Goes over, once. The form says from which template to which, so that nobody gets another one than he saw."""
    only_fields("before", "after", "terug")
    before, after = request.form.get("before", ""), request.form.get("after", "")
    done = url_for("candidate.moved", reference=dossier.reference)
    if after and after == dossier.template_sha256:  # the second click of two
        return redirect(done)
    try:
        with transaction():
            contents = dossier_contents.read(dossier)
            step = asked_step(contents)
            if step is None or step.sha256 != after or before != dossier.template_sha256:
                raise Conflict(
                    both("De formulieren zijn intussen veranderd. Er is niets gebeurd: bekijk de wijzigingen opnieuw.")
                )
            rebasing.move(dossier, step.to, seen=before, by=me(), back_of=step.back_of)
    except Conflict as refusal:
        say("warn", refusal.text)
        return redirect(url_for("candidate.forms_version", reference=dossier.reference))
    return redirect(done)


@blueprint.get("/dossier/<reference>/formulieren/klaar")
@guard("dossier.read", dossier_of)
def moved(dossier: Dossier) -> ResponseReturnValue:
    """What the last move did, and what there is to do now."""
    made = next(iter(former.moves(dossier)), None)
    if made is None or dossier.stage not in OPEN_STAGES:
        return redirect(url_for("candidate.tasks", reference=dossier.reference))
    contents, language = dossier_contents.read(dossier), current_language()
    comparison = changes.compare(stored_templates.get(made.from_sha256), contents.template)
    back = step_back(contents)
    return render_template(
        "candidate/moved.html",
        dossier=dossier,
        version=contents.template.version,
        went_back=made.back_of_id is not None,
        sections=[
            {
                "title": pick(one.new.title, language),
                "href": url_for("section.show", reference=dossier.reference, section_id=one.id),
                "lines": [_line(change) for change in one.questions if change.new is not None and change.asks_more],
            }
            for one in comparison.sections
            if one.new is not None and one.asks_more
        ],
        former_count=len(former.answers(dossier)),
        may_go_back=back is not None,
    )


@blueprint.get("/dossier/<reference>/niet-meer-gevraagd")
@guard("dossier.read", dossier_of)
def no_longer_asked(dossier: Dossier) -> ResponseReturnValue:
    """The answers and statements that the forms do not ask any more: to read, print and copy."""
    contents = dossier_contents.read(dossier)
    groups: dict[str, list[dict[str, Any]]] = {}
    for kept in former.answers(dossier):
        shown = _former(contents, kept)
        groups.setdefault(shown["section"], []).append(shown)
    return render_template(
        "candidate/former.html",
        dossier=dossier,
        open=dossier.stage in OPEN_STAGES,
        groups=groups,
        statements=[_former_statement(contents, one) for one in former_statements(contents)],
        outcomes=[_former_outcome(one) for one in outcomes.former(contents)],
    )


def has_former(contents: Contents) -> bool:
    """Whether there is anything to read on the page above."""
    return bool(former_statements(contents)) or bool(outcomes.former(contents)) or bool(former.answers(contents.dossier))


def former_statements(contents: Contents) -> list[Statement]:
    """Statements that were signed by name for a question that is not asked any more."""
    gone = [one for one in contents.statements if one.stage == "signed" and not statements.is_asked(one, contents)]
    return [one for one in gone if not statements.is_anonymous(one)]


# --- in words ------------------------------------------------------------------------------------------------------


def _told(contents: Contents, step: Step) -> dict[str, Any]:
    """A step for the pages that show it and ask whether it is wanted."""
    language = current_language()
    returning = _returning(contents.dossier, step)
    told = [_section(contents, one, returning) for one in step.comparison.sections if one.changed]
    fates = [rebasing.outcome(one, contents.answers) for one in step.comparison.questions]
    asks_more = {one.id for one in step.comparison.sections if one.asks_more}
    touched = _touched(contents, step)
    return {
        "version": step.to.version,
        "same_version": step.to.version == contents.template.version,
        "from_version": contents.template.version,
        "back": step.back_of is not None,
        "whole": [_detail(one) for one in step.comparison.whole],
        "plugins": [pick(one.title, language) for one in step.comparison.gone_plugins],
        "sections": told,
        "stay": fates.count("stays") + fates.count("part"),
        "gone": fates.count("gone") + fates.count("part"),
        "fresh": sum(one.kind == "added" for one in step.comparison.questions),
        "reopened": [
            pick(one.title, language) for one in step.to.sections if one.id in asks_more and one.id in contents.finished
        ],
        "stale": [one.name for one in touched.stale],
        "withdrawn": [one.name for one in touched.withdrawn],
        "let_go": [pick(one, language) for one in touched.let_go],
        "keep_form": [pick(one, language) for one in touched.keep_form],
    }


def _returning(dossier: Dossier, step: Step) -> frozenset[Place | None]:
    """The places of answers that were not asked any more and that this step asks again."""
    found = []
    for kept in former.answers(dossier):
        section, old = step.to.section(kept.section_id), rebasing.former_question(kept)
        new = section.question(kept.question_id) if section else None
        if old is not None and new is not None and not question_types.nothing(rebasing.split(old, new, kept.answer)[0]):
            found.append((kept.section_id, kept.question_id))
    return frozenset(found)


@dataclass(frozen=True)
class Touched:
    """What a step means for statements. ``stale``: to be confirmed again, because what was read changes; ``withdrawn``: invited
    and not asked any more; ``let_go``: words about what was given and does not count any more; ``keep_form``: the names of the
    statements that people go on giving with the form that the first of them had.
    """

    stale: list[Statement]
    withdrawn: list[Statement]
    let_go: list[Text]
    keep_form: list[Text]


def _touched(contents: Contents, step: Step) -> Touched:
    lost = {
        one.was[0]
        for one in step.comparison.questions
        if one.was is not None
        and (rebasing.outcome(one, contents.answers) in ("gone", "part") or _moves_an_answer(one, contents))
    }
    by_place = moving_statements.changes_of(step.comparison)
    touched, uncounted = Touched([], [], [], []), Counter[str]()
    titles: dict[str, Text] = {}
    for statement in contents.statements:
        change = by_place.get((statement.section_id, statement.question_id))
        asked = moving_statements.as_it_is_asked(statement, contents.template)
        if statement.former or asked is None or change is None or change.old is None:
            continue
        signed, settings = statement.stage == "signed", statement_settings.of(asked)
        if moving_statements.stays_at(asked, change) is None or change.new is None:
            if statement.stage == "invited":
                touched.withdrawn.append(statement)
            elif signed and settings.anonymous:
                uncounted[change.old.id] += 1
                titles[change.old.id] = change.old.label
            elif signed:
                touched.let_go.append(
                    both("De verklaring van %(name)s wordt niet meer gevraagd. U kunt haar blijven lezen.", name=statement.name)
                )
        elif signed and settings.anonymous:
            if moving_statements.keeps_form(True, asked, change.new) and change.new.label not in touched.keep_form:
                touched.keep_form.append(change.new.label)
        elif signed and not statements.is_stale(statement, contents):
            reads, was = set(change.new.settings.get("reads", ())), set(change.old.settings.get("reads", ()))
            if reads != was or lost & reads:
                touched.stale.append(statement)
    for name, count in uncounted.items():
        touched.let_go.append(
            both_n(
                "Wat %(n)s persoon antwoordde bij “%(title)s”, telt niet meer mee.",
                "Wat %(n)s personen antwoordden bij “%(title)s”, telt niet meer mee.",
                count,
                title=titles[name],
            )
        )
    return touched


def _moves_an_answer(one: QuestionChange, contents: Contents) -> bool:
    return one.kind == "moved" and rebasing.outcome(one, contents.answers) == "stays"


def _section(contents: Contents, change: SectionChange, returning: frozenset[Place | None]) -> dict[str, Any]:
    language = current_language()
    section = change.new or change.old
    kind = "added" if change.old is None else "removed" if change.new is None else ""
    tag = {"added": both("Nieuw onderdeel"), "removed": both("Dit onderdeel vervalt")}.get(kind)
    return {
        "id": change.id,
        "title": pick(section.title, language) if section else change.id,
        "tag": pick(tag, language),
        "details": [_detail(one) for one in change.details],
        "questions": [_question(contents, one, returning) for one in change.questions if one.kind != "same"],
    }


def _question(contents: Contents, change: QuestionChange, returning: frozenset[Place | None]) -> dict[str, Any]:
    language, question = current_language(), change.new or change.old
    kind: str = change.kind
    if kind == "changed":
        weights = [one.weight for one in change.details]
        kind = next((weight for weight in ("more", "less", "words") if weight in weights), "other")
    words, colour = TAGS[kind]
    outcome = rebasing.outcome(change, contents.answers)
    if outcome == "none" and change.place in returning:
        outcome = "back"
    return {
        "label": pick(question.label, language) if question else "",
        "tag": pick(words, language),
        "kind": colour,
        "outcome": pick(OUTCOMES.get(outcome), language),
        "warn": outcome in ("part", "gone"),
        "details": [_detail(one) for one in change.details],
    }


def _detail(detail: Detail) -> dict[str, Any]:
    """With the old and the new words beside each other, where there are both or either."""
    language = current_language()
    told: dict[str, Any] = {"text": pick(detail.text, language)}
    if detail.before is not None or detail.after is not None:
        mine, theirs = pick(detail.after, language), pick(detail.before, language)
        told["compared"] = side_by_side(mine, theirs)["short"]
    return told


def _line(change: QuestionChange) -> str:
    """A question that asks more, in one line."""
    language = current_language()
    label = pick(change.new.label, language) if change.new else ""
    more = [pick(one.text, language) for one in change.details if one.weight == "more"]
    words = {"added": both("nieuw"), "moved": both("staat nu hier"), "retyped": both("wordt anders gevraagd")}.get(change.kind)
    return f"{label}: {' '.join(more) or pick(words, language)}"


def _former(contents: Contents, kept: FormerAnswer) -> dict[str, Any]:
    language = current_language()
    template = stored_templates.get(kept.template_sha256)
    section, question = template.section(kept.section_id), rebasing.former_question(kept)
    value, plain = _as_read(contents, question, kept)
    where = both("Versie %(version)s, tot %(day)s", version=template.version, day=day(kept.at))
    return {
        "id": kept.id,
        "section": pick(section.title, language) if section else kept.section_id,
        "label": pick(question.label, language) if question else kept.question_id,
        "part": kept.part,
        "where": pick(where, language),
        "value": value,
        "plain": plain,
    }


def _as_read(contents: Contents, question: Question | None, kept: FormerAnswer) -> tuple[Markup, str]:
    """The answer for reading, and as plain text to copy. One of a plugin that is not there any more stands as it was typed."""
    language, answer = current_language(), kept.answer
    typed = answer if isinstance(answer, str) else statements.canonical(answer)
    types = question_types.types(installation().catalogue.plugins_of(stored_templates.get(kept.template_sha256)))
    if question is None or question.type not in types:
        return Markup('<p class="keep-lines">{}</p>').format(typed), typed
    titles = {item.id: item.shown_title for item in contents.evidence.values()}
    if question.type == "evidence":
        names = [titles.get(one, pick(both("een bestand dat niet meer in uw bewijsmap staat"), language)) for one in answer]
        items = Markup("").join(Markup("<li>{}</li>").format(name) for name in names)
        return Markup("<ul>{}</ul>").format(items), "\n".join(names)
    if question.type == "table":
        return _table(question, answer, titles, kept.part)
    if question.type == "declaration":
        words = pick(question.settings.get("text"), language)
        return forms.render_answer(question, answer, language, types=types), words
    value = forms.render_answer(question, answer, language, types=types)
    return value, answer if isinstance(answer, str) and types[question.type].widget.endswith("text") else types[
        question.type
    ].summary(answer, question.settings, language)


def _table(question: Question, rows: Sequence[Mapping[str, Any]], titles: Mapping[int, str], part: bool) -> tuple[Markup, str]:
    """Rows with the columns that have something in them."""
    language = current_language()
    used = [one for one in question.settings["fields"] if any(not question_types.nothing(row.get(one["id"])) for row in rows)]
    shown = Question(id=question.id, type="table", label=question.label, settings={"fields": used, "label": question.label})
    lines = []
    for row in rows:
        cells = []
        for field in map(question_types.question, used):
            answer = row.get(field.id)
            if question_types.nothing(answer):
                continue
            words = question_types.BUILT_IN[field.type].summary(answer, field.settings, language)
            if field.type == "long_text":
                words = str(answer)
            if field.type == "evidence":
                words = ", ".join(titles[one] for one in answer or () if one in titles)
            cells.append(f"{pick(field.label, language)}: {words}")
        lines.append("; ".join(cells))
    return forms.render_answer(shown, list(rows), language, evidence_titles=titles), "\n".join(lines)


def _former_statement(contents: Contents, statement: Statement) -> dict[str, Any]:
    """A signed statement with its words."""
    language, question = current_language(), statements.question_of(statement)
    types = installation().catalogue.types
    asked = [question_types.question(one) for one in question.settings["questions"]]
    return {
        "title": pick(question.label, language),
        "line": pick(
            both("%(name)s ondertekende %(time)s.", name=statement.signed_name, time=when(statement.signed_at)), language
        )
        if statement.signed_at
        else "",
        "answers": [
            {"label": pick(one.label, language), "value": forms.render_answer(one, statement.data[one.id], language, types=types)}
            for one in asked
            if one.type in types and not types[one.type].is_empty(statement.data.get(one.id))
        ],
    }


def _former_outcome(given: outcomes.Former) -> dict[str, Any]:
    """What people gave anonymously: the outcome where it was made, else only how many they were."""
    language = current_language()
    line = both_n(
        "%(n)s persoon antwoordde zonder naam. Er was nog geen uitkomst, en die komt er niet: zo blijft onbekend wie wat "
        "antwoordde. De antwoorden blijven bewaard, en niemand leest ze.",
        "%(n)s personen antwoordden zonder naam. Er was nog geen uitkomst, en die komt er niet: zo blijft onbekend wie wat "
        "antwoordde. De antwoorden blijven bewaard, en niemand leest ze.",
        given.count,
    )
    blocks = list(outcome_blocks(given.outcome, given.question, language)) if given.outcome else []
    return {
        "title": pick(given.question.label, language),
        "line": "" if given.outcome else pick(line, language),
        "blocks": forms.render_blocks(blocks) if blocks else "",
    }


def former_note(contents: Contents) -> dict[str, str] | None:
    """For the task list and the page that checks answers, as long as there is something: {text, href}."""
    count = len(former.answers(contents.dossier)) + len(former_statements(contents)) + len(outcomes.former(contents))
    if not count:
        return None
    words = both_n(
        "%(n)s antwoord wordt niet meer gevraagd. Het wordt niet ingediend; u kunt het blijven lezen.",
        "%(n)s antwoorden worden niet meer gevraagd. Zij worden niet ingediend; u kunt ze blijven lezen.",
        count,
    )
    href = url_for("candidate.no_longer_asked", reference=contents.dossier.reference)
    return {"text": pick(words, current_language()), "href": href}
