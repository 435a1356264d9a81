"""One person's later date to submit before. Every extension is kept, with who gave it and why."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select, update

from app.accounts import messages
from app.accounts.models import Account
from app.dossiers import lifecycle, log, submission
from app.dossiers.answers import checked
from app.dossiers.models import Dossier, Extension
from app.errors import Conflict, InvalidInput
from app.extensions import session
from app.texts import both

MAX_REASON = 2000


def extend(dossier: Dossier, until: date, reason: str, *, before: date, by: Account) -> Extension:
    """Gives the candidate more time and tells him. ``before`` is the date that the office saw when it decided.

    Raises ``InvalidInput`` for a date that is not later or without a reason, ``Conflict`` when the date changed meanwhile
    or the dossier is not the candidate's to work on.
    """
    if dossier.stage not in lifecycle.OPEN_STAGES:
        raise Conflict(both("Dit dossier is niet meer open. Uitstel is niet nodig."))
    reason = checked(reason).strip()
    if not reason:
        raise InvalidInput(both("Schrijf waarom u uitstel geeft."), field="reason")
    if len(reason) > MAX_REASON:
        raise InvalidInput(both("Deze tekst is langer dan %(n)s tekens. Kort hem in.", n=MAX_REASON), field="reason")
    if dossier.submit_before != before:
        raise Conflict(both("De datum is intussen al gewijzigd. Kijk wat er nu staat en of meer uitstel nodig is."))
    if until <= before:
        raise InvalidInput(both("Kies een datum na de huidige datum."), field="until")
    if until < submission.today():
        raise InvalidInput(both("Kies een datum die nog komt."), field="until")
    made = postpone(dossier, until, reason, by=by)
    log.note(dossier, "extended")
    messages.tell(
        dossier.owner,
        "dossier_extended",
        {
            "name": dossier.owner.name,
            "dossier": dossier.reference,
            "until": until.isoformat(),
            "link": f"/dossier/{dossier.reference}",
        },
        key=f"dossier_extended:{made.id}",
    )
    return made


def postpone(dossier: Dossier, until: date, reason: str, *, by: Account) -> Extension:
    """Moves the date, unless another did so meanwhile, and keeps the extension."""
    before = dossier.submit_before
    moved = session.execute(
        update(Dossier)
        .where(Dossier.id == dossier.id, Dossier.submit_before == before)
        .values(submit_before=until)
        .execution_options(synchronize_session=False)
    )
    session.refresh(dossier)
    if moved.rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult, as every UPDATE gives
        raise Conflict(both("De datum is intussen al gewijzigd. Kijk wat er nu staat en of meer uitstel nodig is."))
    made = Extension(dossier_id=dossier.id, before=before, submit_before=until, reason=reason, by_id=by.id)
    session.add(made)
    session.flush()
    return made


def extensions_of(dossier: Dossier) -> Sequence[Extension]:
    """All extensions, oldest first."""
    return session.scalars(select(Extension).where(Extension.dossier_id == dossier.id).order_by(Extension.id)).all()
