"""The fee as the office records it: what it needs, and two tabs that do not overwrite each other."""

from datetime import date

import pytest
from small_world import World
from sqlalchemy import select

from app.accounts.models import Account
from app.assessment import fees
from app.assessment.fees import Entry
from app.assessment.models import Fee
from app.dossiers.models import Dossier
from app.errors import Conflict, InvalidInput
from app.extensions import session, transaction

ON = date(2026, 11, 1)
INVOICED = Entry("invoiced", ON, 47_500, "F-12")


@pytest.fixture
def dossier(world: World) -> Dossier:
    return world.dossier()


@pytest.fixture
def office(world: World) -> Account:
    return world.account("Of Fice", "office")


def record(dossier: Dossier, entry: Entry, version: int, by: Account) -> Fee:
    with transaction():
        assert fees.record(dossier, entry, version=version, by=by)
    stored = fees.of_dossier(dossier)
    assert stored is not None
    return stored


def test_fee_goes_from_invoiced_to_paid(dossier: Dossier, office: Account) -> None:
    assert fees.of_dossier(dossier) is None
    assert record(dossier, INVOICED, 0, office).version == 1
    paid = record(dossier, Entry("paid", ON, 47_500, "F-12", "Overgemaakt"), 1, office)
    assert (paid.state, paid.on, paid.amount_cents, paid.invoice, paid.note, paid.version, paid.by_id) == (
        "paid", ON, 47_500, "F-12", "Overgemaakt", 2, office.id,
    )  # fmt: skip
    assert fees.lines(paid, "nl") == ["€ 475,00 · factuur F-12 · 1 november 2026", "Overgemaakt"]


@pytest.mark.parametrize("version", [0, 2])
def test_fee_from_a_stale_tab_changes_nothing(dossier: Dossier, office: Account, version: int) -> None:
    record(dossier, INVOICED, 0, office)
    with pytest.raises(Conflict) as refusal:
        record(dossier, Entry("waived", ON, note="Regeling"), version, office)
    assert refusal.value.text["nl"].startswith("U wijzigde de vergoeding intussen in een ander venster.")
    assert [(one.state, one.version) for one in session.scalars(select(Fee))] == [("invoiced", 1)]


def test_the_same_fee_twice_is_recorded_once(world: World, dossier: Dossier, office: Account) -> None:
    record(dossier, INVOICED, 0, office)
    other = world.account("Col Lega", "office")
    for by, version in ((office, 0), (office, 1), (other, 0)):
        with transaction():
            assert not fees.record(dossier, INVOICED, version=version, by=by)
    assert [(one.version, one.by_id) for one in session.scalars(select(Fee))] == [(1, office.id)]
    with pytest.raises(Conflict) as refusal, transaction():
        fees.record(dossier, Entry("waived", ON, note="Regeling"), version=0, by=other)
    assert refusal.value.text["nl"].startswith("Of Fice heeft de vergoeding intussen gewijzigd.")


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        (Entry("gratis", ON), "state"),
        (Entry("invoiced", ON), "amount"),
        (Entry("paid", ON, -1), "amount"),
        (Entry("waived", ON), "note"),
        (Entry("paid", ON, 1, "x" * 61), "invoice"),
    ],
)
def test_fee_refuses_what_cannot_be(dossier: Dossier, office: Account, entry: Entry, field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        record(dossier, entry, 0, office)
    assert refusal.value.details["field"] == field
    assert fees.of_dossier(dossier) is None
