"""Everybody's pages in English, on a site with something on each of them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_translations import dutch_of
from web.whole_site import ROLES, Site, whole_site

GIVEN = re.compile("Een verhaal van mij|van-een-ander")
"""What people wrote themselves, or called their files."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, empty_database: Path, password_hash: str) -> Iterator[Site]:
    with whole_site(tmp_path_factory.mktemp("english"), empty_database, password_hash) as made:
        yield made


@pytest.mark.parametrize("person", ROLES)
def test_pages_of_everybody_are_english(site: Site, person: str) -> None:
    found = dutch_of(site.clients[person], "/", at_least=4)
    assert [(page, words) for page, all_words in found.items() for words in all_words if not GIVEN.search(words)] == []
