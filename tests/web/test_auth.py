"""Coming in through the front door: real pages, real cookies, real database."""

import email
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from email import policy
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import Client, TestResponse

from app import mail
from app.accounts import passwords, registration
from app.accounts.models import Account, LoginSession
from app.config import Settings
from app.demo.people import PEOPLE
from app.extensions import now, session, transaction
from app.web.auth import local_path

PASSWORD = "vier losse woorden samen"
NEW = "vijf heel andere woorden"


class Browser:
    """A person at a browser: opens pages, fills in forms with their hidden token, and has cookies."""

    def __init__(self, app: Flask) -> None:
        self.app, self.client = app, Client(app, response_wrapper=app.response_class)
        self.headers: dict[str, str] = {}

    def open(self, path: str) -> TestResponse:
        return self.client.get(path, headers=self.headers)

    def send(self, path: str, at: str = "", **fields: str) -> TestResponse:
        """Opens the page ``at`` (else ``path`` itself) for its token and sends the form to ``path``."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.open(at or path).text)
        assert found is not None
        return self.client.post(path, data=fields | {"csrf_token": found[1]}, headers=self.headers)

    def log_in(self, address: str = "sanne@example.org", password: str = PASSWORD, **fields: str) -> TestResponse:
        return self.send("/inloggen", email=address, password=password, **fields)

    def is_in(self) -> bool:
        return self.open("/account").status_code == 200

    def cookie(self) -> str:
        kept = self.client.get_cookie("session")
        return kept.value if kept else ""


@pytest.fixture
def site(make_app: Callable[..., Flask]) -> Flask:
    """The whole program, with the hidden token of forms switched on."""
    app = make_app()
    app.config["WTF_CSRF_ENABLED"] = True
    return app


@pytest.fixture
def browser(site: Flask) -> Browser:
    return Browser(site)


@pytest.fixture
def sanne(site: Flask) -> int:
    """The id of a confirmed candidate."""
    with transaction():
        made = registration.create(
            email="sanne@example.org",
            name="Sanne de Vries",
            password_hash=passwords.hashed(PASSWORD),
            roles=["candidate"],
            confirmed=True,
        )
    return made.id


def post(site: Flask) -> list[tuple[str, str]]:
    """Delivers what is in the outbox; recipient and first link of each mail, oldest first."""
    settings = site.extensions["installation"].settings
    session.rollback()
    for mail_id in mail.due():
        with transaction():
            letter = mail.claim(mail_id)
        assert letter is not None
        assert mail.deliver(letter, settings) is None
        with transaction():
            mail.record(letter, None)
    letters = [
        email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(settings.outbox.glob("*.eml"))
    ]
    return [(one["To"], _link(one.get_body(("plain",)).get_content(), settings)) for one in letters]  # type: ignore[union-attr]


def _link(words: str, settings: Settings) -> str:
    found = re.search(re.escape(settings.base_url) + r"(/\S+)", words)
    return found[1] if found else ""


def account(address: str = "sanne@example.org") -> Account:
    session.rollback()
    return session.scalars(select(Account).where(Account.email == address)).one()


def sessions() -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(LoginSession).where(LoginSession.ended_at.is_(None))) or 0


# --- the whole way in ----------------------------------------------------------------------------------------------


def test_person_registers_confirms_logs_in_and_out(site: Flask, browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sent = browser.send("/registreren", name="Jan Łukasz", email="Jan@Example.org", password=PASSWORD)
    assert (sent.status_code, sent.location) == (302, "/registreren/mail")
    assert "jan@example.org" in browser.open("/registreren/mail").text
    refused = browser.log_in("jan@example.org")
    assert (refused.status_code, refused.location) == (302, "/bevestigen")  # not confirmed yet
    ((to, link),) = post(site)
    assert to == "jan@example.org"
    assert browser.send(link).location == "/inloggen"
    entered = browser.log_in("jan@example.org")
    assert entered.status_code == 302
    assert browser.is_in()
    assert "Jan Łukasz" in browser.open("/account").text
    assert browser.send("/uitloggen", at="/account").location == "/"
    assert not browser.is_in()
    assert link.rpartition("/")[2] not in caplog.text  # r16


def test_confirm_r11_get_changes_nothing_and_the_link_works_once(site: Flask, browser: Browser) -> None:
    browser.send("/registreren", name="Jan", email="jan@example.org", password=PASSWORD)
    ((_to, link),) = post(site)
    for _ in range(3):
        assert browser.open(link).status_code == 200
    assert account("jan@example.org").email_confirmed_at is None
    browser.send(link)
    assert account("jan@example.org").email_confirmed_at is not None
    gone = browser.open(link)
    assert gone.status_code == 410
    assert "Vraag een nieuwe link aan" in gone.text
    assert browser.open("/bevestigen/nooit-bestaan").status_code == 410


def test_forgotten_password_is_replaced_through_the_mailed_link_once(site: Flask, browser: Browser, sanne: int) -> None:
    elsewhere = Browser(site)
    elsewhere.log_in()
    assert "Kijk in uw e-mail" in browser.send("/wachtwoord-vergeten", email="sanne@example.org").text
    ((_to, link),) = post(site)
    short = browser.send(link, password="te kort")
    assert short.status_code == 422
    assert "Uw wachtwoord is te kort" in short.text
    assert browser.send(link, password=NEW).location == "/inloggen"
    assert browser.open(link).status_code == 410
    assert not elsewhere.is_in()  # r2
    assert browser.log_in(password=PASSWORD).status_code == 422
    browser.log_in(password=NEW)
    assert browser.is_in()


@pytest.mark.parametrize("role", ["candidate", "assessor", "office"])
def test_login_leads_to_the_start_page_of_the_role(site: Flask, browser: Browser, role: str) -> None:
    with transaction():
        registration.create(
            email="werk@example.org", name="Werk", password_hash=passwords.hashed(PASSWORD), roles=[role], confirmed=True
        )
    with site.test_request_context():
        expected = site.url_for(f"{role}.home")
    assert browser.log_in("werk@example.org").location == expected
    assert browser.open("/").location == expected
    assert browser.open("/inloggen").location == expected


# --- sessions ------------------------------------------------------------------------------------------------------


def test_session_r1_is_new_at_login_and_the_old_cookie_is_worth_nothing(site: Flask, browser: Browser, sanne: int) -> None:
    browser.send("/registreren", name="Jan", email="jan@example.org", password=PASSWORD)
    before = browser.cookie()
    browser.log_in()
    kept = [site.session_interface.get_signing_serializer(site).loads(one) for one in (before, browser.cookie())]  # type: ignore[attr-defined]
    assert not kept[0].items() & kept[1].items()  # neither the token of forms nor anything else comes along
    thief = Browser(site)
    thief.client.set_cookie("session", before)
    assert not thief.is_in()
    assert browser.is_in()


def test_session_r1_logging_in_as_somebody_else_ends_the_first_login(site: Flask, browser: Browser, sanne: int) -> None:
    with transaction():
        registration.create(
            email="wim@example.org", name="Wim", password_hash=passwords.hashed(PASSWORD), roles=["assessor"], confirmed=True
        )
    browser.log_in()
    first = browser.cookie()
    browser.send("/inloggen", at="/account", email="wim@example.org", password=PASSWORD)
    assert "wim@example.org" in browser.open("/account").text
    thief = Browser(site)
    thief.client.set_cookie("session", first)
    assert not thief.is_in()


def test_session_r2_logout_ends_it_on_the_server_too(site: Flask, browser: Browser, sanne: int) -> None:
    browser.log_in()
    stolen = browser.cookie()
    browser.send("/uitloggen", at="/account")
    thief = Browser(site)
    thief.client.set_cookie("session", stolen)
    assert not thief.is_in()
    assert sessions() == 0


def test_session_r2_password_change_ends_all_others_and_renews_this_one(site: Flask, browser: Browser, sanne: int) -> None:
    elsewhere = Browser(site)
    elsewhere.log_in()
    browser.log_in()
    stolen = browser.cookie()
    wrong = browser.send("/account/wachtwoord", at="/account", current="verkeerd", password=NEW)
    assert (wrong.status_code, elsewhere.is_in()) == (422, True)
    changed = browser.send("/account/wachtwoord", at="/account", current=PASSWORD, password=NEW)
    assert changed.location == "/account"
    assert browser.is_in()
    assert not elsewhere.is_in()
    thief = Browser(site)
    thief.client.set_cookie("session", stolen)
    assert not thief.is_in()
    assert sessions() == 1
    assert [to for to, _link in post(site)] == ["sanne@example.org"]


def test_session_r2_disabled_account_is_out_at_once(browser: Browser, sanne: int) -> None:
    browser.log_in()
    with transaction() as current:
        registration.disable(current.get_one(Account, sanne), by="system")
    assert not browser.is_in()
    refused = browser.log_in()
    assert refused.status_code == 403
    assert "Dit account is gesloten" in refused.text


def test_session_r3_ends_when_idle_and_use_keeps_it_alive(browser: Browser, sanne: int) -> None:
    browser.log_in()

    def idle(minutes: int) -> None:
        with transaction():
            session.execute(update(LoginSession).values(last_seen_at=now() - timedelta(minutes=minutes)))

    idle(119)
    assert browser.is_in()
    session.rollback()
    assert session.scalars(select(LoginSession)).one().last_seen_at > now() - timedelta(minutes=1)
    idle(121)
    answer = browser.open("/account")
    assert (answer.status_code, answer.location) == (302, "/inloggen?next=/account")


def test_cookie_r3_is_closed_to_scripts_and_bound_to_the_host(make_app: Callable[..., Flask]) -> None:
    https = make_app(base_url="https://dossier.example.org")
    https.config["WTF_CSRF_ENABLED"] = True
    answer = Client(https).get("/inloggen", base_url="https://dossier.example.org")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-session=")
    assert {part.strip() for part in cookie.split(";")[1:]} == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


# --- guessing ------------------------------------------------------------------------------------------------------


def test_login_r4_sixth_attempt_answers_429_whatever_x_forwarded_for_says(browser: Browser, sanne: int) -> None:
    for number in range(5):
        browser.headers["X-Forwarded-For"] = f"198.51.100.{number}"
        assert browser.log_in(password="verkeerd").status_code == 422
    answer = browser.log_in()
    assert answer.status_code == 429
    assert 800 < int(answer.headers["Retry-After"]) <= 900
    assert not browser.is_in()


def test_answers_r6_are_alike_for_known_and_unknown_addresses(site: Flask, sanne: int) -> None:
    def seen(act: Callable[[Browser, str], TestResponse], address: str) -> tuple[int, str | None, str]:
        person = Browser(site)
        answer = act(person, address)
        page = answer.text + (person.open(answer.location).text if answer.location else "")
        return answer.status_code, answer.location, re.sub(r'value="[^"]+"', "", page.replace(address, "ADDRESS"))

    def register(person: Browser, address: str) -> TestResponse:
        return person.send("/registreren", name="Jan", email=address, password=PASSWORD)

    def forgot(person: Browser, address: str) -> TestResponse:
        return person.send("/wachtwoord-vergeten", email=address)

    def resend(person: Browser, address: str) -> TestResponse:
        return person.send("/bevestigen", email=address)

    def log_in(person: Browser, address: str) -> TestResponse:
        return person.log_in(address, "verkeerd woord")

    for act in (forgot, resend, log_in, register):
        assert seen(act, "sanne@example.org") == seen(act, "niemand@example.org"), act.__name__
    assert [(to, link.split("/")[1]) for to, link in post(site)] == [
        ("sanne@example.org", "wachtwoord"),
        ("sanne@example.org", "inloggen"),
        ("niemand@example.org", "bevestigen"),
    ]


# --- forms ---------------------------------------------------------------------------------------------------------


def test_register_shows_every_mistake_at_once_and_keeps_what_was_typed_but_no_password(browser: Browser) -> None:
    answer = browser.send("/registreren", name="", email="jan@example.org, piet@example.org", password="kort")
    assert answer.status_code == 422
    assert "<title>Fout: Account maken" in answer.text
    for field, words in (
        ("name", "Vul uw naam in."),
        ("email", "Vul een geldig e-mailadres in, zoals naam@voorbeeld.nl."),
        ("password", "Uw wachtwoord is te kort. Kies minstens 12 tekens, bijvoorbeeld vier woorden."),
    ):
        assert f'<a href="#{field}">{words}</a>' in answer.text
        assert answer.text.count(words) == 2
    assert 'value="jan@example.org, piet@example.org"' in answer.text
    assert 'value="kort"' not in answer.text


def test_form_r8_extra_fields_are_refused_and_nothing_is_written(browser: Browser, sanne: int) -> None:
    browser.log_in()
    for extra in ("email", "roles", "email_confirmed_at", "number"):
        answer = browser.send("/account", name="Sanne Smit", language="nl", **{extra: "office"})
        assert answer.status_code == 422
    registered = browser.send("/account", name="Sanne Smit", language="nl")
    assert registered.status_code == 302
    person = account()
    assert (person.name, person.email, person.roles) == ("Sanne Smit", "sanne@example.org", {"candidate"})


@pytest.mark.parametrize(
    "path",
    ["/registreren", "/bevestigen", "/bevestigen/x", "/inloggen", "/uitloggen", "/wachtwoord-vergeten", "/wachtwoord/x",
     "/account", "/account/wachtwoord", "/taal"],
)  # fmt: skip
def test_form_r11_without_token_is_refused(browser: Browser, sanne: int, path: str) -> None:
    browser.log_in()
    assert browser.client.post(path, data={"language": "en", "name": "X"}).status_code == 400
    assert (account().name, account().language) == ("Sanne de Vries", "nl")
    assert browser.is_in()


@pytest.mark.parametrize("name", ["x" * 121, "Jan\x00", "Jan\r\nBcc: piet@example.org", "x" * 5000])
def test_form_r14_odd_text_is_refused_in_words(browser: Browser, name: str) -> None:
    answer = browser.send("/registreren", name=name, email="jan@example.org", password=PASSWORD)
    assert answer.status_code == 422
    assert session.scalars(select(Account)).all() == []


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("/dossier/7?a=b", "/dossier/7?a=b"), ("https://boef.example", None), ("//boef.example", None), ("/\\boef.example", None),
     ("javascript:alert(1)", None), ("/a\nb", None), ("", None), (None, None), ("account", None), ("/\t/boef.example", None)],
)  # fmt: skip
def test_next_is_followed_on_this_site_only(typed: str | None, kept: str | None) -> None:
    assert local_path(typed) == kept


def test_login_leads_back_to_where_one_was_going(browser: Browser, sanne: int) -> None:
    assert browser.log_in(next="/account").location == "/account"


def test_login_r13_never_leads_to_another_site(browser: Browser, sanne: int) -> None:
    location = browser.log_in(next="https://boef.example/").location
    assert location is not None
    assert location.startswith("/")
    assert not location.startswith("//")


# --- language, sign of life, demo ----------------------------------------------------------------------------------


def test_language_switch_is_kept_in_the_browser_and_in_the_account(browser: Browser, sanne: int) -> None:
    answer = browser.send("/taal", at="/inloggen", language="en", next="/inloggen")
    assert answer.location == "/inloggen"
    assert '<html lang="en"' in browser.open("/inloggen").text
    browser.log_in()
    browser.send("/taal", at="/account", language="nl", next="//boef.example")
    browser.send("/taal", at="/account", language="en")
    assert account().language == "en"
    assert browser.send("/taal", at="/account", language="xx").status_code == 422


def test_private_pages_r10_are_never_stored(browser: Browser, sanne: int) -> None:
    browser.log_in()
    assert browser.open("/account").headers["Cache-Control"] == "no-store"


def test_healthz_tells_whether_the_database_answers(site: Flask, browser: Browser) -> None:
    answer = browser.open("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
    settings = site.extensions["installation"].settings
    site.extensions["engine"].dispose()
    (settings.instance / "loopbaandossier.sqlite").write_bytes(b"this is no database" * 100)
    for leftover in settings.instance.glob("loopbaandossier.sqlite-*"):
        leftover.unlink()
    answer = browser.open("/healthz")
    assert (answer.status_code, answer.json) == (503, {"status": "database"})


def test_demo_shows_the_mail_with_its_link_and_the_people(site: Flask, browser: Browser, sanne: int) -> None:
    assert "Er is nog geen e-mail" in browser.open("/demo/post").text
    browser.send("/wachtwoord-vergeten", email="sanne@example.org")
    ((_to, link),) = post(site)
    page = browser.open("/demo/post").text
    found = re.search(r'href="(/demo/post/[^"]+\.eml)"', page)
    assert found is not None
    assert f'href="http://localhost{link}"' in browser.open(found[1]).text
    for name in ("..%2Fqueue.sqlite", "00000001-x.eml", "%2Fetc%2Fpasswd"):
        assert browser.open(f"/demo/post/{name}").status_code == 404


def test_demo_names_the_people_that_were_made_and_one_button_logs_in(site: Flask, browser: Browser) -> None:
    assert "Er zijn nog geen demomensen" in browser.open("/demo/").text
    person = PEOPLE[0]
    with transaction():
        registration.create(
            email=person.email,
            name=person.name,
            password_hash=passwords.hashed(person.password),
            roles=[person.role],
            confirmed=True,
        )
    page = browser.open("/demo/").text
    assert person.name in page
    assert PEOPLE[1].name not in page
    fields = dict(re.findall(r'<input type="hidden" name="(email|password)" value="([^"]+)"', page))
    assert browser.send("/inloggen", at="/demo/", **fields).status_code == 302
    assert browser.is_in()


def test_demo_pages_are_not_there_in_production(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40)
    production = make_app(mode="production", secret_key_file=tmp_path / "key")
    assert not [rule for rule in production.url_map.iter_rules() if rule.endpoint.startswith("demo.")]
