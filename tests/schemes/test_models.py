from collections.abc import Iterator
from pathlib import Path

import pytest
from scheme_files import write_scheme
from sqlalchemy import func, select

from app.errors import NotFound, StorageFailure
from app.extensions import Base, connect, session, transaction
from app.schemes import loader, models, schemas
from app.schemes.model import DossierTemplate


@pytest.fixture
def template(tmp_path: Path) -> DossierTemplate:
    return loader.compose(loader.load_all(write_scheme(tmp_path)), "small", "1", [])


@pytest.fixture(autouse=True)
def database(tmp_path: Path) -> Iterator[None]:
    engine = connect(f"sqlite:///{tmp_path}/test.sqlite")
    Base.metadata.create_all(engine, tables=[models.StoredTemplate.__table__])  # type: ignore[list-item]
    models.get.cache_clear()
    yield
    session.remove()
    engine.dispose()
    models.get.cache_clear()


def test_store_keeps_a_template_once_and_get_gives_it_back(template: DossierTemplate) -> None:
    with transaction():
        sha256 = models.store(template).sha256
    with transaction():
        again = models.store(template)
        assert (again.sha256, again.scheme, again.version, again.plugins) == (sha256, "small", "1", [])
        assert again.content == schemas.canonical(template)
    assert session.scalar(select(func.count()).select_from(models.StoredTemplate)) == 1
    assert models.get(sha256) == template


def test_store_commits_nothing(template: DossierTemplate) -> None:
    models.store(template)
    session.rollback()
    assert session.scalar(select(func.count()).select_from(models.StoredTemplate)) == 0


def test_get_refuses_what_is_not_there_or_was_changed(template: DossierTemplate) -> None:
    with pytest.raises(NotFound):
        models.get("0" * 64)
    with transaction():
        stored = models.store(template)
        stored.content = stored.content.replace("Klein", "Groot")
        sha256 = stored.sha256
    with pytest.raises(StorageFailure):
        models.get(sha256)
