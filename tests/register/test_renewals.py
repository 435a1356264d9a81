"""When a certificate can be renewed: dates that fit every month, prompts that go once, and a start that knows the register."""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app import mail, pipeline
from app.accounts.models import Account, Message
from app.audit import AuditEntry
from app.dossiers import starting, submission
from app.dossiers.models import Dossier, SectionAnswers
from app.dossiers.submission import today
from app.errors import Conflict, InvalidInput
from app.extensions import now, session, transaction
from app.mail import Mail
from app.pipeline import Installation
from app.register import entries, renewals
from app.register.entries import Line
from app.register.models import RegisterEntry
from app.schemes.loader import Catalogue
from app.schemes.model import DossierTemplate

MakeAccount = Callable[..., Account]
DAYS = st.dates(date(2001, 1, 1), date(2090, 12, 31))
MONTHS = st.integers(1, 48)


# --- dates ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2027, 3, 1), 4, date(2026, 11, 1)),
        (date(2027, 3, 31), 1, date(2027, 2, 28)),
        (date(2028, 3, 31), 1, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2027, 2, 28)),
        (date(2028, 2, 29), 48, date(2024, 2, 29)),
        (date(2027, 1, 31), 2, date(2026, 11, 30)),
        (date(2027, 1, 15), 1, date(2026, 12, 15)),
    ],
)
def test_months_before_is_the_same_day_or_the_last_of_the_month(day: date, months: int, before: date) -> None:
    assert renewals.months_before(day, months) == before


@given(DAYS, MONTHS)
def test_months_before_is_in_that_month_and_never_skips_a_day_that_it_has(day: date, months: int) -> None:
    before = renewals.months_before(day, months)
    assert (day.year * 12 + day.month) - (before.year * 12 + before.month) == months
    assert before.day == min(day.day, monthrange(before.year, before.month)[1])


@given(DAYS, MONTHS, st.integers(0, 60))
def test_months_before_keeps_the_order_of_days(day: date, months: int, later: int) -> None:
    assert renewals.months_before(day, months) <= renewals.months_before(day + timedelta(days=later), months)


@given(DAYS, st.lists(MONTHS, unique=True, max_size=4), st.integers(-1600, 30))
def test_the_prompt_that_is_due_is_the_last_whose_day_came(until: date, months: list[int], offset: int) -> None:
    on = until + timedelta(days=offset)
    due = renewals.prompt_due(until, sorted(months, reverse=True), on)
    come = [one for one in months if renewals.months_before(until, one) <= on]
    assert due == (min(come) if come and on <= until else None)


@pytest.fixture
def scheme(catalogue: Catalogue) -> DossierTemplate:
    return catalogue.schemes["recertification", "2026.1"].template


def test_the_window_of_our_recertification_opens_four_months_before(scheme: DossierTemplate) -> None:
    window = renewals.window(date(2027, 3, 1), scheme)
    assert (window.opens, window.closes) == (date(2026, 11, 1), date(2027, 3, 1))
    days = (date(2026, 10, 31), date(2026, 11, 1), date(2027, 3, 1), date(2027, 3, 2))
    assert [window.state(on) for on in days] == ["early", "open", "open", "expired"]


def test_days_of_grace_let_one_start_after_the_last_day(scheme: DossierTemplate) -> None:
    kind = replace(scheme, renewal={**scheme.renewal, "grace_days": 10})
    window = renewals.window(date(2027, 3, 1), kind)
    assert [window.state(date(2027, 3, day)) for day in (1, 2, 11, 12)] == ["open", "grace", "grace", "expired"]


def test_a_holder_submits_within_the_term_or_before_the_certificate_and_its_days_of_grace_end(scheme: DossierTemplate) -> None:
    kind = replace(scheme, renewal={**scheme.renewal, "grace_days": 10})
    entry, term = RegisterEntry(valid_until=date(2027, 3, 1)), date(2027, 5, 21)
    assert renewals.submit_by(None, kind, term) == term
    assert renewals.submit_by(entry, scheme, term) == date(2027, 3, 1)
    assert renewals.submit_by(entry, kind, term) == date(2027, 3, 11)
    assert renewals.submit_by(entry, kind, date(2027, 3, 5)) == date(2027, 3, 5)


# --- prompts -------------------------------------------------------------------------------------------------------


@pytest.fixture
def holder(make_account: MakeAccount) -> Account:
    return make_account("Hanna Visser", "candidate")


@pytest.fixture
def certified(holder: Account, catalogue: Catalogue) -> Callable[..., RegisterEntry]:
    """``certified(days)``: the holder's certificate, that ends in so many days."""

    def record(days: int, scope: str = "initial", start: int = -900) -> RegisterEntry:
        line = Line("RL-1234", scope, today() + timedelta(days=start), today() + timedelta(days=days))
        with transaction():
            made = entries.record(holder, line, catalogue=catalogue, by=None)
        assert made is not None
        return made

    return record


Certified = Callable[..., RegisterEntry]


def prompts() -> list[str]:
    session.rollback()
    return list(session.scalars(select(Mail.key).where(Mail.template == "renewal_prompt").order_by(Mail.id)))


def test_each_prompt_goes_once_and_late_ones_are_not_caught_up_on(
    installation: Installation, certified: Certified, holder: Account
) -> None:
    entry = certified(40)
    assert pipeline.prompt_renewals(installation) == 1
    assert pipeline.prompt_renewals(installation) == 0
    assert prompts() == [f"renewal:{holder.id}:{entry.valid_until}:recertification:2"]
    told = session.scalars(select(Message)).one()
    assert told.account_id == holder.id
    assert told.data == {
        "name": "Hanna Visser",
        "until": entry.valid_until.isoformat(),
        "submit_by": entry.valid_until.isoformat(),
        "dossier": "",
        "link": "/dossiers/nieuw?schema=recertification",
    }
    audited = session.scalars(select(AuditEntry).where(AuditEntry.action == "register.prompted")).one()
    assert (audited.actor, audited.thing, audited.details) == ("system", f"account:{holder.id}", {"entry": entry.id})


def test_the_three_prompts_follow_each_other(installation: Installation, certified: Certified, holder: Account) -> None:
    entry = certified(300)
    for months in (4, 2, 1):
        on = renewals.months_before(entry.valid_until, months)
        for day, told in ((on - timedelta(days=1), False), (on, True), (on + timedelta(days=3), False)):
            with transaction():
                assert renewals.prompt(session.get_one(RegisterEntry, entry.id), day, installation.catalogue) is told
    assert [key.rpartition(":")[2] for key in prompts()] == ["4", "2", "1"]


@pytest.mark.parametrize(
    ("first", "moved", "again"),
    [
        (date(2027, 3, 20), date(2027, 3, 21), False),
        (date(2027, 3, 20), date(2027, 3, 1), False),
        (date(2027, 3, 20), date(2027, 4, 20), False),
        (date(2027, 3, 20), date(2027, 4, 21), True),
        (date(2027, 3, 20), date(2028, 3, 20), True),
    ],
)
def test_a_corrected_last_day_is_told_again_only_when_it_is_more_than_a_month_off(
    installation: Installation, holder: Account, catalogue: Catalogue, first: date, moved: date, again: bool
) -> None:
    line = Line("RL-1234", "initial", date(2023, 3, 21), first)
    with transaction():
        entry = entries.record(holder, line, catalogue=catalogue, by=None)
        assert entry is not None
        assert renewals.prompt(entry, renewals.months_before(first, 4), catalogue)
        corrected = entries.correct(
            entry, replace(line, valid_until=moved), "Verkeerd overgenomen.", catalogue=catalogue, by=None
        )
        assert corrected is not None
        on = max(renewals.months_before(moved, 4), renewals.months_before(first, 4))
        assert renewals.prompt(corrected, on, catalogue) is again
        assert renewals.prompt(corrected, renewals.months_before(moved, 2), catalogue)


def test_a_correction_brings_no_prompt_of_a_step_that_is_behind(
    installation: Installation, holder: Account, catalogue: Catalogue
) -> None:
    line = Line("RL-1234", "initial", date(2023, 3, 21), date(2027, 3, 20))
    on = date(2027, 1, 25)
    with transaction():
        entry = entries.record(holder, line, catalogue=catalogue, by=None)
        assert entry is not None
        assert renewals.prompt(entry, on, catalogue)
        later = replace(line, valid_until=date(2027, 3, 30))
        corrected = entries.correct(entry, later, "Verkeerd overgenomen.", catalogue=catalogue, by=None)
        assert corrected is not None
        assert not renewals.prompt(corrected, on, catalogue)
    assert [key.rpartition(":")[2] for key in prompts()] == ["2"]


def test_the_ledger_holds_each_prompt_with_its_moment(installation: Installation, certified: Certified) -> None:
    certified(20)
    pipeline.prompt_renewals(installation)
    session.rollback()
    letter = session.scalars(select(Mail).where(Mail.template == "renewal_prompt")).one()
    assert (letter.to, letter.language, letter.stage) == ("hanna.visser@voorbeeld.nl", "nl", "queued")
    words = mail.words("renewal_prompt", "en", letter.data, installation.settings)
    assert words.subject.startswith("Your certificate runs until")
    last = format_date(today() + timedelta(days=20), "d MMMM y", locale="en")
    assert f"Your dossier must be in by {last} at the latest." in " ".join(words.paragraphs)


@pytest.mark.parametrize("days", [-1, 200])
def test_no_prompt_after_the_last_day_or_long_before(installation: Installation, certified: Certified, days: int) -> None:
    certified(days)
    assert pipeline.prompt_renewals(installation) == 0


def test_no_prompt_to_who_has_the_next_certificate_or_a_closed_account(
    installation: Installation, certified: Certified, holder: Account
) -> None:
    certified(40)
    certified(900, scope="recertification", start=41)
    assert pipeline.prompt_renewals(installation) == 0
    with transaction():
        entries.void(entries.of(holder)[0], "Toch niet.", catalogue=installation.catalogue, by=another(holder))
        holder.disabled_at = now()
    assert pipeline.prompt_renewals(installation) == 0


def another(holder: Account) -> Account:
    """Somebody else, to record what one cannot record for oneself."""
    made = Account(email="ilse@voorbeeld.nl", name="Ilse", password_hash="-")
    session.add(made)
    session.flush()
    return made


@pytest.mark.parametrize(("stage", "told"), [("draft", 1), ("returned", 1), ("submitted", 0), ("in_assessment", 0)])
def test_who_began_is_led_to_the_dossier_and_who_submitted_is_left_alone(
    installation: Installation, certified: Certified, holder: Account, stage: str, told: int
) -> None:
    certified(40)
    with transaction():
        dossier = start(holder, installation)
        dossier.stage = stage
    assert pipeline.prompt_renewals(installation) == told
    session.rollback()
    links = [one.data["link"] for one in session.scalars(select(Mail).where(Mail.template == "renewal_prompt"))]
    assert links == [f"/dossier/{dossier.reference}"] * told


def start(holder: Account, installation: Installation, scheme: str = "recertification", *plugins: str) -> Dossier:
    return starting.start(
        holder, scheme, "2026.1", plugins, "nl", catalogue=installation.catalogue, settings=installation.settings
    )


# --- starting ------------------------------------------------------------------------------------------------------


def test_what_the_register_says_is_filled_in(
    installation: Installation, certified: Certified, holder: Account, scheme: DossierTemplate
) -> None:
    entry = certified(40)
    with transaction():
        found = renewals.check_start(holder, scheme, [], today())
        assert found is not None
        dossier = start(holder, installation)
        renewals.prefill(dossier, scheme, found)
    session.rollback()
    answers = session.scalars(select(SectionAnswers).where(SectionAnswers.dossier_id == dossier.id)).one()
    first, last = entry.valid_from, entry.valid_until
    assert (answers.section_id, answers.data) == (
        "personal",
        {
            "register_number": "RL-1234",
            "certificate_period": {
                "from": {"day": str(first.day), "month": str(first.month), "year": str(first.year)},
                "to": {"day": str(last.day), "month": str(last.month), "year": str(last.year)},
            },
        },
    )
    said = renewals.beside(session.get_one(Dossier, dossier.id))
    assert said["personal.register_number"]["nl"] == "RL-1234"
    assert said["personal.certificate_period"]["en"] == f"{words(first)} to {words(last)}"


def words(day: date) -> str:
    return entries.day_words(day)["en"]


def test_who_is_not_in_the_register_is_not_stopped_and_an_expired_one_is(
    certified: Certified, holder: Account, scheme: DossierTemplate
) -> None:
    assert renewals.check_start(holder, scheme, [], today()) is None
    certified(-1)
    with pytest.raises(Conflict, match="has expired"):
        renewals.check_start(holder, scheme, [], today())


def test_a_certificate_that_still_has_to_begin_is_not_held(
    certified: Certified, holder: Account, scheme: DossierTemplate
) -> None:
    over = certified(40)
    certified(900, scope="recertification", start=41)
    held = renewals.held_of(entries.of(holder), scheme, today())
    assert (held.id if held else None) == over.id
    later = [one for one in entries.of(holder) if one.id != over.id]
    assert renewals.held_of(later, scheme, today()) is None


def test_a_specialisation_that_one_holds_is_not_added_again(
    certified: Certified, holder: Account, catalogue: Catalogue, scheme: DossierTemplate
) -> None:
    entry = certified(400)
    with transaction():
        line = Line("RL-1234", "outplacement", today(), entry.valid_until)
        entries.record(holder, line, catalogue=catalogue, by=None)
    adding = catalogue.schemes["specialisation", "2026.1"].template
    with pytest.raises(Conflict, match="already have this specialisation"):
        renewals.check_start(holder, adding, ["outplacement"], submission.today())
    assert renewals.check_start(holder, adding, ["second_track"], today()) is not None
    assert renewals.check_start(holder, scheme, ["outplacement"], today()) is not None


def test_a_specialisation_has_to_be_chosen(installation: Installation, holder: Account) -> None:
    with pytest.raises(InvalidInput, match="Choose at least 1 specialisation") as refusal, transaction():
        start(holder, installation, "specialisation")
    assert refusal.value.details == {"field": "plugins"}
    with transaction():
        assert start(holder, installation, "specialisation", "outplacement").reference.startswith("SP-")
