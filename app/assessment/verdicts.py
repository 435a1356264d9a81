"""What an assessor finds: drafts, a verdict for each area, his signature under the whole. He sees and touches only his own.

A verdict is about one snapshot. The bundles of an assessment are its rounds: the first that was handed over is round 1, a
later revision opens round 2. Then every area asks for a verdict anew; drafts stay, and what he found before is shown as such.

Every verb takes an assignment from ``assignment.current_or_gone``, which is locked until the transaction ends, so that the
office, a second tab and a double click come one after the other.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from app.accounts.models import Account
from app.assessment import drafts, queue
from app.assessment.models import AreaDraft, Assignment, HandOver, Score, SignOff, Verdict
from app.dossiers.answers import checked
from app.dossiers.models import Snapshot
from app.dossiers.statements import canonical
from app.errors import Conflict, InvalidInput, NotFound, Text
from app.extensions import now, session
from app.schemes import models as stored_templates
from app.schemes.model import DossierTemplate, Level, Section
from app.texts import both

LONGEST_NAME = 120
FORMAT = 1
Missing = tuple[str, Text]
"""The field of the form, and what is still asked there."""


class Incomplete(InvalidInput):
    """Not ready for a verdict or a signature; ``missing`` says what lacks, in the order of the form."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__(both("Er ontbreekt nog iets. Wat u invulde, is bewaard."))
        self.missing = missing


@dataclass(frozen=True)
class AreaState:
    """One area as this assessor left it. ``former`` is what he found about an earlier revision."""

    area: Section
    draft: Mapping[str, Any]
    version: int
    saved_at: datetime | None
    verdict: Verdict | None
    found: Mapping[str, Any] | None
    former: Verdict | None

    @property
    def scored(self) -> int:
        return sum(1 for criterion in self.area.criteria if f"score.{criterion.id}" in self.draft)

    @property
    def status(self) -> str:
        """``given``, ``changed`` (after the verdict), ``busy`` or ``open``."""
        if self.verdict is not None:
            return "given" if self.found == _judged(self.draft) else "changed"
        return "busy" if self.draft else "open"


@dataclass(frozen=True)
class Judging:
    """Everything of one assessor about one assessment, in a fixed number of queries."""

    template: DossierTemplate
    hand_over: HandOver
    round: int
    areas: tuple[AreaState, ...]
    whole: Mapping[str, Any]
    whole_version: int
    saved_at: datetime | None
    signed: SignOff | None

    @property
    def snapshot(self) -> Snapshot:
        return self.hand_over.bundle.snapshot

    @property
    def given(self) -> int:
        return sum(1 for one in self.areas if one.verdict is not None)

    def area(self, area_id: str) -> AreaState:
        found = next((one for one in self.areas if one.area.id == area_id), None)
        if found is None:
            raise NotFound(both("Dit gebied bestaat niet in dit dossier."))
        return found


@dataclass(frozen=True)
class Progress:
    """How far an assessor is: ``given`` of ``areas`` verdicts in the round of now."""

    given: int
    areas: int
    signed_at: datetime | None


def open_judging(assignment: Assignment) -> Judging:
    """What this assessor has before him."""
    template = stored_templates.get(assignment.assessment.dossier.template_sha256)
    bundles = queue.bundles(assignment.assessment)
    current, kept = len(bundles), drafts.of(assignment)
    mine = Verdict.assessment_id == assignment.assessment_id, Verdict.assessor_id == assignment.assessor_id
    found = session.scalars(select(Verdict).where(*mine).order_by(Verdict.round)).all()
    now_given = {one.area_id: one for one in found if one.round == current}
    before = {one.area_id: one for one in found if one.round < current}
    scores = _scores([one.id for one in now_given.values()])
    states = (_state(area, kept.get(area.id), now_given, before, scores, assignment) for area in template.areas)
    whole = kept.get(drafts.WHOLE)
    return Judging(
        template=template,
        hand_over=bundles[0],
        round=current,
        areas=tuple(states),
        whole=drafts.flat(whole.data) if whole else {},
        whole_version=_version(whole, assignment),
        saved_at=max((row.saved_at for row in kept.values()), default=None),
        signed=_signed(assignment, current),
    )


def progress(assessor: Account, assignments: Iterable[Assignment]) -> Mapping[int, Progress]:
    """By assessment: how far this assessor is, in a fixed number of queries."""
    dossiers = {one.assessment_id: one.assessment.dossier for one in assignments}
    bundles = select(HandOver.assessment_id, func.count()).where(HandOver.assessment_id.in_(dossiers))
    rounds: dict[int, int] = {one: count for one, count in session.execute(bundles.group_by(HandOver.assessment_id))}  # noqa: C416
    given: dict[tuple[int, int], int] = {
        (assessment_id, number): count
        for assessment_id, number, count in session.execute(
            select(Verdict.assessment_id, Verdict.round, func.count())
            .where(Verdict.assessor_id == assessor.id, Verdict.assessment_id.in_(dossiers))
            .group_by(Verdict.assessment_id, Verdict.round)
        )
    }
    signed: dict[tuple[int, int], datetime] = {
        (assessment_id, number): at
        for assessment_id, number, at in session.execute(
            select(SignOff.assessment_id, SignOff.round, SignOff.signed_at).where(
                SignOff.assessor_id == assessor.id, SignOff.assessment_id.in_(dossiers)
            )
        )
    }
    return {
        one: Progress(
            given=given.get((one, rounds.get(one, 1)), 0),
            areas=len(stored_templates.get(dossier.template_sha256).areas),
            signed_at=signed.get((one, rounds.get(one, 1))),
        )
        for one, dossier in dossiers.items()
    }


# --- the verbs -----------------------------------------------------------------------------------------------------


def save_draft(assignment: Assignment, area_id: str, typed: Mapping[str, Any], version: int) -> AreaDraft:
    """Keeps what he typed about an area (``drafts.WHOLE``: the whole), see ``drafts.save``. ``Conflict`` once he signed."""
    judging = _still_open(assignment)
    area = judging.area(area_id).area if area_id != drafts.WHOLE else None
    return drafts.save(assignment, area, typed, version, drafts.scale_of(judging.template))


def give_verdict(assignment: Assignment, area_id: str, snapshot_id: int) -> tuple[Verdict, bool]:
    """Makes the kept draft of an area his verdict; again until he signs, which replaces it. Gives whether anything changed.

    Raises ``Incomplete`` while something lacks, ``Conflict`` when the page showed another revision or he signed already.
    """
    judging = _still_open(assignment, snapshot_id)
    state = judging.area(area_id)
    if missing := lacks(state.area, judging.template.scale, state.draft):
        raise Incomplete(missing)
    if state.status == "given" and state.verdict is not None:
        return state.verdict, False
    verdict = state.verdict or Verdict(
        assessment_id=assignment.assessment_id, assessor_id=assignment.assessor_id, area_id=area_id, round=judging.round
    )
    verdict.snapshot_id = judging.snapshot.id
    verdict.sufficient = state.draft["sufficient"]
    verdict.rationale = state.draft.get("rationale", "")
    verdict.given_at = now()
    session.add(verdict)
    session.flush()
    session.execute(delete(Score).where(Score.verdict_id == verdict.id))
    for criterion in state.area.criteria:
        session.add(
            Score(
                verdict_id=verdict.id,
                criterion_id=criterion.id,
                value=state.draft[f"score.{criterion.id}"],
                rationale=state.draft.get(f"why.{criterion.id}", ""),
                pages=state.draft.get(f"pages.{criterion.id}", []),
            )
        )
    session.flush()
    return verdict, True


def withdraw_verdict(assignment: Assignment, area_id: str) -> bool:
    """Takes the verdict of this round back; the draft stays. ``False`` when there was none."""
    verdict = _still_open(assignment).area(area_id).verdict
    if verdict is None:
        return False
    session.execute(delete(Score).where(Score.verdict_id == verdict.id))
    session.delete(verdict)
    session.flush()
    return True


def sign_off(assignment: Assignment, *, summary: str, name: str, snapshot_id: int) -> tuple[SignOff, bool]:
    """Signs all his verdicts of this round; from then on they stand. A second click gives the same signature and ``False``.

    The whole is sufficient when each area is. Raises ``Incomplete`` for an area without a verdict or changed since, a
    summary or a name that lacks; ``Conflict`` for another revision, or when he signed another summary already.
    """
    judging = _check_stage(assignment)
    summary, name = checked(summary).strip(), checked(name).strip()[:LONGEST_NAME]
    if judging.signed is not None:
        if (judging.signed.summary, judging.signed.signed_name) == (summary, name):
            return judging.signed, False
        raise already_signed()
    _check_snapshot(judging, snapshot_id)
    if missing := unready(judging, summary, name):
        raise Incomplete(missing)
    signed = SignOff(
        assessment_id=assignment.assessment_id,
        assessor_id=assignment.assessor_id,
        assignment_id=assignment.id,
        round=judging.round,
        sufficient=all(one.verdict.sufficient for one in judging.areas if one.verdict),
        summary=summary,
        signed_name=name,
        signed_at=now(),
    )
    signed.content_sha256 = fingerprint(judging, signed)
    session.add(signed)
    session.flush()
    return signed, True


# --- rules ---------------------------------------------------------------------------------------------------------


def lacks(area: Section, scale: Iterable[Level], draft: Mapping[str, Any]) -> list[Missing]:
    """What a draft needs before it can be a verdict: a score for each criterion, a rationale where that is not enough, a
    judgement of the area, and a rationale for it where it is another than the scores give.
    """
    enough = {level.value: level.sufficient for level in scale}
    missing: list[Missing] = []
    for criterion in area.criteria:
        value = draft.get(f"score.{criterion.id}")
        if value not in enough:
            missing.append((f"score.{criterion.id}", both("Geef een score bij “%(title)s”.", title=criterion.title)))
        elif not enough[value] and not str(draft.get(f"why.{criterion.id}", "")).strip():
            missing.append(
                (f"why.{criterion.id}", both("Onderbouw uw score bij “%(title)s”: die is niet voldoende.", title=criterion.title))
            )
    sufficient = draft.get("sufficient")
    if sufficient is None:
        missing.append(("sufficient", both("Kies of dit gebied voldoende is.")))
    elif not missing and not str(draft.get("rationale", "")).strip():
        by_scores = all(enough[draft[f"score.{criterion.id}"]] for criterion in area.criteria)
        if sufficient is not by_scores:
            missing.append(("rationale", both("Leg uit waarom uw oordeel over het gebied anders is dan uw scores.")))
    return missing


def unready(judging: Judging, summary: str, name: str) -> list[Missing]:
    """What still stands in the way of signing."""
    missing: list[Missing] = []
    for one in judging.areas:
        if one.verdict is None:
            missing.append((f"area.{one.area.id}", both("Geef een oordeel over “%(title)s”.", title=one.area.title)))
        elif one.status == "changed":
            missing.append(
                (
                    f"area.{one.area.id}",
                    both("U hebt “%(title)s” na uw oordeel gewijzigd. Geef het oordeel opnieuw.", title=one.area.title),
                )
            )
    if not summary:
        missing.append(("summary", both("Schrijf een samenvatting van uw oordeel.")))
    elif len(summary) > drafts.LONGEST_TEXT:
        missing.append(("summary", both("Uw samenvatting is te lang: hoogstens %(n)s tekens.", n=drafts.LONGEST_TEXT)))
    if len(name) < 2:
        missing.append(("name", both("Typ uw volledige naam om te ondertekenen.")))
    return missing


def fingerprint(judging: Judging, signed: SignOff) -> str:
    """SHA-256 over what was signed, as canonical JSON: whoever has the records can compute it again."""
    content = {
        "format": FORMAT,
        "snapshot": judging.snapshot.sha256,
        "assessor": signed.assessor_id,
        "round": signed.round,
        "summary": signed.summary,
        "sufficient": signed.sufficient,
        "signed_name": signed.signed_name,
        "signed_at": signed.signed_at.isoformat(),
        "verdicts": {one.area.id: one.found for one in judging.areas},
    }
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def already_signed() -> Conflict:
    return Conflict(both("U hebt uw oordeel al ondertekend. Het kan niet meer worden gewijzigd."))


def _still_open(assignment: Assignment, snapshot_id: int | None = None) -> Judging:
    judging = _check_stage(assignment)
    if judging.signed is not None:
        raise already_signed()
    if snapshot_id is not None:
        _check_snapshot(judging, snapshot_id)
    return judging


def _check_stage(assignment: Assignment) -> Judging:
    if assignment.ended_at is not None or assignment.declared_at is None:
        raise NotFound(both("Dit dossier is niet meer aan u toegewezen. Vraag het secretariaat als dat niet klopt."))
    if assignment.assessment.dossier.stage != "in_assessment":
        raise Conflict(both("Dit dossier wordt nu niet beoordeeld. Het secretariaat kan u vertellen waarom."))
    return open_judging(assignment)


def _check_snapshot(judging: Judging, snapshot_id: int) -> None:
    if judging.snapshot.id != snapshot_id:
        raise Conflict(
            both("Er is intussen een nieuwe versie van het dossier. Bekijk die eerst; wat u schreef, staat er nog als concept.")
        )


def _state(
    area: Section,
    kept: AreaDraft | None,
    given: Mapping[str, Verdict],
    before: Mapping[str, Verdict],
    scores: Mapping[int, Mapping[str, Score]],
    assignment: Assignment,
) -> AreaState:
    verdict = given.get(area.id)
    found = _found(verdict, scores.get(verdict.id, {})) if verdict else None
    return AreaState(
        area=area,
        draft=drafts.flat(kept.data) if kept else {},
        version=_version(kept, assignment),
        saved_at=kept.saved_at if kept else None,
        verdict=verdict,
        found=found,
        former=before.get(area.id),
    )


def _version(kept: AreaDraft | None, assignment: Assignment) -> int:
    """0 for a draft of an earlier assignment: the first save makes one of this assignment."""
    return kept.version if kept is not None and kept.assignment_id == assignment.id else 0


def _scores(verdict_ids: Sequence[int]) -> Mapping[int, Mapping[str, Score]]:
    found: dict[int, dict[str, Score]] = {}
    for score in session.scalars(select(Score).where(Score.verdict_id.in_(verdict_ids))):
        found.setdefault(score.verdict_id, {})[score.criterion_id] = score
    return found


def _found(verdict: Verdict, scores: Mapping[str, Score]) -> Mapping[str, Any]:
    """A verdict in the shape of a draft without notes."""
    data = {
        "scores": {
            one.criterion_id: {"value": one.value, "rationale": one.rationale, "pages": one.pages} for one in scores.values()
        },
        "sufficient": verdict.sufficient,
        "rationale": verdict.rationale,
    }
    return drafts.flat(data)


def _judged(draft: Mapping[str, Any]) -> Mapping[str, Any]:
    """What of a draft becomes the verdict: all but the private notes."""
    return {name: value for name, value in draft.items() if name != "notes"}


def _signed(assignment: Assignment, number: int) -> SignOff | None:
    return session.scalar(
        select(SignOff).where(
            SignOff.assessment_id == assignment.assessment_id,
            SignOff.assessor_id == assignment.assessor_id,
            SignOff.round == number,
        )
    )
