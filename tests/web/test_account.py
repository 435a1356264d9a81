"""One's own account page and the second step of logging in, through the pages, as in production."""

import re
from collections.abc import Callable
from pathlib import Path

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.accounts import registration, second_factor
from app.accounts.models import Account, LoginSession, SecondFactor
from app.extensions import now, session, transaction
from app.mail import Mail
from app.web import device

PASSWORD = "een heel lang wachtwoord"
HOST = "https://dossier.example.org"
EMAIL = "ilse@example.org"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def production(make_app: Callable[..., Flask], tmp_path: Path) -> Flask:
    key = tmp_path / "secret_key"
    key.write_text("een sleutel van meer dan tweeendertig tekens")
    app = make_app(mode="production", base_url=HOST, secret_key_file=key)
    made = app.test_cli_runner().invoke(
        args=["accounts", "create", EMAIL, "Ilse Smit", "--role", "office", "--password", PASSWORD]
    )
    assert made.exit_code == 0, made.output
    return app


class Window:
    """A browser at the production site."""

    def __init__(self, app: Flask, user_agent: str = FIREFOX) -> None:
        self.client: FlaskClient = app.test_client()
        self.options = {"base_url": HOST, "headers": {"User-Agent": user_agent}}

    def open(self, path: str) -> TestResponse:
        return self.client.get(path, **self.options)

    def send(self, path: str, **form: str) -> TestResponse:
        return self.client.post(path, data=form, **self.options)

    def log_in(self, password: str = PASSWORD, **form: str) -> TestResponse:
        return self.send("/inloggen", email=EMAIL, password=password, **form)

    def is_in(self) -> bool:
        return self.open("/account").status_code == 200


def key_on(page: str) -> str:
    found = re.search(r'class="secret-words">([A-Z2-7 ]+)<', page)
    assert found is not None
    return found[1].replace(" ", "")


def codes_on(page: str) -> list[str]:
    return re.findall(r'class="secret-words">([a-z2-7]{4}(?:-[a-z2-7]{4}){3})<', page)


def code_of(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(int(now().timestamp()) // 30 + steps)


def set_up(window: Window) -> tuple[str, list[str]]:
    """Logs in for the first time: the secret, of which this moment's code is unused, and the recovery codes."""
    window.log_in()
    secret = key_on(window.open("/inloggen/tweede-stap").text)
    shown = window.send("/inloggen/tweede-stap", code=code_of(secret, -1))
    assert shown.status_code == 200, shown.text
    return secret, codes_on(shown.text)


def test_the_first_office_account_r5_is_led_to_its_second_factor_and_can_do_nothing_before(production: Flask) -> None:
    window = Window(production)
    assert window.log_in(next="/secretariaat/plugins").location == "/inloggen/tweede-stap"
    for path in ("/account", "/secretariaat", "/account/tweede-stap"):
        assert window.open(path).location.startswith("/inloggen?next="), path
    assert window.open("/inloggen/code").location == "/inloggen"  # nothing to show a code for
    page = window.open("/inloggen/tweede-stap").text
    assert "<svg" in page
    assert "style=" not in page
    wrong = window.send("/inloggen/tweede-stap", code="000000")
    assert (wrong.status_code, key_on(wrong.text)) == (422, key_on(page))  # the same key: it may be in the app already
    assert not window.is_in()
    shown = window.send("/inloggen/tweede-stap", code=code_of(key_on(page)))
    assert len(set(codes_on(shown.text))) == 10
    assert 'href="/secretariaat/plugins"' in shown.text
    assert window.is_in()
    for path in ("/account", "/inloggen/tweede-stap", "/account/tweede-stap"):
        assert codes_on(window.open(path).text) == []  # shown once


def test_the_password_alone_r5_opens_nothing_and_a_code_works_once(production: Flask) -> None:
    secret, _codes = set_up(Window(production))
    window, other = Window(production), Window(production)
    for one in (window, other):
        assert one.log_in().location == "/inloggen/code"
        assert not one.is_in()
        assert one.open("/inloggen/tweede-stap").location == "/inloggen"  # no new factor by the password alone
    refused = window.send("/inloggen/code", code="000000")
    assert refused.status_code == 422
    assert "Deze code klopt niet" in refused.text
    code = code_of(secret)
    assert window.send("/inloggen/code", code=code).status_code == 302
    assert window.is_in()
    assert other.send("/inloggen/code", code=code).status_code == 422
    assert not other.is_in()


def test_the_code_r5_is_asked_for_a_while_and_five_times_only(production: Flask) -> None:
    secret, codes = set_up(Window(production))
    window = Window(production)
    window.log_in()
    for _ in range(5):
        assert window.send("/inloggen/code", code="000000").status_code == 422
    assert window.send("/inloggen/code", code=codes[0]).status_code == 429
    late = Window(production)
    late.log_in()
    with transaction():
        session.execute(update(LoginSession).values(created_at=now().replace(year=2020)))
    assert late.send("/inloggen/code", code=code_of(secret)).location == "/inloggen"
    assert not late.is_in()
    assert Window(production).open("/inloggen/code").location == "/inloggen"


def test_a_lost_phone_is_answered_by_a_recovery_code_and_another_phone_is_linked(production: Flask) -> None:
    _secret, codes = set_up(Window(production))
    window = Window(production)
    window.log_in()
    assert window.send("/inloggen/code", code=codes[0]).status_code == 302
    change = "/account/tweede-stap/wijzigen"
    assert window.send(change, password_here="verkeerd", code=codes[1], action="remove").status_code == 422
    assert window.send(change, password_here=PASSWORD, code=codes[0], action="remove").status_code == 422  # used
    renewed = codes_on(window.send(change, password_here=PASSWORD, code=codes[1], action="codes").text)
    assert len(renewed) == 10
    assert not set(renewed) & set(codes)
    assert window.send(change, password_here=PASSWORD, code=renewed[0], action="remove").location == "/inloggen"
    assert not window.is_in()
    assert window.log_in().location == "/inloggen/tweede-stap"


def test_the_command_resets_a_second_factor_and_ends_the_logins(production: Flask) -> None:
    window = Window(production)
    set_up(window)
    done = production.test_cli_runner().invoke(args=["accounts", "reset-second-factor", EMAIL])
    assert (done.exit_code, EMAIL in done.output) == (0, True)
    assert not window.is_in()
    assert window.log_in().location == "/inloggen/tweede-stap"
    assert production.test_cli_runner().invoke(args=["accounts", "reset-second-factor", "x@example.org"]).exit_code == 1


def test_a_person_who_is_given_a_role_r5_must_set_up_a_second_factor_at_the_next_click(production: Flask) -> None:
    with transaction():
        session.scalars(select(Account)).one()
        made = registration.create(
            email="jan@example.org",
            name="Jan",
            password_hash=session.scalars(select(Account.password_hash)).one(),
            roles=["candidate"],
            confirmed=True,
        )
    window = Window(production)
    assert window.send("/inloggen", email="jan@example.org", password=PASSWORD).status_code == 302
    assert window.is_in()
    with transaction():
        registration.grant(made, "assessor", by="system")
    assert not window.is_in()
    assert window.send("/inloggen", email="jan@example.org", password=PASSWORD).location == "/inloggen/tweede-stap"


def test_strangers_r4_cannot_lock_somebody_out_on_his_own_device(production: Flask) -> None:
    mine, stranger = Window(production), Window(production)
    secret, _codes = set_up(mine)
    mine.send("/uitloggen")
    statuses = [stranger.log_in("verkeerd").status_code for _ in range(7)]
    assert statuses == [422] * 5 + [429] * 2
    assert mine.log_in().location == "/inloggen/code"
    assert mine.send("/inloggen/code", code=code_of(secret)).status_code == 302
    assert mine.is_in()
    assert stranger.log_in().status_code == 429  # and the owner's login gave no new tries
    forged = Window(production)
    forged.client.set_cookie("__Host-device", "WyJ4IixbMV1d.valse-handtekening", domain="dossier.example.org")
    assert forged.log_in().status_code == 429


def test_logins_are_listed_in_words_and_ended_one_or_all_others(production: Flask) -> None:
    mine = Window(production)
    _secret, codes = set_up(mine)
    phone = Window(production, "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari/604.1")
    tablet = Window(production, "iets onbekends")
    for number, one in enumerate((phone, tablet)):
        one.log_in()
        one.send("/inloggen/code", code=codes[number])
    page = mine.open("/account").text
    for words in ("Firefox op Windows", "Safari op iPhone", "Onbekend apparaat"):
        assert words in page
    assert page.count("deze sessie") == 1
    numbers = re.findall(r'name="session" value="(\d+)"', page)
    assert len(numbers) == 2
    mine.send("/account/sessies", session=numbers[1])  # last used first, so the phone comes last
    assert (mine.is_in(), phone.is_in(), tablet.is_in()) == (True, False, True)
    mine.send("/account/sessies", session="others")
    assert (mine.is_in(), tablet.is_in()) == (True, False)
    for odd in ("", "-1", "9" * 30, "x"):
        assert mine.send("/account/sessies", session=odd).status_code == 302
    assert mine.is_in()


def test_a_login_of_somebody_else_is_not_ended(
    make_account: Callable[..., Account], login: Callable[[Account], FlaskClient]
) -> None:
    sanne, piet = login(make_account("Sanne de Vries", "candidate")), login(make_account("Piet Post", "candidate"))
    theirs = session.scalars(select(LoginSession.id).order_by(LoginSession.id)).first()
    piet.post("/account/sessies", data={"session": str(theirs)})
    piet.post("/account/sessies", data={"session": "others"})
    assert sanne.get("/account").status_code == 200


def test_address_is_changed_through_both_mails_and_opening_a_link_changes_nothing(
    make_account: Callable[..., Account], login: Callable[[Account], FlaskClient], client: FlaskClient
) -> None:
    sanne = make_account("Sanne de Vries", "candidate")
    browser = login(sanne)
    assert browser.post("/account/e-mail", data={"email": "s@example.org", "password_now": "verkeerd"}).status_code == 422
    assert session.scalars(select(Mail)).all() == []
    asked = {"email": "s@example.org", "password_now": PASSWORD}
    assert browser.post("/account/e-mail", data=asked).status_code == 302
    assert "wacht op u" in browser.get("/account").text
    session.rollback()
    links = {mail.to: mail.data["link"] for mail in session.scalars(select(Mail))}
    for link in links.values():
        assert client.get(link).status_code == 200
    assert "Stop de wijziging" not in client.get(links["s@example.org"]).text
    client.post(links["s@example.org"], data={"action": "agree"})
    assert "bevestigd" in browser.get("/account").text
    client.post(links["sanne.de.vries@voorbeeld.nl"], data={"action": "agree"})
    session.rollback()
    assert session.get_one(Account, sanne.id).email == "s@example.org"
    assert client.get(links["s@example.org"]).status_code == 410
    browser.post("/account/e-mail", data={"email": "t@example.org", "password_now": PASSWORD})
    browser.post("/account/e-mail/stoppen")
    assert "wacht op u" not in browser.get("/account").text


def test_the_demo_asks_no_second_factor_unless_one_was_set_up(
    make_account: Callable[..., Account], login: Callable[[Account], FlaskClient]
) -> None:
    office = make_account("Ilse Smit", "office")
    desk = login(office)
    assert "Buiten deze demo is een code" in desk.get("/account").text
    secret = key_on(desk.get("/account/tweede-stap").text)
    assert len(codes_on(desk.post("/account/tweede-stap", data={"code": code_of(secret)}).text)) == 10
    session.rollback()
    assert session.scalars(select(SecondFactor.account_id)).all() == [office.id]
    assert second_factor.next_step(office, second_factor.Settings()) == "code"
    assert login(office).get("/account").location.startswith("/inloggen")


@pytest.mark.parametrize(
    ("user_agent", "dutch"),
    [
        (FIREFOX, "Firefox op Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge op Linux"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome op Android"),
        ("curl/8.0", "Onbekend apparaat"),
        ("Windows", "Windows"),
    ],
)
def test_device_in_words(user_agent: str, dutch: str) -> None:
    assert device.words(user_agent)["nl"] == dutch


def test_logging_in_on_the_way_to_a_page_lets_in_and_leads_there(app: Flask, make_account: Callable[..., Account]) -> None:
    email, client = make_account("Sanne de Vries", "candidate").email, app.test_client()
    answer = client.post("/inloggen", data={"email": email, "password": PASSWORD, "next": "/dossiers/nieuw"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/dossiers/nieuw")
    assert client.get("/dossiers/nieuw").status_code == 200
