"""As ``test_states``, with the schemes that are shipped: statements of clients, and the development log.

A clients' page is looked at as its candidate and as a client see it; the log as its holder sees it, from empty to taken over.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from sqlalchemy import select
from test_clients_pages import NAMES, PAGE, answer, ask, link_of, open_form, rows, version_in
from test_development_pages import FORM, before_of, note, photo
from werkzeug.test import TestResponse

from app.accounts import registration
from app.accounts.models import Account
from app.development.models import LogEntry
from app.dossiers import starting
from app.dossiers.models import Statement
from app.dossiers.submission import today
from app.extensions import now, session, transaction
from app.mail import Mail
from app.pipeline import Installation
from app.register import entries
from app.register.entries import Line
from browser.looking import LAPTOP, Looks
from browser.showing import Window, check

pytestmark = pytest.mark.browser

LOG = "/ontwikkeling"


@dataclass
class Between:
    """A candidate with a dossier of recertification, and the short ways to what stands in it."""

    app: Flask
    candidate: FlaskClient
    owner: Account
    reference: str
    work: Callable[[], int]
    clients: dict[str, FlaskClient] = field(default_factory=dict)

    @property
    def clients_page(self) -> str:
        return f"/dossier/{self.reference}/{PAGE}"

    def asked(self, *names: str) -> None:
        ask(self.candidate, self.reference, **rows(*names))

    def at_work(self) -> tuple[FlaskClient, str]:
        """The first client, who opened the form; and the version of it."""
        self.asked(NAMES[0])
        client, page = open_form(self.app, NAMES[0])
        return client, version_in(page)

    def noted(self) -> None:
        """A training with a photo that was checked, a supervision, and something from before the certificate."""
        start = today() - timedelta(days=400)
        with transaction():
            line = Line("RL-1234", "initial", start, today() + timedelta(days=60))
            entries.record(self.owner, line, catalogue=self.app.extensions["installation"].catalogue, by=None)
        long_ago = today() - timedelta(days=900)
        before = {f"date.{part}": str(getattr(long_ago, part)) for part in ("day", "month", "year")}
        note(self.candidate, 1, provider="School", upload=photo(), note="Vragen stellen in plaats van raad geven.")
        note(self.candidate, 2, title="Een vraag over grenzen", kind="meeting.supervision", hours="1,5")
        note(self.candidate, 3, title="Van vóór het certificaat", **before)
        session.rollback()
        self.work()

    def entry(self) -> int:
        session.rollback()
        return session.scalars(select(LogEntry.id).order_by(LogEntry.id)).all()[0]

    def taken_over(self) -> None:
        self.noted()
        ids = re.findall(r'name="entries" value="(\d+)" checked', self.candidate.get(self.taking_over).get_data(as_text=True))
        assert len(ids) == 2
        self.candidate.post(self.taking_over, data={"entries": ids})

    @property
    def taking_over(self) -> str:
        return f"{LOG}/overnemen/{self.reference}"


@pytest.fixture
def between(
    app: Flask,
    installation: Installation,
    password_hash: str,
    login: Callable[[Account], FlaskClient],
    work: Callable[[], int],
) -> Between:
    known: dict[str, Any] = {"catalogue": installation.catalogue, "settings": installation.settings}
    with transaction():
        owner = registration.create(
            email="sanne@voorbeeld.nl", name="Sanne de Vries", password_hash=password_hash, roles=("candidate",), confirmed=True
        )
        reference = starting.start(owner, "recertification", "2026.1", [], "nl", **known).reference
    return Between(app, login(owner), owner, reference, work)


@pytest.fixture
def window(browser: Browser, app: Flask) -> Iterator[Window]:
    context = browser.new_context(locale="nl-NL", viewport=LAPTOP)
    yield Window(context.new_page(), app.test_client())
    context.close()


State = Callable[[Between], TestResponse]
STATES: dict[str, State] = {}


def state(one: State) -> State:
    STATES[one.__name__.replace("_", "-")] = one
    return one


# --- statements of clients -----------------------------------------------------------------------------------------


@state
def clients_asking(between: Between) -> TestResponse:
    return between.candidate.get(between.clients_page)


@state
def clients_asking_wrong(between: Between) -> TestResponse:
    sent = rows(*NAMES[:2]) | {"email-1": "geen adres", "name-2": "Zonder adres"}
    return between.candidate.post(between.clients_page, data=sent)


@state
def clients_asking_nobody(between: Between) -> TestResponse:
    return between.candidate.post(between.clients_page, data={})


@state
def clients_asked_in_every_state(between: Between) -> TestResponse:
    between.asked(*NAMES)
    answer(between.app, NAMES[1], "4", "Er werd goed geluisterd.")
    open_form(between.app, NAMES[2])[0].post("/verklaren/niet", data={"reason": "Liever niet."})
    with transaction():
        late = session.scalars(select(Statement).where(Statement.name == NAMES[3])).one()
        late.token_expires_at = now() - timedelta(days=1)
    return between.candidate.get(between.clients_page)


@state
def clients_outcome(between: Between) -> TestResponse:
    between.asked(*NAMES)
    for number, name in enumerate(NAMES):
        answer(between.app, name, str(1 + number), "Er werd goed geluisterd." if number % 2 else "")
    return between.candidate.get(between.clients_page)


@state
def clients_section_with_a_card(between: Between) -> TestResponse:
    between.asked(*NAMES[:2])
    return between.candidate.get(f"/dossier/{between.reference}/onderdeel/satisfaction")


@state
def client_invited(between: Between) -> TestResponse:
    between.asked(NAMES[0])
    return between.app.test_client().get(link_of(NAMES[0]))


@state
def client_form(between: Between) -> TestResponse:
    return between.at_work()[0].get("/verklaren")


@state
def client_sending_too_early(between: Between) -> TestResponse:
    client, version = between.at_work()
    return client.post("/verklaren", data={"version": version, "action": "sign", "good": "Groeten, Zeger"})


@state
def client_saved_for_later(between: Between) -> TestResponse:
    client, version = between.at_work()
    return client.post("/verklaren", data={"version": version, "action": "later", "good": "Fijn."}, follow_redirects=True)


@state
def client_not_taking_part(between: Between) -> TestResponse:
    return between.at_work()[0].get("/verklaren/niet")


@state
def client_who_is_another(between: Between) -> TestResponse:
    return between.at_work()[0].get("/verklaren/niet?wie=anders")


@state
def client_who_declined(between: Between) -> TestResponse:
    return between.at_work()[0].post("/verklaren/niet", data={"reason": ""}, follow_redirects=True)


def thanked(between: Between) -> tuple[FlaskClient, TestResponse]:
    client, version = between.at_work()
    scales = dict.fromkeys(("clear_agreements", "felt_safe", "own_choices", "expertise", "would_recommend"), "4")
    sent = {"version": version, "action": "sign", "relation": "client", "may_quote": "yes", "good": "Fijn.", "better": ""}
    return client, client.post("/verklaren", data=sent | scales | {"signed_agree": "yes"}, follow_redirects=True)


@state
def client_thanked(between: Between) -> TestResponse:
    return thanked(between)[1]


@state
def client_reading_back(between: Between) -> TestResponse:
    thanked(between)
    session.rollback()
    newest = session.scalars(select(Mail).where(Mail.data["link"].is_not(None)).order_by(Mail.id.desc())).first()
    assert newest is not None
    return between.app.test_client().get(str(newest.data["link"]))


@state
def client_with_a_link_that_was_used(between: Between) -> TestResponse:
    thanked(between)
    return between.app.test_client().get(link_of(NAMES[0]))


@state
def client_with_a_link_that_is_too_old(between: Between) -> TestResponse:
    between.asked(NAMES[0])
    with transaction():
        session.scalars(select(Statement)).one().token_expires_at = now() - timedelta(days=1)
    return between.app.test_client().get(link_of(NAMES[0]))


@state
def client_with_a_link_that_was_withdrawn(between: Between) -> TestResponse:
    between.asked(NAMES[0])
    link = link_of(NAMES[0])
    statement = session.scalars(select(Statement.id)).one()
    between.candidate.post(f"/dossier/{between.reference}/verklaringen/{statement}/intrekken")
    return between.app.test_client().get(link)


@state
def client_with_a_link_that_is_none(between: Between) -> TestResponse:
    return between.app.test_client().get("/verklaring/geen-link")


# --- the development log -------------------------------------------------------------------------------------------


@state
def log_empty(between: Between) -> TestResponse:
    return between.candidate.get(LOG)


@state
def log_with_entries(between: Between) -> TestResponse:
    between.noted()
    return between.candidate.get(LOG)


@state
def log_while_a_file_is_checked(between: Between) -> TestResponse:
    note(between.candidate, 1, upload=photo())
    return between.candidate.get(LOG)


@state
def log_with_something_removed(between: Between) -> TestResponse:
    between.noted()
    return between.candidate.post(f"{LOG}/{between.entry()}/verwijderen", follow_redirects=True)


@state
def log_with_the_same_twice(between: Between) -> TestResponse:
    note(between.candidate, 1)
    note(between.candidate, 2)
    return between.candidate.get(LOG)


@state
def log_with_one_event_of_two_kinds(between: Between) -> TestResponse:
    note(between.candidate, 1, kind="training.conference")
    note(between.candidate, 2, kind="meeting.peer_supervision")
    return between.candidate.get(LOG)


@state
def log_since_no_day(between: Between) -> TestResponse:
    return between.candidate.post(f"{LOG}/sinds", data={"since.day": "31", "since.month": "2", "since.year": "2024"})


@state
def log_noting(between: Between) -> TestResponse:
    return between.candidate.get(f"{LOG}/nieuw")


@state
def log_noting_wrong_with_a_photo(between: Between) -> TestResponse:
    return note(between.candidate, kind="", title="", hours="-2", upload=photo(), note="Veel geleerd.")


@state
def log_noting_with_a_file_that_is_refused(between: Between) -> TestResponse:
    return note(between.candidate, upload=(photo()[0], "virus.exe"))


@state
def log_changing(between: Between) -> TestResponse:
    between.noted()
    return between.candidate.get(f"{LOG}/{between.entry()}")


@state
def log_noting_again_with_other_words(between: Between) -> TestResponse:
    note(between.candidate)
    return note(between.candidate, title="De volgende dag", upload=photo())


@state
def log_changing_in_two_windows(between: Between) -> TestResponse:
    between.noted()
    address = f"{LOG}/{between.entry()}"
    seen = before_of(between.candidate.get(address).get_data(as_text=True))
    long_ago = {"date.day": "1", "date.month": "2", "date.year": "2026"}
    there = {
        **FORM,
        **long_ago,
        "kind": "training.reading",
        "title": "Daar",
        "hours": "2",
        "provider": "",
        "note": "Regel een.\n\nTwee.",
    }
    between.candidate.post(address, data={**there, "before": seen})
    here = {**FORM, "kind": "training.teaching", "title": "Hier", "hours": "3", "provider": "Hier", "note": "Van hier."}
    between.candidate.get(LOG)  # reads what saving said
    return between.candidate.post(address, data={**here, "date.year": "2025", "before": seen})


@state
def log_changing_what_was_removed(between: Between) -> TestResponse:
    between.noted()
    between.candidate.post(f"{LOG}/{between.entry()}/verwijderen")
    return between.candidate.get(f"{LOG}/{between.entry()}")


@state
def log_taking_over(between: Between) -> TestResponse:
    between.noted()
    return between.candidate.get(between.taking_over)


@state
def log_taking_over_nothing(between: Between) -> TestResponse:
    between.noted()
    return between.candidate.post(between.taking_over, data={})


@state
def log_nothing_to_take_over(between: Between) -> TestResponse:
    return between.candidate.get(between.taking_over)


@state
def log_taken_over(between: Between) -> TestResponse:
    between.taken_over()
    return between.candidate.get(LOG)


@state
def log_changing_what_was_taken_over(between: Between) -> TestResponse:
    between.taken_over()
    return between.candidate.get(f"{LOG}/{between.entry()}")


@state
def log_taken_over_into_the_section(between: Between) -> TestResponse:
    between.taken_over()
    return between.candidate.get(f"/dossier/{between.reference}/onderdeel/education")


@state
def log_taking_over_again_what_was_removed(between: Between) -> TestResponse:
    between.taken_over()
    address = f"/dossier/{between.reference}/onderdeel/education/activities/log-{between.entry()}/verwijderen"
    assert between.candidate.post(address).status_code == 302
    return between.candidate.get(between.taking_over)


@state
def one_event_of_two_kinds_in_the_section(between: Between) -> TestResponse:
    note(between.candidate, 1, kind="training.conference")
    note(between.candidate, 2, kind="meeting.peer_supervision")
    between.candidate.get(LOG)  # reads what saving said
    session.rollback()
    ids = session.scalars(select(LogEntry.id)).all()
    between.candidate.post(between.taking_over, data={"entries": [str(one) for one in ids]})
    return between.candidate.get(f"/dossier/{between.reference}/onderdeel/reflection_meetings")


@pytest.mark.parametrize("name", STATES)
def test_a_state_of_recertification(
    between: Between, window: Window, looks: Looks, request: pytest.FixtureRequest, name: str
) -> None:
    answer = STATES[name](between)
    assert answer.content_type.startswith("text/html")
    assert not answer.location
    check(window.show(answer), name, looks, request)
