"""Reading a dossier and judging it, side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.assessment import assignment, drafts, verdicts
from app.assessment.models import Assessment
from app.assessment.verdicts import AreaState, Judging
from app.documents.content import outcome_anchor
from app.documents.outcome_blocks import outcome_blocks
from app.dossiers import submission
from app.dossiers.served import criteria_of
from app.errors import Text
from app.schemes.model import CRITERION_GROUPS, GROUP_WORDS, Criterion, DossierTemplate, Section
from app.texts import both, pick
from app.web import forms
from app.web.assessor import blueprint
from app.web.assessor.documents import newest_bundle, note_look
from app.web.assessor.typed import error_list, field_id, in_form
from app.web.dates import clock, is_today, when
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import assessment_of, me


@blueprint.get("/<int:assessment_id>/dossier")
@guard("assessment.read", assessment_of)
def read(assessment: Assessment) -> ResponseReturnValue:
    note_look("assessment.viewed", assessment, newest_bundle(assessment))
    return judging_page(assessment, request.args.get("gebied", ""))


def judging_page(
    assessment: Assessment, opened: str = "", wrong: Mapping[str, Text] | None = None, typed: Mapping[str, str] | None = None
) -> str:
    """``opened`` is the area that stands open; ``wrong`` and ``typed`` are of that area's form, which comes back."""
    language = current_language()
    judging = verdicts.open_judging(assignment.current_or_gone(assessment, me()))
    content = submission.content_of(judging.snapshot)
    wrong = wrong or {}
    area = next((one.area for one in judging.areas if one.area.id == opened), None)
    opened = opened if area else first_open(judging)
    return render_template(
        "assessor/read.html",
        assessment=assessment,
        judging=judging,
        bundle=judging.hand_over.bundle,
        candidate=content["candidate"]["name"],
        scheme=pick(judging.template.full_title, language),
        areas=[
            area_view(
                judging,
                number,
                state,
                wrong if state.area.id == opened else {},
                typed if state.area.id == opened else None,
                content["evidence"],
            )
            for number, state in enumerate(judging.areas, 1)
        ],
        opened=opened,
        evidence=evidence_view(assessment, content),
        statements=content["statements"],
        outcomes=outcomes_view(judging.template, content),
        saved=kept_at(judging),
        errors=error_list(area, wrong),
    )


def outcomes_view(template: DossierTemplate, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What people answered anonymously, added up, for reading beside the dossier."""
    language, shown = current_language(), []
    for outcome in content.get("outcomes", ()):
        section = template.section(outcome["section"])
        question = section.question(outcome["question"]) if section else None
        if section is not None and question is not None:
            blocks = forms.render_blocks(list(outcome_blocks(outcome, question, language)))
            anchor = outcome_anchor(section.id, question.id)
            shown.append({"title": pick(section.title, language), "blocks": blocks, "anchor": anchor})
    return shown


def first_open(judging: Judging) -> str:
    """The first area without a verdict, to go on with."""
    return next((one.area.id for one in judging.areas if one.status != "given"), "")


def kept_at(judging: Judging) -> str:
    """When anything was last kept: "14.32", with the date when that was not today."""
    if judging.saved_at is None:
        return ""
    return clock(judging.saved_at) if is_today(judging.saved_at) else when(judging.saved_at)


def area_view(
    judging: Judging,
    position: int,
    state: AreaState,
    wrong: Mapping[str, Text],
    typed: Mapping[str, str] | None,
    evidence: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """One area as the rubric shows it; ``typed`` is shown instead of what is kept."""
    language, area = current_language(), state.area
    values = typed if typed is not None else {name: in_form(name, value) for name, value in state.draft.items()}
    words = {name: pick(text, language) for name, text in wrong.items()}
    criteria = sorted(area.criteria, key=lambda one: CRITERION_GROUPS.index(one.group))
    return {
        "id": area.id,
        "number": position,
        "title": pick(area.title, language),
        "chip": chip(judging, state),
        "status": state.status,
        "version": state.version,
        "total": len(area.criteria),
        "criteria": [
            criterion_view(judging, state, f"{position}.{place}", criterion, values, words)
            | {"evidence": serving(area, criterion, evidence)}
            for place, criterion in enumerate(criteria, 1)
        ],
        "former": former_words(state),
        "ids": {name: field_id(area, name) for name in ("sufficient", "rationale", "notes")},
        "values": {name: values.get(name, "") for name in ("sufficient", "rationale", "notes")},
        "wrong": words,
    }


def criterion_view(
    judging: Judging, state: AreaState, number: str, criterion: Criterion, values: Mapping[str, str], wrong: Mapping[str, str]
) -> dict[str, Any]:
    language, names = current_language(), {part: f"{part}.{criterion.id}" for part in drafts.PARTS}
    kept = state.draft.get(names["pages"], [])
    return {
        "number": number,
        "title": pick(criterion.title, language),
        "group": pick(GROUP_WORDS[criterion.group], current_language()),
        "levels": [
            {
                "value": str(level.value),
                "label": pick(level.label, language),
                "text": pick(criterion.levels.get(level.value), language),
            }
            for level in judging.template.scale
        ],
        "names": names,
        "ids": {part: field_id(state.area, name) for part, name in names.items()},
        "score": values.get(names["score"], ""),
        "why": values.get(names["why"], ""),
        "pages": values.get(names["pages"], ""),
        "page_links": kept,
        "wrong": {part: wrong.get(name, "") for part, name in names.items()},
    }


def serving(area: Section, criterion: Criterion, evidence: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The pieces of evidence that the candidate added where the form asks for evidence of this criterion, in order."""
    asked = [question.id for question in area.questions if criterion in criteria_of(area, question)]
    return [
        {"number": one["number"], "title": one["title"]}
        for one in evidence
        if any(place[0] == area.id and place[1] in asked for place in one["used_by"])
    ]


def chip(judging: Judging, state: AreaState) -> tuple[str, str]:
    """The words on an area's label, and its kind: ok, warn, info or nothing."""
    if state.status == "changed":
        text, kind = both("Gewijzigd na oordeel"), "warn"
    elif state.verdict is not None:
        text, kind = (both("Voldoende"), "ok") if state.verdict.sufficient else (both("Onvoldoende"), "warn")
    elif state.draft:
        text, kind = both("%(n)s van %(total)s", n=state.scored, total=len(state.area.criteria)), "info"
    else:
        text, kind = both("Open"), ""
    return pick(text, current_language()), kind


def former_words(state: AreaState) -> str:
    """What he found about the revision before, while this one still waits for his verdict."""
    if state.former is None or state.verdict is not None:
        return ""
    before = both("voldoende") if state.former.sufficient else both("onvoldoende")
    text = both(
        "Over de vorige versie van dit dossier was uw oordeel: %(before)s. Uw concept staat er nog. Kijk opnieuw en geef uw "
        "oordeel over deze versie.",
        before=before,
    )
    return pick(text, current_language())


def evidence_view(assessment: Assessment, content: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    language = current_language()
    titles = {one["id"]: pick(one["title"], language) for one in content["template"]["sections"]}
    return [
        {
            "number": one["number"],
            "title": one["title"],
            "kind": (one["cleaned_kind"] or one["kind"]).upper(),
            "pages": one["pages"],
            "used_in": ", ".join(titles[section] for section in dict.fromkeys(place[0] for place in one["used_by"])),
            "href": url_for("assessor.evidence", assessment_id=assessment.id, number=one["number"]),
        }
        for one in content["evidence"]
    ]
