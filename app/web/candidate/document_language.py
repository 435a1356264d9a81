"""The language that a dossier is written in, and that its documents get: the candidate may still change it until submitting."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import audit
from app.dossiers import lifecycle
from app.dossiers.models import Dossier
from app.extensions import transaction
from app.texts import LANGUAGES, both, pick
from app.web.auth import say
from app.web.candidate import blueprint
from app.web.guard import guard
from app.web.language import current_language
from app.web.parts import dossier_of, me, only_fields


@blueprint.get("/dossier/<reference>/documenttaal")
@guard("dossier.edit", dossier_of)
def ask_language(dossier: Dossier) -> ResponseReturnValue:
    return language_page(dossier)


@blueprint.post("/dossier/<reference>/documenttaal")
@guard("dossier.edit", dossier_of)
def change_language(dossier: Dossier) -> ResponseReturnValue:
    only_fields("language")
    wanted = request.form.get("language", "")
    if wanted not in LANGUAGES:
        return language_page(dossier, pick(both("Kies in welke taal u uw dossier schrijft."), current_language())), 422
    with transaction():
        before = dossier.language
        if wanted != before:
            lifecycle.change_language(dossier, wanted)
            audit.write("dossier.language_changed", actor=me(), thing=dossier, before=before, after=wanted)
    say(
        "ok",
        both("Uw documenten komen in het Nederlands.") if wanted == "nl" else both("Uw documenten komen in het Engels."),
    )
    return redirect(url_for("candidate.tasks", reference=dossier.reference))


def language_page(dossier: Dossier, wrong: str = "") -> str:
    return render_template(
        "candidate/language.html", dossier=dossier, wrong=wrong, errors=[{"text": wrong, "href": "#language"}] if wrong else []
    )
