"""The office takes an assessor off a dossier: what goes with that, and why it is done when he judged already."""

from app.accounts.models import Account
from app.assessment import assignment, verdicts
from app.assessment.models import Assessment, Assignment
from app.assessment.verdicts import Progress
from app.dossiers import log
from app.dossiers.answers import checked
from app.errors import Conflict, InvalidInput, NotFound
from app.extensions import session
from app.texts import both, fill, pick

MAX_REASON = 2000


def find(assessment: Assessment, assignment_id: int, *, locked: bool = False) -> Assignment:
    """An assignment of this assessment, also an ended one. Raises ``NotFound``."""
    found = session.get(Assignment, assignment_id, with_for_update={"of": Assignment} if locked else None)
    if found is None or found.assessment_id != assessment.id:
        raise NotFound(both("Deze toewijzing bestaat niet."))
    return found


def what_goes(given: Assignment) -> Progress:
    """How far he is with the version of now: that no longer counts once he is off."""
    return verdicts.progress(given.assessor, [given])[given.assessment_id]


def take_off(given: Assignment, reason: str, *, shown_signed: bool, by: Account) -> bool:
    """Ends the assignment, tells the assessor and keeps the reason as a note of the office. ``False`` when it had ended before.

    ``given`` is locked (``find``). A reason is needed once he gave a verdict or signed. ``shown_signed``: whether the page
    that asks said that he signed; raises ``Conflict`` when he did so meanwhile.
    """
    if given.ended_at is not None:
        return False
    goes = what_goes(given)
    if goes.signed_at is not None and not shown_signed:
        raise Conflict(both("%(name)s heeft intussen ondertekend. Kijk of u dit nog wilt.", name=given.assessor.name))
    reason = checked(reason).strip()
    if not reason and (goes.given or goes.signed_at is not None):
        raise InvalidInput(both("Schrijf waarom u deze beoordelaar van het dossier haalt."), field="reason")
    if len(reason) > MAX_REASON:
        raise InvalidInput(both("Deze tekst is langer dan %(n)s tekens. Kort hem in.", n=MAX_REASON), field="reason")
    assignment.take_off(given)
    if reason:
        words = both("Beoordelaar %(name)s van het dossier gehaald: %(reason)s")
        text = pick(fill(words, name=given.assessor.name, reason=reason), by.language)
        log.write_note(given.assessment.dossier, text, by=by)
    return True
