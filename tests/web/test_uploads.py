"""Files sent in parts by a page's script: gone on with after every kind of interruption, and never more than the form may do."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from filling import start
from flask import Flask
from flask.testing import FlaskClient
from small_world import pdf
from sqlalchemy import func, select

from app.accounts.models import Account
from app.audit import AuditEntry
from app.dossiers import contents
from app.dossiers import evidence as folder
from app.dossiers.models import Dossier, Evidence, SectionAnswers
from app.extensions import session, transaction
from app.files import parts, store
from app.pipeline import Installation

SCRIPT = {"X-Requested-With": "upload"}
STEP = 300


@pytest.fixture
def sanne(make_account: Callable[..., Account]) -> Account:
    return make_account("Sanne de Vries", "candidate")


@pytest.fixture
def dossier(sanne: Account, installation: Installation) -> Dossier:
    return start(sanne, installation)


@pytest.fixture
def browser(sanne: Account, login: Callable[[Account], FlaskClient]) -> FlaskClient:
    return login(sanne)


@pytest.fixture
def base(dossier: Dossier) -> str:
    return f"/dossier/{dossier.reference}/bewijs/delen"


def ask(browser: FlaskClient, address: str, data: Any = None) -> tuple[int, dict[str, Any]]:
    options: dict[str, Any] = {"content_type": "application/octet-stream"} if isinstance(data, bytes) else {}
    answer = browser.post(address, data=data, headers=SCRIPT, **options)
    return answer.status_code, answer.get_json()


def say(
    browser: FlaskClient, base: str, data: bytes, name: str = "certificaat.pdf", **more: object
) -> tuple[int, dict[str, Any]]:
    return ask(browser, base, {"filename": name, "size": len(data), "modified": 1_700_000_000_000, "use": "", **more})


def begin(browser: FlaskClient, base: str, data: bytes, **more: Any) -> str:
    status, answer = say(browser, base, data, **more)
    assert status == 200, answer
    return str(answer["id"])


def send(browser: FlaskClient, base: str, data: bytes, **more: Any) -> tuple[int, dict[str, Any]]:
    """The whole way, as the script goes it."""
    upload = begin(browser, base, data, **more)
    for at in range(0, len(data), STEP):
        status, answer = ask(browser, f"{base}/{upload}?at={at}", data[at : at + STEP])
        if status != 200:
            return status, answer
    return ask(browser, f"{base}/{upload}/klaar", {"sha256": hashlib.sha256(data).hexdigest()})


def rows() -> list[Evidence]:
    session.rollback()
    return list(session.scalars(select(Evidence).where(Evidence.removed_at.is_(None)).order_by(Evidence.id)))


def waiting(installation: Installation) -> list[str]:
    return sorted(path.suffix for path in installation.settings.uploads.rglob("*") if path.is_file())


def test_a_file_in_parts_is_the_file_that_was_sent_and_goes_the_usual_way(
    browser: FlaskClient, base: str, installation: Installation, work: Callable[[], int]
) -> None:
    data = pdf()
    status, answer = send(browser, base, data)
    (item,) = rows()
    assert (status, answer) == (200, {"id": item.id})
    assert (item.name, item.stage, item.original_size) == ("certificaat.pdf", "received", len(data))
    assert store.path(installation.settings.blobs, item.original_sha256).read_bytes() == data
    deeds = list(session.scalars(select(AuditEntry.action).where(AuditEntry.thing == f"evidence:{item.id}")))
    assert deeds == ["evidence.received"]
    assert waiting(installation) == [".json"]  # only what became of it
    session.rollback()
    work()
    assert rows()[0].stage == "checked"


def test_a_connection_that_is_cut_costs_one_part(browser: FlaskClient, base: str) -> None:
    data = pdf()
    upload = begin(browser, base, data)
    assert ask(browser, f"{base}/{upload}?at=0", data[:STEP]) == (200, {"at": STEP})
    status, answer = say(browser, base, data)  # after a reload, the same file chosen again
    assert (status, answer) == (200, {"id": upload, "at": STEP, "part": parts.PART})
    assert ask(browser, f"{base}/{upload}?at={STEP}", data[STEP:]) == (200, {"at": len(data)})
    assert ask(browser, f"{base}/{upload}/klaar", {})[0] == 200
    assert rows()[0].original_sha256 == hashlib.sha256(data).hexdigest()


def test_the_same_part_twice_and_a_wrong_place_say_where_to_go_on(browser: FlaskClient, base: str) -> None:
    data = pdf()
    upload = begin(browser, base, data)
    ask(browser, f"{base}/{upload}?at=0", data[:STEP])
    for at in (0, STEP - 1, STEP + 1):
        status, answer = ask(browser, f"{base}/{upload}?at={at}", data[at : at + 5])
        assert (status, answer["at"]) == (409, STEP)
    status, answer = ask(browser, f"{base}/{upload}/klaar", {})
    assert (status, answer["at"]) == (409, STEP)
    for at in ("", "-1", "1e3", "٣"):
        assert ask(browser, f"{base}/{upload}?at={at}", b"x")[0] == 422
    assert rows() == []


def test_finished_twice_is_one_file_and_after_removing_it_can_be_sent_again(
    browser: FlaskClient, base: str, dossier: Dossier
) -> None:
    data = pdf()
    first = send(browser, base, data)
    upload = begin(browser, base, data)
    assert ask(browser, f"{base}/{upload}/klaar", {}) == first
    (item,) = rows()
    assert say(browser, base, data)[1]["at"] == len(data)  # nothing is sent again
    with transaction():
        folder.remove(contents.read(dossier), item.id)
    assert say(browser, base, data)[1]["at"] == 0
    assert send(browser, base, data)[1]["id"] == rows()[0].id != item.id


def test_a_file_that_arrived_damaged_is_said_and_not_kept(browser: FlaskClient, base: str, installation: Installation) -> None:
    data = pdf()
    upload = begin(browser, base, data)
    ask(browser, f"{base}/{upload}?at=0", data)
    status, answer = ask(browser, f"{base}/{upload}/klaar", {"sha256": "0" * 64})
    assert status == 422
    assert "certificaat.pdf" in answer["error"]
    assert (rows(), waiting(installation)) == ([], [])


def test_too_large_is_said_before_anything_is_sent(make_app: Callable[..., Flask], browser: FlaskClient, base: str) -> None:
    app = browser.application
    installation = app.extensions["installation"]
    app.extensions["installation"] = replace(
        installation, settings=replace(installation.settings, max_file_mb=1, max_dossier_mb=1)
    )
    status, answer = ask(browser, base, {"filename": "groot.pdf", "size": 1_000_001, "modified": 1, "use": ""})
    assert status == 422
    assert answer["error"].startswith("“groot.pdf” is niet toegevoegd. Dit bestand is groter dan 1 MB.")
    with transaction():
        session.add(
            Evidence(dossier_id=1, name="vol.pdf", kind="pdf", original_sha256="0" * 64, original_size=999_000)
        )  # fmt: skip
    status, answer = ask(browser, base, {"filename": "groot.pdf", "size": 2000, "modified": 1, "use": ""})
    assert status == 413
    assert "Uw bewijsmap is vol" in answer["error"]
    data = pdf()
    upload = parts.Coming("certificaat.pdf", len(data), 1_700_000_000_000).id
    assert say(browser, base, data)[0] == 200
    assert ask(browser, f"{base}/{upload}?at=0", data + b"x")[0] == 422  # more than was said
    assert ask(browser, f"{base}/{upload}?at=0", os.urandom(4_000_001))[0] == 413


def test_files_on_their_way_count_too_r27(browser: FlaskClient, base: str) -> None:
    app = browser.application
    installation = app.extensions["installation"]
    app.extensions["installation"] = replace(installation, settings=replace(installation.settings, max_dossier_mb=1))
    begin(browser, base, b"x" * 600_000)
    status, answer = say(browser, base, b"x" * 600_000, name="tweede.pdf")
    assert status == 413
    assert answer["error"].startswith("“tweede.pdf” is niet toegevoegd. Met de bestanden die nu onderweg zijn")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("notities.pdf", b"gewone tekst", "is geen pdf-bestand"),
        ("virus.exe", b"MZ", "U kunt bestanden toevoegen met een naam"),
        ("leeg.pdf", b"", "is leeg"),
        ("foto.png", b"%PDF-1.7 ", "maar de inhoud is pdf"),
    ],
)
def test_a_file_that_is_not_welcome_is_refused_at_its_first_part(
    browser: FlaskClient, base: str, name: str, data: bytes, words: str
) -> None:
    status, answer = say(browser, base, data, name=name)
    if status == 200:
        status, answer = ask(browser, f"{base}/{answer['id']}?at=0", data)
    assert status == 422
    assert words in answer["error"]
    assert rows() == []


def test_at_a_question_it_is_used_at_once_and_a_full_question_says_so(browser: FlaskClient, base: str, dossier: Dossier) -> None:
    most = next(
        question.settings["files"]["max"]
        for question in contents.read(dossier).template.section("personal").questions
        if question.id == "cv"
    )
    ids = [send(browser, base, pdf(text=f"Stuk {one}"), use="personal.cv", name=f"{one}.pdf")[1]["id"] for one in range(most)]
    session.rollback()
    assert session.get_one(SectionAnswers, (dossier.id, "personal")).data["cv"] == ids
    status, answer = send(browser, base, pdf(text="Te veel"), use="personal.cv", name="te-veel.pdf")
    assert status == 422
    assert "Uw nieuwe bestand staat wel in uw bewijsmap" in answer["error"]
    assert rows()[-1].name == "te-veel.pdf"


@pytest.mark.parametrize(
    "use", ["personal.nergens", "nergens.cv", "personal.name", "replace:99", "replace:x", "x", "personal.cv.x"]
)
def test_a_place_that_the_dossier_does_not_have_is_refused(browser: FlaskClient, base: str, use: str) -> None:
    assert say(browser, base, pdf(), use=use)[0] == 404


def test_instead_of_a_file_it_takes_its_place_once_it_is_checked(
    browser: FlaskClient, base: str, work: Callable[[], int]
) -> None:
    first = send(browser, base, pdf())[1]["id"]
    session.rollback()
    work()
    new = pdf(text="Nieuw")
    assert send(browser, base, new, name="nieuw.pdf", use=f"replace:{first}")[0] == 200
    session.rollback()
    work()
    (item,) = rows()
    assert (item.id, item.name, item.original_sha256) == (first, "nieuw.pdf", hashlib.sha256(new).hexdigest())


def test_an_upload_is_for_its_own_dossier_and_its_own_candidate(
    browser: FlaskClient,
    base: str,
    make_account: Callable[..., Account],
    login: Callable[[Account], FlaskClient],
    installation: Installation,
) -> None:
    data = pdf()
    upload = begin(browser, base, data)
    other = make_account("Piet Jansen", "candidate")
    his = f"/dossier/{start(other, installation).reference}/bewijs/delen"
    piet = login(other)
    for address, status in ((base, 404), (f"{base}/{upload}?at=0", 404), (f"{base}/{upload}/klaar", 404)):
        assert piet.post(address, data=data if "at=" in address else None, headers=SCRIPT).status_code == status
    assert ask(piet, f"{his}/{upload}?at=0", data)[0] == 404  # it is not on its way to his dossier
    assert ask(piet, f"{his}/{upload}/klaar", {})[0] == 404
    anonymous = browser.application.test_client()
    assert anonymous.post(f"{base}/{upload}?at=0", data=data, headers=SCRIPT).status_code == 302
    assert ask(browser, f"{base}/{upload}?at=0", data)[0] == 200


def test_nothing_comes_in_after_submission(browser: FlaskClient, base: str, dossier: Dossier) -> None:
    data = pdf()
    upload = begin(browser, base, data)
    with transaction():
        session.get_one(Dossier, dossier.id).stage = "submitted"
    assert say(browser, base, data)[0] == 403
    assert ask(browser, f"{base}/{upload}?at=0", data)[0] == 403
    assert ask(browser, f"{base}/{upload}/klaar", {})[0] == 403


def test_every_step_needs_the_token_of_the_form(browser: FlaskClient, base: str) -> None:
    data = pdf()
    upload = begin(browser, base, data)
    browser.application.config["WTF_CSRF_ENABLED"] = True
    for address in (base, f"{base}/{upload}?at=0", f"{base}/{upload}/klaar"):
        assert browser.post(address, data=data, content_type="application/octet-stream", headers=SCRIPT).status_code == 400
    assert session.scalar(select(func.count()).select_from(Evidence)) == 0
