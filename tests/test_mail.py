"""The outbox, against real mail servers: sent once, kept when the server is away, to one person only."""

import email
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import jinja2
import jinja2.meta
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from app import mail
from app.config import Settings
from app.errors import InvalidInput
from app.extensions import Base, connect, now, session, transaction
from app.mail import FOLDER, TEMPLATES, Letter, Mail, Problem
from scripts.show_mails import SAMPLE


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(instance=tmp_path, base_url="https://dossier.example.org")


@pytest.fixture(autouse=True)
def database(settings: Settings) -> Iterator[None]:
    engine = connect(settings.database)
    Base.metadata.create_all(engine)
    yield
    session.remove()
    engine.dispose()


class Postbox:
    """What a mail server took in. ``reply`` is what it says to the next mails."""

    def __init__(self) -> None:
        self.received: list[Envelope] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.reply = "250 OK"

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:
        if self.reply.startswith("250"):
            self.received.append(envelope)
        return self.reply

    def check(self, _server: object, _session: object, _envelope: object, _mechanism: str, data: LoginPassword) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"geheim van de server")

    def messages(self) -> list[EmailMessage]:
        return [email.message_from_bytes(one.original_content or b"", policy=policy.default) for one in self.received]  # type: ignore[misc]


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Postbox, int]]]:
    """Starts a real SMTP server in a thread: ``serve()`` gives its postbox and port."""
    running: list[Controller] = []

    def start(**options: Any) -> tuple[Postbox, int]:
        postbox = Postbox()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        controller = Controller(postbox, hostname="127.0.0.1", port=port, authenticator=postbox.check, **options)
        controller.start()
        running.append(controller)
        return postbox, port

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def put(template: str = "reset_password", to: str = "jan@example.org", language: str = "nl", **changes: Any) -> int:
    key = changes.pop("key", None)
    data = {name: SAMPLE[name] for name in TEMPLATES[template]} | changes
    with transaction():
        made = mail.put(to=to, template=template, language=language, data=data, key=key)
        return made.id if made else 0


def send(mail_id: int, settings: Settings) -> str | None:
    """What the job does. ``None``: the mail was not free to send."""
    with transaction():
        letter = mail.claim(mail_id)
    if letter is None:
        return None
    problem = mail.deliver(letter, settings)
    with transaction():
        mail.record(letter, problem)
    return problem.words if problem else ""


def state(mail_id: int) -> tuple[str, int, dict[str, Any]]:
    session.rollback()
    row = session.get_one(Mail, mail_id)
    return row.stage, row.attempts, row.data


def let_time_pass() -> None:
    with transaction():
        session.execute(update(Mail).values(next_attempt_at=now()))


# --- the words -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_template_uses_what_it_is_given_and_reads_whole(template: str, language: str, settings: Settings) -> None:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER), autoescape=False)  # noqa: S701
    environment.filters["day"] = str
    source = (FOLDER / f"{template}.{language}.txt").read_text()
    used = jinja2.meta.find_undeclared_variables(environment.parse(source)) - {"organisation", "contact", "language"}
    assert used == TEMPLATES[template]
    letter = Letter(1, "jan@example.org", language, template, {name: SAMPLE[name] for name in used}, now())
    message = mail.compose(letter, settings)
    body = message.get_body(("plain",))
    assert body is not None
    words = body.get_content()
    assert 5 < len(message["Subject"]) < 80
    assert "{" not in words
    assert words.endswith("Register Loopbaanprofessionals\nsecretariaat@example.org\n")
    assert ("https://dossier.example.org/bevestigen/geheim-woord" in words) == ("link" in used)
    assert "\n\n\n" not in words


@pytest.mark.parametrize("template", TEMPLATES)
def test_template_says_the_same_in_both_languages_with_greeting_link_and_closing(template: str, settings: Settings) -> None:
    data = {name: SAMPLE[name] for name in TEMPLATES[template]}
    shapes = []
    for language, greeting, closing in (("nl", "Goedendag", "Met vriendelijke groet,"), ("en", "Hello", "Kind regards,")):
        message = mail.compose(Letter(1, "jan@example.org", language, template, data, now()), settings)
        text, page = (message.get_body((kind,)) for kind in ("plain", "html"))
        assert text is not None
        assert page is not None
        words, html = text.get_content(), page.get_content()
        paragraphs = words.strip().split("\n\n")
        assert paragraphs[0] in (f"{greeting},", f"{greeting} {SAMPLE['name']},")
        assert paragraphs[-1].startswith(closing)
        assert ("https://dossier.example.org/bevestigen/geheim-woord" in paragraphs) == ("link" in data)  # alone on its line
        assert len(message["Subject"].removeprefix("[demo] ")) <= 78
        assert all(len(line) <= mail.LINE for line in words.splitlines())
        assert html.count("<a ") == words.count("https://")
        assert not re.search(r"<img|<script|src=|url\(|@import", html)  # nothing that is fetched, so nobody is followed
        shapes.append(("link" in words, paragraphs[0].endswith(f" {SAMPLE['name']},")))
        told = mail.words(template, language, data, settings)
        assert not any(greeting in one or closing in one or "https://" in one for one in told.paragraphs)
        assert told.link == data.get("link", "")
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("template", TEMPLATES)
def test_template_r16_shows_marks_of_html_as_typed(template: str, settings: Settings) -> None:
    evil = "<b>x</b>&amp;\"'"
    whole = {"link", "until", "submit_by", "submitted_on", "hours", "minutes", "revision"}
    data = {name: SAMPLE[name] if name in whole else evil for name in TEMPLATES[template]}
    page = mail.compose(Letter(1, "jan@example.org", "nl", template, data, now()), settings).get_body(("html",))
    assert page is not None
    assert "<b>" not in page.get_content()


def test_every_template_file_is_a_known_mail_in_both_languages() -> None:
    files = {path.name for path in FOLDER.glob("*.txt")}
    assert files == {f"{name}.{language}.txt" for name in [*TEMPLATES, "closing"] for language in ("nl", "en")}


def test_mail_is_text_and_html_of_the_same_words_with_own_links_only(settings: Settings) -> None:
    data = {name: SAMPLE[name] for name in TEMPLATES["evidence_refused"]} | {"reason": "Zie https://boef.example/x <b>nu</b>"}
    message = mail.compose(Letter(7, "jan@example.org", "nl", "evidence_refused", data, now()), settings)
    html = message.get_body(("html",))
    assert html is not None
    page = html.get_content()
    assert page.count("<a ") == 1
    assert '<a href="https://dossier.example.org/bevestigen/geheim-woord">' in page
    assert "Verslag &lt;intervisie&gt;" in page
    assert "Zie https://boef.example/x &lt;b&gt;nu&lt;/b&gt;" in page


def test_link_r13_is_made_from_the_configured_address_only(settings: Settings) -> None:
    for link in ("https://boef.example/x", "//boef.example/x", "bevestigen/x"):
        with pytest.raises(ValueError, match="path on this site"):
            put(link=link)


def test_put_holds_callers_to_the_data_that_the_template_needs() -> None:
    with pytest.raises(ValueError, match="reset_password"):
        put(password="x")


# --- who gets it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["jan@example.org, piet@example.org", "jan@example.org\r\nBcc: piet@example.org", "Jan <jan@example.org>", "jan", "",
     "jan@localhost", "jan@example.org;piet@example.org", '"jan\r\n"@example.org', "jan@[127.0.0.1]", "jan@exam ple.org"],
)  # fmt: skip
def test_address_r17_that_is_not_exactly_one_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        mail.address(text)
    with pytest.raises(InvalidInput):
        put(to=text)


def test_address_is_kept_casefolded_with_an_ascii_domain() -> None:
    assert mail.address("  Jan.Łuk+1@Example.ORG ".replace("Ł", "l")) == "jan.luk+1@example.org"
    assert mail.address("jan@bücher.example.org") == "jan@xn--bcher-kva.example.org"


def test_names_r17_with_line_ends_reach_one_recipient_and_add_no_header(
    settings: Settings, serve: Callable[..., tuple[Postbox, int]]
) -> None:
    postbox, port = serve()
    settings = replace(settings, smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
    evil = "Jan\r\nBcc: piet@example.org\u202e\u2028X"
    mail_id = put("supervisor_invitation", name=evil, candidate=evil)
    assert send(mail_id, settings) == ""
    (envelope,), (message,) = postbox.received, postbox.messages()
    assert envelope.rcpt_tos == ["jan@example.org"]
    assert message["To"] == "jan@example.org"
    assert message["Bcc"] is None
    assert message["Subject"] == "[demo] Jan Bcc: piet@example.org X vraagt om uw verklaring"


# --- sent once -----------------------------------------------------------------------------------------------------


def test_mail_is_sent_once_and_its_secret_leaves_the_row_r16(
    settings: Settings, serve: Callable[..., tuple[Postbox, int]], caplog: pytest.LogCaptureFixture
) -> None:
    postbox, port = serve()
    settings = replace(settings, smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
    mail_id = put()
    assert mail.due() == [mail_id]
    assert send(mail_id, settings) == ""
    assert send(mail_id, settings) is None
    assert mail.due() == []
    (message,) = postbox.messages()
    assert message["From"] == "Register Loopbaanprofessionals <dossier@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert state(mail_id) == ("sent", 1, {"minutes": 60})
    assert "geheim-woord" not in caplog.text


def test_two_workers_never_send_the_same_mail(settings: Settings) -> None:
    mail_id = put()
    with transaction():
        first = mail.claim(mail_id)
    with transaction():
        second = mail.claim(mail_id)
    assert first is not None
    assert second is None
    assert mail.due() == []


def test_mail_of_a_dead_worker_is_sent_after_its_lease_under_the_same_message_id(settings: Settings) -> None:
    mail_id = put()
    with transaction():
        lost = mail.claim(mail_id)
    assert lost is not None
    let_time_pass()
    with transaction():
        again = mail.claim(mail_id)
    assert again is not None
    assert mail.compose(lost, settings)["Message-ID"] == mail.compose(again, settings)["Message-ID"]
    with transaction():
        mail.record(again, None)
        mail.record(lost, Problem("TimeoutError: the slow worker is late", "server"))
    assert state(mail_id)[0] == "sent"


def test_mail_with_a_key_is_put_once() -> None:
    assert put(key="reminder:1") > 0
    assert put(key="reminder:1") == 0
    assert put(key="reminder:2") > 0
    with pytest.raises(IntegrityError), transaction():
        session.add(Mail(to="x@example.org", language="nl", template="assignment", data={}, key="reminder:1"))


def test_mail_of_a_rolled_back_deed_is_never_sent() -> None:
    def fail() -> None:
        mail.put(to="jan@example.org", template="reset_password", language="nl", data={"link": "/x", "minutes": 1})
        raise RuntimeError

    with pytest.raises(RuntimeError), transaction():
        fail()
    assert mail.due() == []


# --- when the server is away ---------------------------------------------------------------------------------------


def test_server_down_r37_mail_waits_and_is_delivered_once_after_recovery(
    settings: Settings, serve: Callable[..., tuple[Postbox, int]]
) -> None:
    mail_id = put()
    down = replace(settings, smtp_host="127.0.0.1", smtp_port=9, smtp_security="none")
    assert send(mail_id, down) == "ConnectionRefusedError: [Errno 111] Connection refused"
    assert mail.due() == []  # not again at once
    assert state(mail_id) == ("queued", 1, {"link": "/bevestigen/geheim-woord", "minutes": 60})
    wait = session.get_one(Mail, mail_id).next_attempt_at - now()
    assert timedelta(seconds=50) < wait <= timedelta(minutes=1)
    let_time_pass()
    postbox, port = serve()
    assert send(mail_id, replace(down, smtp_port=port)) == ""
    assert len(postbox.received) == 1
    assert state(mail_id)[:2] == ("sent", 2)


def test_letter_that_keeps_failing_waits_minutes_and_is_given_up_after_days(
    settings: Settings, serve: Callable[..., tuple[Postbox, int]]
) -> None:
    postbox, port = serve()
    postbox.reply = "451 try later"
    settings = replace(settings, smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
    mail_id = put()
    waits = []
    for _ in range(5):
        let_time_pass()
        assert send(mail_id, settings) == "SMTPDataError: (451, b'try later')"
        waits.append(round((session.get_one(Mail, mail_id).next_attempt_at - now()) / timedelta(minutes=1)))
    assert waits == [1, 2, 4, 5, 5]
    with transaction():
        session.execute(update(Mail).values(created_at=now() - mail.GIVE_UP_AFTER - timedelta(seconds=1), next_attempt_at=now()))
    send(mail_id, settings)
    assert state(mail_id) == ("failed", 6, {"minutes": 60})
    let_time_pass()
    assert mail.due() == []


# --- the server's door ---------------------------------------------------------------------------------------------


def test_starttls_and_login_are_used_with_a_checked_certificate(
    settings: Settings, serve: Callable[..., tuple[Postbox, int]], certificate: ssl.SSLContext, tmp_path: Path
) -> None:
    postbox, port = serve(tls_context=certificate, require_starttls=True, auth_required=True)
    (tmp_path / "password").write_text("geheim van de server\n")
    settings = replace(
        settings, smtp_host="127.0.0.1", smtp_port=port, smtp_user="dossier", smtp_password_file=tmp_path / "password"
    )
    assert send(put(), settings) == ""
    assert postbox.logins == [(b"dossier", b"geheim van de server")]
    assert len(postbox.received) == 1


def test_starttls_with_a_certificate_that_nobody_vouches_for_sends_nothing(
    settings: Settings, serve: Callable[..., tuple[Postbox, int]], certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    postbox, port = serve(tls_context=certificate)
    problem = send(put(), replace(settings, smtp_host="127.0.0.1", smtp_port=port))
    assert problem is not None
    assert problem.startswith("SSLCertVerificationError")
    assert postbox.received == []


def test_starttls_is_never_skipped_when_the_server_lacks_it(
    settings: Settings, serve: Callable[..., tuple[Postbox, int]]
) -> None:
    postbox, port = serve()
    assert send(put(), replace(settings, smtp_host="127.0.0.1", smtp_port=port)) == (
        "SMTPNotSupportedError: STARTTLS extension not supported by server."
    )
    assert postbox.received == []


def test_without_a_mail_server_the_mail_lands_in_the_outbox_folder(settings: Settings) -> None:
    mail_id = put("confirm_email")
    assert send(mail_id, settings) == ""
    (path,) = settings.outbox.iterdir()
    assert path.name == f"{mail_id:08d}-confirm_email.eml"
    assert path.stat().st_mode & 0o777 == 0o600
    message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert (message["To"], message["Subject"]) == ("jan@example.org", "[demo] Bevestig uw e-mailadres")
    body = message.get_body(("plain",))
    assert body is not None
    assert "https://dossier.example.org/bevestigen/geheim-woord" in body.get_content()


def test_outbox_folder_that_cannot_be_written_keeps_the_mail(settings: Settings) -> None:
    settings.outbox.write_text("no folder")
    mail_id = put()
    problem = send(mail_id, settings)
    assert problem is not None
    assert problem.startswith("FileExistsError")
    assert state(mail_id)[0] == "queued"
