"""A real database file per test, and small helpers to make and age accounts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from account_helpers import PASSWORD

from app.accounts import models, passwords, registration
from app.config import Settings
from app.extensions import Base, connect, session, transaction


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(instance=tmp_path)


@pytest.fixture
def database(settings: Settings) -> Iterator[None]:
    engine = connect(settings.database)
    Base.metadata.create_all(engine)
    yield
    session.remove()
    engine.dispose()


@pytest.fixture(scope="session")
def password_hash() -> str:
    return passwords.hashed(PASSWORD)


@pytest.fixture
def account(database: None, password_hash: str) -> models.Account:
    """Sanne, a confirmed candidate."""
    with transaction():
        return registration.create(
            email="sanne@example.org", name="Sanne de Vries", password_hash=password_hash, roles=["candidate"], confirmed=True
        )
