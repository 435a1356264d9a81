"""People and their roles: who there is, inviting, giving and taking roles, closing and opening accounts, ending logins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app import audit, mail, permissions
from app.accounts import login, people
from app.accounts.models import ROLES, Account
from app.accounts.people import STATES, Filter
from app.accounts.registration import person_name
from app.assessment import assignment, queue, taking_off
from app.assessment.models import Assignment
from app.dossiers.models import Dossier
from app.dossiers.submission import ZONE
from app.errors import Conflict, Forbidden, InvalidInput, NotFound, Text, TooManyRequests
from app.extensions import session, transaction
from app.files.cells import Cell
from app.texts import LANGUAGES, both, pick
from app.web import own, registration
from app.web.auth import Refusal
from app.web.dates import when
from app.web.guard import guard
from app.web.language import current_language
from app.web.office import blueprint, exports
from app.web.office.words import ROLE_WORDS
from app.web.parts import installation, me, only_fields, ring_due

A_PAGE = 50
LONGEST = 120
STATE_WORDS = {"active": both("Actief"), "invited": both("Uitgenodigd"), "disabled": both("Gesloten")}
STATE_KINDS = {"active": "green", "invited": "yellow", "disabled": ""}


@blueprint.get("/mensen", endpoint="people")
@guard("office.people")
def everybody() -> ResponseReturnValue:
    asked = Asked.of_request()
    number = people.count(asked.filter)
    last = max(1, -(-number // A_PAGE))
    page = min(asked.page, last)
    language = current_language()
    return render_template(
        "office/people.html",
        asked=asked,
        number=number,
        rows=[in_words(account, seen) for account, seen in people.find(asked.filter, limit=A_PAGE, offset=(page - 1) * A_PAGE)],
        pages={
            "previous_href": asked.address("people", pagina=page - 1) if page > 1 else "",
            "next_href": asked.address("people", pagina=page + 1) if page < last else "",
            "words": pick(both("Pagina %(n)s van %(last)s", n=page, last=last), language) if last > 1 else "",
        },
        roles=role_items(),
        states=[(state, pick(STATE_WORDS[state], language)) for state in STATES],
        files=[(form.upper(), asked.address("export_people", form=form)) for form in exports.KINDS],
    )


@blueprint.get("/mensen.<form>")
@guard("office.people")
def export_people(form: str) -> ResponseReturnValue:
    language = current_language()
    head = [
        pick(one, language)
        for one in (both("Nummer"), both("Naam"), both("E-mailadres"), both("Rollen"), both("Stand"), both("Account sinds"))
    ]
    rows: list[list[Cell]] = [
        [
            account.number,
            account.name,
            account.email,
            roles_of(account),
            pick(STATE_WORDS[people.state_of(account)], language),
            account.created_at.astimezone(ZONE).date(),
        ]
        for account, _ in people.find(Asked.of_request().filter, limit=exports.MOST_ROWS + 1)
    ]
    return exports.as_file(form, "mensen", head, rows)


@blueprint.route("/mensen/uitnodigen", methods=["GET", "POST"])
@guard("office.people")
def invite() -> ResponseReturnValue:
    if request.method != "POST":
        return invite_page(None)
    roles = request.form.getlist("roles")
    try:
        only_fields("name", "email", "language", "roles")
        typed = read_invitation()
        with transaction():
            account, is_new = people.invite(
                email=typed["email"], name=typed["name"], roles=roles, language=typed["language"], by=me()
            )
            account_id, name = account.id, account.name
    except Refusal as refusal:
        return invite_page(refusal)
    except Conflict as refusal:
        return invite_page(Refusal({"email": pick(refusal.text, current_language())}, 409))
    ring_due("mail")
    if is_new:
        say("ok", both("Wij hebben %(name)s een uitnodiging gestuurd.", name=name))
    else:
        say("info", both("Met dit adres was er al een account, van %(name)s. De rollen zijn toegevoegd.", name=name))
    return redirect(url_for("office.person", account_id=account_id))


def read_invitation() -> dict[str, str]:
    """The fields of one value each; what cannot be kept is said beside its field."""
    names = {name: request.form.get(name, "") for name in ("name", "email", "language")}
    wrong: dict[str, str] = {}
    kept: dict[str, str] = {}
    for name, clean in (("name", person_name), ("email", mail.address)):
        try:
            kept[name] = clean(names[name])
        except InvalidInput as refusal:
            wrong[name] = pick(refusal.text, current_language())
    if names["language"] not in LANGUAGES:
        wrong["language"] = pick(both("Kies een taal uit de lijst."), current_language())
    if not request.form.getlist("roles") or not set(request.form.getlist("roles")) <= set(ROLES):
        wrong["roles"] = pick(both("Kies minstens één rol."), current_language())
    if wrong:
        raise Refusal(wrong)
    return {**kept, "language": names["language"]}


def invite_page(refusal: Refusal | None) -> ResponseReturnValue:
    words = refusal.words if refusal else {}
    html = render_template(
        "office/invite.html",
        wrong=words,
        errors=[{"text": text, "href": f"#{field}"} for field, text in words.items()],
        typed={name: request.form.get(name, "") for name in ("name", "email", "language")},
        chosen=request.form.getlist("roles"),
        roles=role_items(),
        days=people.INVITATION_WORKS.days,
    )
    return html, refusal.status if refusal else 200


@blueprint.get("/mensen/<int:account_id>")
@guard("office.people")
def person(account_id: int) -> ResponseReturnValue:
    account = account_of(account_id)
    logins = login.open_of(account, installation().settings)
    return render_template(
        "office/person.html",
        person=account,
        words=in_words(account, logins[0].last_seen_at if logins else None),
        roles=role_items(),
        logins=len(logins),
        assignments=of_others(account),
        hides_own=own.has_dossiers(),
        is_me=account.id == me().id,
        register=registration.history_words(account),
    )


@blueprint.post("/mensen/<int:account_id>/rollen")
@guard("office.people")
def change_roles(account_id: int) -> ResponseReturnValue:
    only_fields("roles", "shown")
    roles, shown = request.form.getlist("roles"), request.form.get("shown", "").split()

    def deed(account: Account) -> Text | None:
        if "assessor" not in roles:
            refuse_while_assessed(account)
        if "assessor" in account.roles and "assessor" not in roles and queue.assigned_to(account):
            raise Conflict(both("%(name)s heeft nog dossiers te beoordelen. Trek die toewijzingen eerst in.", name=account.name))
        changed = people.change_roles(account, roles, shown=shown, by=me())
        return both("De rollen van %(name)s zijn gewijzigd.", name=account.name) if changed else None

    return done(account_id, deed)


@blueprint.post("/mensen/<int:account_id>/uitnodiging")
@guard("office.people")
def invite_again(account_id: int) -> ResponseReturnValue:
    only_fields()

    def deed(account: Account) -> Text:
        people.invite_again(account, by=me())
        return both("Wij hebben %(name)s een nieuwe link gestuurd. De vorige werkt niet meer.", name=account.name)

    return done(account_id, deed)


@blueprint.post("/mensen/<int:account_id>/uitloggen")
@guard("office.people")
def end_logins(account_id: int) -> ResponseReturnValue:
    only_fields()

    def deed(account: Account) -> Text:
        people.end_logins(account, by=me())
        return both("%(name)s is overal uitgelogd.", name=account.name)

    return done(account_id, deed)


@blueprint.get("/mensen/<int:account_id>/sluiten")
@guard("office.people")
def ask_disable(account_id: int) -> ResponseReturnValue:
    account = account_of(account_id)
    return render_template("office/disable.html", person=account, assignments=of_others(account), hides_own=own.has_dossiers())


@blueprint.post("/mensen/<int:account_id>/sluiten")
@guard("office.people")
def disable(account_id: int) -> ResponseReturnValue:
    only_fields("assignments")

    def deed(account: Account) -> Text | None:
        refuse_while_assessed(account)
        if not people.disable(account, by=me()):
            return None
        if request.form.get("assignments") == "end":
            reason = pick(both("Het account is gesloten."), me().language)
            for given in queue.assigned_to(account):
                # what he may not handle himself is left to a colleague
                if not permissions.is_impartial(me(), given.assessment):
                    continue
                given = taking_off.find(given.assessment, given.id, locked=True)
                if taking_off.take_off(given, reason, shown_signed=True, by=me()):
                    audit.write("assessment.unassigned", actor=me(), thing=given.assessment, assessor=account.id)
        return both("Het account van %(name)s is gesloten.", name=account.name)

    return done(account_id, deed)


@blueprint.post("/mensen/<int:account_id>/openen")
@guard("office.people")
def enable(account_id: int) -> ResponseReturnValue:
    only_fields()

    def deed(account: Account) -> Text | None:
        return both("Het account van %(name)s is weer open.", name=account.name) if people.enable(account, by=me()) else None

    return done(account_id, deed)


# --- parts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What the address asks for; what it does not know is left out."""

    filter: Filter
    page: int

    @classmethod
    def of_request(cls) -> "Asked":
        sent = {name: request.args.get(name, "").strip()[:LONGEST] for name in ("q", "rol", "stand", "pagina")}
        page = sent["pagina"]
        return cls(
            Filter(
                text="".join(mark for mark in sent["q"] if mark.isprintable()),
                role=sent["rol"] if sent["rol"] in ROLES else "",
                state=sent["stand"] if sent["stand"] in STATES else "",
            ),
            int(page) if page.isascii() and page.isdigit() and 0 < len(page) < 7 and int(page) else 1,
        )

    @property
    def narrows(self) -> bool:
        return self.filter != Filter()

    def address(self, page: str, **place: Any) -> str:
        filters = {"q": self.filter.text, "rol": self.filter.role, "stand": self.filter.state}
        values: dict[str, Any] = {name: value for name, value in filters.items() if value}
        return url_for(f"office.{page}", **values, **place)


def done(account_id: int, deed: Callable[[Account], Text | None]) -> ResponseReturnValue:
    """Does ``deed`` to an account in one transaction, says what happened, or why not, and shows the person again.

    ``None`` from the deed: it was done already, by a second click or a colleague.
    """
    try:
        with transaction():
            text = deed(account_of(account_id))
    except (Conflict, Forbidden, InvalidInput, TooManyRequests) as refusal:
        say("error", refusal.text)
    else:
        ring_due("mail")
        say("ok" if text else "info", text or both("Dit was al zo. Er is niets veranderd."))
    return redirect(url_for("office.person", account_id=account_id))


def of_others(assessor: Account) -> list[Assignment]:
    """What he assesses now; who assesses one's own dossier is not shown."""
    return [one for one in queue.assigned_to(assessor) if one.assessment.dossier.owner_id != me().id]


def refuse_while_assessed(account: Account) -> None:
    """Nobody shuts out who assesses him. Refuses for every assessor alike: else the refusal tells who it is. Raises
    ``Forbidden``.
    """
    mine = select(Dossier.id).where(Dossier.owner_id == me().id, Dossier.stage.in_(assignment.OPEN_FOR_JUDGING))
    if "assessor" in account.roles and session.scalar(mine.limit(1)) is not None:
        raise Forbidden(
            both("Zolang uw eigen dossier wordt beoordeeld, sluit of wijzigt een collega de accounts van beoordelaars.")
        )


def say(kind: str, text: Text) -> None:
    flash(pick(text, current_language()), kind)


def account_of(account_id: int) -> Account:
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound(both("Dit account bestaat niet."))
    return account


def role_items() -> list[tuple[str, str]]:
    return [(role, pick(ROLE_WORDS[role], current_language())) for role in ROLES]


def roles_of(account: Account) -> str:
    return ", ".join(words for role, words in role_items() if role in account.roles)


def in_words(account: Account, seen: datetime | None) -> dict[str, Any]:
    state = people.state_of(account)
    return {
        "account": account,
        "href": url_for("office.person", account_id=account.id),
        "roles": roles_of(account),
        "state": state,
        "state_words": pick(STATE_WORDS[state], current_language()),
        "kind": STATE_KINDS[state],
        "seen": when(seen) if seen else "",
    }
