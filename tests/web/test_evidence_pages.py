"""The evidence folder: several files at once, refusals by name, progress, the cleaned copy, and taking files out."""

import io
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
from sqlalchemy import select

from app.accounts.models import Account
from app.audit import AuditEntry
from app.dossiers import answers, lifecycle
from app.dossiers.models import Dossier, Evidence
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


def test_a_file_in_use_is_not_removed_and_one_that_is_not_is(
    browser: FlaskClient, dossier: Dossier, installation: Installation
) -> None:
    proof = checked_file(dossier, installation)
    with transaction():
        answers.put_answer(dossier, "personal", "cv", [proof])
    assert "Dit bestand is nog in gebruik" in browser.get(folder(dossier, proof, "verwijderen")).get_data(as_text=True)
    browser.post(folder(dossier, proof, "verwijderen"))
    assert "wordt nog gebruikt bij: Uw gegevens en registratie" in browser.get(folder(dossier)).get_data(as_text=True)
    assert names() == ["certificaat.pdf"]
    with transaction():
        answers.put_answer(dossier, "personal", "cv", [])
    browser.post(folder(dossier, proof, "verwijderen"))
    assert names() == []
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
