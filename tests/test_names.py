"""Names as lists sort and find them, the same in Python and in the database."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_world import World
from sqlalchemy import literal, select

from app import names
from app.accounts import people
from app.accounts.models import Account
from app.assessment import overview
from app.extensions import session, transaction

IN_ORDER = [
    "Ahmet Şahin", "anna bos", "Carla Bos", "Çelik Arslan", "Dirk de Boer", "Élise Petit", "Emre Yıldız", "Łukasz Nowak",
    "Lute Zaal", "Øyvind Aas", "Pieter d’Arcy", "Pieter D'Arcy Z", "Šárka Nová", "Şeyma Kaya", "Sven Li", "Zoë Zwart",
]  # fmt: skip


@pytest.fixture
def world_of_names(world: World) -> World:
    mixed = list(IN_ORDER)
    random.Random(3).shuffle(mixed)
    for number, name in enumerate(mixed):
        account = world.account(f"Persoon {number}")
        with transaction():
            session.get_one(Account, account.id).name = name
        if number < 6:
            world.dossier(account)
    return world


def test_key_sorts_names_as_people_expect() -> None:
    mixed = list(IN_ORDER)
    random.Random(3).shuffle(mixed)
    assert sorted(mixed, key=names.key) == IN_ORDER


def test_people_are_listed_by_name_and_pages_neither_skip_nor_repeat(world_of_names: World) -> None:
    assert [account.name for account, _ in people.find(people.Filter())] == IN_ORDER
    pages = [people.find(people.Filter(), limit=5, offset=start) for start in range(0, 20, 5)]
    assert [account.name for page in pages for account, _ in page] == IN_ORDER


def test_dossiers_are_listed_by_the_candidates_name(world_of_names: World) -> None:
    listed = [row.candidate for row in overview.dossiers(overview.Filter(order="candidate"))]
    assert listed == [name for name in IN_ORDER if name in listed]
    assert len(listed) == 6


@pytest.mark.parametrize(
    ("text", "found"),
    [("sahin", ["Ahmet Şahin"]), ("ŞAHİN", ["Ahmet Şahin"]), ("zoe", ["Zoë Zwart"]), ("lukasz", ["Łukasz Nowak"]),
     ("d'arcy", ["Pieter d’Arcy", "Pieter D'Arcy Z"]), ("%", []), ("_", [])],
)  # fmt: skip
def test_people_are_found_without_accents_or_capitals(world_of_names: World, text: str, found: list[str]) -> None:
    assert [account.name for account, _ in people.find(people.Filter(text=text))] == found
    dossiers = [row.candidate for row in overview.dossiers(overview.Filter(text=text, order="candidate"))]
    assert dossiers == [name for name in found if name in dossiers]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20))
def test_the_database_has_the_same_key(world: World, name: str) -> None:
    assert session.scalar(select(names.by(literal(name)))) == names.key(name)
    session.rollback()
