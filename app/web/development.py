"""The development log of a holder or candidate: noting quickly, what it counts for, taking it over into a dossier."""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from app import audit
from app.accounts.models import Account
from app.development import counting, taking_over
from app.development import entries as log
from app.development import files as log_files
from app.development.counting import Period, Tally
from app.development.entries import Draft, Rules
from app.development.models import LogEntry, LogFile
from app.development.taking_over import Outcome
from app.dossiers.models import Dossier
from app.dossiers.submission import today
from app.errors import Conflict, InvalidInput, NotFound, Text, TooLarge
from app.extensions import session, transaction
from app.files import cells
from app.files.cells import Cell
from app.files.parts import Coming, WrongPlace
from app.files.store import put_stream
from app.plugin_api import Problem
from app.register import entries as register
from app.schemes.question_types import EVIDENCE_KINDS, shown_number
from app.texts import both, both_n, pick
from app.web import evidence, uploads
from app.web.auth import say
from app.web.dates import clock, day
from app.web.errors import status_of
from app.web.evidence import TakenIn, allow_files, clean_attachment, small_picture, stored, welcome_kind
from app.web.guard import guard
from app.web.language import current_language
from app.web.office.fields import parts_of, typed_day
from app.web.parts import dossier_of, installation, me, only_fields, ring_due

blueprint = Blueprint("development", __name__, url_prefix="/ontwikkeling")

FIELDS = ("kind", "date", "title", "hours", "provider", "note")
OF_FORM = (*FIELDS, "key", "before", "files", "attached", "upload", "remove", "action")


@blueprint.url_value_preprocessor
def prepare_upload(endpoint: str | None, values: dict[str, Any] | None) -> None:
    if endpoint in ("development.add", "development.save"):
        allow_files()


def entry_of(entry_id: int) -> LogEntry:
    """The entry that an address names."""
    return log.of_address(entry_id)


def file_of(log_file_id: int) -> LogFile:
    """The file of a log that an address names."""
    found = session.get(LogFile, log_file_id)
    if found is None or found.removed_at is not None:
        raise NotFound(both("Dit bestand staat niet (meer) in uw logboek."))
    return found


def rules() -> Rules | None:
    return log.rules_for(me(), installation().catalogue)


def needed_rules() -> Rules:
    found = rules()
    if found is None:
        raise Conflict(both("Er is nu geen hercertificering waarvoor een ontwikkellogboek telt. Vraag het secretariaat."))
    return found


def period_of(account: Account) -> Period:
    """The certificate that the register knows; else since the day that the holder named himself."""
    held = register.current(account, today())
    return Period(held.valid_from, held.valid_until, certain=True) if held else Period(log.since(account))


# --- the list ------------------------------------------------------------------------------------------------------


@blueprint.get("")
@guard("log.list")
def home() -> ResponseReturnValue:
    return home_page()


def home_page(wrong: Text | None = None, typed: Mapping[str, str] | None = None) -> str:
    """``wrong``: why the day that was ``typed`` as the beginning is not kept."""
    known, period, language = rules(), period_of(me()), current_language()
    mine, removed = log.all_of(me()), log.all_of(me(), removed=True)
    files = log_files.of_entries(mine)
    taken = taking_over.taken_by(mine)
    two_kinds = log.of_two_kinds(mine)
    rows = [
        _row(entry, known, files.get(entry.id, ()), taken.get(entry.id, ()), period, two_kinds.get(entry.id)) for entry in mine
    ]
    waiting = any(one.stage == "received" for of_entry in files.values() for one in of_entry)
    return render_template(
        "development/home.html",
        known=known is not None,
        tallies=[_tally(one) for one in counting.tallies(mine, known, period)] if known else [],
        years=[(year, list(group)) for year, group in groupby(rows, key=lambda row: row["year"])],
        count=len(mine),
        removed=[{"id": one.id, "title": one.title, "day": day(one.date)} for one in removed],
        period={
            "first": day(period.first) if period.first else "",
            "last": day(period.last) if period.last else "",
            "certain": period.certain,
        },
        since=typed or parts_of(period.first),
        wrong=pick(wrong, language) if wrong else "",
        errors=[{"text": pick(wrong, language), "href": "#since"}] if wrong else [],
        dossiers=[
            {"reference": one.reference, "count": len(taking_over.candidates(one, period))}
            for one in taking_over.open_dossiers(me().id)
        ],
        checking=waiting,
    )


def _row(
    entry: LogEntry,
    known: Rules | None,
    files: Sequence[LogFile],
    taken: Sequence[str],
    period: Period,
    other: LogEntry | None,
) -> dict[str, Any]:
    """``other``: the same event as an entry of another kind."""
    language = current_language()
    lacks = log.lacking(entry, known, files) if known else []
    return {
        "id": entry.id,
        "year": entry.date.year,
        "day": day(entry.date),
        "title": entry.title,
        "kind": pick(known.label(entry.kind, entry.option), language) if known else entry.kind,
        "hours": _hours(entry.hours),
        "provider": entry.provider,
        "note": entry.note,
        "files": [_file(one) for one in files],
        "lacks": [pick(label, language) for label in lacks],
        "taken": taken,
        "other": pick(log.twice_words(known.label(other.kind, other.option)), language) if known and other else "",
        "outside": not period.holds(entry.date),
        "unknown": known is not None and known.kind(entry.kind) is None,
    }


def _hours(typed: str) -> str:
    number = counting.hours(typed)
    return both("%(amount)s uur", amount=shown_number(number, current_language()))[current_language()]


def _file(item: LogFile) -> dict[str, Any]:
    """As ``parts/evidence.html`` shows it."""
    return {
        "id": item.id,
        "title": item.name,
        "thumbnail": url_for("development.thumbnail", log_file_id=item.id, v=item.thumbnail_sha256[:16])
        if item.thumbnail_sha256
        else "",
        "kind": item.kind,
        "size": item.original_size,
        "added": "",
        "stage": item.stage,
        "reason": pick(item.refusal, current_language()),
        "pages": item.pages,
        "used_in": [],
        "href": url_for("development.download", log_file_id=item.id) if item.stage == "checked" else "",
        "retry_at": clock(item.next_attempt_at) if item.stage == "received" and item.next_attempt_at else "",
    }


def _tally(one: Tally) -> dict[str, Any]:
    """What counts, what does not and why, and how much is still needed, in words."""
    language = current_language()
    unit = pick(one.measured.unit, language) if one.measured else both("keer")[language]
    have = shown_number(one.have, language)
    if one.needed is None:
        words, left = f"{have} {unit}", ""
    else:
        needed = shown_number(one.needed, language)
        words = both("%(have)s van de %(needed)s %(unit)s", have=have, needed=needed, unit=unit)[language]
        left = (
            both("Nog %(short)s %(unit)s nodig.", short=shown_number(one.short, language), unit=unit)
            if one.short
            else both("U hebt genoeg.")
        )[language]
    why = [
        both(
            "%(label)s telt voor hoogstens %(most)s %(unit)s mee. U noteerde er %(entered)s.",
            label=cap.label,
            most=_amount(cap.max),
            entered=_amount(cap.entered),
            unit=cap.unit or "",
        )[language]
        for cap in one.capped
    ]
    if one.outside:
        why.append(
            both_n(
                "%(n)s regel valt buiten de looptijd van uw certificaat en telt niet mee.",
                "%(n)s regels vallen buiten de looptijd van uw certificaat en tellen niet mee.",
                len(one.outside),
            )[language]
        )
    if one.doubles:
        why.append(
            both_n(
                "%(n)s regel staat er twee keer in. Alles telt één keer.",
                "%(n)s regels staan er vaker in. Alles telt één keer.",
                len(one.doubles),
            )[language]
        )
    more = [
        f"{pick(total.label, language)}: {shown_number(total.counted, language)} {pick(total.unit, language)}".strip()
        for total in one.totals
        if total is not one.measured and total.counted
    ]
    return {
        "label": pick(one.kind.label, language),
        "words": words,
        "left": left,
        "enough": one.needed is not None and not one.short,
        "value": float(min(one.have, one.needed)) if one.needed else 0,
        "max": float(one.needed) if one.needed else 0,
        "why": why,
        "more": more,
    }


def _amount(number: Any) -> dict[str, str]:
    return {language: shown_number(number, language) for language in ("nl", "en")}


@blueprint.post("/sinds")
@guard("log.list")
def set_since() -> ResponseReturnValue:
    only_fields("since")
    typed = typed_day("since")
    if register.current(me(), today()) is not None:
        raise Conflict(both("Het register zegt sinds wanneer uw certificaat loopt. U hoeft dat niet zelf in te vullen."))
    try:
        with transaction():
            log.set_since(me(), typed)
            audit.write("log.since_set", actor=me(), thing=me())
    except InvalidInput as refusal:
        return home_page(refusal.text, typed), 422
    say("ok", both("Opgeslagen. Uw logboek telt vanaf deze dag."))
    return redirect(url_for("development.home"))


@blueprint.get("/ontwikkellogboek.csv")
@guard("log.list")
def export() -> ResponseReturnValue:
    """The whole log to take along; no cell can be a formula."""
    known, language, mine = rules(), current_language(), log.all_of(me())
    files, taken = log_files.of_entries(mine), taking_over.taken_by(mine)
    head = [
        pick(words, language)
        for words in (
            both("Datum"),
            both("Soort"),
            both("Wat u deed"),
            both("Uren"),
            both("Aanbieder of met wie"),
            both("Wat u leerde"),
            both("Bestanden"),
            both("Overgenomen in"),
        )
    ]
    lines: list[list[Cell]] = [
        [
            one.date,
            pick(known.label(one.kind, one.option), language) if known else one.kind,
            one.title,
            one.hours,
            one.provider,
            one.note,
            ", ".join(item.name for item in files.get(one.id, ())),
            ", ".join(taken.get(one.id, ())),
        ]
        for one in mine
    ]
    content = cells.csv_bytes([head, *lines])
    with transaction():
        audit.write("log.exported", actor=me(), thing=me(), rows=len(lines))
    answer = make_response(content)
    answer.mimetype = "text/csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="ontwikkellogboek-{today().isoformat()}.csv"'
    return answer


# --- one entry -----------------------------------------------------------------------------------------------------


@blueprint.get("/nieuw")
@guard("log.list")
def new() -> ResponseReturnValue:
    return entry_page(needed_rules(), Draft(date=parts_of(today())), key=secrets.token_hex(12))


@blueprint.post("/nieuw")
@guard("log.list")
def add() -> ResponseReturnValue:
    only_fields(*OF_FORM)
    return _keep(None)


@blueprint.get("/<int:entry_id>")
@guard("log.edit", entry_of)
def edit(entry: LogEntry) -> ResponseReturnValue:
    return entry_page(needed_rules(), log.draft_of(entry), entry=entry, before=log.fingerprint(entry))


@blueprint.post("/<int:entry_id>")
@guard("log.edit", entry_of)
def save(entry: LogEntry) -> ResponseReturnValue:
    only_fields(*OF_FORM)
    return _keep(entry)


def _keep(entry: LogEntry | None) -> ResponseReturnValue:
    """Files first; then the entry, when nothing is wrong with it. Else what was typed and sent stands on the page."""
    known, typed, key, before = needed_rules(), _typed(), request.form.get("key", ""), request.form.get("before", "")
    taken = _take_in()
    ids = [*_numbers("files"), *taken.ids]
    if not re.fullmatch("[A-Za-z0-9_-]{8,40}", key) and entry is None:
        raise InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw."))
    problems = log.problems(typed, known, today()) + [Problem(text, field="files") for text in taken.refusals]
    wants = request.form.get("action", "")
    if removed := _numbers("remove"):
        _remove_file(entry, removed[0])
        ids = [one for one in ids if one != removed[0]]
    if problems or removed or wants == "upload":
        shown = problems if not (removed or wants == "upload") else [one for one in problems if one.field == "files"]
        page = entry_page(known, typed, entry=entry, key=key, before=before, loose=ids, problems=shown)
        return page, 422 if shown else 200
    try:
        with transaction():
            kept, action = (log.add(me(), typed, key, known), "added") if entry is None else (entry, "changed")
            if entry is not None:
                log.change(entry, typed, known, before)
            log_files.attach(kept, ids)
            audit.write(f"log_entry.{action}", actor=me(), thing=kept)
            entry_id = kept.id
    except log.Clash as clash:
        return _clash_page(known, clash, entry, ids)
    except (InvalidInput, Conflict, TooLarge) as refusal:
        field = str(refusal.details.get("field", ""))
        problem = [Problem(refusal.text, field=field)]
        page = entry_page(known, typed, entry=entry, key=key, before=before, loose=ids, problems=problem)
        return page, status_of(refusal)
    _point_out(session.get_one(LogEntry, entry_id), typed)
    if wants == "another":
        say("ok", both("Opgeslagen. U kunt meteen de volgende noteren."))
        return redirect(url_for("development.new"))
    say("ok", both("Opgeslagen in uw ontwikkellogboek."))
    return redirect(f"{url_for('development.home')}#entry-{entry_id}")


def _labels() -> dict[str, Text]:
    """What the form calls each part of an entry."""
    return {
        "kind": both("Soort"),
        "title": both("Wat was het?"),
        "date": both("Wanneer?"),
        "hours": both("Hoe lang duurde het?"),
        "provider": both("Aanbieder, of met wie"),
        "note": both("Wat leerde u?"),
    }


def _clash_page(known: Rules, clash: log.Clash, entry: LogEntry | None, loose: Sequence[int]) -> ResponseReturnValue:
    """What was typed, ready to be saved after all, with what stands beside it: over that entry, or as a new one."""
    problems = []
    for part, stands in clash.parts.items():
        label, words = _labels()[part], dict.fromkeys(("nl", "en"), stands)
        if part == "kind":
            words = dict(known.label(*stands.partition(".")[::2]))
        elif part == "date" and entry is not None:
            words = dict.fromkeys(("nl", "en"), day(entry.date))
        text = (
            both("%(label)s – ergens anders veranderde u dit in: %(stands)s", label=label, stands=words)
            if stands
            else both("%(label)s – ergens anders maakte u dit leeg.", label=label)
        )
        problems.append(Problem(text, field=part))
    before = log.fingerprint(entry) if entry is not None else ""
    say("warn", clash.text)
    page = entry_page(known, clash.draft, entry=entry, key=secrets.token_hex(12), before=before, loose=loose, problems=problems)
    return page, status_of(clash)


def _point_out(entry: LogEntry, typed: Draft) -> None:
    """The same thing, or the same certificate, that is in the log already: said, never refused."""
    alike = log.alike(typed, entry.date, log.all_of(me()), but=entry.id)
    known = rules()
    same_file = log_files.twins(me(), log_files.of_entries([entry]).get(entry.id, []))
    if alike and alike[0].kind != entry.kind and known is not None:
        say("warn", log.twice_words(known.label(alike[0].kind, alike[0].option)))
    elif alike:
        say("warn", both("“%(title)s” staat al in uw logboek op die dag. Alles telt één keer.", title=alike[0].title))
    elif same_file:
        words = both(
            "Hetzelfde bestand staat ook bij “%(title)s” van %(day)s.", title=same_file[0].title, day=day(same_file[0].date)
        )
        say("warn", words)


def entry_page(
    known: Rules,
    typed: Draft,
    *,
    entry: LogEntry | None = None,
    key: str = "",
    before: str = "",
    loose: Sequence[int] = (),
    problems: Sequence[Problem] = (),
) -> str:
    language = current_language()
    attached = log_files.of_entries([entry]).get(entry.id, []) if entry else []
    waiting = log_files.loose(me(), loose)
    wrong: dict[str, str] = {}
    for one in problems:
        wrong.setdefault(one.field, pick(one.text, language))
    choices = [
        {
            "label": pick(kind.label, language),
            "options": [
                {"value": f"{kind.id}.{option['id']}", "text": pick(option["label"], language)} for option in known.options(kind)
            ]
            or [{"value": kind.id, "text": pick(kind.label, language)}],
        }
        for kind in known.kinds
    ]
    return render_template(
        "development/entry.html",
        entry=entry,
        removed=entry is not None and entry.removed_at is not None,
        typed=typed,
        chosen=f"{typed.kind}.{typed.option}" if typed.option else typed.kind,
        choices=choices,
        key=key,
        before=before,
        wrong=wrong,
        attached=[_file(one) for one in attached],
        loose=[_file(one) for one in waiting],
        room=len(attached) + len(waiting) < log_files.MOST_OF_ENTRY,
        most=log_files.MOST_OF_ENTRY,
        kinds=EVIDENCE_KINDS,
        taken=taking_over.taken_by([entry]).get(entry.id, []) if entry else [],
        checking=any(one.stage == "received" for one in (*attached, *waiting)),
        errors=[{"text": words, "href": f"#{field or 'main-content'}"} for field, words in wrong.items()],
    )


@blueprint.post("/<int:entry_id>/verwijderen")
@guard("log.edit", entry_of)
def remove(entry: LogEntry) -> ResponseReturnValue:
    only_fields()
    title = entry.title
    with transaction():
        log.remove(entry)
        audit.write("log_entry.removed", actor=me(), thing=entry)
    say("ok", both("“%(title)s” is verwijderd. Onderaan deze pagina kunt u hem terugzetten.", title=title))
    return redirect(url_for("development.home"))


@blueprint.post("/<int:entry_id>/terugzetten")
@guard("log.edit", entry_of)
def put_back(entry: LogEntry) -> ResponseReturnValue:
    only_fields()
    entry_id, title = entry.id, entry.title
    with transaction():
        log.put_back(entry)
        audit.write("log_entry.put_back", actor=me(), thing=entry)
    say("ok", both("“%(title)s” staat weer in uw logboek.", title=title))
    return redirect(f"{url_for('development.home')}#entry-{entry_id}")


def _typed() -> Draft:
    kind, _, option = request.form.get("kind", "").partition(".")
    plain = {name: request.form.get(name, "") for name in ("title", "hours", "provider", "note")}
    return Draft(kind=kind, option=option, date=typed_day("date"), **plain)


# --- files ---------------------------------------------------------------------------------------------------------


@blueprint.get("/bestand/<int:log_file_id>")
@guard("log.file", file_of)
def download(item: LogFile) -> ResponseReturnValue:
    """The cleaned copy. Nothing that was not checked is ever sent."""
    if item.stage != "checked":
        raise NotFound(both("Dit bestand is nog niet gecontroleerd of is geweigerd. U kunt het daarom niet openen."))
    with transaction():
        audit.write("log_file.downloaded", actor=me(), thing=item)
    return clean_attachment(item)


@blueprint.get("/bestand/<int:log_file_id>/voorbeeld")
@guard("log.file", file_of)
def thumbnail(item: LogFile) -> ResponseReturnValue:
    return small_picture(item)


@blueprint.post("/delen")
@guard("log.list")
def start_file() -> ResponseReturnValue:
    """A file that the page's script sends in parts, as ``app.web.uploads`` does for a dossier."""
    only_fields("filename", "size", "modified", "use")
    coming, settings, owner = uploads.announced(), installation().settings, me()

    def is_there(file_id: int) -> bool:
        return bool(log_files.loose(owner, [file_id]))

    return uploads.begin(_room(), coming, EVIDENCE_KINDS, is_there, lambda: log_files.check_room(owner, settings, coming.size))


@blueprint.post("/delen/<upload_id>")
@guard("log.list")
def add_part(upload_id: str) -> ResponseReturnValue:
    return uploads.go_on_with(_room(), upload_id, lambda coming: EVIDENCE_KINDS)


@blueprint.post("/delen/<upload_id>/klaar")
@guard("log.list")
def finish_file(upload_id: str) -> ResponseReturnValue:
    only_fields("sha256")
    try:
        return jsonify(id=uploads.complete(_room(), upload_id, _take_whole, "log_file"))
    except WrongPlace as elsewhere:
        return uploads.not_whole(elsewhere)


def _take_whole(coming: Coming, path: Path) -> int:
    settings = installation().settings
    with path.open("rb") as stream:
        kind = welcome_kind(stream, coming.name, EVIDENCE_KINDS)
        blob = put_stream(settings.blobs, stream, limit=settings.max_file_bytes)
    with transaction():
        item = log_files.receive(me(), blob, coming.name, kind, settings)
        audit.write("log_file.received", actor=me(), thing=item)
        return item.id


def _take_in() -> TakenIn:
    """The files that came with the form itself: without the page's script."""

    def take(sent: FileStorage, name: str) -> int:
        settings = installation().settings
        log_files.check_room(me(), settings)
        blob, kind = stored(sent, name, EVIDENCE_KINDS)
        with transaction():
            item = log_files.receive(me(), blob, name, kind, settings)
            audit.write("log_file.received", actor=me(), thing=item)
            return item.id

    return evidence.take_each(request.files.getlist("upload"), take, "log_file")


def _remove_file(entry: LogEntry | None, file_id: int) -> None:
    """Takes a file out of the form's entry, or away before it had one; nothing happens when it is gone already."""
    with transaction():
        try:
            item = log_files.find(me(), file_id)
        except NotFound:
            return
        if item.entry_id not in (None, entry.id if entry else None):
            return
        log_files.remove(item)
        audit.write("log_file.removed", actor=me(), thing=item)


def _room() -> Path:
    return installation().settings.uploads / f"log-{me().id}"


def _numbers(name: str) -> list[int]:
    listed = (one.rpartition(":")[2] for one in request.form.getlist(name))
    return [int(one) for one in listed if re.fullmatch("[0-9]{1,9}", one)]


# --- into a dossier ------------------------------------------------------------------------------------------------


def after_starting(reference: str) -> str:
    """Where a new dossier begins: with the log, when it can take anything over."""
    dossier = dossier_of(reference)
    if taking_over.candidates(dossier, period_of(me())):
        return url_for("development.choose", reference=reference)
    return url_for("candidate.tasks", reference=reference)


@blueprint.get("/overnemen/<reference>")
@guard("dossier.edit", dossier_of)
def choose(dossier: Dossier) -> ResponseReturnValue:
    return choose_page(dossier)


def choose_page(dossier: Dossier, refusal: Text | None = None) -> str:
    language, known = current_language(), taking_over.rules_of(dossier)
    found = taking_over.candidates(dossier, taking_over.period_of(dossier, period_of(me())))
    files = log_files.of_entries(one.entry for one in found)
    groups = [
        {
            "id": kind.id,
            "title": pick(kind.label, language),
            "items": [
                {
                    "id": one.entry.id,
                    "title": one.entry.title,
                    "facts": " · ".join(
                        [
                            day(one.entry.date),
                            pick(known.label(one.entry.kind, one.entry.option), language),
                            _hours(one.entry.hours),
                            *_files_words(files.get(one.entry.id, ())),
                        ]
                    ),
                    "doubt": pick(one.doubt, language) if one.doubt else "",
                }
                for one in found
                if one.kind.id == kind.id
            ],
        }
        for kind in known.kinds
    ]
    return render_template(
        "development/take_over.html",
        dossier=dossier,
        groups=[group for group in groups if group["items"]],
        count=len(found),
        errors=[{"text": pick(refusal, language), "href": f"#entry-{found[0].entry.id}" if found else "#main-content"}]
        if refusal
        else [],
    )


def _files_words(files: Iterable[LogFile]) -> list[str]:
    usable = sum(one.stage != "refused" for one in files)
    return [both_n("%(n)s bestand", "%(n)s bestanden", usable)[current_language()]] if usable else []


@blueprint.post("/overnemen/<reference>")
@guard("dossier.edit", dossier_of)
def take(dossier: Dossier) -> ResponseReturnValue:
    """Takes the chosen entries over; a second click finds it done."""
    only_fields("entries")
    ids = _numbers("entries")
    if not ids:
        return choose_page(dossier, both("Kies minstens één regel, of ga verder zonder iets over te nemen.")), 422
    reference = dossier.reference
    with transaction():
        outcome = taking_over.take_over(dossier, ids, installation().settings)
        if outcome.taken:
            audit.write("log.taken_over", actor=me(), thing=dossier, rows=len(outcome.taken))
        _tell(outcome)
    ring_due("evidence")
    return redirect(url_for("candidate.tasks", reference=reference))


def _tell(outcome: Outcome) -> None:
    if outcome.taken:
        words = both_n(
            "%(n)s regel uit uw ontwikkellogboek staat nu in uw dossier.",
            "%(n)s regels uit uw ontwikkellogboek staan nu in uw dossier.",
            len(outcome.taken),
        )
        say("ok", words)
    elif outcome.there:
        say("info", both("Deze regels stonden al in uw dossier."))
    elif not outcome.left:
        say("warn", both("Er is niets overgenomen: deze regels staan niet (meer) in uw ontwikkellogboek."))
    for entry, why in outcome.left:
        say("warn", both("“%(title)s” is niet overgenomen. %(why)s", title=entry.title, why=why))
    for entry, note in outcome.notes:
        say("warn", both("“%(title)s”: %(note)s", title=entry.title, note=note))
