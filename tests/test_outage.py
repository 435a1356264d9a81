"""A mail server that is away for an hour, hangs, is busy or refuses: nothing is lost, nothing goes twice, the order stays."""

import email
import smtplib
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email import policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from sqlalchemy import select
from together import together

from app import extensions, mail, pipeline
from app.config import Settings
from app.errors import Conflict
from app.extensions import Base, connect, session, transaction
from app.mail import Mail
from app.pipeline import Installation
from app.schemes.loader import Catalogue

MINUTE = timedelta(minutes=1)


class Server:
    """A real mail server on one port, that can be switched on and off. ``refuses`` answers for one address."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.received: list[tuple[str, str]] = []
        self.refuses: dict[str, str] = {}
        self.reply = "250 OK"
        self.controller: Controller | None = None

    def up(self) -> None:
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def down(self) -> None:
        if self.controller is not None:
            self.controller.stop()
            self.controller = None

    async def handle_RCPT(self, _server: object, _session: object, envelope: Envelope, address: str, _options: object) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:
        if self.reply.startswith("250"):
            letter = email.message_from_bytes(envelope.original_content or b"", policy=policy.default)
            self.received.append((envelope.rcpt_tos[0], letter["Message-ID"]))
        return self.reply


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.down()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Moves the program's clock on."""
    real, moved = extensions.now, [timedelta()]

    def later() -> datetime:
        return real() + moved[0]

    monkeypatch.setattr(mail, "now", later)

    def move(time: timedelta) -> None:
        moved[0] += time

    return move


@pytest.fixture
def installation(tmp_path: Path, server: Server) -> Iterator[Installation]:
    settings = Settings(instance=tmp_path, smtp_host="127.0.0.1", smtp_port=server.port, smtp_security="none")
    engine = connect(settings.database)
    Base.metadata.create_all(engine)
    yield Installation(settings, Catalogue({}, {}, {}, {}, ()))
    session.remove()
    engine.dispose()


def put(number: int, to: str = "") -> int:
    with transaction():
        made = mail.put(
            to=to or f"n{number}@example.org",
            template="dossier_handed_over",
            language="nl",
            data={"name": "Sanne", "dossier": f"LD-{number}", "link": "/dossier/LD-1"},
        )
        assert made is not None
        made.created_at = mail.now()
        made.next_attempt_at = mail.now()
        return made.id


def sweep(installation: Installation) -> int:
    """What the worker does every half minute; gives how many deliveries were tried."""
    before = tries()
    for mail_id in mail.due():
        pipeline.run_mail(installation, mail_id)
    return tries() - before


def tries() -> int:
    session.rollback()
    return sum(session.scalars(select(Mail.attempts)))


def stages() -> list[str]:
    session.rollback()
    return list(session.scalars(select(Mail.stage).order_by(Mail.id)))


def test_server_down_r37_for_an_hour_then_every_mail_goes_once_in_order_within_a_minute(
    installation: Installation, server: Server, clock: Callable[[timedelta], None]
) -> None:
    for number in range(3):
        put(number)
    since = mail.now()
    tried = []
    for minute in range(60):
        tried.append(sweep(installation))
        clock(MINUTE / 2)
        tried.append(sweep(installation))
        clock(MINUTE / 2)
        if minute in (10, 20, 30):
            put(minute)  # work goes on meanwhile
    assert max(tried) == 1  # one mail tries the door; the others wait for it
    assert sum(tried) <= 61
    assert stages() == ["queued"] * 6
    away = mail.server_away()
    assert away is not None
    assert away[1] == 6
    assert abs(away[0] - since) < MINUTE
    server.up()
    clock(MINUTE)
    sweep(installation)
    assert [to for to, _ in server.received] == [f"n{number}@example.org" for number in (0, 1, 2, 10, 20, 30)]
    assert stages() == ["sent"] * 6
    assert mail.server_away() is None
    clock(MINUTE * 60)
    assert sweep(installation) == 0
    assert len({message_id for _, message_id in server.received}) == 6


def test_server_down_r37_for_a_week_gives_nothing_up(
    installation: Installation, server: Server, clock: Callable[[timedelta], None]
) -> None:
    put(1)
    for _ in range(8):
        sweep(installation)
        clock(timedelta(days=1))
    assert stages() == ["queued"]
    server.up()
    sweep(installation)
    assert [to for to, _ in server.received] == ["n1@example.org"]


def test_new_mail_does_not_pass_those_that_wait_for_the_server(
    installation: Installation, server: Server, clock: Callable[[timedelta], None]
) -> None:
    put(1)
    sweep(installation)
    server.up()
    put(2)
    assert sweep(installation) == 0
    clock(MINUTE)
    sweep(installation)
    assert [to for to, _ in server.received] == ["n1@example.org", "n2@example.org"]


def test_server_that_hangs_costs_one_timeout_however_many_mails_wait(
    installation: Installation, clock: Callable[[timedelta], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "SMTP_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and says nothing
        hanging = replace(installation, settings=replace(installation.settings, smtp_port=silent.getsockname()[1]))
        for number in range(20):
            put(number)
        assert sweep(hanging) == 1
    session.rollback()
    assert session.scalars(select(Mail.error).where(Mail.error != "")).one().endswith("timed out")
    assert stages() == ["queued"] * 20


def test_busy_server_4xx_and_one_address_that_waits_keep_nobody_else(
    installation: Installation, server: Server, clock: Callable[[timedelta], None]
) -> None:
    server.up()
    server.refuses = {"n1@example.org": "450 4.2.0 greylisted, try again"}
    put(1)
    put(2)
    sweep(installation)
    assert stages() == ["queued", "sent"]
    assert mail.server_away() is None
    server.refuses, server.reply = {}, "451 4.3.2 busy"
    clock(MINUTE)
    put(3)
    sweep(installation)
    assert stages() == ["queued", "sent", "queued"]
    server.reply = "250 OK"
    clock(mail.LONGEST_WAIT)
    sweep(installation)
    assert stages() == ["sent"] * 3
    assert sorted(to for to, _ in server.received) == [f"n{number}@example.org" for number in (1, 2, 3)]


def test_address_that_is_refused_for_good_5xx_is_given_up_at_once_with_the_servers_words(
    installation: Installation, server: Server
) -> None:
    server.up()
    server.refuses = {"weg@example.org": "550 5.1.1 no such user"}
    gone, other = put(1, "weg@example.org"), put(2)
    sweep(installation)
    session.rollback()
    refused = session.get_one(Mail, gone)
    assert (refused.stage, refused.attempts, refused.error) == ("failed", 1, "550 5.1.1 no such user")
    assert session.get_one(Mail, other).stage == "sent"


def test_connection_that_is_cut_after_the_letter_was_taken_sends_it_no_second_time(
    installation: Installation, server: Server, monkeypatch: pytest.MonkeyPatch, clock: Callable[[timedelta], None]
) -> None:
    def quit_badly(self: smtplib.SMTP) -> Any:
        raise smtplib.SMTPResponseException(500, b"what?")

    monkeypatch.setattr(smtplib.SMTP, "quit", quit_badly)
    server.up()
    put(1)
    sweep(installation)
    clock(MINUTE * 10)
    sweep(installation)
    assert (stages(), len(server.received)) == (["sent"], 1)


def test_letter_that_cannot_be_made_keeps_nobody_else(installation: Installation, server: Server) -> None:
    broken, fine = put(1), put(2)
    server.up()
    with transaction():
        session.get_one(Mail, broken).template = "no_such_template"
    sweep(installation)
    assert stages() == ["queued", "sent"]
    assert fine > broken


def test_two_threads_send_each_mail_once(installation: Installation, server: Server) -> None:
    server.up()
    ids = [put(number) for number in range(6)]

    def run() -> None:
        for mail_id in ids:
            pipeline.run_mail(installation, mail_id)

    together(*[run] * 3)
    assert [to for to, _ in server.received] == [f"n{number}@example.org" for number in range(6)]


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_try_now_sends_what_waits_and_what_was_given_up_once(
    installation: Installation, server: Server, clock: Callable[[timedelta], None]
) -> None:
    put(1)
    put(2, "weg@example.org")
    sweep(installation)
    server.up()
    server.refuses = {"weg@example.org": "550 no such user"}
    with transaction():
        mail.try_now(session.get_one(Mail, 2))
    assert mail.server_away() is not None  # still true until a mail went
    sweep(installation)
    assert stages() == ["sent", "failed"]
    server.refuses = {}
    for _ in range(2):
        with transaction():
            mail.try_now(session.get_one(Mail, 2))
    sweep(installation)
    with transaction():
        mail.try_now(session.get_one(Mail, 2))
    assert sweep(installation) == 0
    assert [to for to, _ in server.received] == ["n1@example.org", "weg@example.org"]


def test_try_now_leaves_a_mail_alone_that_is_being_sent(installation: Installation) -> None:
    mail_id = put(1)
    with transaction():
        assert mail.claim(mail_id) is not None
    with transaction():
        mail.try_now(session.get_one(Mail, mail_id))
    assert mail.due() == []


def test_try_now_r16_refuses_a_mail_whose_secret_link_is_forgotten(installation: Installation, server: Server) -> None:
    server.up()
    server.refuses = {"weg@example.org": "550 no such user"}
    with transaction():
        mail.put(to="weg@example.org", template="reset_password", language="nl", data={"link": "/x", "minutes": 60})
    sweep(installation)
    with pytest.raises(Conflict), transaction():
        mail.try_now(session.get_one(Mail, 1))
    assert stages() == ["failed"]
