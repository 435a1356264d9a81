"""The schemes and plugins of this installation: what is in effect when, how many dossiers are on it, and what is wrong."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from app import plugin_faults
from app.assessment import overview
from app.dossiers.submission import today
from app.errors import Text
from app.schemes import versions
from app.schemes.loader import Catalogue
from app.schemes.model import DossierTemplate
from app.texts import both, pick
from app.web.dates import day
from app.web.guard import guard
from app.web.language import current_language
from app.web.office import blueprint
from app.web.parts import installation


@blueprint.get("/plugins")
@guard("office.plugins")
def plugins() -> ResponseReturnValue:
    catalogue = installation().catalogue
    return render_template(
        "office/plugins.html",
        catalogue=catalogue,
        schemes=schemes_of(catalogue),
        plugins=plugins_of(catalogue),
    )


def schemes_of(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Each version with its dates, by scheme and then the newest first; also versions that only old dossiers are on."""
    numbers = overview.versions()
    known = sorted(
        catalogue.schemes.items(), key=lambda one: (one[0][0], one[1].template.effective_from, one[0][1]), reverse=True
    )
    rows = [
        _scheme(
            scheme,
            version,
            found.template,
            numbers.pop((scheme, version), (0, 0)),
            versions.in_effect(catalogue.templates(scheme), today()),
        )
        for (scheme, version), found in known
    ]
    gone = [
        {
            "title": scheme,
            "version": version,
            "dates": "",
            "state": pick(both("Niet meer geïnstalleerd"), current_language()),
            "kind": "yellow",
            "unfinished": unfinished,
            "all": every,
        }
        for (scheme, version), (unfinished, every) in sorted(numbers.items())
    ]
    return rows + gone


def _scheme(
    scheme: str, version: str, template: DossierTemplate, numbers: tuple[int, int], current: DossierTemplate | None
) -> dict[str, Any]:
    """``current``: the version of this scheme that is in effect today, if any."""
    language, on = current_language(), today().isoformat()
    starts, ends = template.effective_from, template.effective_until
    if on < starts:
        state, kind = both("Nog niet van kracht"), "blue"
    elif template is current:
        state, kind = both("Van kracht"), "green"
    elif current and current.transition.get("from") == version and on <= current.transition["until"]:
        state, kind = both("Alleen voor wie erop begon, tot en met %(day)s", day=day_of(current.transition["until"])), "yellow"
    else:
        state, kind = both("Niet meer voor nieuwe dossiers"), ""
    dates: Text = both("vanaf %(start)s", start=day_of(starts))
    if ends:
        dates = both("%(start)s tot en met %(end)s", start=day_of(starts), end=day_of(ends))
    return {
        "title": pick(template.title, language),
        "version": f"{scheme} {version}",
        "dates": pick(dates, language),
        "state": pick(state, language),
        "kind": kind,
        "unfinished": numbers[0],
        "all": numbers[1],
    }


def day_of(iso: str) -> str:
    return day(date.fromisoformat(iso))


def plugins_of(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Each plugin with its state, what is wrong with it and what went wrong in it while people worked."""
    noted: Sequence[plugin_faults.PluginFault] = plugin_faults.known(catalogue.plugins.values())
    return [
        {
            "plugin": plugin,
            "title": pick(plugin.title, current_language()) or plugin.id,
            "noted": [one for one in noted if one.plugin == plugin.id],
        }
        for plugin in catalogue.plugins.values()
    ]
