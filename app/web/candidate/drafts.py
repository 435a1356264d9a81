"""The dossier as it would be now: pictures of one section beside its form, and the whole as PDF."""

import gzip
import hashlib
import io
import json
from typing import Any

from flask import make_response, request, send_file
from flask.typing import ResponseReturnValue

from app.documents import drafts
from app.dossiers import contents as dossier_contents
from app.dossiers import submission
from app.dossiers.models import Dossier
from app.errors import NotFound
from app.extensions import session
from app.plugin_loader import Plugin
from app.texts import both
from app.web.candidate import blueprint
from app.web.guard import guard
from app.web.parts import dossier_of, installation

QUICK = 1  # gzip: a fifth of the size in a few milliseconds; more takes longer than sending does
IN_A_VIEWER = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""For a PDF that the browser shows by itself: its viewer is a page with an object and styles of its own."""


@blueprint.get("/dossier/<reference>/onderdeel/<section_id>/concept")
@guard("dossier.edit", dossier_of)
def draft_part(dossier: Dossier, section_id: str) -> ResponseReturnValue:
    """For the page's script: ``{"pages": [{"id", "svg"}], "count": n, "places": {question: [page, share]}}``.

    ``svg`` is left out of pages whose id the browser says it has (``have``, divided by commas).
    """
    content, plugins = _as_it_stands(dossier)
    if all(section["id"] != section_id for section in content["template"]["sections"]):
        raise NotFound(both("Dit onderdeel bestaat niet in uw dossier."))
    drawn = drafts.part(content, plugins, section_id)
    have = set(request.args.get("have", "").split(","))
    pages = []
    for number, svg in enumerate(drawn.pages, start=1):  # in the id, as two pages may be quite the same
        name = f"{number}-{hashlib.sha256(svg.encode()).hexdigest()[:16]}"
        pages.append({"id": name} if name in have else {"id": name, "svg": svg})
    body = json.dumps({"pages": pages, "count": drawn.count, "places": drawn.places}, ensure_ascii=False).encode()
    packed = request.accept_encodings.quality("gzip") > 0
    response = make_response(gzip.compress(body, QUICK) if packed else body)
    response.mimetype = "application/json"
    response.vary.add("Accept-Encoding")
    if packed:
        response.content_encoding = "gzip"
    return response


@blueprint.get("/dossier/<reference>/concept.pdf")
@guard("dossier.edit", dossier_of)
def draft(dossier: Dossier) -> ResponseReturnValue:
    """The whole document, to read in the browser. ``#onderdeel-<id>`` in its address opens it at a section."""
    content, plugins = _as_it_stands(dossier)
    pdf = drafts.whole(content, plugins, installation().settings)
    name = f"{content['reference']}-concept.pdf"
    response = make_response(send_file(io.BytesIO(pdf), mimetype="application/pdf", download_name=name, max_age=0))
    response.headers["Content-Security-Policy"] = IN_A_VIEWER
    return response


def _as_it_stands(dossier: Dossier) -> tuple[dict[str, Any], list[Plugin]]:
    """What would be submitted now; the database is let go before the typesetter starts."""
    contents = dossier_contents.read(dossier)
    content = submission.draft_content(contents, installation().settings)
    plugins = installation().catalogue.plugins_of(contents.template)
    session.rollback()
    return content, list(plugins)
