"""What anybody can send to any address: never a 500, never a change by looking, never an answer without its headers."""

import email
import io
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from email import policy
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse
from whole_site import PEOPLE, REFERENCE, REQUESTS, Request, Site, get, post, whole_site

from app import permissions
from app.accounts import links, recovery
from app.accounts.models import Account
from app.dossiers import invitations, mentors
from app.dossiers.models import DOSSIER_STAGES, Evidence, Mentorship, Statement
from app.extensions import session, transaction
from app.files import store
from app.mail import Mail

NOT_OF_THE_DEED = {"audit_entry", "login_session", "statement_event", "alembic_version"}
"""Tables that a look may write in: who looked, that a login is in use, that a supervisor read the sections."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PUBLIC_REQUESTS = {
    "auth.agree_to_email": (get(), post({"action": "agree"})),
    "auth.confirm": (get(), post()),
    "auth.first_set_up": (get(), post({"code": "000000"})),
    "auth.forgot": (get(), post({"email": "niemand@voorbeeld.nl"})),
    "auth.login": (get(), post({"email": "niemand@voorbeeld.nl", "password": "verkeerd", "next": "/"})),
    "auth.logout": (post(),),
    "auth.mailed": (get(),),
    "auth.register": (get(), post({"name": "Jan", "email": "jan@voorbeeld.nl", "password": "kort"})),
    "auth.resend": (get(), post({"email": "niemand@voorbeeld.nl"})),
    "auth.reset": (get(), post({"password": "nog een lang wachtwoord"})),
    "auth.second_step": (get(), post({"code": "000000"})),
    "demo.home": (get(),),
    "demo.letter": (get(name="00000001-confirm_email.eml"),),
    "demo.post": (get(),),
    "mentor.decline": (get(), post()),
    "mentor.invitation": (get(),),
    "auth.invited": (get(), post({"password": "kort"})),
    "public.about": (get(page="hulp"),),
    "public.health": (get(),),
    "public.home": (get(),),
    "public.language": (post({"language": "en", "next": "/"}),),
    "supervisor.enter": (post(),),
    "supervisor.copy": (get(token="geen-link"),),
    "supervisor.copy_file": (get(token="geen-link", file_id=1),),
    "supervisor.invitation": (get(),),
}
ALL_REQUESTS: dict[str, tuple[Request, ...]] = {**PUBLIC_REQUESTS, **REQUESTS}
ASSESSMENT = ("assessment.declare", "assessment.read", "assessment.judge", "assessment.assign", "dossier.receipt", "office.home")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, empty_database: Any, password_hash: str) -> Iterator[Site]:
    with whole_site(tmp_path_factory.mktemp("robust"), empty_database, password_hash) as made:
        made.values["token"] = "geen-link"
        yield made


@pytest.fixture(autouse=True)
def fresh(site: Site) -> Iterator[None]:
    site.reset()
    yield
    session.remove()
    site.app.config["WTF_CSRF_ENABLED"] = False


def action_of(site: Site, endpoint: str) -> str:
    return str(getattr(site.app.view_functions[endpoint], "guarded_action", ""))


def person_for(site: Site, endpoint: str) -> FlaskClient:
    """Somebody who is let in, once ``prepare`` put the dossier in a fit stage."""
    action = action_of(site, endpoint)
    if action in ("statement.fill", "statement.read"):
        return site.clients["supervisor"]
    if action.startswith("mentorship.") and action != "mentorship.manage":
        return site.clients["mentor"]
    room = action.partition(".")[0]
    office = room in ("office", "audit") or action == "assessment.assign"
    return site.clients["office" if office else {"assessment": "assigned assessor", "": "anonymous"}.get(room, "owner")]


def prepare(site: Site, endpoint: str) -> None:
    """Puts the dossier in a stage in which the action may be done: as a draft, where that is one."""
    action = action_of(site, endpoint)
    stages = [stage for rule in permissions.RULES if rule.action == action for stage in rule.stages]
    fit = "in_assessment" if action in ASSESSMENT else "draft"
    site.put_stage("", fit if fit in stages or not set(stages) & set(DOSSIER_STAGES) else stages[0])


def changing(site: Site) -> Iterator[tuple[str, Request]]:
    for endpoint, requests in ALL_REQUESTS.items():
        for request in requests:
            if request.method != "GET":
                yield endpoint, request


def content(site: Site) -> dict[str, list[Any]]:
    """Every row of every table that only a deed may change."""
    with closing(sqlite3.connect(site.database)) as live:
        names = [name for (name,) in live.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        select_all = 'SELECT * FROM "{}"'
        return {name: live.execute(select_all.format(name)).fetchall() for name in names if name not in NOT_OF_THE_DEED}


def test_every_address_is_known_here(site: Site) -> None:
    methods = {rule.endpoint: rule.methods or set() for rule in site.app.url_map.iter_rules()}
    assert set(methods) - {"static"} == set(ALL_REQUESTS)
    for endpoint, requests in ALL_REQUESTS.items():
        assert {one.method for one in requests} == methods[endpoint] - {"HEAD", "OPTIONS"}, endpoint


# --- headers -------------------------------------------------------------------------------------------------------


def check_headers(answer: TestResponse, *, private: bool) -> None:
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy or "frame-ancestors 'none'" in policy
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "Server" not in answer.headers
    if private:
        assert answer.headers["Cache-Control"] == "no-store"


def test_every_answer_r10_r12_carries_its_headers_and_private_pages_are_never_stored(site: Site) -> None:
    for endpoint, requests in ALL_REQUESTS.items():
        prepare(site, endpoint)
        for request in requests:
            for client in (person_for(site, endpoint), site.clients["anonymous"]):
                check_headers(site.ask(client, endpoint, request), private=True)
        site.reset()


def test_refusals_r10_r12_carry_their_headers_too(site: Site) -> None:
    anonymous, owner = site.clients["anonymous"], site.clients["owner"]
    too_much = {"data": b"name=" + b"x" * 5_000_000, "content_type": "application/x-www-form-urlencoded"}
    for status, answer in {
        404: anonymous.get("/nergens"),
        405: anonymous.get("/uitloggen"),
        413: owner.post("/account", **too_much),
        400: anonymous.get("/", headers={"Host": "boef.example"}),
        403: owner.get("/secretariaat"),
        410: anonymous.get("/verklaring/geen-link"),
        422: owner.post("/taal", data={"language": "xx"}),
        308: anonymous.get("/demo"),
    }.items():
        assert answer.status_code == status
        check_headers(answer, private=True)
    static = anonymous.get("/static/today/app.css")
    assert static.status_code == 200
    check_headers(static, private=False)
    check_headers(anonymous.get("/static/today/nergens.css"), private=False)


def test_a_bug_r12_r39_answers_500_in_words_with_headers_and_without_secrets(site: Site) -> None:
    view = site.app.view_functions["public.home"]

    def broken() -> str:
        raise RuntimeError("the password is hunter2")

    site.app.view_functions["public.home"] = broken
    try:
        answer = site.clients["owner"].get("/")
    finally:
        site.app.view_functions["public.home"] = view
    page = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert "Er ging bij ons iets mis" in page
    assert "hunter2" not in page
    assert "Traceback" not in page
    check_headers(answer, private=True)


def test_https_r12_tells_browsers_to_stay_on_https(make_app: Any) -> None:
    app = make_app(base_url="https://dossier.example.org")
    for path in ("/", "/nergens", "/static/today/app.css"):
        answer = app.test_client().get(path, base_url="https://dossier.example.org")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


# --- forms and looking ---------------------------------------------------------------------------------------------


def test_every_change_r11_without_the_forms_token_is_refused_and_changes_nothing(site: Site) -> None:
    site.app.config["WTF_CSRF_ENABLED"] = True
    asked = 0
    for endpoint, request in changing(site):
        prepare(site, endpoint)
        before = content(site)
        for form in (request.form, {**request.form, "csrf_token": "verzonnen"}):
            answer = site.ask(person_for(site, endpoint), endpoint, Request(request.method, request.values, form))
            assert answer.status_code == 400, endpoint
        assert content(site) == before, endpoint
        asked += 1
    assert asked >= 30


def test_looking_r11_changes_nothing(site: Site) -> None:
    """Every address with GET and HEAD, for everybody, with real mailed links too."""
    tokens = real_links(site)
    for stage in ("draft", "in_assessment"):
        site.put_stage("", stage)
        before = content(site)
        for endpoint, requests in ALL_REQUESTS.items():
            for request in requests:
                if request.method != "GET":
                    continue
                values = {**request.values, "token": tokens.get(endpoint, "geen-link")}
                looks = [("GET", site.clients[person]) for person in PEOPLE] + [("HEAD", person_for(site, endpoint))]
                for method, client in looks:
                    answer = site.ask(client, endpoint, Request(method, values))
                    assert answer.status_code < 500, endpoint
                    answer.close()
        assert content(site) == before


def real_links(site: Site) -> dict[str, str]:
    with transaction():
        owner = session.get_one(Account, site.accounts["owner"])
        recovery.ask_reset(owner.email, site.world.settings)
        confirm = links.make(owner, "confirm_email", works=timedelta(hours=1))
        invited = session.scalars(select(Mentorship).where(Mentorship.mentor_id.is_(None))).one()
        mentors.remind(invited, site.world.settings)
        invitations.remind(session.get_one(Statement, site.statements["supervisor"]), site.world.settings)
    mails = {
        one.template: str(one.data["link"]).rpartition("/")[2]
        for one in session.scalars(select(Mail).order_by(Mail.id))
        if "link" in one.data
    }
    session.remove()
    return {
        "auth.confirm": confirm.rpartition("/")[2],
        "auth.reset": mails["reset_password"],
        "mentor.decline": mails["mentor_invitation"],
        "mentor.invitation": mails["mentor_invitation"],
        "supervisor.invitation": mails["supervisor_reminder"],
    }


BUTTONS = {
    "auth.confirm", "auth.logout", "candidate.close_statements",
    "candidate.remind", "candidate.renew", "candidate.revoke", "candidate.send_copy",
    "evidence.remove", "office.retry", "section.remove_row", "supervisor.enter",
}  # fmt: skip
"""Forms without fields: they read nothing, so nothing can come along."""


@pytest.mark.parametrize(
    "extra", ["owner_id", "stage", "roles", "email_confirmed_at", "signed_at", "signature", "Name", "name.x"]
)
def test_fields_r8_that_a_form_does_not_have_are_refused_and_change_nothing(site: Site, extra: str) -> None:
    for endpoint, request in changing(site):
        if extra in request.form or endpoint in BUTTONS or (extra == "name.x" and endpoint.startswith("section.")):
            continue  # a question's fields have names such as "since.day"
        prepare(site, endpoint)
        before = content(site)
        answer = site.ask(
            person_for(site, endpoint), endpoint, Request("POST", request.values, {**request.form, extra: "office"})
        )
        assert answer.status_code in (404, 410, 422), endpoint
        assert content(site) == before, endpoint


# --- strange hosts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["boef.example", "localhost.boef.example", "localhost@boef.example", "boef.example:80", "", "[::1", "a b"]
)
def test_a_foreign_host_r13_is_refused_everywhere(site: Site, host: str) -> None:
    for path in ("/", "/inloggen", "/dossiers", f"/dossier/{REFERENCE}", "/healthz", "/nergens", "/static/today/app.css"):
        for client in (site.clients["anonymous"], site.clients["owner"]):
            answer = client.get(path, headers={"Host": host})
            assert answer.status_code == 400, (path, host)
            assert host not in answer.get_data(as_text=True) or not host
            check_headers(answer, private=False)


def test_mailed_links_r13_use_the_configured_address_only(site: Site) -> None:
    foreign = {
        "X-Forwarded-Host": "boef.example",
        "Forwarded": "host=boef.example",
        "X-Forwarded-Proto": "https",
        "X-Host": "boef.example",
    }
    site.clients["anonymous"].post("/wachtwoord-vergeten", data={"email": "owner@voorbeeld.nl"}, headers=foreign)
    address = f"/dossier/{REFERENCE}/verklaringen/{site.statements['supervisor']}/herinneren"
    site.clients["owner"].post(address, headers=foreign)
    with site.app.app_context():
        site.world.work()
    letters = [path.read_text() for path in site.world.settings.outbox.glob("*.eml")]
    assert sum("http://localhost/wachtwoord/" in letter for letter in letters) == 1
    assert any("http://localhost/verklaring/" in letter for letter in letters)
    assert not any("boef" in letter for letter in letters)


def test_redirects_r13_stay_on_this_site_whatever_the_headers_say(site: Site) -> None:
    for headers in (
        {"X-Forwarded-Host": "boef.example"},
        {"X-Forwarded-Proto": "javascript"},
        {"X-Forwarded-Prefix": "//boef.example"},
    ):
        location = site.clients["anonymous"].get("/dossiers", headers=headers).headers["Location"]
        assert location == "/inloggen?next=/dossiers"


# --- strange bodies ------------------------------------------------------------------------------------------------

DEEP = b"[" * 100_000 + b"]" * 100_000
VALUES = {
    "NUL": b"%00",
    "control characters": b"%01%02%7F%C2%85",
    "invalid UTF-8": b"%FF%FE%C0%AF",
    "raw invalid UTF-8": b"\xff\xfe",
    "lone surrogate": b"%ED%A0%80",
    "line ends": b"%0D%0ABcc:%20piet@voorbeeld.nl",
    "backwards": b"%E2%80%AEfdp.exe",
    "nothing": b"",
    "too much": b"a" * 120_000,
    "many combining marks": b"a" + b"%CC%80" * 20_000,
    "huge number": b"9" * 400,
    "more than an integer column": b"99999999999",
    "negative": b"-1",
    "not a number": b"NaN",
    "infinite": b"1e999",
    "other digits": "²٢".encode(),
    "deep JSON": DEEP,
}
BODIES = {
    "deep JSON": ("application/json", DEEP),
    "NaN": ("application/json", b'{"version": NaN, "name": Infinity}'),
    "half a character": ("application/json", b'{"name": "\\ud800"}'),
    "no JSON": ("application/json", b"\xff\x00"),
    "no boundary": ("multipart/form-data", b"--x"),
    "broken multipart": ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=\xff\r\n\r\n"),
    "strange names": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="\xed\xa0\x80"; filename="a\x00\r\n.pdf"\r\n\r\n\xff\r\n--x--\r\n',
    ),
    "many fields": ("application/x-www-form-urlencoded", b"a=1&" * 2_000),
    "other encoding": ("application/x-www-form-urlencoded; charset=utf-7", b"name=+AAA-"),
    "text": ("text/plain", b"\xff\x00"),
    "no type": ("", b"name=x"),
}
FIELDS = {
    "auth.account": ("name", "language"),
    "auth.change_email": ("email", "password_now"),
    "auth.change_password": ("current", "password"),
    "auth.change_second_factor": ("password_here", "code", "action"),
    "auth.end_logins": ("session",),
    "auth.set_up": ("code",),
    "auth.forgot": ("email",),
    "auth.login": ("email", "password", "next"),
    "auth.register": ("name", "email", "password"),
    "auth.resend": ("email",),
    "auth.reset": ("password",),
    "candidate.invite": ("name", "email", "language"),
    "candidate.send": ("name", "declarations"),
    "candidate.start": ("scheme", "language", "plugins"),
    "candidate.invite_mentor": ("name", "email", "language"),
    "candidate.mark_comment": ("action",),
    "development.add": (
        "kind",
        "title",
        "hours",
        "date.day",
        "date.month",
        "date.year",
        "provider",
        "note",
        "key",
        "files",
        "remove",
    ),
    "development.save": ("kind", "title", "hours", "date.day", "provider", "note", "files", "remove", "action", "before"),
    "development.set_since": ("since.day", "since.month", "since.year"),
    "development.start_file": ("filename", "size", "modified", "use"),
    "development.take": ("entries",),
    "candidate.change_language": ("language",),
    "candidate.move": ("before", "after", "terug"),
    "earlier.put_back": ("versie", "seen"),
    "mentor.comment": ("text",),
    "mentor.save": ("text", "before", "action"),
    "candidate.withdraw": ("reason",),
    "office.assign": ("assessor",),
    "office.check": ("revision", "action", "state-known", "note-known", "seen-known"),
    "office.extend": ("before", "until.day", "until.month", "until.year", "reason"),
    "office.record_fee": ("version", "state", "on.day", "on.month", "on.year", "amount", "invoice", "note"),
    "office.record_entry": ("scope", "number", "former_level", "valid_from.day", "valid_from.month", "valid_until.year"),
    "office.correct_entry": ("scope", "number", "former_level", "valid_from.day", "valid_until.year", "reason"),
    "office.void_entry": ("void_reason",),
    "office.resend": ("times",),
    "office.send_back": ("revision", "finding-known", "section-known", "until.day"),
    "office.withdraw": ("reason",),
    "office.write_note": ("text",),
    "public.language": ("language", "next"),
    "section.autosave": ("version", "made-for", "name", "since.day", "form", "story", "proof"),
    "section.resolve": ("version", "seen", "conflict-id", "keep-all", "name"),
    "section.save": ("version", "made-for", "name", "since.year", "form", "story", "proof", "action", "remove", "finished"),
    "section.save_row": ("before", "made-for", "courses.name", "courses.points", "courses.paper", "action", "remove"),
    "section.use_chosen": ("files",),
    "supervisor.decline": ("reason",),
    "supervisor.save": ("version", "opinion", "hours", "action", "signed_name", "signed_agree"),
    "supervisor.save_row": ("version", "meetings.subject", "action"),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_strange_values_r14_in_any_field_are_never_a_crash(site: Site, value: bytes) -> None:
    for endpoint, request in changing(site):
        prepare(site, endpoint)
        for name in (*FIELDS.get(endpoint, ()), "csrf_token"):
            others = "&".join(f"{key}={typed}" for key, typed in request.form.items() if key != name)
            body = others.encode() + b"&" + name.encode() + b"=" + value
            answer = site.ask(
                person_for(site, endpoint), endpoint, request, data=body, content_type="application/x-www-form-urlencoded"
            )
            assert answer.status_code < 500, (endpoint, name)
        site.reset()


@pytest.mark.parametrize(("content_type", "body"), BODIES.values(), ids=BODIES)
def test_strange_bodies_r14_are_never_a_crash(site: Site, content_type: str, body: bytes) -> None:
    for endpoint, request in changing(site):
        prepare(site, endpoint)
        answer = site.ask(person_for(site, endpoint), endpoint, request, data=body, content_type=content_type)
        assert answer.status_code < 500, endpoint
        site.reset()


def test_control_characters_r14_are_refused_in_words_and_kept_in_the_form(site: Site) -> None:
    address = f"/dossier/{REFERENCE}/onderdeel/practice"
    before = content(site)
    answer = site.clients["owner"].post(
        address, data={"version": "1", "name": "Goed\x07fout", "form": "job", "story": "Een verhaal van mij."}
    )
    assert answer.status_code == 422
    assert "onzichtbaar stuurteken" in answer.get_data(as_text=True)
    assert content(site) == before


@pytest.mark.parametrize(
    "text", ["%FF", "%ED%A0%80", "%00", "%0D%0AX-Evil:1", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "x" * 3000, "%F0%9F%92%A9", "<b>"]
)
def test_strange_addresses_r14_are_never_a_crash(site: Site, text: str) -> None:
    for rule in site.app.url_map.iter_rules():
        names = re.findall(r"<(?:\w+:)?(\w+)>", rule.rule)
        site.put_stage("", "in_assessment" if action_of(site, rule.endpoint) in ASSESSMENT else "draft")
        client = person_for(site, rule.endpoint) if rule.endpoint != "static" else site.clients["anonymous"]
        known = {"filename": "app.css", "name": "x.eml", "question_id": "proof", "stamp": "today"}
        for name in names:
            for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
                answer = client.open(site.address(rule.rule, **{**known, name: text}), method=method)
                assert answer.status_code < 500, (rule.rule, name)
                assert "X-Evil" not in answer.headers
        for query in (f"next={text}&row_id={text}&schema={text}&controle={text}&wie={text}&v={text}", f"{text}={text}"):
            assert client.get(site.address(rule.rule, **known), query_string=query).status_code < 500, rule.rule


@pytest.mark.parametrize("number", ["0", "2147483648", "9223372036854775808", "9" * 100, "-1", "1.5", "1e3", "%D9%A1"])
def test_strange_numbers_r14_in_addresses_are_not_found(site: Site, number: str) -> None:
    for rule in site.app.url_map.iter_rules():
        for name in re.findall(r"<int:(\w+)>", rule.rule):
            prepare(site, rule.endpoint)
            for method in (rule.methods or set()) - {"OPTIONS"}:
                answer = person_for(site, rule.endpoint).open(
                    site.address(rule.rule, **{"question_id": "proof", name: number}), method=method, data={"assessor": "4"}
                )
                assert answer.status_code in (302, 404, 405, 410, 422), (rule.rule, method)
                assert answer.status_code != 302 or method == "POST"


@pytest.mark.parametrize(
    "cookie",
    ["session=\xff\xfe", "session=.eJ", "session=" + "x" * 8000, "language=\xff", "language=../..", "statement=\xff",
     "statement=" + "x" * 8000, 'session="\\377\\000"', ";" * 500, "=", "session", "__Host-session=x; session=y; session=z"],
)  # fmt: skip
def test_strange_cookies_r14_count_as_none(site: Site, cookie: str) -> None:
    stranger = site.app.test_client(use_cookies=False)
    expected = {"/": 200, "/inloggen": 200, "/dossiers": 302, "/verklaren": 410, f"/dossier/{REFERENCE}": 302, "/nergens": 404}
    assert {path: stranger.get(path, headers={"Cookie": cookie}).status_code for path in expected} == expected


def test_long_queries_and_other_methods_are_answered(site: Site) -> None:
    anonymous, owner = site.clients["anonymous"], site.clients["owner"]
    assert anonymous.get("/", query_string="a=" * 500_000).status_code == 200
    assert owner.get(f"/dossier/{REFERENCE}", query_string="&".join(f"a{n}=1" for n in range(50_000))).status_code == 200
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"):
        for path in ("/", "/account", f"/dossier/{REFERENCE}", f"/dossier/{REFERENCE}/onderdeel/practice"):
            assert owner.open(path, method=method).status_code == 405
    for path in ("/", "/inloggen", "/healthz", "/dossiers", f"/dossier/{REFERENCE}/bewijs/{site.values['evidence_id']}"):
        looked, read = owner.head(path), owner.get(path)
        assert (looked.status_code, looked.data) == (read.status_code, b"")
        read.close()


# --- too much ------------------------------------------------------------------------------------------------------

TOO_MUCH = {
    "urlencoded": ("application/x-www-form-urlencoded", b"name=" + b"x" * 5_000_000),
    "a field of a multipart form": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n' + b"x" * 5_000_000 + b"\r\n--x--\r\n",
    ),
    "many parts": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 1_500 + b"--x--\r\n",
    ),
}


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("content_type", "body"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_too_much_r27_answers_413_on_every_form(site: Site, content_type: str, body: bytes, chunked: bool) -> None:
    """Also where files are welcome, and with a body whose length is not told beforehand."""
    site.app.config["WTF_CSRF_ENABLED"] = True  # as in life: the token is looked for in the form, so every form is read
    before = content(site)
    options: dict[str, Any] = {"data": body, "content_type": content_type}
    if chunked:
        options |= {
            "headers": {"Transfer-Encoding": "chunked"},
            "environ_overrides": {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
        }
    for endpoint, request in changing(site):
        answer = site.ask(person_for(site, endpoint), endpoint, request, **options)
        assert answer.status_code == 413, endpoint
    assert content(site) == before


def test_a_file_r27_of_more_than_is_allowed_is_refused_by_name_and_others_are_kept(make_app: Any, site: Site) -> None:
    address = f"/dossier/{REFERENCE}/bewijs"
    big = b"%PDF-1.4\n" + b"x" * (site.world.settings.max_file_bytes + 1)
    files = [(io.BytesIO(big), "te-groot.pdf"), (io.BytesIO(b"%PDF-1.4\n"), "klein.pdf")]
    answer = site.clients["owner"].post(address, data={"files": files})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "“te-groot.pdf” is niet toegevoegd" in page
    names = set(session.scalars(select(Evidence.name)))
    assert "klein.pdf" in names
    assert "te-groot.pdf" not in names
    assert not any(path.is_file() for path in (site.world.settings.blobs / "unfinished").iterdir())


def test_strangers_r27_cannot_send_more_to_the_pages_for_files(site: Site) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.pdf"\r\n\r\n' + b"x" * 5_000_000 + b"\r\n--x--\r\n"
    answer = site.clients["anonymous"].post(
        f"/dossier/{REFERENCE}/bewijs", data=body, content_type="multipart/form-data; boundary=x"
    )
    assert answer.status_code in (302, 413)


# --- names ---------------------------------------------------------------------------------------------------------

NAMES = [
    "../../etc/passwd.pdf",
    "a\r\nSet-Cookie: x=y.pdf",
    "简历.pdf",
    "factuur\u202efdp.exe.pdf",
    'a"; filename=b.pdf',
    "CON.pdf",
    "x" * 300 + ".pdf",
    "\\\\server\\deel\\cv.pdf",
    "naam\x00.pdf",
    ".pdf",
    "%2e%2e%2fcv.pdf",
    "<b>cv</b>.pdf",
    "e\u0301\u0301\u0301.pdf",
]


@pytest.mark.parametrize("name", NAMES)
def test_file_names_r20_are_made_safe_and_stay_recognisable(site: Site, name: str) -> None:
    owner = site.clients["owner"]
    newest = session.scalar(select(Evidence.id).order_by(Evidence.id.desc()).limit(1)) or 0
    session.remove()
    sent = owner.post(f"/dossier/{REFERENCE}/bewijs", data={"files": (io.BytesIO(b"%PDF-1.4 " + name.encode()), name)})
    assert sent.status_code in (302, 422)
    added = session.scalars(select(Evidence).where(Evidence.id > newest)).all()
    assert len(added) == (1 if sent.status_code == 302 else 0)
    for item in added:
        assert item.name == " ".join(item.name.split())
        assert not set(item.name) & set('/\\\r\n\0\u202e<>:"|?*')
        assert item.name.endswith(".pdf")
        evidence_id = item.id
        site.write("UPDATE evidence SET stage = 'checked', cleaned_sha256 = original_sha256, cleaned_kind = 'pdf'")
        answer = owner.get(f"/dossier/{REFERENCE}/bewijs/{evidence_id}")
        disposition = answer.headers["Content-Disposition"]
        assert answer.status_code == 200
        assert disposition.startswith("attachment; filename")
        assert "Set-Cookie" not in answer.headers
        assert not re.search(r"[\r\n\x00/\\]", disposition)
        stored = store.path(site.world.settings.blobs, session.get_one(Evidence, evidence_id).cleaned_sha256 or "")
        assert re.fullmatch("[0-9a-f]{64}", stored.name)  # never the name that came along
        page = owner.get(f"/dossier/{REFERENCE}/bewijs").get_data(as_text=True)
        assert "<b>cv" not in page


@pytest.mark.parametrize(
    ("name", "address", "status"),
    [
        ("Els\r\nBcc: piet@voorbeeld.nl", "els@praktijk.example", 422),
        ("Els\u2028Bcc: piet@voorbeeld.nl", "els@praktijk.example", 422),
        ("Els Bos", "els@praktijk.example, piet@voorbeeld.nl", 422),
        ("Els Bos", "els@praktijk.example\r\nBcc: piet@voorbeeld.nl", 422),
        ("Els Bos", "Els <els@praktijk.example>", 422),
        ("Els, piet@voorbeeld.nl", "els@praktijk.example", 302),
        ('"Piet" <piet@voorbeeld.nl>', "els@praktijk.example", 302),
    ],
)
def test_names_and_addresses_r17_reach_one_person_at_most(site: Site, name: str, address: str, status: int) -> None:
    site.write("UPDATE statement SET stage = 'revoked', signed_at = NULL")
    before = set(site.world.settings.outbox.glob("*.eml"))
    site.write("DELETE FROM mail")
    where = f"/dossier/{REFERENCE}/verklaring/closing/supervisor"
    answer = site.clients["owner"].post(where, data={"name": name, "email": address, "language": "nl"})
    site.clients["anonymous"].post("/registreren", data={"name": name, "email": address, "password": "een heel lang wachtwoord"})
    assert answer.status_code == status
    with site.app.app_context():
        site.world.work()
    for path in set(site.world.settings.outbox.glob("*.eml")) - before:
        letter = email.message_from_bytes(path.read_bytes(), policy=policy.default)
        assert letter.get_all("To") == ["els@praktijk.example"]
        assert letter.get_all("Bcc") is None
        path.unlink()
