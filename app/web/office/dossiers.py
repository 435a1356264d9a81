"""All dossiers, with filters, order and pages that stand in the address, and as a file to take along."""

from dataclasses import dataclass
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.assessment import overview
from app.assessment.overview import ORDERS, STATES, Filter, Row
from app.dossiers.submission import ZONE
from app.files.cells import Cell
from app.texts import both, pick
from app.web.guard import guard
from app.web.language import current_language
from app.web.office import blueprint, exports
from app.web.office.words import FEE_WORDS, STATE_KINDS, STATE_WORDS, days, state_of
from app.web.parts import LARGEST_ID, me

A_PAGE = 25
LONGEST = 120
LAST_PAGE = LARGEST_ID // A_PAGE
ORDER_WORDS = {
    "waiting": both("Langst in deze fase"),
    "newest": both("Kortst in deze fase"),
    "reference": both("Kenmerk"),
    "candidate": both("Kandidaat"),
    "deadline": both("Uiterste datum"),
}


@blueprint.get("/dossiers")
@guard("office.dossiers")
def dossiers() -> ResponseReturnValue:
    asked = Asked.of_request()
    number = overview.count(asked.filter)
    last = max(1, -(-number // A_PAGE))
    page = min(asked.page, last)
    rows = overview.dossiers(asked.filter, limit=A_PAGE, offset=(page - 1) * A_PAGE)
    return render_template(
        "office/dossiers.html",
        asked=asked,
        rows=rows,
        shown=[in_words(row) for row in rows],
        number=number,
        pages={
            "previous_href": asked.address("dossiers", pagina=page - 1) if page > 1 else "",
            "next_href": asked.address("dossiers", pagina=page + 1) if page < last else "",
            "words": pick(both("Pagina %(n)s van %(last)s", n=page, last=last), current_language()) if last > 1 else "",
        },
        states=[("in_hand", pick(both("Alles in behandeling"), current_language()))]
        + [(state, pick(STATE_WORDS[state], current_language())) for state in STATES],
        schemes=[(scheme, pick(title, current_language())) for scheme, title in overview.schemes().items()],
        orders=[(order, pick(words, current_language())) for order, words in ORDER_WORDS.items()],
        files=[(form.upper(), asked.address("export_dossiers", form=form)) for form in exports.KINDS],
    )


@blueprint.get("/dossiers.<form>")
@guard("office.dossiers")
def export_dossiers(form: str) -> ResponseReturnValue:
    """Exactly the rows that the page's filters leave, in its order."""
    language = current_language()
    head = [
        pick(one, language)
        for one in (
            both("Kenmerk"), both("Kandidaat"), both("Schema"), both("Versie"), both("Fase"), both("In deze fase sinds"),
            both("Dagen in deze fase"), both("Ingediend"), both("Uiterste datum"), both("Beoordelaars"), both("Nodig"),
            both("Vergoeding"),
        )
    ]  # fmt: skip
    found = overview.dossiers(Asked.of_request().filter, limit=exports.MOST_ROWS + 1)
    return exports.as_file(form, "dossiers", head, [cells_of(row) for row in found])


@dataclass(frozen=True)
class Asked:
    """What the address asks for; what it does not know is left out, so that an old address still gives a list."""

    filter: Filter
    page: int

    @classmethod
    def of_request(cls) -> "Asked":
        sent = {name: request.args.get(name, "").strip()[:LONGEST] for name in ("fase", "schema", "q", "te_laat", "sorteer")}
        order, state, text = sent["sorteer"], sent["fase"], sent["q"]
        page = request.args.get("pagina", "")
        return cls(
            Filter(
                state=state if state in (*STATES, "in_hand") else "",
                scheme="".join(mark for mark in sent["schema"] if mark.isprintable()),
                text="".join(mark for mark in text if mark.isprintable()),
                overdue=sent["te_laat"] == "ja",
                order=order if order in ORDERS else "waiting",
            ),
            min(int(page), LAST_PAGE) if page.isascii() and page.isdigit() and 0 < len(page) < 10 and int(page) else 1,
        )

    @property
    def narrows(self) -> bool:
        return bool(self.filter.state or self.filter.scheme or self.filter.text or self.filter.overdue)

    def address(self, page: str, **place: Any) -> str:
        """A page of the office with these filters."""
        wanted = self.filter
        filters = {
            "fase": wanted.state,
            "schema": wanted.scheme,
            "q": wanted.text,
            "te_laat": "ja" if wanted.overdue else "",
            "sorteer": "" if wanted.order == "waiting" else wanted.order,
        }
        values: dict[str, Any] = {name: value for name, value in filters.items() if value}
        return url_for(f"office.{page}", **values, **place)


def in_words(row: Row) -> dict[str, Any]:
    """What the page shows of a row. One's own dossier has no way on: a colleague handles it."""
    language = current_language()
    mine = row.owner_id == me().id
    late = row.days_left is not None and row.days_left < 0
    return {
        "href": "" if mine else url_for("office.dossier", reference=row.reference),
        "mine": mine,
        "scheme": pick(row.title, language),
        "state": state_of(row),
        "kind": STATE_KINDS.get(row.state, ""),
        "age": days(row.age),
        "late": late,
        "fee": pick(FEE_WORDS[row.fee], language) if row.fee else "",
        "judged_by": f"{row.assessors} / {row.needed}" if row.state in ("to_assign", "judging", "judged") else "",
    }


def cells_of(row: Row) -> list[Cell]:
    language = current_language()
    return [
        row.reference,
        row.candidate,
        pick(row.title, language),
        row.version,
        state_of(row),
        row.since.astimezone(ZONE).date(),
        row.age,
        row.submitted_at.astimezone(ZONE).date() if row.submitted_at else None,
        row.submit_before,
        row.assessors,
        row.needed,
        pick(FEE_WORDS[row.fee], language) if row.fee else "",
    ]
