"""Documents that a supervisor gives with a statement, or instead of its form: the way of evidence, in a folder of their own."""

from sqlalchemy import func, select

from app.dossiers import statements
from app.dossiers.models import Evidence, Statement
from app.errors import Forbidden, NotFound, TooLarge
from app.extensions import now, session
from app.files.store import Blob
from app.schemes import statement_settings
from app.texts import both

KINDS = ("pdf", "jpg", "png", "heic")
MOST = 5


def of(statement: Statement) -> list[Evidence]:
    """The documents of one statement, oldest first."""
    mine = select(Evidence).where(Evidence.statement_id == statement.id, Evidence.removed_at.is_(None))
    return list(session.scalars(mine.order_by(Evidence.id)))


def check_room(statement: Statement) -> None:
    """Refuses a further document: after signing, where the template wants none, and above ``MOST``."""
    statements.check_open(statement)
    question = statements.question_of(statement)
    if not statement_settings.of(question).upload:
        raise Forbidden(both("Bij deze verklaring kunt u geen document meesturen. Vul het formulier in."))
    count = session.scalar(select(func.count()).where(Evidence.statement_id == statement.id, Evidence.removed_at.is_(None)))
    if (count or 0) >= MOST:
        raise TooLarge(both("U kunt hoogstens %(n)s bestanden meesturen. Verwijder eerst een bestand.", n=MOST))


def receive(statement: Statement, blob: Blob, name: str, kind: str) -> Evidence:
    """Adds a stored file to the statement; it will be checked. The same file is not taken in twice."""
    statements.check_open(statement)
    same = next((one for one in of(statement) if one.original_sha256 == blob.sha256 and one.stage != "refused"), None)
    if same is not None:
        return same
    check_room(statement)
    document = Evidence(
        dossier_id=statement.dossier_id,
        statement_id=statement.id,
        name=name,
        kind=kind,
        original_sha256=blob.sha256,
        original_size=blob.size,
    )
    session.add(document)
    session.flush()
    return document


def remove(statement: Statement, document_id: int) -> Evidence:
    """Takes a document away again, before signing."""
    statements.check_open(statement)
    found = next((one for one in of(statement) if one.id == document_id), None)
    if found is None:
        raise NotFound(both("Dit bestand hoort niet (meer) bij uw verklaring."))
    found.removed_at = now()
    return found
