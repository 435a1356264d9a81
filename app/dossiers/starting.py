"""The beginning of a dossier: on the version of a scheme that counts today, with the specialisations that were chosen."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app import audit
from app.accounts.models import Account
from app.config import Settings
from app.dossiers import log, submission
from app.dossiers.models import Dossier
from app.errors import Conflict, InvalidInput
from app.extensions import session
from app.schemes import loader, versions
from app.schemes import models as stored_templates
from app.schemes.loader import Catalogue
from app.schemes.model import DossierTemplate
from app.schemes.models import StoredTemplate
from app.texts import LANGUAGES, both, both_n

FINISHED_STAGES = ("decided", "withdrawn")
ATTEMPTS = 5


class AlreadyStarted(Conflict):
    """This person has an unfinished dossier of the same scheme; ``reference`` names it."""

    def __init__(self, reference: str) -> None:
        super().__init__(
            both("U hebt al een dossier van deze soort: %(reference)s. Ga daarin verder.", reference=reference),
            reference=reference,
        )
        self.reference = reference


def start(
    owner: Account,
    scheme: str,
    version: str,
    plugin_ids: Sequence[str],
    language: str,
    *,
    catalogue: Catalogue,
    settings: Settings,
    submit_by: date | None = None,
) -> Dossier:
    """Makes an empty dossier, to be submitted on the last day of the term or on ``submit_by`` if that is earlier.

    Raises ``AlreadyStarted``, and what ``loader.compose`` raises for parts that cannot be used."""
    if language not in LANGUAGES:
        raise InvalidInput(both("Kies in welke taal u uw dossier schrijft."), field="language")
    template = loader.compose(catalogue, scheme, version, plugin_ids)
    _check_choice(template)
    session.get(Account, owner.id, with_for_update=True)  # two starts of one person wait for each other
    if (running := unfinished(owner, scheme)) is not None:
        raise AlreadyStarted(running.reference)
    stored = stored_templates.store(template)
    today = submission.today()
    dossier = _with_reference(
        f"{template.reference_prefix}-{today.year}-",
        Dossier(
            owner_id=owner.id,
            template_sha256=stored.sha256,
            language=language,
            submit_before=min(term(today, settings), submit_by or date.max),
        ),
    )
    log.note(dossier, "created")
    audit.write("dossier.started", actor=owner, thing=dossier)
    return dossier


def term(today: date, settings: Settings) -> date:
    """The last day to submit what one starts today."""
    return today + timedelta(days=settings.submission_days)


def _check_choice(template: DossierTemplate) -> None:
    """Refuses fewer or more plugins than the scheme asks to choose."""
    number, least, most = len(template.plugins), template.plugin_choice.get("min", 0), template.plugin_choice.get("max")
    if number < least:
        raise InvalidInput(
            both_n("Kies minstens %(n)s specialisatie.", "Kies minstens %(n)s specialisaties.", least), field="plugins"
        )
    if most is not None and number > most:
        raise InvalidInput(
            both_n("Kies hoogstens %(n)s specialisatie.", "Kies hoogstens %(n)s specialisaties.", most), field="plugins"
        )


def version_for(owner: Account, scheme: str, on: date, catalogue: Catalogue) -> str:
    """The version of a scheme on which this person starts on a day. Raises ``NotFound`` when there is none."""
    rows = session.execute(
        select(StoredTemplate.version, func.min(Dossier.created_at))
        .join(Dossier, Dossier.template_sha256 == StoredTemplate.sha256)
        .where(Dossier.owner_id == owner.id, StoredTemplate.scheme == scheme)
        .group_by(StoredTemplate.version)
    )
    started = {version: moment.astimezone(submission.ZONE).date() for version, moment in rows}
    return versions.for_person(catalogue.templates(scheme), on, started).version


def unfinished(owner: Account, scheme: str) -> Dossier | None:
    """The dossier of this scheme that this person is still busy with, or that is being judged."""
    return session.scalar(
        select(Dossier)
        .join(StoredTemplate, Dossier.template_sha256 == StoredTemplate.sha256)
        .where(Dossier.owner_id == owner.id, StoredTemplate.scheme == scheme, Dossier.stage.not_in(FINISHED_STAGES))
        .order_by(Dossier.id.desc())
        .limit(1)
    )


def _with_reference(beginning: str, dossier: Dossier) -> Dossier:
    """Stores the dossier under the next free number. Where others write too, the unique column decides who is first."""
    for _attempt in range(ATTEMPTS):
        dossier.reference = f"{beginning}{_last_number(beginning) + 1:04d}"
        try:
            with session.begin_nested():
                session.add(dossier)
        except IntegrityError:
            continue
        return dossier
    raise Conflict(both("Er beginnen nu veel mensen tegelijk. Probeer het over een minuut opnieuw."))


def _last_number(beginning: str) -> int:
    last = session.scalar(
        select(Dossier.reference)
        .where(Dossier.reference.startswith(beginning, autoescape=True))
        .order_by(func.length(Dossier.reference).desc(), Dossier.reference.desc())
        .limit(1)
    )
    return int(last.removeprefix(beginning)) if last else 0
