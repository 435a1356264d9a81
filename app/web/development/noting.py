"""One entry of the log: noting it quickly, changing it in two windows, removing it with a way back."""

import re
import secrets
from collections.abc import Sequence

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import audit
from app.development import entries as log
from app.development import files as log_files
from app.development import taking_over
from app.development.entries import Draft, Rules
from app.development.models import LogEntry
from app.dossiers.submission import today
from app.errors import Conflict, InvalidInput, Text, TooLarge
from app.extensions import session, transaction
from app.plugin_api import Problem
from app.schemes.question_types import EVIDENCE_KINDS
from app.texts import both, pick
from app.web.auth import say
from app.web.dates import day
from app.web.development import blueprint
from app.web.development.files import remove_file, take_in
from app.web.development.parts import entry_of, needed_rules, numbers, rules, shown_file
from app.web.errors import status_of
from app.web.guard import guard
from app.web.language import current_language
from app.web.office.fields import parts_of, typed_day
from app.web.parts import me, only_fields

FIELDS = ("kind", "date", "title", "hours", "provider", "note")
OF_FORM = (*FIELDS, "key", "before", "files", "attached", "upload", "remove", "action")


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
    taken = take_in()
    ids = [*numbers("files"), *taken.ids]
    if not re.fullmatch("[A-Za-z0-9_-]{8,40}", key) and entry is None:
        raise InvalidInput(both("Dit formulier hoort niet bij deze pagina. Ververs de pagina en probeer het opnieuw."))
    problems = log.problems(typed, known, today()) + [Problem(text, field="files") for text in taken.refusals]
    wants = request.form.get("action", "")
    if removed := numbers("remove"):
        remove_file(entry, removed[0])
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
        attached=[shown_file(one) for one in attached],
        loose=[shown_file(one) for one in waiting],
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
