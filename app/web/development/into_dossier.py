"""Taking entries of the log over into a dossier."""

from collections.abc import Iterable

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app import audit
from app.development import files as log_files
from app.development import taking_over
from app.development.models import LogFile
from app.development.taking_over import Outcome
from app.dossiers.models import Dossier
from app.errors import Text
from app.extensions import transaction
from app.texts import both, both_n, pick
from app.web.auth import say
from app.web.dates import day
from app.web.development import blueprint
from app.web.development.parts import hours_words, numbers, period_of
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import dossier_of, installation, me, only_fields, ring_due


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
                            hours_words(one.entry.hours),
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
    ids = numbers("entries")
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
