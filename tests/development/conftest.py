"""An installation with the schemes that are shipped, for the development log."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from log_world import LogWorld
from small_world import open_world

from app.config import Settings
from app.schemes import loader


@pytest.fixture(scope="session")
def shipped_catalogue() -> loader.Catalogue:
    return loader.load_all(Settings())


@pytest.fixture
def log(tmp_path: Path, shipped_catalogue: loader.Catalogue, empty_database: Path) -> Iterator[LogWorld]:
    settings = replace(Settings(contact_email="bureau@voorbeeld.nl"), instance=tmp_path / "instance")
    for world in open_world(settings, shipped_catalogue, empty_database):
        yield LogWorld(world, world.account())
