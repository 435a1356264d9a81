"""The evidence folder: several files at once, refusals by name, progress, the cleaned copy, and taking files out."""

import io
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from email.message import Message
from urllib.parse import unquote

import pikepdf
import pytest
from filling import checked_file, start
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from app.accounts.models import Account
from app.audit import AuditEntry
from app.dossiers import answers, lifecycle
from app.dossiers.models import Dossier, Evidence, SectionAnswers
from app.extensions import session, transaction
from app.files import store
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


def folder(dossier: Dossier, *more: object) -> str:
    return "/".join((f"/dossier/{dossier.reference}/bewijs", *map(str, more)))


def names() -> list[str]:
    session.rollback()
    return list(session.scalars(select(Evidence.name).where(Evidence.removed_at.is_(None)).order_by(Evidence.id)))


def real_pdf() -> bytes:
    document = pikepdf.new()
    document.add_blank_page(page_size=(595, 842))
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def test_an_empty_folder_says_what_to_do(browser: FlaskClient, dossier: Dossier) -> None:
    assert "Uw bewijsmap is nog leeg" in browser.get(folder(dossier)).get_data(as_text=True)


def test_files_are_checked_and_then_taken_along(
    browser: FlaskClient, dossier: Dossier, work: Callable[[], int], installation: Installation
) -> None:
    address = folder(dossier)
    reply = browser.post(address, data={"files": [(io.BytesIO(real_pdf()), "certificaat.pdf")]})
    assert reply.location == address
    page = browser.get(address).get_data(as_text=True)
    assert "Wordt gecontroleerd" in page
    assert f'data-poll="{address}"' in page
    session.rollback()
    work()
    page = browser.get(address).get_data(as_text=True)
    assert "Wordt gecontroleerd" not in page
    assert "data-poll=" not in page
    assert "1 pagina" in page
    session.rollback()
    item = session.scalars(select(Evidence)).one()
    copy = browser.get(f"{address}/{item.id}")
    assert copy.status_code == 200
    assert copy.data == store.path(installation.settings.blobs, str(item.cleaned_sha256)).read_bytes()


def test_good_files_are_taken_in_and_each_other_one_is_named_with_its_reason(browser: FlaskClient, dossier: Dossier) -> None:
    sent = [
        (io.BytesIO(b"%PDF-1.4 een"), "een.pdf"),
        (io.BytesIO(b""), "leeg.pdf"),
        (io.BytesIO(b"MZ"), "macro.exe"),
        (io.BytesIO(b"\xff\xd8\xff foto"), "twee.jpg"),
    ]
    reply = browser.post(folder(dossier), data={"files": sent})
    page = reply.get_data(as_text=True)
    assert reply.status_code == 422
    assert "<title>Fout: " in page
    assert "“leeg.pdf” is leeg" in page
    assert "“macro.exe” kan niet worden toegevoegd" in page
    assert names() == ["een.pdf", "twee.jpg"]


def test_no_file_chosen_is_said(browser: FlaskClient, dossier: Dossier) -> None:
    reply = browser.post(folder(dossier), data={"files": [(io.BytesIO(b""), "")]}, content_type="multipart/form-data")
    assert reply.status_code == 422
    assert "Kies eerst een of meer bestanden" in reply.get_data(as_text=True)


def test_a_file_that_is_too_big_is_named_and_the_others_stay(
    make_account: Callable[..., Account], login: Callable[[Account], FlaskClient], app: Flask
) -> None:
    installation: Installation = app.extensions["installation"]
    smaller = replace(installation.settings, max_file_mb=1, max_dossier_mb=5)
    app.extensions["installation"] = replace(installation, settings=smaller)
    owner = make_account("Sanne de Vries", "candidate")
    dossier = start(owner, installation)
    sent = [(io.BytesIO(b"%PDF-1.4" + b"0" * 1_100_000), "groot.pdf"), (io.BytesIO(b"%PDF-1.4 klein"), "klein.pdf")]
    reply = login(owner).post(folder(dossier), data={"files": sent})
    assert reply.status_code == 422
    assert "“groot.pdf” is niet toegevoegd. Dit bestand is groter dan 1 MB" in reply.get_data(as_text=True)
    assert names() == ["klein.pdf"]


def test_only_an_upload_by_somebody_who_is_logged_in_may_be_big(app: Flask, browser: FlaskClient, dossier: Dossier) -> None:
    big = b"%PDF-1.4" + b"0" * 5_000_000
    assert app.test_client().post(folder(dossier), data={"files": [(io.BytesIO(big), "a.pdf")]}).status_code in (302, 413)
    assert browser.post(folder(dossier), data={"files": [(io.BytesIO(big), "a.pdf")]}).status_code == 302
    assert browser.post(folder(dossier), data={"files": "0" * 5_000_000}).status_code == 413
    other = f"/dossier/{dossier.reference}/controleren"
    assert browser.post(other, data={"files": [(io.BytesIO(big), "a.pdf")]}).status_code == 405
    assert names() == ["a.pdf"]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("简历.pdf", "简历.pdf"),
        ("reken\u202efdp.pdf", "rekenfdp.pdf"),
        ("a;b=c.pdf", "a;b=c.pdf"),
    ],
)
def test_odd_names_are_shown_and_sent_safely(
    browser: FlaskClient, dossier: Dossier, installation: Installation, sent: str, shown: str
) -> None:
    browser.post(folder(dossier), data={"files": [(io.BytesIO(b"%PDF-1.4 x"), sent)]})
    assert names() == [shown]
    proof = checked_file(dossier, installation, shown)
    reply = browser.get(folder(dossier, proof))
    header = Message()
    header["Content-Disposition"] = reply.headers["Content-Disposition"]
    assert header.get_content_disposition() == "attachment"
    written = reply.headers["Content-Disposition"]
    assert shown in written or shown in unquote(written)


def test_the_copy_is_an_attachment_that_can_do_nothing_and_every_look_is_logged(
    browser: FlaskClient, dossier: Dossier, installation: Installation
) -> None:
    proof = checked_file(dossier, installation)
    reply = browser.get(folder(dossier, proof))
    assert reply.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert reply.headers["Content-Type"] == "application/pdf"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    browser.get(folder(dossier, proof))
    looks = select(AuditEntry).where(AuditEntry.action == "evidence.downloaded", AuditEntry.thing == f"evidence:{proof}")
    session.rollback()
    assert len(session.scalars(looks).all()) == 2


def test_a_file_is_for_its_owner_only(
    dossier: Dossier,
    installation: Installation,
    make_account: Callable[..., Account],
    login: Callable[[Account], FlaskClient],
    client: FlaskClient,
) -> None:
    proof = checked_file(dossier, installation)
    other = login(make_account("Iemand Anders", "candidate"))
    assert other.get(folder(dossier)).status_code == 404
    assert other.get(folder(dossier, proof)).status_code == 404
    assert other.post(folder(dossier, proof, "verwijderen")).status_code == 404
    assert client.get(folder(dossier, proof)).location.startswith("/inloggen")


def test_a_file_in_use_is_removed_only_after_saying_where(
    browser: FlaskClient, dossier: Dossier, installation: Installation
) -> None:
    proof = checked_file(dossier, installation)
    with transaction():
        answers.put_answer(dossier, "personal", "cv", [proof])
    page = browser.get(folder(dossier, proof, "verwijderen")).get_data(as_text=True)
    assert "Dit bestand is in gebruik" in page
    assert 'name="told" value="personal.cv"' in page
    again = browser.post(folder(dossier, proof, "verwijderen"))  # a page from before it was used: asked anew, with where
    assert again.location == folder(dossier, proof, "verwijderen")
    assert "wordt nog gebruikt bij: Uw gegevens en registratie" in browser.get(again.location).get_data(as_text=True)
    assert names() == ["certificaat.pdf"]
    browser.post(folder(dossier, proof, "verwijderen"), data={"told": "personal.cv"})
    assert names() == []
    assert session.get_one(SectionAnswers, (dossier.id, "personal")).data["cv"] == []
    assert browser.get(folder(dossier, proof)).status_code == 404
    assert browser.post(folder(dossier, 99999, "verwijderen")).status_code == 404


def test_after_submitting_the_folder_is_for_reading(browser: FlaskClient, dossier: Dossier, installation: Installation) -> None:
    proof = checked_file(dossier, installation)
    with transaction():
        lifecycle.advance(dossier, "submitted")
    page = browser.get(folder(dossier)).get_data(as_text=True)
    assert 'type="file"' not in page
    assert browser.get(folder(dossier, proof)).status_code == 200
    assert browser.post(folder(dossier), data={"files": [(io.BytesIO(b"%PDF-1"), "a.pdf")]}).status_code == 403
    assert browser.post(folder(dossier, proof, "verwijderen")).status_code == 403


def test_a_disk_that_takes_nothing_is_said_in_words(browser: FlaskClient, dossier: Dossier, installation: Installation) -> None:
    shutil.rmtree(installation.settings.blobs)
    installation.settings.blobs.symlink_to("/sys")  # where nobody can make a folder
    reply = browser.post(folder(dossier), data={"files": [(io.BytesIO(b"%PDF-1.4"), "a.pdf")]})
    assert reply.status_code == 507
    assert "de opslag vol is of niet beschikbaar" in reply.get_data(as_text=True)
    assert names() == []


# --- names, order, another file in its place -----------------------------------------------------------------------


def page_of(browser: FlaskClient, dossier: Dossier) -> str:
    return browser.get(folder(dossier)).get_data(as_text=True)


def after(work: Callable[[], int]) -> Dossier:
    """Lets the worker work, which leaves the session and what it held behind; gives the dossier anew."""
    session.rollback()
    work()
    return session.scalars(select(Dossier)).one()


def test_the_folder_says_where_each_file_is_used_as_which_appendix_and_which_is_not(
    browser: FlaskClient, dossier: Dossier, installation: Installation
) -> None:
    used, unused = checked_file(dossier, installation), checked_file(dossier, installation, "los.pdf")
    with transaction():
        answers.put_answer(dossier, "personal", "cv", [used])
    page = page_of(browser, dossier)
    assert f'href="/dossier/{dossier.reference}/onderdeel/personal#cv-title"' in page
    assert "<strong>Bijlage 1</strong>" in page
    assert "1 bestand gebruikt u nog nergens" in page
    assert "<p>los.pdf. Wat u nergens gebruikt" in page
    assert f'id="file-{unused}"' in page


def test_a_file_gets_another_name(browser: FlaskClient, dossier: Dossier, installation: Installation) -> None:
    proof = checked_file(dossier, installation)
    address = folder(dossier, proof, "wijzigen")
    answer = browser.post(address, data={"title": "  Diploma \u202eleergang ", "action": "rename"})
    assert answer.location == f"{folder(dossier)}#file-{proof}"
    session.rollback()
    assert session.get_one(Evidence, proof).title == "Diploma leergang"
    assert "Diploma leergang" in page_of(browser, dossier)
    header = browser.get(folder(dossier, proof)).headers["Content-Disposition"]
    assert 'filename="Diploma leergang.pdf"' in header
    answer = browser.post(address, data={"title": "x" * 121, "action": "rename"})
    assert answer.status_code == 422
    assert "hoogstens 120 tekens" in answer.get_data(as_text=True)
    assert browser.post(address, data={"action": "anders"}).status_code == 422
    assert browser.post(folder(dossier, 99, "wijzigen"), data={"title": "x", "action": "rename"}).status_code == 404


def test_files_are_put_in_order_by_buttons_and_by_the_script(
    browser: FlaskClient, dossier: Dossier, installation: Installation
) -> None:
    one, two, three = (checked_file(dossier, installation, f"{name}.pdf") for name in ("een", "twee", "drie"))
    address = folder(dossier, "volgorde")

    def order() -> list[int]:
        return [int(found) for found in re.findall(r'<li id="file-(\d+)"', page_of(browser, dossier))]

    assert browser.post(address, data={"move": f"{three}:up"}).location == f"{folder(dossier)}#up-{three}"
    assert order() == [one, three, two]
    assert browser.post(address, data={"move": f"{three}:up"}).location == f"{folder(dossier)}#down-{three}"
    assert browser.post(address, data={"move": f"{three}:up"}).status_code == 302  # no further
    assert order() == [three, one, two]
    browser.post(address, data={"order": f"{two},{one},99,x"})
    assert order() == [two, one, three]
    assert browser.post(address, data={"move": "99:up"}).status_code == 404
    for strange in (f"{one}:sideways", f"{one}", f"{one}:", "x:up", ""):
        refused = browser.post(address, data={"move": strange})
        assert (refused.status_code, "hoort niet bij deze pagina" in refused.get_data(as_text=True)) == (422, True)
    assert order() == [two, one, three]


def test_another_file_takes_its_place_and_the_earlier_one_comes_back(
    browser: FlaskClient, dossier: Dossier, installation: Installation, work: Callable[[], int]
) -> None:
    proof = checked_file(dossier, installation)
    with transaction():
        answers.put_answer(dossier, "personal", "cv", [proof])
    address = folder(dossier, proof, "wijzigen")
    nothing = browser.post(address, data={"action": "replace"})
    assert nothing.status_code == 422
    assert "Kies eerst het bestand" in nothing.get_data(as_text=True)
    refused = browser.post(address, data={"action": "replace", "file": (io.BytesIO(b"tekst"), "nieuw.pdf")})
    assert refused.status_code == 422
    assert "is geen pdf-bestand" in refused.get_data(as_text=True)
    assert browser.post(address, data={"action": "replace", "file": (io.BytesIO(real_pdf()), "nieuw.pdf")}).status_code == 302
    assert "“nieuw.pdf” komt ervoor in de plaats" in page_of(browser, dossier)
    assert "data-poll=" in page_of(browser, dossier)
    dossier = after(work)
    assert names() == ["nieuw.pdf"]
    page = page_of(browser, dossier)
    assert "Zet het vorige bestand terug (certificaat.pdf)" in page
    assert f'id="file-{proof}"' in page
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen
    assert browser.post(address, data={"action": "put_back", "seen": "0"}).status_code == 409
    assert browser.post(address, data={"action": "put_back", "seen": seen[1]}).status_code == 302
    assert names() == ["certificaat.pdf"]
    assert session.get_one(SectionAnswers, (dossier.id, "personal")).data["cv"] == [proof]
    deeds = list(session.scalars(select(AuditEntry.action).where(AuditEntry.thing == f"evidence:{proof}")))
    assert deeds[-2:] == ["evidence.replaced", "evidence.put_back"]


def test_a_refused_file_says_what_to_do_and_can_be_checked_again(
    browser: FlaskClient, dossier: Dossier, work: Callable[[], int]
) -> None:
    browser.post(folder(dossier), data={"files": [(io.BytesIO(b"%PDF-1.7 stuk"), "stuk.pdf")]})
    dossier = after(work)
    (item,) = session.scalars(select(Evidence))
    assert item.stage == "refused"
    address, attempts = folder(dossier, item.id, "wijzigen"), item.attempts
    page = page_of(browser, dossier)
    assert "Kies onder “Wijzig” een ander bestand" in page
    assert "Controleer dit bestand nog eens" in page
    assert browser.post(address, data={"action": "check"}).status_code == 302
    assert browser.post(address, data={"action": "check"}).status_code == 409  # it is being checked
    dossier = after(work)
    session.expire_all()
    (item,) = session.scalars(select(Evidence))
    assert (item.stage, item.attempts) == ("refused", attempts + 1)


def test_the_first_page_is_kept_by_the_browser_alone_and_changes_address_with_the_file(
    browser: FlaskClient, dossier: Dossier, work: Callable[[], int]
) -> None:
    browser.post(folder(dossier), data={"files": [(io.BytesIO(real_pdf()), "certificaat.pdf")]})
    assert "/voorbeeld" not in page_of(browser, dossier)
    dossier = after(work)
    (item,) = session.scalars(select(Evidence))
    address = f"{folder(dossier, item.id, 'voorbeeld')}?v={(item.thumbnail_sha256 or '')[:16]}"
    assert f'src="{address}" alt="Eerste bladzijde van certificaat.pdf"' in page_of(browser, dossier)
    answer = browser.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/webp")
    assert answer.headers["Cache-Control"] == "private, max-age=86400, immutable"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert len(answer.data) <= 20_000
    assert Image.open(io.BytesIO(answer.data)).size == (170, 240)


def test_what_was_sent_in_is_for_its_owner_once_it_was_checked(
    browser: FlaskClient, dossier: Dossier, installation: Installation, work: Callable[[], int]
) -> None:
    data = real_pdf()
    browser.post(folder(dossier), data={"files": [(io.BytesIO(data), "certificaat.pdf")]})
    session.rollback()
    (item,) = session.scalars(select(Evidence))
    address = folder(dossier, item.id, "origineel")
    assert browser.get(address).status_code == 404
    dossier = after(work)
    answer = browser.get(address)
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "application/octet-stream", data)
    assert answer.headers["Content-Disposition"].startswith("attachment")
