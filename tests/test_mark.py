"""A demo's database and a production's are never taken for one another, also when the file in the folder is gone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text

from app import config, create_app
from app.config import DEMO_MARK, Settings
from app.errors import SettingsFault
from app.extensions import session, transaction
from app.mark import InstallationMark
from app.schemes.loader import Catalogue

Make = Callable[[Settings], Flask]


@pytest.fixture
def make(small_catalogue: Catalogue) -> Make:
    def made(settings: Settings) -> Flask:
        session.remove()
        return create_app(settings, small_catalogue)

    return made


@pytest.fixture
def demo(small_scheme: Settings, tmp_path: Path) -> Settings:
    return replace(small_scheme, instance=tmp_path / "instance")


@pytest.fixture
def production(demo: Settings) -> Settings:
    """The same database, taken for a production's."""
    demo.keys.mkdir(parents=True)
    (demo.keys / "secret_key").write_text("x" * 40)
    return replace(demo, mode="production", base_url="https://x.example.org", secret_key_file=demo.keys / "secret_key")


def upgrade(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["database", "upgrade"])
    assert (result.exit_code, result.output) == (0, "The database is up to date.\n")


def marks() -> list[str]:
    session.remove()
    return list(session.scalars(select(InstallationMark.mode)))


@pytest.mark.parametrize("elsewhere", [False, True])
def test_demo_database_r39_is_refused_in_production_without_its_file_too(
    make: Make, demo: Settings, production: Settings, tmp_path: Path, elsewhere: bool
) -> None:
    if elsewhere:
        address = f"sqlite:///{tmp_path / 'elsewhere.sqlite'}"
        demo, production = replace(demo, database_url=address), replace(production, database_url=address)
    upgrade(make(demo))
    upgrade(make(demo))
    assert marks() == ["demo"]
    (demo.instance / DEMO_MARK).unlink(missing_ok=True)
    with pytest.raises(SettingsFault, match="holds demo data with well-known passwords"):
        make(production)


def test_demo_database_from_before_the_mark_is_known_by_its_people(make: Make, demo: Settings, production: Settings) -> None:
    upgrade(make(demo))
    with transaction():
        session.execute(text("DELETE FROM installation_mark"))
        session.execute(
            text(
                "INSERT INTO account (email, name, password_hash, language, created_at) "
                "VALUES (:email, 'S', '-', 'nl', '2026-11-21')"
            ),
            {"email": f"senay@{config.DEMO_DOMAIN}"},
        )
    with pytest.raises(SettingsFault, match="demo data"):
        make(production)
    upgrade(make(demo))
    assert marks() == ["demo"]


def test_production_database_is_refused_in_demo_mode(make: Make, demo: Settings, production: Settings) -> None:
    upgrade(make(production))
    assert marks() == ["production"]
    with pytest.raises(SettingsFault, match="The database is a production's"):
        make(demo)
    make(production)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nonsense", "LOOPBAAN_DATABASE_URL cannot be used (Could not parse"),
        ("nosuch://user:geheim@host/name", "LOOPBAAN_DATABASE_URL cannot be used (Can't load plugin"),
        ("sqlite:////nowhere/at/all.sqlite", "LOOPBAAN_DATABASE_URL cannot be used (unable to open database file)"),
        ("postgresql://user:geheim@127.0.0.1:9/name", "LOOPBAAN_DATABASE_URL cannot be used ("),
        ("postgresql+psycopg://user:geheim@127.0.0.1:9/name", "LOOPBAAN_DATABASE_URL cannot be used ("),
        ("sqlite:///{folder}/no-database", "LOOPBAAN_DATABASE_URL cannot be used (file is not a database)"),
    ],
)
def test_database_that_cannot_be_used_is_one_line_without_the_password(
    make: Make, demo: Settings, tmp_path: Path, address: str, words: str
) -> None:
    (tmp_path / "no-database").write_text("this is no database at all" * 99)
    with pytest.raises(SettingsFault) as found:
        make(replace(demo, database_url=address.replace("{folder}", str(tmp_path))))
    assert str(found.value).startswith(words)
    assert "\n" not in str(found.value)
    assert "geheim" not in str(found.value)
    assert "Write an address such as" in str(found.value)


def test_damaged_database_in_the_instance_folder_is_named(make: Make, demo: Settings) -> None:
    demo.instance.mkdir(parents=True)
    (demo.instance / "loopbaandossier.sqlite").write_text("this is no database at all" * 99)
    with pytest.raises(SettingsFault, match=r"cannot be opened \(file is not a database\)"):
        make(demo)
