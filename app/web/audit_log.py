"""The record of deeds for the office and the auditor: search it, check that nobody changed it, take it along. Read only.

The rows hold ids; names and references are looked up for the page at hand, in one query each.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, Select, String, cast, false, func, literal, or_, select, union_all

from app import audit
from app.accounts.models import FIRST_NUMBER, Account
from app.assessment.models import Assessment, Assignment
from app.audit import AuditEntry
from app.dossiers.models import Dossier, Evidence, Snapshot, Statement
from app.dossiers.submission import ZONE, today
from app.errors import InvalidInput
from app.extensions import now, session, transaction
from app.files.cells import csv_bytes
from app.texts import both, both_n, pick
from app.web import dates, own
from app.web.audit_words import action_words
from app.web.candidate.tasks import STAGE_WORDS
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import LARGEST_ID, me, only_fields

blueprint = Blueprint("audit_log", __name__, url_prefix="/logboek")

A_PAGE = 50
MOST_ROWS = 20_000  # in one export; more is refused in words, never cut off in silence
LONGEST = 254
A_VISIT = timedelta(minutes=30)
LOG = "audit"  # the thing that entries about the record itself are about
FIRST_YEAR, LAST_YEAR = 2000, 2100


@blueprint.get("")
@guard("audit.read")
def home() -> ResponseReturnValue:
    note_visit()
    asked = Asked.of_request()
    entries, newer, older = ([], None, None) if asked.wrong else page_of(asked)
    html = render_template(
        "audit/log.html",
        asked=asked,
        hides_own=own.has_dossiers(),
        rows=rows_of(entries),
        newer=newer and asked.address("home", na=newer),
        older=older and asked.address("home", voor=older),
        actions=sorted(((pick(words, current_language()), code) for code, words in action_words().items()), key=str),
        checked=last_check(),
        export=asked.address("export"),
        errors=[{"text": text, "href": f"#{name}"} for name, text in asked.wrong.items()],
    )
    return html, 422 if asked.wrong else 200


@blueprint.get("/logboek.csv")
@guard("audit.read")
def export() -> ResponseReturnValue:
    """The rows that the page's filters leave, oldest first, with codes and hashes beside the words."""
    asked = Asked.of_request()
    if asked.wrong:
        raise InvalidInput(both("Dit filter klopt niet. Ga terug naar het logboek en pas het aan."))
    found = session.scalars(asked.narrowed(select(AuditEntry)).order_by(AuditEntry.id).limit(MOST_ROWS + 1)).all()
    if len(found) > MOST_ROWS:
        raise InvalidInput(both("Dit zijn meer dan %(n)s regels. Kies een kortere periode en download die.", n=MOST_ROWS))
    head = ("id", "at", "actor", "who", "action", "what", "thing", "about", "details", "sha256")
    lines = [
        (
            str(one.id),
            one.at.isoformat(),
            one.actor,
            row.who,
            one.action,
            row.what,
            one.thing,
            row.about,
            ", ".join(row.details),
            one.sha256,
        )
        for one, row in zip(found, rows_of(found), strict=True)
    ]
    with transaction():
        audit.write("audit.exported", actor=me(), thing=LOG, rows=len(lines))
    answer = make_response(csv_bytes([head, *lines]))
    answer.mimetype = "text/csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="logboek-{today().isoformat()}.csv"'
    return answer


@blueprint.post("/controleren")
@guard("audit.read")
def check() -> ResponseReturnValue:
    """Reads the whole chain. The outcome is an entry itself, so that the page can say when it was last whole."""
    only_fields()
    session.rollback()
    broken = audit.verify()
    entries, head = audit.head()
    with transaction():
        audit.write("audit.verified", actor=me(), thing=LOG, broken=broken, entries=entries, head=head)
    if broken is None:
        text = both_n("De regel in het logboek klopt.", "Alle %(n)s regels in het logboek kloppen.", entries)
    else:
        text = both("Het logboek klopt niet meer: regel %(n)s is veranderd, of een regel daarvoor is weg.", n=broken)
    flash(pick(text, current_language()), "ok" if broken is None else "error")
    return redirect(url_for("audit_log.home"))


@blueprint.get("/beoordelingen")
@guard("audit.read")
def assessments() -> ResponseReturnValue:
    """Which dossiers are judged, how far they are and by whom: nothing of what is in them."""
    before = number(request.args.get("voor", ""))
    query = select(Assessment).join(Dossier).where(Dossier.owner_id != me().id).order_by(Assessment.id.desc()).limit(A_PAGE + 1)
    found = session.scalars(query.where(Assessment.id < before) if before is not None else query).all()
    shown = found[:A_PAGE]
    given: dict[int, list[Assignment]] = defaultdict(list)
    for one in session.scalars(
        select(Assignment).where(Assignment.assessment_id.in_([one.id for one in shown])).order_by(Assignment.id)
    ):
        given[one.assessment_id].append(one)
    return render_template(
        "audit/assessments.html",
        assessments=shown,
        hides_own=own.has_dossiers(),
        given=given,
        stages=STAGE_WORDS,
        newest=url_for("audit_log.assessments") if before is not None else "",
        older=url_for("audit_log.assessments", voor=shown[-1].id) if len(found) > A_PAGE else "",
    )


def note_visit() -> None:
    """Logs that somebody reads the record: once a visit, not for each page that he turns."""
    mine = select(AuditEntry.at).where(
        AuditEntry.thing == LOG, AuditEntry.action == "audit.viewed", AuditEntry.actor == audit.name_of(me())
    )
    last = session.scalar(mine.order_by(AuditEntry.id.desc()).limit(1))
    if last is None or not timedelta(0) <= now() - last < A_VISIT:
        with transaction():
            audit.write("audit.viewed", actor=me(), thing=LOG)


def last_check() -> AuditEntry | None:
    """The entry of the last time that somebody checked the chain; its details say ``broken``, ``entries`` and ``head``."""
    checks = select(AuditEntry).where(AuditEntry.thing == LOG, AuditEntry.action == "audit.verified")
    return session.scalar(checks.order_by(AuditEntry.id.desc()).limit(1))


# --- searching -----------------------------------------------------------------------------------------------------


@dataclass
class Asked:
    """What the address asks for. ``wrong`` says, by field, what cannot be understood; nothing is searched then."""

    who: str = ""
    action: str = ""
    thing: str = ""
    since: str = ""
    until: str = ""
    before: int | None = None  # show what is older than this entry
    after: int | None = None  # show what is newer
    wrong: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_request(cls) -> "Asked":
        typed = {name: request.args.get(name, "").strip() for name in ("wie", "actie", "wat", "van", "tot")}
        asked = cls(typed["wie"], typed["actie"], typed["wat"], typed["van"], typed["tot"])
        asked.before, asked.after = number(request.args.get("voor", "")), number(request.args.get("na", ""))
        for name, text in typed.items():
            if len(text) > LONGEST or not text.isprintable():
                asked.wrong[name] = pick(both("Hier staat een onzichtbaar teken, of te veel tekst."), current_language())
            elif name in ("van", "tot") and text and day_of(text) is None:
                asked.wrong[name] = pick(both("Vul een datum in zoals 2026-11-21."), current_language())
        since, until = day_of(asked.since), day_of(asked.until)
        if since and until and since > until:
            asked.wrong["tot"] = pick(both("Deze datum ligt vóór de eerste datum."), current_language())
        return asked

    def query(self) -> dict[str, str]:
        """The filters as parts of an address."""
        filters = {"wie": self.who, "actie": self.action, "wat": self.thing, "van": self.since, "tot": self.until}
        return {name: text for name, text in filters.items() if text}

    def address(self, page: str, **place: int) -> str:
        """A page of the log with these filters."""
        values: dict[str, Any] = {**self.query(), **place}
        return url_for(f"audit_log.{page}", **values)

    def narrowed(self, query: Select[AuditEntry]) -> Select[AuditEntry]:
        """``query`` with the filters, without the page, and without what is about one's own dossiers."""
        query = query.where(own.of_others())
        if self.who:
            query = query.where(done_by(self.who))
        if self.action:
            query = query.where(AuditEntry.action == self.action)
        if self.thing:
            query = query.where(is_about(self.thing))
        if since := day_of(self.since):
            query = query.where(AuditEntry.at >= start_of(since))
        if until := day_of(self.until):
            query = query.where(AuditEntry.at < start_of(until + timedelta(days=1)))
        return query


def page_of(asked: Asked) -> tuple[Sequence[AuditEntry], int | None, int | None]:
    """One page, newest first, with the entry to go on from on either side where there is more."""
    query = asked.narrowed(select(AuditEntry))
    if asked.after is not None:
        query = query.where(AuditEntry.id > asked.after).order_by(AuditEntry.id)
        found = session.scalars(query.limit(A_PAGE + 1)).all()
        page = list(reversed(found[:A_PAGE]))
        return page, page[0].id if len(found) > A_PAGE else None, page[-1].id if page else None
    if asked.before is not None:
        query = query.where(AuditEntry.id < asked.before)
    found = session.scalars(query.order_by(AuditEntry.id.desc()).limit(A_PAGE + 1)).all()
    page = list(found[:A_PAGE])
    newer = page[0].id if page and asked.before is not None else None
    return page, newer, page[-1].id if len(found) > A_PAGE else None


def done_by(text: str) -> ColumnElement[bool]:
    """Entries of the accounts whose name, address or number this is (a part will do), or of the system itself."""
    accounts = select(literal("account:") + cast(Account.id, String)).where(
        or_(
            Account.name.icontains(text, autoescape=True),
            Account.email.icontains(text, autoescape=True),
            Account.id == account_number(text),
        )
    )
    by_name = AuditEntry.actor.in_(accounts)
    return or_(by_name, AuditEntry.actor == "system") if text.casefold() in ("systeem", "system") else by_name


def is_about(text: str) -> ColumnElement[bool]:
    """Entries about a dossier and all that is in it (by its reference), an account (LP-100007), or one record (evidence:4)."""
    if (account_id := account_number(text)) is not None:
        return AuditEntry.thing == f"account:{account_id}"
    if ":" in text:
        return AuditEntry.thing == text.casefold()
    dossier_ids = select(Dossier.id).where(func.upper(Dossier.reference) == text.upper())
    if session.scalar(dossier_ids.limit(1)) is None:
        return false()
    names = [
        select(literal(f"{kind}:") + cast(model.id, String)).where(
            (model.id if model is Dossier else model.dossier_id).in_(dossier_ids)  # type: ignore[union-attr]
        )
        for kind, model in DOSSIER_THINGS.items()
    ]
    return AuditEntry.thing.in_(union_all(*names))


def account_number(text: str) -> int | None:
    """The id in an account's public number, such as 7 in LP-100007."""
    prefix, _, digits = text.upper().partition("LP-")
    wanted = number(digits) if not prefix else None
    return wanted - FIRST_NUMBER if wanted is not None and wanted > FIRST_NUMBER else None


def number(text: str) -> int | None:
    value = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID)) else None
    return value if value is not None and value <= LARGEST_ID else None


def day_of(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def start_of(day: date) -> datetime:
    """The moment at which a day begins in Amsterdam."""
    return datetime.combine(day, time.min, ZONE)


# --- in words ------------------------------------------------------------------------------------------------------

DOSSIER_THINGS: dict[str, type[Dossier] | type[Evidence] | type[Statement] | type[Snapshot] | type[Assessment]] = {
    "dossier": Dossier,
    "evidence": Evidence,
    "statement": Statement,
    "snapshot": Snapshot,
    "assessment": Assessment,
}


@dataclass(frozen=True)
class Row:
    """One entry as people read it; ``code`` stands beside an action that has no words yet."""

    id: int
    time: str
    who: str
    what: str
    about: str
    details: tuple[str, ...]


def rows_of(entries: Sequence[AuditEntry]) -> list[Row]:
    """The entries in words: two queries, however many there are."""
    named = [name for one in entries for name in (one.actor, one.thing)]
    people, references, words = names_of(named), references_of(named), action_words()
    return [
        Row(
            id=one.id,
            time=dates.at(one.at, "d MMM y HH.mm.ss"),
            who=who(one.actor, people, references),
            what=pick(words.get(one.action), current_language()) or one.action,
            about=about(one.thing, people, references),
            details=tuple(f"{name}: {value}" for name, value in one.details.items() if value is not None),
        )
        for one in entries
    ]


def names_of(named: Iterable[str]) -> dict[int, str]:
    """Account id → name."""
    wanted = ids(named, "account")
    found = session.execute(select(Account.id, Account.name).where(Account.id.in_(wanted))) if wanted else ()
    return {account_id: str(name) for account_id, name in found}


def references_of(named: Sequence[str]) -> dict[str, str]:
    """ "evidence:4" → the reference of its dossier."""
    queries = []
    for kind, model in DOSSIER_THINGS.items():
        if wanted := ids(named, kind):
            query = select(literal(f"{kind}:") + cast(model.id, String), Dossier.reference).where(model.id.in_(wanted))
            queries.append(query if model is Dossier else query.join(Dossier, model.dossier_id == Dossier.id))  # type: ignore[union-attr]
    found = session.execute(union_all(*queries)) if queries else ()
    return {name: str(reference) for name, reference in found}


def ids(named: Iterable[str], kind: str) -> set[int]:
    split = (name.partition(":") for name in named)
    return {value for start, _, rest in split if start == kind and (value := number(rest)) is not None}


def who(actor: str, people: dict[int, str], references: dict[str, str]) -> str:
    kind, _, rest = actor.partition(":")
    if actor == "system":
        words = both("systeem")
    elif kind == "statement":
        words = both("gever van verklaring %(n)s", n=rest)
    else:
        return about(actor, people, references)
    return pick(words, current_language())


def about(thing: str, people: dict[int, str], references: dict[str, str]) -> str:
    """A thing with what people call it: the reference of its dossier, or the number and name of an account."""
    kind, _, rest = thing.partition(":")
    wanted = number(rest)
    if kind == "account" and wanted is not None:
        label = f"LP-{FIRST_NUMBER + wanted}"
        return f"{people[wanted]} ({label})" if wanted in people else label
    if thing == LOG:
        return pick(both("logboek"), current_language())
    if kind == "dossier" and thing in references:
        return references[thing]
    words = {
        "evidence": both("bewijsstuk %(n)s", n=rest),
        "statement": both("verklaring %(n)s", n=rest),
        "snapshot": both("verzegeling %(n)s", n=rest),
        "assessment": both("beoordeling %(n)s", n=rest),
    }
    label = pick(words.get(kind), current_language()) or thing
    return f"{references[thing]}, {label}" if thing in references else label
