"""A dossier goes to another version of its forms: when its candidate asks for it, in one transaction, and nothing is lost.

An answer whose question is still asked in the same way stays where it is. Of the others, and of choices and columns that are no
longer there, a ``FormerAnswer`` is kept: readable, never submitted, and put back when a later move asks for it again. So going
back is a move to the former template.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import CursorResult, func, select, update

from app import audit
from app.accounts.models import Account
from app.dossiers import answers, former, log, moving_statements
from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, FormerAnswer, SectionAnswers, Snapshot, TemplateMove
from app.errors import Conflict, DomainError, Forbidden
from app.extensions import session
from app.schemes import changes, loader, question_types, versions
from app.schemes import models as stored_templates
from app.schemes.changes import Comparison, Place, QuestionChange
from app.schemes.loader import Catalogue
from app.schemes.model import DossierTemplate, Question
from app.schemes.question_types import nothing
from app.texts import both

Data = Mapping[str, Mapping[str, Any]]


# --- which version -------------------------------------------------------------------------------------------------


def newer(template: DossierTemplate, catalogue: Catalogue, today: date) -> DossierTemplate | None:
    """The template that a dossier on ``template`` may go to: the version in effect today, or its own version when the institute
    changed that. ``None`` when there is nothing new for who fills it in, or while one of its plugins does not work.

    A plugin that is not there any more, or does not belong to the newer version, takes no part in it.
    """
    known = catalogue.templates(template.scheme)
    newest = versions.in_effect(known, today)
    if newest is None or newest.effective_from <= template.effective_from:
        newest = next((one for one in known if one.version == template.version), None)
    if newest is None:
        return None
    wanted = [ref.id for ref in template.plugins if ref.id in catalogue.plugins]
    if any(not catalogue.plugins[one].enabled for one in wanted):
        return None
    accepted = catalogue.schemes[newest.scheme, newest.version].accepts_plugins
    fitting = [
        one for one in wanted if newest.scheme in catalogue.plugins[one].extends and catalogue.plugins[one].kind in accepted
    ]
    try:
        composed = loader.compose(catalogue, newest.scheme, newest.version, fitting)
    except DomainError:  # its parts do not fit together; the office sees why
        return None
    return None if composed == template or not changes.compare(template, composed).matters else composed


def way_back(dossier: Dossier, moves: Sequence[TemplateMove]) -> TemplateMove | None:
    """The move that can be taken back: the last one, unless it was a way back itself or something was submitted since."""
    if not moves or moves[0].back_of_id is not None or dossier.stage not in OPEN_STAGES:
        return None
    submitted = session.scalar(select(func.max(Snapshot.submitted_at)).where(Snapshot.dossier_id == dossier.id))
    return moves[0] if submitted is None or submitted < moves[0].at else None


# --- what becomes of answers ---------------------------------------------------------------------------------------


def split(old: Question, new: Question | None, answer: Any) -> tuple[Any, Any]:
    """An answer to ``old`` as (what stays as an answer to ``new``, what is not asked any more)."""
    if nothing(answer):
        return answer, None
    if new is None or new.type != old.type:
        return None, answer
    before, after = old.settings, new.settings
    if old.type in ("choice", "scale") and isinstance(answer, str):
        key = "options" if old.type == "choice" else "levels"
        gone = answer in _ids(before, key) - _ids(after, key)
        return ("", answer) if gone else (answer, None)
    if old.type == "choices" and isinstance(answer, list):
        gone_ids = _ids(before, "options") - _ids(after, "options")
        left_out = [one for one in answer if one in gone_ids]
        return [one for one in answer if one not in gone_ids], left_out or None
    if old.type == "declaration" and before.get("text") != after.get("text"):
        return "", answer
    if old.type == "table" and isinstance(answer, list):
        return _split_rows(old, new, answer)
    return answer, None


def _split_rows(old: Question, new: Question, rows: Sequence[Any]) -> tuple[Any, Any]:
    """The rows with the columns that stay, and those with something in a column that does not; these with their title."""
    before, after = ({one["id"]: question_types.question(one) for one in table.settings["fields"]} for table in (old, new))
    title = old.settings.get("row_title", "")
    kept, left_out = [], []
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        stays, goes = dict(row), {}
        for name, field in before.items():
            if name in row:
                stay, gone = split(field, after.get(name), row[name])
                stays[name] = stay
                if name not in after or after[name].type != field.type:
                    del stays[name]
                if gone is not None:
                    goes[name] = gone
        kept.append(stays)
        if goes:
            left_out.append({"row": row.get("row", ""), **({title: row[title]} if row.get(title) else {}), **goes})
    return kept, left_out or None


def _ids(settings: Mapping[str, Any], key: str) -> set[str]:
    return {one["id"] for one in settings.get(key) or ()}


def put_back(old: Question, new: Question, gone: Any, live: Any, *, part: bool) -> tuple[Any, Any]:
    """What was not asked any more joined to the answer of now, as (answer, what still is not asked). The answer of now stands."""
    fits, rest = split(old, new, gone)
    if nothing(fits):
        return live, gone
    if old.type == "table" and isinstance(live, list):
        return _put_back_rows(new, fits, rest, live, gone, part=part)
    if old.type == "choices" and part and isinstance(live, list):
        return [*live, *(one for one in fits if one not in live)], rest
    return (fits, rest) if nothing(live) and not (part and old.type == "table") else (live, gone)


def _put_back_rows(new: Question, fits: Any, rest: Any, live: list[Any], gone: Any, *, part: bool) -> tuple[Any, Any]:
    if not live and not part:
        return fits, rest
    if not part:
        return live, gone
    lost, title = {row["row"]: row for row in fits}, new.settings.get("row_title", "")
    joined, left = [], {row["row"]: row for row in rest or ()}
    for row in live:
        found = lost.pop(row["row"], {})
        joined.append({**row, **{name: value for name, value in found.items() if nothing(row.get(name))}})
        other = {name: value for name, value in found.items() if name not in ("row", title) and joined[-1][name] != value}
        if other:  # answered anew since
            left[row["row"]] = {**left.get(row["row"], {"row": row["row"], title: found.get(title, "")}), **other}
    left |= {row["row"]: row for row in gone if row["row"] in lost}  # of rows that were removed since
    return joined, list(left.values()) or None


@dataclass(frozen=True)
class Carried:
    """``live``: section -> the answers that stay; ``gone``: (place in the old template, answer, whether only a part of it)."""

    live: dict[str, dict[str, Any]]
    gone: list[tuple[Place, Any, bool]]


def carried(comparison: Comparison, data: Data) -> Carried:
    """Every answer in one of two places, or in both when a part of it stays. Pure."""
    live: dict[str, dict[str, Any]] = {}
    gone: list[tuple[Place, Any, bool]] = []
    for one in comparison.questions:
        if one.was is None or one.old is None or one.was[1] not in data.get(one.was[0], {}):
            continue
        stays, goes = split(one.old, one.new, data[one.was[0]][one.was[1]])
        if one.place is not None and stays is not None:
            live.setdefault(one.place[0], {})[one.place[1]] = stays
        if goes is not None:
            gone.append((one.was, goes, not nothing(stays)))
    return Carried(live, gone)


def outcome(change: QuestionChange, data: Data) -> str:
    """What a change means for the answer that stands: ``stays``, ``part``, ``gone``, or ``none`` where there is no answer."""
    if change.was is None or change.old is None:
        return "none"
    answer = data.get(change.was[0], {}).get(change.was[1])
    if nothing(answer):
        return "none"
    stays, goes = split(change.old, change.new, answer)
    if goes is None:
        return "stays"
    return "gone" if nothing(stays) else "part"


# --- moving --------------------------------------------------------------------------------------------------------


def move(dossier: Dossier, to: DossierTemplate, *, seen: str, by: Account, back_of: TemplateMove | None = None) -> TemplateMove:
    """Moves an open dossier to ``to``. ``seen``: the SHA-256 of the template that it had when its candidate decided.

    Raises ``Conflict`` when it has another one by now (the second click of two), ``Forbidden`` once submitted.
    """
    stored = stored_templates.store(to)
    old = stored_templates.get(seen) if seen == dossier.template_sha256 else None
    session.flush()
    moved = session.execute(
        update(Dossier)
        .where(Dossier.id == dossier.id, Dossier.template_sha256 == seen, Dossier.stage.in_(OPEN_STAGES))
        .values(template_sha256=stored.sha256)
        .execution_options(synchronize_session=False)
    )
    session.refresh(dossier)
    if dossier.stage not in OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend. U kunt het niet meer wijzigen."))
    if old is None or not isinstance(moved, CursorResult) or moved.rowcount != 1:
        raise Conflict(both("Uw dossier is intussen al overgezet. Ververs de pagina om te zien hoe het nu staat."))
    comparison = changes.compare(old, to)
    rows = {
        row.section_id: row
        for row in session.scalars(select(SectionAnswers).where(SectionAnswers.dossier_id == dossier.id).with_for_update())
    }
    before = {section_id: (row.version, row.finished) for section_id, row in rows.items()}
    result = carried(comparison, {section_id: row.data for section_id, row in rows.items()})
    left = _put_back_former(dossier, to, result.live)
    made = TemplateMove(
        dossier_id=dossier.id, from_sha256=seen, to_sha256=stored.sha256, by_id=by.id, back_of_id=back_of.id if back_of else None
    )
    if back_of is not None:
        _as_it_was(dossier, back_of, result.live)
    for section_id in dict.fromkeys((*rows, *result.live)):
        rows[section_id] = answers.carry(dossier, section_id, result.live.get(section_id, {}))
    _ask_again(comparison, rows)
    for section_id, then in (back_of.sections if back_of is not None else {}).items():
        if then["finished"] and before.get(section_id, (0,))[0] == then["after"]:  # not touched since: as it was
            rows[section_id].finished = True
    made.sections = {
        section_id: {"before": was[0], "after": row.version, "finished": was[1]}
        for section_id, row in rows.items()
        for was in (before.get(section_id, (0, False)),)
    }
    for (section_id, question_id), answer, part in result.gone:
        _keep(dossier, seen, section_id, question_id, answer, part)
    moving_statements.move(dossier, old, to, comparison)
    session.add(made)
    log.note(dossier, "forms_changed")
    session.flush()
    left += len(result.gone)
    audit.write("dossier.rebased", actor=by, thing=dossier, before=seen, after=stored.sha256, former_answers=left)
    return made


def _put_back_former(dossier: Dossier, to: DossierTemplate, live: dict[str, dict[str, Any]]) -> int:
    """Answers that were not asked any more and that ``to`` asks again, joined to the answers of now; gives how many are left."""
    left = 0
    for kept in former.answers(dossier):
        section = to.section(kept.section_id)
        old, new = former_question(kept), section.question(kept.question_id) if section else None
        if old is None or new is None:
            left += 1
            continue
        answer = live.get(kept.section_id, {}).get(kept.question_id)
        joined, rest = put_back(old, new, kept.answer, answer, part=kept.part)
        if joined is not answer:
            live.setdefault(kept.section_id, {})[kept.question_id] = joined
        if nothing(rest):
            session.delete(kept)
        else:
            kept.answer = rest
            left += 1
    return left


def former_question(kept: FormerAnswer) -> Question | None:
    """The question that a former answer belongs to, as it was asked."""
    section = stored_templates.get(kept.template_sha256).section(kept.section_id)
    return section.question(kept.question_id) if section else None


def _as_it_was(dossier: Dossier, back_of: TemplateMove, live: dict[str, dict[str, Any]]) -> None:
    """Going back: a section with the same in it as before gets exactly the form that it had, also of what was left empty, so that
    a statement that was signed then holds again.
    """
    for section_id, then in back_of.sections.items():
        was = answers.at_version(dossier, section_id, then["before"])
        if was is not None and section_id in live and _filled(was) == _filled(live[section_id]):
            live[section_id] = dict(was)


def _filled(answer: Any) -> Any:
    """An answer without what is empty in it."""
    if isinstance(answer, Mapping):
        return {name: _filled(part) for name, part in answer.items() if not nothing(part)}
    return [_filled(part) for part in answer] if isinstance(answer, list) else answer


def _ask_again(comparison: Comparison, rows: Mapping[str, SectionAnswers]) -> None:
    """Sections that ask more count as finished no longer."""
    for section in comparison.sections:
        row = rows.get(section.id)
        if row is not None and row.finished and section.asks_more:
            row.finished = False


def _keep(dossier: Dossier, sha256: str, section_id: str, question_id: str, answer: Any, part: bool) -> None:
    session.add(
        FormerAnswer(
            dossier_id=dossier.id,
            template_sha256=sha256,
            section_id=section_id,
            question_id=question_id,
            answer=answer,
            part=part,
        )
    )


# --- forms that were open meanwhile --------------------------------------------------------------------------------


def keep_late(dossier: Dossier, sha256: str, section_id: str, typed: Mapping[str, Any], version: int) -> bool:
    """Keeps what somebody typed on a page of a former template (``sha256``) that was open while the dossier moved.

    ``version`` is the section's that the page was made from. What is still asked and was not changed elsewhere since becomes the
    answer; everything else that was typed becomes a former answer. Says whether there was any of that. Raises ``Forbidden`` once
    submitted, ``InvalidInput`` for what cannot be kept.
    """
    if dossier.stage not in OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend. U kunt het niet meer wijzigen."))
    old, new = stored_templates.get(sha256), stored_templates.get(dossier.template_sha256)
    base = answers.at_version(dossier, section_id, version) or {}
    live: dict[str, dict[str, Any]] = {}
    kept = False
    for change in changes.compare(old, new).questions:
        if change.was is None or change.old is None or change.was[0] != section_id or change.was[1] not in typed:
            continue
        before, before_gone = split(change.old, change.new, base.get(change.was[1]))
        answer, gone = split(change.old, change.new, answers.fitting(change.old, typed[change.was[1]], base.get(change.was[1])))
        if change.place is not None and not answers.same(answer, before):
            data = live.setdefault(change.place[0], dict(answers.stored(dossier, change.place[0]).data))
            if answers.same(data.get(change.place[1]), before) or answers.same(data.get(change.place[1]), answer):
                data[change.place[1]] = answer
            else:
                kept |= _keep_typed(dossier, sha256, change.was, answer, None)
        if not nothing(gone) and not answers.same(gone, before_gone):
            kept |= _keep_typed(dossier, sha256, change.was, gone, before_gone)
    for name, data in live.items():
        answers.carry(dossier, name, data)
    return kept


def keep_late_row(dossier: Dossier, sha256: str, section_id: str, question_id: str, row: Mapping[str, Any], before: str) -> bool:
    """Keeps a row of a table that was open on a page of a former template, whole, unless nothing was changed on that page."""
    if dossier.stage not in OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend. U kunt het niet meer wijzigen."))
    filled = answers.checked(dict(row))
    if nothing(filled) or answers.fingerprint(filled) == before:
        return False
    return _keep_typed(dossier, sha256, (section_id, question_id), [filled], None)


def _keep_typed(dossier: Dossier, sha256: str, place: Place, answer: Any, before: Any) -> bool:
    """Keeps a text once; one that goes on from ``before`` takes its place (what it was stays among the section's versions)."""
    same_place = [one for one in former.answers(dossier) if (one.section_id, one.question_id) == place]
    if nothing(answer) or any(one.answer == answer for one in same_place):
        return bool(same_place)
    for one in same_place:
        if not nothing(before) and one.answer == before:
            one.answer = answer
            return True
    _keep(dossier, sha256, *place, answer, isinstance(answer, list))
    session.flush()
    return True
