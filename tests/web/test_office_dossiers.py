"""The office's list of all dossiers: filters in the address, pages, and the same rows as a file."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date, timedelta

from filling import start
from flask.testing import FlaskClient
from sqlalchemy import event, select

from app.accounts.models import Account
from app.audit import AuditEntry
from app.dossiers.models import Dossier
from app.dossiers.submission import today
from app.extensions import session, transaction
from app.pipeline import Installation

Login = Callable[[Account], FlaskClient]
MakeAccount = Callable[..., Account]


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.status
    return answer.get_data(as_text=True)


def test_filters_stand_in_the_address_and_the_file_has_exactly_those_rows(
    installation: Installation, make_account: MakeAccount, login: Login
) -> None:
    anna = start(make_account("=Anna Laat", "candidate", email="anna@voorbeeld.nl"), installation)
    start(make_account("Bert Vroeg", "candidate"), installation)
    with transaction():
        session.get_one(Dossier, anna.id).submit_before = today() - timedelta(days=3)
    office = make_account("Ilse Smit", "office")
    desk = login(office)
    page = text(desk, "/secretariaat/dossiers")
    assert "2 dossiers" in page
    assert "te laat" in page
    page = text(desk, "/secretariaat/dossiers?te_laat=ja&q=anna&fase=draft&sorteer=reference")
    assert "1 dossier<" in page
    assert "Bert Vroeg" not in page
    assert 'href="/secretariaat/dossiers.csv?fase=draft&amp;q=anna&amp;te_laat=ja&amp;sorteer=reference"' in page
    answer = desk.get("/secretariaat/dossiers.csv?q=anna")
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert rows[0][:5] == ["Kenmerk", "Kandidaat", "Schema", "Versie", "Fase"]
    assert [row[1] for row in rows[1:]] == ["'=Anna Laat"]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="dossiers-{today().isoformat()}.csv"'
    sheet = desk.get("/secretariaat/dossiers.xlsx?q=anna")
    assert zipfile.ZipFile(io.BytesIO(sheet.data)).testzip() is None
    assert desk.get("/secretariaat/dossiers.exe").status_code == 404
    session.rollback()
    exported = session.scalars(select(AuditEntry).where(AuditEntry.action == "list.exported").order_by(AuditEntry.id)).all()
    assert [(one.actor, one.thing, one.details) for one in exported] == [
        (f"account:{office.id}", "list:dossiers", {"rows": 1, "form": "csv"}),
        (f"account:{office.id}", "list:dossiers", {"rows": 1, "form": "xlsx"}),
    ]


def test_an_empty_list_says_so_and_odd_addresses_give_a_list(make_account: MakeAccount, login: Login) -> None:
    desk = login(make_account("Ilse Smit", "office"))
    assert "Er zijn nog geen dossiers" in text(desk, "/secretariaat/dossiers")
    assert "Geen dossiers gevonden" in text(desk, "/secretariaat/dossiers?q=niets")
    for query in ("fase=onzin", "pagina=-1", "pagina=99999999", "pagina=²", "sorteer=x", "q=%00", "schema=%ff"):
        text(desk, f"/secretariaat/dossiers?{query}")


def test_many_dossiers_come_in_pages_and_cost_no_more_queries(
    installation: Installation, make_account: MakeAccount, login: Login
) -> None:
    owner = make_account("Sanne de Vries", "candidate")
    start(owner, installation)
    desk = login(make_account("Ilse Smit", "office"))
    asked: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *call: asked.append(call[2]))

    def queries(path: str) -> int:
        asked.clear()
        assert text(desk, path)
        return len(asked)

    text(desk, "/secretariaat/dossiers")
    few = queries("/secretariaat/dossiers")
    with transaction():
        first = session.scalars(select(Dossier)).one()
        for number in range(30):
            session.add(
                Dossier(
                    reference=f"XX-{number:03}",
                    owner_id=owner.id,
                    template_sha256=first.template_sha256,
                    language="nl",
                    submit_before=date(2027, 1, 1),
                )
            )
    assert queries("/secretariaat/dossiers") == few
    page = text(desk, "/secretariaat/dossiers?sorteer=reference")
    assert "31 dossiers" in page
    assert "Pagina 1 van 2" in page
    assert 'rel="next" href="/secretariaat/dossiers?sorteer=reference&amp;pagina=2"' in page
    assert "XX-029" in text(desk, "/secretariaat/dossiers?sorteer=reference&pagina=2")


def test_ones_own_dossier_has_no_way_on(installation: Installation, make_account: MakeAccount, login: Login) -> None:
    both = make_account("Ilse Smit", "office", "candidate")
    start(both, installation)
    assert "Uw eigen dossier: een collega behandelt het." in text(login(both), "/secretariaat/dossiers")
