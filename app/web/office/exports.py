"""A list as a file to take along: the same rows as the page shows, as CSV or XLSX."""

from collections.abc import Sequence

from flask import Response, make_response

from app import audit
from app.dossiers.submission import today
from app.errors import InvalidInput, NotFound
from app.extensions import transaction
from app.files import cells
from app.files.cells import Cell
from app.texts import both
from app.web.errors import NOT_HERE
from app.web.parts import me

MOST_ROWS = 20_000  # more is refused in words, never cut off in silence
KINDS = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def as_file(form: str, name: str, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Response:
    """The rows as a download named after the list and the day; who took how many rows along is recorded."""
    if form not in KINDS:
        raise NotFound(NOT_HERE)
    if len(rows) > MOST_ROWS:
        raise InvalidInput(both("Dit zijn meer dan %(n)s regels. Maak de lijst kleiner met een filter.", n=MOST_ROWS))
    content = cells.csv_bytes([head, *rows]) if form == "csv" else cells.xlsx_bytes(head, rows)
    with transaction():
        audit.write("list.exported", actor=me(), thing=f"list:{name}", rows=len(rows), form=form)
    answer = make_response(content)
    answer.mimetype = KINDS[form]
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{today().isoformat()}.{form}"'
    return answer
