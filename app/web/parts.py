"""What pages need at hand: the installation, the queue's bell, who is there, and things found by their address."""

from collections.abc import Mapping, Sequence
from typing import TypeVar, cast

from flask import current_app, request
from flask_login import current_user
from sqlalchemy import or_, select
from werkzeug.routing import IntegerConverter, Map

from app import pipeline
from app.accounts.models import Account
from app.assessment.models import Assessment
from app.dossiers.models import Dossier, Evidence, Statement
from app.errors import InvalidInput, NotFound
from app.extensions import session
from app.jobs import Ring
from app.pipeline import Installation
from app.texts import both
from app.web.errors import NOT_HERE

Record = TypeVar("Record")
LARGEST_ID = 2**31 - 1  # of an integer column, in every database


class RecordId(IntegerConverter):
    """The number of a record in an address; more than a column can hold is no address of ours."""

    regex = "[0-9]+"  # and no digits of other scripts: one thing, one address

    def __init__(self, urls: Map) -> None:
        super().__init__(urls, max=LARGEST_ID)


def installation() -> Installation:
    return cast(Installation, current_app.extensions["installation"])


def ring(job: str, record_id: int) -> None:
    """Asks the worker to look at a record now; call it after the transaction."""
    cast(Ring, current_app.extensions["ring"])(job, record_id)


def ring_due(job: str) -> None:
    """Rings for everything of this kind that waits, such as the mails that a deed put in the outbox."""
    for due, record_id in pipeline.due():
        if due == job:
            ring(job, record_id)


def me() -> Account:
    """The account that is logged in; only behind a guard."""
    return cast(Account, current_user._get_current_object())


def caller() -> dict[str, str]:
    """From where a deed is done, for the signature's record."""
    return {"address": request.remote_addr or "", "user_agent": request.user_agent.string[:255]}


def onward(start: str) -> str | None:
    """Where the pressed button leads after saving ("go:" and an address), if that lies below the path ``start``."""
    address = request.form.get("action", "").removeprefix("go:")
    return address if address.startswith(f"{start}/") and address.isprintable() else None


def form_lists() -> Mapping[str, Sequence[str]]:
    """The form as sent: each field's name with the list of its values."""
    return {name: request.form.getlist(name) for name in request.form}


def only_fields(*names: str) -> None:
    """Refuses a form with fields that the page does not have; ``"since"`` also stands for its parts, such as ``since.day``."""
    if {name.partition(".")[0] for name in (*request.form, *request.files)} - {*names, "csrf_token"}:
        raise InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw."))


def dossier_of(reference: str) -> Dossier:
    """The dossier that an address names."""
    found = session.scalar(select(Dossier).where(Dossier.reference == reference))
    return _found(found)


def evidence_of(reference: str, evidence_id: int) -> Evidence:
    """An evidence file in the folder of the dossier that an address names, or one that came with a signed statement."""
    found = session.scalar(
        select(Evidence)
        .join(Dossier, Evidence.dossier_id == Dossier.id)
        .outerjoin(Statement, Evidence.statement_id == Statement.id)
        .where(
            Evidence.id == evidence_id,
            Dossier.reference == reference,
            Evidence.removed_at.is_(None),
            or_(Evidence.statement_id.is_(None), Statement.stage == "signed"),
        )
    )
    return _found(found)


def assessment_of(assessment_id: int) -> Assessment:
    """The assessment that an address names."""
    return _found(session.get(Assessment, assessment_id))


def _found(record: Record | None) -> Record:
    if record is None:
        raise NotFound(NOT_HERE)
    return record
