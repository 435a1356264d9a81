"""The draft of a dossier on its way: pictures of a section, and the whole as PDF."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pypdf
import pytest
from filling import start
from flask.testing import FlaskClient

from app.accounts.models import Account
from app.documents import typesetting
from app.dossiers import answers, lifecycle
from app.dossiers.models import Dossier
from app.extensions import transaction
from app.pipeline import Installation


@pytest.fixture
def sanne(make_account: Callable[..., Account]) -> Account:
    return make_account("Sanne de Vries", "candidate")


@pytest.fixture
def dossier(sanne: Account, installation: Installation) -> Dossier:
    return start(sanne, installation)


@pytest.fixture
def browser(sanne: Account, login: Callable[[Account], FlaskClient]) -> FlaskClient:
    return login(sanne)


def drawn(browser: FlaskClient, dossier: Dossier, section: str = "personal", **query: Any) -> dict[str, Any]:
    reply = browser.get(f"/dossier/{dossier.reference}/onderdeel/{section}/concept", query_string=query)
    assert (reply.status_code, reply.mimetype, reply.headers["Cache-Control"]) == (200, "application/json", "no-store")
    return json.loads(reply.data)


def test_the_draft_follows_what_is_saved(browser: FlaskClient, dossier: Dossier) -> None:
    before = drawn(browser, dossier)
    with transaction():
        answers.put_answer(dossier, "personal", "certificate_name", "Sanne de Vries")
    after = drawn(browser, dossier)
    assert (before["count"], after["count"]) == (1, 1)
    assert before["pages"][0]["id"] != after["pages"][0]["id"]
    assert drawn(browser, dossier) == after
    assert list(after["places"]) == [*list(before["places"])[:-1], "-end"]
    assert next(iter(after["places"])) == "certificate_name"


def test_pages_that_the_browser_has_are_not_sent_again(browser: FlaskClient, dossier: Dossier) -> None:
    first = drawn(browser, dossier)
    again = drawn(browser, dossier, have=f"1-0123,{first['pages'][0]['id']}")
    assert again == {**first, "pages": [{"id": first["pages"][0]["id"]}]}


def test_the_draft_is_sent_packed_to_who_can_unpack_it(browser: FlaskClient, dossier: Dossier) -> None:
    address = f"/dossier/{dossier.reference}/onderdeel/personal/concept"
    packed = browser.get(address, headers={"Accept-Encoding": "gzip"})
    assert (packed.headers["Content-Encoding"], "Accept-Encoding" in packed.headers["Vary"]) == ("gzip", True)
    assert json.loads(gzip.decompress(packed.data)) == drawn(browser, dossier)
    assert "Content-Encoding" not in browser.get(address).headers


def test_the_whole_draft_opens_in_the_browser(browser: FlaskClient, dossier: Dossier, installation: Installation) -> None:
    reply = browser.get(f"/dossier/{dossier.reference}/concept.pdf")
    assert (reply.status_code, reply.mimetype, reply.headers["Cache-Control"]) == (200, "application/pdf", "no-store")
    assert reply.headers["Content-Disposition"] == f"inline; filename={dossier.reference}-concept.pdf"
    (file := installation.settings.work / "read.pdf").write_bytes(reply.data)
    pdf = pypdf.PdfReader(file)
    assert all("CONCEPT – nog niet ingediend" in page.extract_text() for page in pdf.pages)
    assert {f"/onderdeel-{one}" for one in ("personal", "practice")} <= {f"/{name}" for name in pdf.named_destinations}
    file.unlink()
    assert list(installation.settings.work.iterdir()) == []


def test_the_draft_of_a_section_that_is_not_there(browser: FlaskClient, dossier: Dossier) -> None:
    assert browser.get(f"/dossier/{dossier.reference}/onderdeel/nergens/concept").status_code == 404


def test_after_submission_there_is_no_draft(browser: FlaskClient, dossier: Dossier) -> None:
    with transaction():
        lifecycle.advance(dossier, "submitted")
    for path in ("concept.pdf", "onderdeel/personal/concept"):
        assert browser.get(f"/dossier/{dossier.reference}/{path}").status_code == 403


def test_a_typesetter_that_dies_keeps_nobody_from_saving(
    browser: FlaskClient, dossier: Dossier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typesetting, "part_data", lambda *_: {})
    address = f"/dossier/{dossier.reference}/onderdeel/personal"
    reply = browser.get(f"{address}/concept", headers={"X-Requested-With": "autosave"})
    words = (
        "Uw concept kan nu niet worden getoond. Wat u schreef, is opgeslagen. Lukt het later ook niet, waarschuw dan het "
        "secretariaat."
    )
    assert (reply.status_code, reply.json["error"]) == (500, words)
    saved = browser.post(f"{address}/autosave", data={"version": "0", "phone": "030 123 45 67"})
    assert (saved.status_code, saved.json["version"]) == (200, 1)


def test_the_pages_lead_to_the_draft(browser: FlaskClient, dossier: Dossier) -> None:
    pdf = f"/dossier/{dossier.reference}/concept.pdf"
    assert f'href="{pdf}"' in browser.get(f"/dossier/{dossier.reference}").get_data(as_text=True)
    page = browser.get(f"/dossier/{dossier.reference}/onderdeel/personal").get_data(as_text=True)
    assert f'href="{pdf}#nameddest=onderdeel-personal"' in page
    assert f'data-url="/dossier/{dossier.reference}/onderdeel/personal/concept"' in page
