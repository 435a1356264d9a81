"""The record of deeds as the office and the auditor read it: searched, in words, turned page by page, checked, taken along."""

import ast
import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from filling import start
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text, update
from tampering import unlock

from app import audit
from app.accounts.models import Account
from app.assessment import assignment
from app.assessment.models import Assessment
from app.audit import AuditEntry
from app.config import ROOT
from app.dossiers.models import Dossier
from app.extensions import session, transaction
from app.pipeline import Installation
from app.web.audit_words import action_words

Login = Callable[[Account], FlaskClient]


@pytest.fixture
def auditor(make_account: Callable[..., Account]) -> Account:
    return make_account("Anna Kuiper", "auditor")


@pytest.fixture
def reader(auditor: Account, login: Login) -> FlaskClient:
    return login(auditor)


@pytest.fixture
def dossier(installation: Installation, make_account: Callable[..., Account]) -> Dossier:
    return start(make_account("Sanne de Vries", "candidate"), installation)


def note(*actions: str, actor: object = "system", thing: object = "dossier:999", **details: int | str | None) -> list[int]:
    """The ids of new entries."""
    with transaction():
        return [audit.write(action, actor=actor, thing=thing, **details).id for action in actions]


def page(client: FlaskClient, query: str = "") -> str:
    answer = client.get(f"/logboek{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def shown(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="regel-(\d+)"', html)]


def row(html: str, number: int) -> list[str]:
    """The cells of a row, as text."""
    found = re.search(rf'<tr id="regel-{number}">(.*?)</tr>', html, re.DOTALL)
    assert found
    return [re.sub(r"<.*?>", " ", cell).strip() for cell in re.findall(r"<td.*?>(.*?)</td>", found[1], re.DOTALL)]


def ids_of(**where: str) -> list[int]:
    session.rollback()
    return list(session.scalars(select(AuditEntry.id).filter_by(**where).order_by(AuditEntry.id.desc())))


def test_auditor_starts_at_the_log_and_reads_it_in_words(dossier: Dossier, reader: FlaskClient) -> None:
    (failed,) = note("snapshot.failed", thing=f"dossier:{dossier.id}", step="seal")
    (opened,) = note("statement.opened", actor="statement:12", thing="statement:12")
    (unknown,) = note("something.new", thing="record:<b>")
    started = ids_of(action="dossier.started")[0]
    assert reader.get("/inloggen").headers["Location"] == "/logboek"
    html = page(reader)
    number = f"LP-{100_000 + dossier.owner_id}"
    assert row(html, started)[2:] == [f"Sanne de Vries ({number})", "Dossier begonnen", dossier.reference]
    assert [" ".join(cell.split()) for cell in row(html, failed)[2:]] == [
        "systeem",
        "Stap van de verwerking mislukt step: seal",
        dossier.reference,
    ]
    assert row(html, opened)[2:] == ["gever van verklaring 12", "Verklaring geopend", "verklaring 12"]
    assert row(html, unknown)[2:] == ["systeem", "something.new", "record:&lt;b&gt;"]


def test_page_of_the_log_is_english_where_that_is_asked(reader: FlaskClient) -> None:
    note("snapshot.sealed")
    reader.set_cookie("language", "en")
    html = page(reader)
    assert row(html, ids_of(action="snapshot.sealed")[0])[2:4] == ["system", "Dossier sealed"]


def test_log_turns_page_by_page_and_shows_each_entry_once_also_when_more_come_in(reader: FlaskClient) -> None:
    page(reader)  # the visit itself is an entry
    note(*["test.page"] * 120)
    seen: list[int] = []
    pages, address = [], "?actie=test.page"
    while address:
        html = page(reader, address)
        pages.append(shown(html))
        seen += pages[-1]
        note("test.page")  # somebody goes on working
        older = re.search(r'rel="next" href="/logboek([^"]*)"', html)
        address = older[1].replace("&amp;", "&") if older else ""
    assert [len(one) for one in pages] == [50, 50, 20]
    assert seen == ids_of(action="test.page")[3:]
    back = re.search(r'rel="prev" href="/logboek([^"]*)"', html)
    assert back
    assert shown(page(reader, back[1].replace("&amp;", "&"))) == pages[1]


def test_log_is_searched_by_person(reader: FlaskClient, auditor: Account, dossier: Dossier) -> None:
    owner = dossier.owner
    expected = ids_of(actor=f"account:{owner.id}")
    assert expected
    for words in ("sanne de", "SANNE.DE.VRIES@", f"LP-{100_000 + owner.id}"):
        assert shown(page(reader, f"?wie={quote(words)}")) == expected
    assert shown(page(reader, "?wie=Systeem")) == ids_of(actor="system")
    assert shown(page(reader, "?wie=%25")) == []  # a wildcard is a character like any other
    assert "Niets gevonden" in page(reader, "?wie=niemand")


def test_log_is_searched_by_thing_with_all_that_is_in_a_dossier(reader: FlaskClient, dossier: Dossier) -> None:
    with transaction():
        session.execute(
            text(
                "INSERT INTO evidence (id, dossier_id, name, kind, stage, original_sha256, original_size, pages, rasterised,"
                " signed, signatures, notes, uploaded_at, attempts) VALUES (41, :d, 'x.pdf', 'pdf', 'received', 'a', 1, 0, 0,"
                " 0, '[]', '[]', '2026-11-01', 0)"
            ),
            {"d": dossier.id},
        )
    (inside,) = note("evidence.received", thing="evidence:41")
    (outside,) = note("evidence.received", thing="evidence:42")
    started = ids_of(action="dossier.started", thing=f"dossier:{dossier.id}")[0]
    html = page(reader, f"?wat={dossier.reference.lower()}")
    assert shown(html) == [inside, started]
    assert row(html, inside)[4] == f"{dossier.reference}, bewijsstuk 41"
    assert shown(page(reader, "?wat=evidence:42")) == [outside]
    assert shown(page(reader, f"?wat=lp-{100_000 + dossier.owner_id}")) == ids_of(thing=f"account:{dossier.owner_id}")
    assert shown(page(reader, "?wat=bestaat-niet")) == []


def test_log_is_searched_by_days_in_amsterdam(reader: FlaskClient) -> None:
    moments = [datetime(2026, 7, day, hour, 30, tzinfo=UTC) for day, hour in ((1, 21), (1, 22), (2, 21), (2, 22))]
    made = note(*["test.day"] * 4)
    with transaction():
        unlock(session.connection())
        for number, moment in zip(made, moments, strict=True):
            session.execute(update(AuditEntry).where(AuditEntry.id == number).values(at=moment))
    assert shown(page(reader, "?actie=test.day&van=2026-07-02&tot=2026-07-02")) == [made[2], made[1]]
    assert shown(page(reader, "?actie=test.day&van=2026-07-03")) == [made[3]]
    assert shown(page(reader, "?actie=test.day&tot=2026-07-01")) == [made[0]]


@pytest.mark.parametrize(
    "query", ["van=gisteren", "van=0001-01-01", "tot=9999-12-31", "van=2026-02-30", "van=2026-11-02&tot=2026-11-01",
              "wie=%00", "wie=" + "x" * 300, "wat=a%0Ab"]
)  # fmt: skip
def test_filter_that_cannot_be_understood_is_said_so_and_nothing_is_searched(reader: FlaskClient, query: str) -> None:
    answer = reader.get(f"/logboek?{query}")
    html = answer.get_data(as_text=True)
    assert (answer.status_code, shown(html)) == (422, [])
    assert "govuk-error-summary" in html
    assert reader.get(f"/logboek/logboek.csv?{query}").status_code == 422


@pytest.mark.parametrize("place", ["voor=-1", "voor=99999999999", "na=x", "voor=%D9%A1", "voor=1", "na=2147483647"])
def test_strange_places_in_the_log_are_no_fault(reader: FlaskClient, place: str) -> None:
    assert reader.get(f"/logboek?{place}").status_code == 200


def test_reading_the_log_r30_is_logged_once_a_visit(reader: FlaskClient, auditor: Account) -> None:
    for query in ("", "?voor=3", "?wie=anna", ""):
        page(reader, query)
    assert len(ids_of(action="audit.viewed", actor=f"account:{auditor.id}", thing="audit")) == 1
    with transaction():
        unlock(session.connection())
        session.execute(
            update(AuditEntry).where(AuditEntry.action == "audit.viewed").values(at=datetime.now(UTC) - timedelta(minutes=31))
        )
    page(reader, "?voor=3")
    assert len(ids_of(action="audit.viewed")) == 2


def test_log_needs_as_many_queries_for_fifty_entries_as_for_one(
    app: Flask, reader: FlaskClient, dossier: Dossier, make_account: Callable[..., Account]
) -> None:
    page(reader)
    people = [make_account(f"Persoon {name}", "candidate") for name in "ABCDEF"]
    with transaction():
        for number in range(60):
            audit.write(
                "test.many", actor=people[number % 6], thing=f"dossier:{dossier.id}" if number % 2 else people[number % 5]
            )
    note("test.one", actor=people[0], thing=f"dossier:{dossier.id}")
    asked: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(app.extensions["engine"], "before_cursor_execute", count)
    numbers = []
    for action in ("test.one", "test.many"):
        asked.clear()
        page(reader, f"?actie={action}")
        numbers.append(sum(statement.startswith("SELECT") for statement in asked))
    event.remove(app.extensions["engine"], "before_cursor_execute", count)
    assert numbers[0] == numbers[1]
    assert numbers[1] <= 8


def test_check_r29_says_whether_the_log_is_whole_and_names_the_entry_that_is_not(reader: FlaskClient) -> None:
    assert "nog niet gecontroleerd" in page(reader)
    made = note("test.a", "test.b", "test.c")
    entries, head = audit.head()
    html = reader.post("/logboek/controleren", follow_redirects=True).get_data(as_text=True)
    assert f"Alle {entries} regels in het logboek kloppen." in html
    assert f'<code class="hash">{entries} {head}</code>' in html
    with transaction():
        unlock(session.connection())
        session.execute(text("UPDATE audit_entry SET actor = 'account:1' WHERE id = :id"), {"id": made[1]})
    html = reader.post("/logboek/controleren", follow_redirects=True).get_data(as_text=True)
    assert f"Regel {made[1]} is veranderd, of een regel daarvoor is weg." in html
    assert f"Regel {made[1]} is veranderd" in page(reader)
    checks = session.scalars(select(AuditEntry).where(AuditEntry.action == "audit.verified").order_by(AuditEntry.id)).all()
    assert [one.details["broken"] for one in checks] == [None, made[1]]


def test_export_r18_holds_the_filtered_entries_and_no_formulas_and_is_logged(
    reader: FlaskClient, auditor: Account, make_account: Callable[..., Account]
) -> None:
    evil = make_account("=HYPERLINK(1)", "candidate", email="boef@voorbeeld.nl")
    made = note("test.export", actor=evil, thing="-2+3", code="@x")
    note("test.other")
    answer = reader.get("/logboek/logboek.csv?actie=test.export")
    assert answer.mimetype == "text/csv"
    assert re.fullmatch(r'attachment; filename="logboek-\d{4}-\d\d-\d\d\.csv"', answer.headers["Content-Disposition"])
    head, *lines = csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline=""))
    entry = session.get_one(AuditEntry, made[0])
    assert [dict(zip(head, line, strict=True)) for line in lines] == [
        {
            "id": str(entry.id),
            "at": entry.at.isoformat(),
            "actor": f"account:{evil.id}",
            "who": f"'=HYPERLINK(1) (LP-{100_000 + evil.id})",
            "action": "test.export",
            "what": "test.export",
            "thing": "'-2+3",
            "about": "'-2+3",
            "details": "code: @x",
            "sha256": entry.sha256,
        }
    ]
    logged = session.scalars(select(AuditEntry).where(AuditEntry.action == "audit.exported")).one()
    assert (logged.actor, logged.thing, logged.details) == (f"account:{auditor.id}", "audit", {"rows": 1})


def test_auditor_sees_all_assessments_with_their_assessors_and_nothing_of_the_dossiers(
    reader: FlaskClient, dossier: Dossier, make_account: Callable[..., Account]
) -> None:
    assert "Er zijn nog geen beoordelingen" in reader.get("/logboek/beoordelingen").get_data(as_text=True)
    joost, wouter = make_account("Joost Bakker", "assessor"), make_account("Wouter Smit", "assessor")
    with transaction():
        dossier.stage = "in_assessment"
        judged = Assessment(dossier_id=dossier.id)
        session.add(judged)
        session.flush()
        assignment.end(assignment.assign(judged, joost, by=None))
        assignment.assign(judged, wouter, by=None)
    html = reader.get("/logboek/beoordelingen").get_data(as_text=True)
    words = " ".join(re.sub(r"<.*?>", " ", html.partition("<tbody>")[2].partition("</tbody>")[0]).split())
    assert re.fullmatch(
        rf"{dossier.reference} In beoordeling \d+ \w+ \d+ Joost Bakker vanaf .*\d, tot .*\d Wouter Smit vanaf [^,]*\d", words
    )
    assert "Sanne" not in html
    assert reader.get("/logboek/beoordelingen?voor=1").status_code == 200
    number = ids_of(action="dossier.started")[0]
    assert reader.get(f"/beoordelen/{number}").status_code in (403, 404)


def test_assessments_turn_page_by_page(reader: FlaskClient, dossier: Dossier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.audit_log.A_PAGE", 2)
    with transaction():
        copies = [
            Dossier(
                reference=f"KOPIE-{number}",
                owner_id=dossier.owner_id,
                template_sha256=dossier.template_sha256,
                language="nl",
                submit_before=dossier.submit_before,
            )
            for number in range(5)
        ]
        session.add_all(copies)
        session.flush()
        for copy in copies:
            session.add(Assessment(dossier_id=copy.id))
            session.flush()
    seen, address = [], "/logboek/beoordelingen"
    while address:
        html = reader.get(address).get_data(as_text=True)
        seen.append([int(number) for number in re.findall(r">KOPIE-(\d)<", html)])
        older = re.search(r'rel="next" href="([^"]*)"', html)
        address = older[1] if older else ""
    assert seen == [[4, 3], [2, 1], [0]]


def test_export_of_too_much_is_refused_in_words(reader: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.audit_log.MOST_ROWS", 2)
    note("test.a", "test.b", "test.c")
    answer = reader.get("/logboek/logboek.csv")
    assert (answer.status_code, "meer dan 2 regels" in answer.get_data(as_text=True)) == (422, True)
    assert ids_of(action="audit.exported") == []


def test_every_action_that_the_program_logs_has_words() -> None:
    """An action without words is shown by its code; add it to ``app/web/audit_words.py``."""
    written = {
        node.args[0].value
        for path in (ROOT / "app").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.write" and isinstance(node.args[0], ast.Constant)
    }
    assert len(written) > 20
    assert written - set(action_words()) == set()
