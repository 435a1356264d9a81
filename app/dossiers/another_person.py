"""A statement comes from somebody else than the candidate: told apart by name, by mailbox and by login."""

from app.accounts.same_person import mailbox, plain_name
from app.dossiers.models import Dossier, Statement
from app.errors import Forbidden, InvalidInput, Text
from app.texts import both


def same_name(one: str, other: str) -> bool:
    """Whether two names are written alike, whatever the capitals, accents, dots and order."""
    return _parts(one) == _parts(other)


def check_invited(dossier: Dossier, name: str, email: str, role: Text) -> None:
    """Refuses the candidate's own address and name. Raises ``InvalidInput`` with the field."""
    if mailbox(email) == mailbox(dossier.owner.email):
        raise InvalidInput(both("Dit is uw eigen e-mailadres. Een verklaring moet van iemand anders komen."), field="email")
    if same_name(name, dossier.owner.name):
        raise InvalidInput(
            both(
                "Dit is uw eigen naam. Een verklaring moet van iemand anders komen. Heet uw %(role)s echt zo? Vraag het "
                "secretariaat dan wat u kunt doen.",
                role=role,
            ),
            field="name",
        )


def check_present(statement: Statement, account_id: int | None) -> None:
    """Refuses to go on when the candidate himself seems to be there. Raises ``Forbidden``."""
    owner = statement.dossier.owner
    if account_id == owner.id:
        raise Forbidden(
            both(
                "In deze browser is %(name)s ingelogd. Wie is gevraagd, antwoordt zelf: open de link op uw eigen apparaat, of "
                "log eerst uit.",
                name=owner.name,
            )
        )
    if mailbox(statement.email) == mailbox(owner.email) or same_name(statement.name, owner.name):
        raise Forbidden(
            both(
                "Deze uitnodiging staat op de naam of het e-mailadres van %(name)s zelf. Bent u toch iemand anders? Neem contact "
                "op met het secretariaat.",
                name=owner.name,
            )
        )


def check_signer(statement: Statement, name: str) -> None:
    """Refuses the candidate's name as a signature. Raises ``InvalidInput``."""
    if same_name(name, statement.dossier.owner.name):
        raise InvalidInput(
            both(
                "Dit is de naam van de kandidaat. Typ uw eigen naam. Heet u precies zo? Neem dan contact op met het secretariaat."
            ),
            field="signed_name",
        )


def _parts(name: str) -> list[str]:
    return sorted(plain_name(name).replace(",", " ").split())
