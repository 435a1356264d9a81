"""Words that look like personal data of a client, pointed out kindly: never an error, never in the way of finishing."""

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from flask import request, url_for

from app.dossiers import client_data
from app.dossiers.client_data import Place
from app.dossiers.contents import Contents
from app.dossiers.personal_data import Found
from app.errors import Text
from app.extensions import transaction
from app.schemes.model import Section
from app.texts import both, pick
from app.web import forms
from app.web.auth import say
from app.web.language import current_language
from app.web.parts import installation

ASIDE = re.compile("not-client:([0-9a-f]{64})")
AROUND = 45  # characters of the text shown on both sides
WORDS: dict[str, Text] = {
    "name": both("Hier lijkt de naam van een cliënt te staan:"),
    "bsn": both("Hier lijkt een burgerservicenummer (BSN) te staan:"),
    "phone": both("Hier lijkt een telefoonnummer te staan:"),
    "email": both("Hier lijkt een e-mailadres te staan:"),
    "birth": both("Hier lijkt een geboortedatum te staan:"),
    "iban": both("Hier lijkt een rekeningnummer te staan:"),
}


def pointed_out(contents: Contents, sections: Iterable[Section]) -> list[dict[str, Any]]:
    """For ``parts/client_data.html``: {section, label, href, found: [{words, before, excerpt, after, key}]} for each text."""
    email, language = installation().settings.contact_email, current_language()
    return [
        {
            "section": pick(place.section.title, language),
            "label": label(place),
            "href": address(contents, place),
            "found": [_told(place.text, one) for one in found],
        }
        for place, found in client_data.pointed_out(contents, sections, email)
    ]


def label(place: Place) -> str:
    words = [pick(part.label, current_language()) for part in (place.question, place.field) if part is not None]
    return ": ".join(words)


def address(contents: Contents, place: Place) -> str:
    """Of the field: on its section's page, or on that of the row."""
    values: dict[str, Any] = {"reference": contents.dossier.reference, "section_id": place.section.id}
    if place.field is None:
        return url_for("section.show", **values, controle=1, _anchor=forms.element_id(place.question.id))
    name = f"{place.question.id}.{place.field.id}"
    row = url_for("section.edit_row", **values, question_id=place.question.id, row_id=place.row)
    return f"{row}#{forms.element_id(name)}"


def set_aside(contents: Contents, section: Section) -> bool:
    """What the button "Dit is geen gegeven van een cliënt" asks; whether it was pressed."""
    asked = ASIDE.fullmatch(request.form.get("action", ""))
    if asked is None:
        return False
    with transaction():
        for _, found in client_data.pointed_out(contents, [section], installation().settings.contact_email):
            for one in found:
                if _key(one) == asked[1]:
                    client_data.set_aside(contents.dossier, one)
    say("ok", both("Opgeslagen. Wij wijzen u in dit dossier niet meer op deze woorden."))
    return True


def _told(text: str, found: Found) -> dict[str, str]:
    before, after = text[: found.start].split("\n")[-1], text[found.end :].split("\n")[0]
    if len(before) > AROUND:
        before = "… " + before[-AROUND:].partition(" ")[2]
    if len(after) > AROUND:
        after = after[:AROUND].rpartition(" ")[0] + " …"
    return {
        "words": pick(WORDS[found.kind], current_language()),
        "before": before,
        "excerpt": found.excerpt,
        "after": after,
        "key": _key(found),
    }


def _key(found: Found) -> str:
    """Names the words in the page's own form; what is stored is salted."""
    return hashlib.sha256(client_data.plain(found).encode()).hexdigest()
