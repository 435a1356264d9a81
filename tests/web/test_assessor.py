"""The assessor's pages: the declaration before the first page, drafts, verdicts, the signature; and others who act at once."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select
from werkzeug.test import TestResponse
from whole_site import Site, whole_site

from app.accounts.models import Account
from app.assessment import assignment
from app.assessment.models import AreaDraft, Assessment, Assignment, Score, SignOff, Verdict
from app.audit import AuditEntry
from app.extensions import now, session, transaction
from app.mail import Mail

GOOD = {"score.craft": "2", "why.craft": "Helder beschreven.", "sufficient": "yes", "notes": "Alleen voor mij."}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, empty_database: Any, password_hash: str) -> Iterator[Site]:
    with whole_site(tmp_path_factory.mktemp("assessor"), empty_database, password_hash) as site:
        yield site


@pytest.fixture
def site(made: Site) -> Iterator[Site]:
    made.reset()
    made.write("UPDATE dossier SET stage = 'in_assessment' WHERE reference = ?", made.values["reference"])
    yield made
    session.remove()


@pytest.fixture
def reader(site: Site) -> FlaskClient:
    return site.clients["assigned assessor"]


def text(answer: TestResponse) -> str:
    return html.unescape(answer.get_data(as_text=True))


def path(site: Site, rest: str = "") -> str:
    return f"/beoordelen/{site.values['assessment_id']}{rest}"


def post_area(site: Site, client: FlaskClient, data: dict[str, str], version: int = 0, action: str = "save") -> TestResponse:
    form = {"version": str(version), "snapshot": str(site.values["snapshot_id"]), "action": action, **data}
    return client.post(path(site, "/gebied/skill"), data=form)


def autosave(site: Site, client: FlaskClient, data: dict[str, str], version: int = 0) -> TestResponse:
    form = {"version": str(version), **data}
    return client.post(path(site, "/gebied/skill/concept"), data=form, headers={"X-Requested-With": "autosave"})


def sign(site: Site, client: FlaskClient, version: int = 0, **data: str) -> TestResponse:
    form = {"version": str(version), "snapshot": str(site.values["snapshot_id"]), "action": "sign", **data}
    return client.post(path(site, "/afronden"), data=form)


def deeds() -> list[str]:
    session.rollback()
    wanted = ("verdict.", "assessment.")
    found = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    return [
        action for action in found if action.startswith(wanted) and action not in ("assessment.viewed", "assessment.assigned")
    ]


# --- the declaration ---------------------------------------------------------------------------------------------------


def undeclared(site: Site) -> None:
    site.write("UPDATE assignment SET declared_at = NULL")


def test_before_declaring_only_names_are_shown(site: Site, reader: FlaskClient) -> None:
    undeclared(site)
    page = text(reader.get(path(site)))
    for words in ("De owner", "Els Bos", "Klein", "Ik heb geen belang"):
        assert words in page
    assert "Een verhaal van mij" not in page
    for rest in ("/dossier", "/dossier.pdf", "/bundel.zip", "/bijlage/1", "/afronden", "/gebied/skill/versies"):
        assert reader.get(path(site, rest)).status_code == 403
    assert post_area(site, reader, GOOD).status_code == 403
    assert "Te verklaren" in text(reader.get("/beoordelen"))


def test_declaring_opens_the_dossier_and_counts_once(site: Site, reader: FlaskClient) -> None:
    undeclared(site)
    for _ in range(2):
        assert reader.post(path(site, "/verklaring"), data={"interest": "none"}).location.endswith("/dossier")
    assert reader.get(path(site)).location.endswith("/dossier")
    assert deeds() == ["assessment.declared"]


def test_a_conflict_of_interest_needs_a_reason_ends_it_and_tells_the_office(site: Site, reader: FlaskClient) -> None:
    undeclared(site)
    answer = reader.post(path(site, "/verklaring"), data={"interest": "some", "reason": " "})
    assert answer.status_code == 422
    assert "Fout: " in text(answer)
    answer = reader.post(
        path(site, "/verklaring"), data={"interest": "some", "reason": "Wij zijn collega's."}, follow_redirects=True
    )
    assert "Dank u voor uw melding" in text(answer)
    again = reader.post(
        path(site, "/verklaring"), data={"interest": "some", "reason": "Wij zijn collega's."}, follow_redirects=True
    )
    assert "U had dit al gemeld." in text(again)
    assert reader.post(path(site, "/verklaring"), data={"interest": "some", "reason": "Nog eens"}).status_code == 404
    assert reader.get(path(site)).status_code == 404
    assert deeds() == ["assessment.conflict_declared"]
    told = session.scalars(select(Mail.to).where(Mail.template == "conflict_declared")).all()
    assert "office@voorbeeld.nl" in told
    assert len(told) == len(set(told))


# --- drafts and verdicts -----------------------------------------------------------------------------------------------


def test_a_draft_is_kept_by_itself_and_stands_on_the_page(site: Site, reader: FlaskClient) -> None:
    answer = autosave(site, reader, {**GOOD, "pages.craft": "14, 2"})
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["version"] == 1
    assert re.fullmatch(r"\d\d\.\d\d", answer.json["time"])
    page = text(reader.get(path(site, "/dossier")))
    for words in (
        "Helder beschreven.",
        "Alleen voor mij.",
        'value="2, 14"',
        'data-go-page="14"',
        "1 van 1",
        "Kunde",
        "Concept bewaard",
    ):
        assert words in page
    refused = autosave(site, reader, {"pages.craft": "twee"}, 1)
    assert refused.status_code == 422
    assert "nummers" in (refused.json or {})["error"]
    assert autosave(site, reader, {"summary": "x"}, 1).status_code == 422


def test_an_incomplete_verdict_names_what_lacks_and_keeps_what_was_typed(site: Site, reader: FlaskClient) -> None:
    answer = post_area(site, reader, {"score.craft": "1", "notes": "Bewaar mij."}, action="verdict")
    page = text(answer)
    assert answer.status_code == 422
    for words in (
        "Fout: ",
        "Onderbouw uw score bij “Vak”",
        "Kies of dit gebied voldoende is",
        "Bewaar mij.",
        'href="#skill-why-craft"',
    ):
        assert words in page
    assert 'id="skill-why-craft"' in page
    assert session.scalars(select(Verdict)).all() == []


def test_a_verdict_is_given_once_anew_and_withdrawn(site: Site, reader: FlaskClient) -> None:
    for version in (0, 1):
        assert post_area(site, reader, GOOD, version, "verdict").status_code == 302
    assert post_area(site, reader, {**GOOD, "why.craft": "Beter gezegd."}, 1, "verdict").status_code == 302
    assert session.scalars(select(Score.rationale)).all() == ["Beter gezegd."]
    assert post_area(site, reader, {**GOOD, "why.craft": "Beter gezegd."}, 2, "withdraw").status_code == 302
    assert deeds() == ["verdict.given", "verdict.given", "verdict.withdrawn"]
    assert session.scalars(select(Verdict)).all() == []


def test_r34_two_tabs_get_409_with_both_texts_and_nothing_is_overwritten(site: Site, reader: FlaskClient) -> None:
    autosave(site, reader, {"why.craft": "Eerst."})
    autosave(site, reader, {"why.craft": "Uit tab een."}, 1)
    assert autosave(site, reader, {"why.craft": "Uit tab twee."}, 1).status_code == 409
    answer = post_area(site, reader, {"why.craft": "Uit tab twee.", "notes": "Nieuw."}, 1)
    page = text(answer)
    assert answer.status_code == 409
    assert "een." in page
    assert "twee." in page
    draft = session.scalars(select(AreaDraft)).one()
    assert (draft.version, draft.data) == (2, {"scores": {"craft": {"rationale": "Uit tab een."}}})
    chosen = {"why.craft": "Uit tab een.", "mine.why.craft": "Uit tab twee.", "notes": "Nieuw.", "conflict-id": "why.craft"}
    assert post_area(site, reader, chosen, 2).status_code == 422
    assert post_area(site, reader, {**chosen, "keep-all": "mine"}, 2).status_code == 302
    session.rollback()
    assert session.scalars(select(AreaDraft)).one().data == {
        "scores": {"craft": {"rationale": "Uit tab twee."}},
        "notes": "Nieuw.",
    }


def test_an_earlier_version_can_be_put_back(site: Site, reader: FlaskClient) -> None:
    autosave(site, reader, {"why.craft": "Eerst."})
    autosave(site, reader, {"why.craft": "Later.", "notes": "N"}, 1)
    page = text(reader.get(path(site, "/gebied/skill/versies")))
    assert "Eerst." in page
    assert "Versie 2" in page
    assert reader.post(path(site, "/gebied/skill/terugzetten"), data={"version": "1"}).status_code == 302
    draft = session.scalars(select(AreaDraft)).one()
    assert (draft.version, draft.data) == (3, {"scores": {"craft": {"rationale": "Eerst."}}})
    assert reader.get(path(site, "/gebied/practice/versies")).status_code == 404


# --- signing -----------------------------------------------------------------------------------------------------------


def test_signing_gives_a_receipt_and_closes_everything(site: Site, reader: FlaskClient) -> None:
    refused = sign(site, reader, name="x")
    assert refused.status_code == 422
    for words in ("Geef een oordeel over “Kunnen”", "Schrijf een samenvatting", "Typ uw volledige naam"):
        assert words in text(refused)
    post_area(site, reader, GOOD, action="verdict")
    for _ in range(2):
        assert sign(site, reader, summary="Een goed dossier.", name="De assigned assessor").status_code == 302
    signed = session.scalars(select(SignOff)).one()
    page = text(reader.get(path(site, "/afronden")))
    for words in ("U hebt uw oordeel ondertekend", "Een goed dossier.", signed.content_sha256):
        assert words in page
    late = sign(site, reader, 1, summary="Toch anders.", name="De assigned assessor")
    assert late.status_code == 409
    assert "Toch anders." in text(late)
    assert post_area(site, reader, {"why.craft": "Te laat geschreven."}, 1).status_code == 409
    page = text(reader.get(path(site, "/dossier")))
    assert "data-autosave" not in page
    assert "Helder beschreven." in page
    assert "Ondertekend" in text(reader.get("/beoordelen"))
    assert deeds() == ["verdict.given", "assessment.signed_off"]


# --- others act at once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "happened",
    [
        "UPDATE assignment SET ended_at = '2026-11-01 10:00:00'",
        "DELETE FROM account_role WHERE role = 'assessor'",
        "UPDATE dossier SET stage = 'returned'",
    ],
)
def test_what_he_typed_is_given_back_when_the_dossier_is_taken_away(site: Site, reader: FlaskClient, happened: str) -> None:
    assert reader.get(path(site, "/dossier")).status_code == 200
    site.write(happened)
    answer = post_area(site, reader, {"why.craft": "Een lang verhaal."}, action="verdict")
    assert answer.status_code in (403, 404)
    for words in ("U kunt dit dossier niet meer beoordelen", "Een lang verhaal."):
        assert words in text(answer)
    by_itself = autosave(site, reader, {"why.craft": "Een lang verhaal."})
    assert by_itself.status_code in (403, 404)
    assert "U kunt dit dossier niet meer beoordelen" in (by_itself.json or {})["error"]
    assert "Een lang verhaal." in text(sign(site, reader, summary="Een lang verhaal.", name="Ik"))
    assert session.scalars(select(AreaDraft)).all() == []


def test_a_stranger_learns_nothing_from_trying(site: Site) -> None:
    for person in ("other assessor", "owner", "office"):
        answer = post_area(site, site.clients[person], {"why.craft": "Een lang verhaal."})
        assert answer.status_code == (403 if person == "office" else 404)  # the office knows that it exists
        assert "U kunt dit dossier niet meer beoordelen" not in text(answer)


def test_the_other_assessor_sees_nothing_of_it_not_even_that_it_exists(site: Site, reader: FlaskClient) -> None:
    with transaction():
        other = session.get_one(Account, site.accounts["other assessor"])
        given = assignment.assign(session.get_one(Assessment, site.values["assessment_id"]), other, by=None)
        given.declared_at = now()
    client = site.clients["other assessor"]
    pages = ("/beoordelen", path(site, "/dossier"), path(site, "/afronden"), path(site, "/gebied/skill/versies"))

    def seen() -> list[str]:
        hidden = r'name="csrf_token" value="[^"]*"|\?v=\w+'
        return [re.sub(hidden, "", text(client.get(page))) for page in pages]

    before = seen()
    post_area(site, reader, GOOD, action="verdict")
    sign(site, reader, summary="Mijn geheime samenvatting.", name="De assigned assessor")
    assert len(session.scalars(select(SignOff)).all()) == 1
    assert seen() == before


# --- documents, and how much work a page is ------------------------------------------------------------------------------


def test_a_piece_of_evidence_is_the_cleaned_copy_under_a_safe_name(site: Site, reader: FlaskClient) -> None:
    answer = reader.get(path(site, "/bijlage/1"))
    assert (answer.status_code, answer.data[:5]) == (200, b"%PDF-")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="01 verslag.pdf"'
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert reader.get(path(site, "/bijlage/2")).status_code == 404
    assert deeds() == ["assessment.evidence"]


@contextmanager
def queries(site: Site) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(site.app.extensions["engine"], "before_cursor_execute", note)
    yield sent
    event.remove(site.app.extensions["engine"], "before_cursor_execute", note)


def test_the_list_takes_as_many_queries_for_five_as_for_one(site: Site, reader: FlaskClient) -> None:
    reader.get("/beoordelen")
    with queries(site) as one:
        reader.get("/beoordelen")
    for number in range(4):
        dossier = site.world.dossier(site.world.account(f"Kandidaat {number}"))
        with transaction():
            assessment = Assessment(dossier_id=dossier.id)
            session.add(assessment)
            session.flush()
            session.add(
                Assignment(assessment_id=assessment.id, assessor_id=site.accounts["assigned assessor"], declared_at=now())
            )
    with queries(site) as five:
        page = text(reader.get("/beoordelen"))
    assert page.count("<tr>") == 6
    assert len(five) == len(one)


def test_the_judging_page_takes_as_many_queries_full_as_empty(site: Site, reader: FlaskClient) -> None:
    reader.get(path(site, "/dossier"))
    with queries(site) as empty:
        reader.get(path(site, "/dossier"))
    post_area(site, reader, GOOD, action="verdict")
    for version in range(1, 4):
        autosave(site, reader, {"notes": f"Versie {version}"}, version)
    with queries(site) as full:
        reader.get(path(site, "/dossier"))
    assert abs(len(full) - len(empty)) <= 1
    assert len(full) < 60
