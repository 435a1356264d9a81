"""An assessor's unfinished judgement: kept as typed, every version kept, two tabs merged field by field.

A draft stands in the table as ``AreaDraft.data`` describes. Here it is also seen flat, one entry a field of the form:
``score.<criterion>``, ``why.<criterion>``, ``pages.<criterion>``, ``sufficient``, ``rationale`` and ``notes`` for an area;
``summary`` and ``notes`` for the whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app.assessment.models import AreaDraft, AreaDraftVersion, Assignment
from app.dossiers.answers import checked
from app.errors import Conflict, InvalidInput
from app.extensions import now, session
from app.schemes.model import DossierTemplate, Section
from app.texts import both

WHOLE = ""
WHOLE_FIELDS = ("summary", "notes")
LONGEST_TEXT = 20_000
MOST_PAGES = 50
LAST_PAGE = 99_999
PARTS = {"score": "value", "why": "rationale", "pages": "pages"}
Flat = dict[str, Any]


class StaleDraft(Conflict):
    """The same field was changed elsewhere meanwhile. ``mine`` and ``theirs`` hold those fields; ``merged`` is everything, with
    theirs where they differ; ``version`` is that of the stored draft. Nothing was written.
    """

    def __init__(self, mine: Flat, theirs: Flat, merged: Flat, row: AreaDraft) -> None:
        super().__init__(
            both("U hebt dit oordeel ook ergens anders gewijzigd. Er is niets verloren: kies welke tekst u wilt houden.")
        )
        self.mine, self.theirs, self.merged = mine, theirs, merged
        self.version, self.saved_at = row.version, row.saved_at


def fields_of(area: Section | None) -> tuple[str, ...]:
    """The flat names of an area's fields in the order of the form; of the whole for ``None``."""
    if area is None:
        return WHOLE_FIELDS
    scored = tuple(f"{part}.{criterion.id}" for criterion in area.criteria for part in PARTS)
    return (*scored, "sufficient", "rationale", "notes")


def flat(data: Mapping[str, Any]) -> Flat:
    found = {name: value for name, value in data.items() if name != "scores"}
    for criterion, score in data.get("scores", {}).items():
        found |= {f"{part}.{criterion}": score[key] for part, key in PARTS.items() if key in score}
    return {name: value for name, value in found.items() if not nothing(value)}


def nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, value in fields.items():
        part, dot, criterion = name.partition(".")
        if nothing(value):
            continue
        if dot:
            data.setdefault("scores", {}).setdefault(criterion, {})[PARTS[part]] = value
        else:
            data[name] = value
    return data


def nothing(value: Any) -> bool:
    return value is None or value == "" or value == []


def save(assignment: Assignment, area: Section | None, typed: Mapping[str, Any], version: int, scale: Iterable[int]) -> AreaDraft:
    """Stores the fields of one area (``None``: of the whole) and gives the draft with its new version.

    ``version`` is the one that the page was made from. What changed elsewhere since stays when this page left it alone;
    a field that was changed in both raises ``StaleDraft``. Raises ``InvalidInput`` for what no such form can hold.
    """
    clean = _clean(area, typed, frozenset(scale))
    row = _row(assignment, area.id if area else WHOLE)
    base, current = _at_version(row, version), flat(row.data)
    merged, mine, theirs = dict(current), {}, {}
    for name, value in clean.items():
        now_there, before = current.get(name), base.get(name) if base is not None else None
        if _same(value, now_there) or (base is not None and _same(value, before)):
            continue
        if _same(now_there, before):
            merged[name] = value
        else:
            mine[name], theirs[name] = value, now_there
    if mine:
        raise StaleDraft(mine, theirs, merged, row)
    _store(row, nested(merged))
    return row


def of(assignment: Assignment) -> Mapping[str, AreaDraft]:
    """The newest draft of each area. One from an earlier assignment of the same assessor counts until he writes anew, so that
    nothing is lost when the office took him off and put him back.
    """
    rows = session.scalars(
        select(AreaDraft)
        .join(Assignment, AreaDraft.assignment_id == Assignment.id)
        .where(Assignment.assessment_id == assignment.assessment_id, Assignment.assessor_id == assignment.assessor_id)
        .order_by(AreaDraft.assignment_id)
    )
    return {row.area_id: row for row in rows}


def versions(assignment: Assignment, area_id: str) -> Sequence[AreaDraftVersion]:
    """What this draft was, newest first."""
    return session.scalars(
        select(AreaDraftVersion)
        .where(AreaDraftVersion.assignment_id == assignment.id, AreaDraftVersion.area_id == area_id)
        .order_by(AreaDraftVersion.version.desc())
    ).all()


def _clean(area: Section | None, typed: Mapping[str, Any], scale: frozenset[int]) -> Flat:
    if not set(typed) <= set(fields_of(area)):
        raise _foreign()
    clean: Flat = {}
    for name, value in typed.items():
        part = name.partition(".")[0]
        if nothing(value):
            clean[name] = None
        elif part == "score":
            clean[name] = value if value in scale and not isinstance(value, bool) else _refuse()
        elif part == "pages":
            clean[name] = _pages(value)
        elif part == "sufficient":
            clean[name] = value if isinstance(value, bool) else _refuse()
        else:
            clean[name] = _text(value)
    return clean


def _text(value: Any) -> str:
    text = checked(value) if isinstance(value, str) else _refuse()
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(both("Uw tekst is langer dan %(n)s tekens. Kort de tekst in; hij staat er nog.", n=LONGEST_TEXT))
    return str(text)


def _pages(value: Any) -> list[int]:
    numbers = value if isinstance(value, list) else _refuse()
    if not all(isinstance(one, int) and not isinstance(one, bool) and 1 <= one <= LAST_PAGE for one in numbers):
        raise InvalidInput(both("Schrijf bij pagina’s alleen nummers, met komma’s ertussen: 2, 14."))
    if len(numbers) > MOST_PAGES:
        raise InvalidInput(both("Verwijs bij één criterium naar hoogstens %(n)s pagina’s.", n=MOST_PAGES))
    return sorted(set(numbers))


def _foreign() -> InvalidInput:
    return InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw."))


def _refuse() -> Any:
    raise _foreign()


def _row(assignment: Assignment, area_id: str) -> AreaDraft:
    row = session.get(AreaDraft, (assignment.id, area_id))
    if row is None:
        row = AreaDraft(assignment_id=assignment.id, area_id=area_id, version=0, data={})
        session.add(row)
        session.flush()
    return row


def _at_version(row: AreaDraft, version: int) -> Flat | None:
    """What the page of that version showed; ``None`` when there never was such a version."""
    if version in (0, row.version):
        return flat(row.data) if version == row.version else {}
    kept = session.get(AreaDraftVersion, (row.assignment_id, row.area_id, version))
    return flat(kept.data) if kept else None


def _store(row: AreaDraft, data: dict[str, Any]) -> None:
    if data == row.data:
        return
    row.data, row.version, row.saved_at = data, row.version + 1, now()
    session.add(
        AreaDraftVersion(
            assignment_id=row.assignment_id, area_id=row.area_id, version=row.version, data=data, saved_at=row.saved_at
        )
    )


def _same(one: Any, other: Any) -> bool:
    return one == other or (nothing(one) and nothing(other))


def scale_of(template: DossierTemplate) -> tuple[int, ...]:
    return tuple(level.value for level in template.scale)
