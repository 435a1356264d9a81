"""The database's shape over time. ``upgrade`` brings a database up to date; ``is_current`` tells whether it is."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from app.extensions import WRITE, Base

FOLDER = Path(__file__).parent


def upgrade(engine: Engine) -> None:
    """Runs the migrations that this database has not had; of two at the same moment the second waits for the first."""
    with engine.connect().execution_options(**{WRITE: True}) as connection, connection.begin():
        command.upgrade(_config(connection), "head")


def is_current(engine: Engine) -> bool:
    """Whether every migration was run."""
    with engine.connect() as connection:
        here = MigrationContext.configure(connection).get_current_revision()
    return here == ScriptDirectory(str(FOLDER)).get_current_head()


def differences(engine: Engine) -> list[object]:
    """What the tables in the code have that the database has not, and the other way round; empty when they agree."""
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


def write(engine: Engine, message: str) -> None:
    """For developers: writes a new migration file from the difference between the code and this (current) database.

    There is no way down: a database with people's work in it goes back by restoring a backup.
    """
    number = len(list(FOLDER.glob("versions/[0-9]*.py"))) + 1
    with engine.connect() as connection, connection.begin():
        command.revision(_config(connection), message, autogenerate=True, rev_id=f"{number:04d}")


def _config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config
