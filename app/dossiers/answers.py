"""Saving what a candidate typed: stored as typed, never refused for being incomplete, never overwritten silently."""

import copy
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update

from app.dossiers.lifecycle import OPEN_STAGES
from app.dossiers.models import Dossier, SectionAnswers, SectionVersion
from app.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.extensions import now, session
from app.schemes import markup
from app.schemes import models as stored_templates
from app.schemes.model import Question, Section
from app.schemes.question_types import nothing, shown_number
from app.schemes.question_types import question as field_question
from app.texts import LANGUAGES, both

MAX_TEXT = 100_000
MAX_LINE, MAX_LONG_TEXT = 2_000, 30_000  # characters of a short and of a long answer, unless its question asks for more
MAX_SECTION_BYTES = 1_000_000
MAX_ROWS = 500
MAX_DEPTH = 6
MAX_KEY = 60
NOT_TYPED = frozenset({"evidence", "table", "statement"})  # these change by verbs of their own, not by saving a page


class StaleAnswer(Conflict):
    """The same question was changed elsewhere meanwhile. ``mine`` and ``theirs``: question id -> answer, those that differ."""

    def __init__(self, section: Section, mine: dict[str, Any], theirs: dict[str, Any], stored: SectionAnswers) -> None:
        super().__init__(
            both("U hebt dit onderdeel ook ergens anders gewijzigd. Er is niets verloren: kies welke tekst u wilt houden.")
        )
        self.section, self.mine, self.theirs = section, mine, theirs
        self.version, self.saved_at = stored.version, stored.saved_at


def stored(dossier: Dossier, section_id: str) -> SectionAnswers:
    """The section's row, made when there is none yet."""
    row = session.get(SectionAnswers, (dossier.id, section_id))
    if row is None:
        row = SectionAnswers(dossier_id=dossier.id, section_id=section_id, version=0, data={}, finished=False)
        session.add(row)
        session.flush()
    return row


def save_section(
    dossier: Dossier,
    section_id: str,
    data: Mapping[str, Any],
    version: int,
    *,
    finished: bool | None = None,
    by_itself: bool = False,
) -> SectionAnswers:
    """Stores the answers of one page as typed and gives back the section's row with its new version.

    ``version`` is the one that the page was made from. An answer that changed elsewhere since, to something else, raises
    ``StaleAnswer`` with both; changes to other questions come together. ``finished``: the candidate's mark, if given.
    ``by_itself``: the page's script saves while somebody types; such a version need not be kept for ever.
    Raises ``InvalidInput`` for unknown keys, control characters or too much, ``Forbidden`` once submitted.
    """
    section = _open_section(dossier, section_id)
    row = stored(dossier, section_id)
    base = at_version(dossier, section_id, version)
    merged, mine, theirs = dict(row.data), {}, {}
    for question_id, typed in data.items():
        question = section.question(question_id)
        if question is None or question.type in NOT_TYPED:
            raise InvalidInput(both("Dit formulier hoort niet bij dit onderdeel. Ververs de pagina."), question=question_id)
        answer = fitting(question, typed, row.data.get(question_id))
        before, current = base.get(question_id) if base is not None else None, row.data.get(question_id)
        if same(answer, current) or (base is not None and same(answer, before)):
            continue
        if same(current, before):
            merged[question_id] = answer
        else:
            mine[question_id], theirs[question_id] = answer, current
    if mine:
        raise StaleAnswer(section, mine, theirs, row)
    _store(dossier, row, merged, finished, by_itself)
    return row


def put_answer(dossier: Dossier, section_id: str, question_id: str, answer: Any) -> SectionAnswers:
    """Replaces one answer whatever its version: for rows and evidence lists that were changed in this transaction."""
    question = _open_section(dossier, section_id).question(question_id)
    if question is None:
        raise NotFound(both("Deze vraag bestaat niet in dit dossier."))
    row = stored(dossier, section_id)
    answer = fitting(question, answer, row.data.get(question_id))
    if not same(answer, row.data.get(question_id)):
        _store(dossier, row, {**row.data, question_id: answer}, None)
    return row


def save_row(dossier: Dossier, section_id: str, question_id: str, row_id: str, data: Mapping[str, Any], before: str) -> None:
    """Adds or replaces one row of a table. ``before``: fingerprint of the row that the page was made from, "" for a new row.

    Raises ``Conflict`` when the row was changed or removed meanwhile.
    """
    question = table_question(dossier, section_id, question_id)
    fields = {field["id"]: field_question(field) for field in question.settings["fields"]}
    if set(data) - set(fields):
        raise InvalidInput(both("Dit formulier hoort niet bij dit onderdeel. Ververs de pagina."))
    rows = copy.deepcopy(stored(dossier, section_id).data.get(question_id) or [])
    place = next((index for index, one in enumerate(rows) if one["row"] == row_id), None)
    for field_id, typed in data.items():
        fitting(fields[field_id], typed, None if place is None else rows[place].get(field_id))
    if place is None and before == "":
        if len(rows) >= MAX_ROWS:
            raise InvalidInput(both("Deze tabel heeft al %(n)s regels. Meer is niet mogelijk.", n=MAX_ROWS))
        rows.append({**data, "row": row_id})
    elif place is None or (before != fingerprint(rows[place]) and not same({**rows[place], **data}, rows[place])):
        raise Conflict(
            both(
                "Deze regel is intussen ergens anders gewijzigd of verwijderd. Hieronder staat nog wat u typte; "
                "vergelijk het met het overzicht en sla het opnieuw op."
            )
        )
    else:
        rows[place] = {**rows[place], **data}
    put_answer(dossier, section_id, question_id, rows)


def remove_row(dossier: Dossier, section_id: str, question_id: str, row_id: str) -> None:
    """Takes one row out of a table; nothing happens when it is gone already."""
    table_question(dossier, section_id, question_id)
    rows = stored(dossier, section_id).data.get(question_id) or []
    put_answer(dossier, section_id, question_id, [one for one in rows if one["row"] != row_id])


def carry(dossier: Dossier, section_id: str, data: dict[str, Any]) -> SectionAnswers:
    """Puts all answers of a section in place of what stood there, also of one that the template does not have (any more)."""
    row = stored(dossier, section_id)
    _store(dossier, row, data, None)
    return row


def table_question(dossier: Dossier, section_id: str, question_id: str) -> Question:
    question = _open_section(dossier, section_id).question(question_id)
    if question is None or question.type != "table":
        raise NotFound(both("Deze tabel bestaat niet in dit dossier."))
    return question


def fingerprint(row: Mapping[str, Any]) -> str:
    """A short name for a row's content, to see later whether it changed."""
    return json.dumps(row, sort_keys=True, ensure_ascii=False)


def fitting(question: Question, typed: Any, stored: Any = None) -> Any:
    """``checked``, and no longer than an answer to this question can sensibly be. What was stored already may stay."""
    answer = checked(typed)
    most = most_characters(question)
    if isinstance(answer, str) and len(answer) > most and answer != stored:
        raise _too_long(most, question=question.id, field=question.id)
    return answer


def most_characters(question: Question) -> int:
    """Generous: several times what the question asks for, so that a text can be pasted first and cut afterwards."""
    if question.type == "long_text":
        return max(MAX_LONG_TEXT, 20 * ((question.settings.get("words") or {}).get("max") or 0))
    if question.type in ("short_text", "number"):
        return max(MAX_LINE, 5 * (question.settings.get("max_length") or 0))
    return MAX_TEXT


def _too_long(most: int, **details: str) -> InvalidInput:
    text = both(
        "Uw tekst is langer dan %(n)s tekens en is niet opgeslagen. Kort de tekst in; in deze pagina staat hij er nog.",
        n={language: shown_number(Decimal(most), language) for language in LANGUAGES},
    )
    return InvalidInput(text, **details)


def checked(answer: Any, depth: int = 0) -> Any:
    """An answer as it may be stored: pasted text made clean. Raises ``InvalidInput`` for what no document could hold."""
    if isinstance(answer, str):
        return _checked_text(answer)
    if isinstance(answer, bool) or answer is None:
        return answer
    if isinstance(answer, int) and abs(answer) < 2**53:
        return answer
    if depth < MAX_DEPTH and isinstance(answer, list):
        return [checked(one, depth + 1) for one in answer]
    if depth < MAX_DEPTH and isinstance(answer, dict) and all(map(_is_key, answer)):
        return {key: checked(one, depth + 1) for key, one in answer.items()}
    raise InvalidInput(both("Dit antwoord heeft een vorm die wij niet kunnen opslaan. Ververs de pagina en probeer het opnieuw."))


def _is_key(key: Any) -> bool:
    return isinstance(key, str) and len(key) <= MAX_KEY and key.isprintable()


def _checked_text(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise _too_long(MAX_TEXT)
    clean = markup.clean(text)
    if markup.has_control(clean):
        raise InvalidInput(
            both(
                "In uw tekst staat een onzichtbaar stuurteken dat in geen document past. "
                "Kopieer de tekst eerst naar Kladblok en plak hem daarna opnieuw."
            )
        )
    return clean


def _open_section(dossier: Dossier, section_id: str) -> Section:
    if dossier.stage not in OPEN_STAGES:
        raise Forbidden(both("Dit dossier is ingediend. U kunt het niet meer wijzigen."))
    section = stored_templates.get(dossier.template_sha256).section(section_id)
    if section is None:
        raise NotFound(both("Dit onderdeel bestaat niet in uw dossier."))
    return section


def at_version(dossier: Dossier, section_id: str, version: int) -> Mapping[str, Any] | None:
    """What the page of that version showed; ``None`` when there never was such a version."""
    row = stored(dossier, section_id)
    if version in (0, row.version):
        return row.data if version == row.version else {}
    return session.scalar(
        select(SectionVersion.data).where(
            SectionVersion.dossier_id == dossier.id,
            SectionVersion.section_id == section_id,
            SectionVersion.version == version,
        )
    )


def _store(dossier: Dossier, row: SectionAnswers, data: dict[str, Any], finished: bool | None, by_itself: bool = False) -> None:
    if len(json.dumps(data, ensure_ascii=False).encode()) > MAX_SECTION_BYTES:
        raise InvalidInput(both("Dit onderdeel is te groot geworden om op te slaan. Kort een van uw teksten in."))
    if finished is not None and finished != row.finished:
        row.finished = finished
        row.saved_at = now()
    if data == row.data:
        if not by_itself:
            _saved_by_hand(dossier, row)
        return
    row.data = data
    row.version += 1
    row.saved_at = now()
    session.add(
        SectionVersion(
            dossier_id=dossier.id,
            section_id=row.section_id,
            version=row.version,
            data=data,
            saved_at=row.saved_at,
            by_itself=by_itself,
        )
    )


def _saved_by_hand(dossier: Dossier, row: SectionAnswers) -> None:
    """The button was pressed on what had just been saved by itself: that version stays."""
    session.execute(
        update(SectionVersion)
        .where(
            SectionVersion.dossier_id == dossier.id,
            SectionVersion.section_id == row.section_id,
            SectionVersion.version == row.version,
            SectionVersion.by_itself,
        )
        .values(by_itself=False)
    )


def same(one: Any, other: Any) -> bool:
    """Equal, where nothing filled in is nothing filled in, however it is written."""
    return one == other or (nothing(one) and nothing(other))


def last_saved(dossier: Dossier) -> datetime | None:
    """When anything in the dossier was last saved, or ``None``."""
    return session.scalar(
        select(SectionAnswers.saved_at)
        .where(SectionAnswers.dossier_id == dossier.id)
        .order_by(SectionAnswers.saved_at.desc())
        .limit(1)
    )
