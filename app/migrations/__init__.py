"""The database's shape over time. ``upgrade`` brings a database up to date; ``is_current`` tells whether it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from app.extensions import WRITE, Base

FOLDER = Path(__file__).parent


def upgrade(engine: Engine) -> None:
    """Runs the migrations that this database has not had; of two at the same moment the second waits for the first."""
    with connection_without_foreign_keys(engine) as connection, connection.begin():
        command.upgrade(config(connection), "head")
        if engine.dialect.name == "sqlite":
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if broken:
                raise RuntimeError(f"the migration would leave rows that point nowhere: {broken[:5]}")


@contextmanager
def connection_without_foreign_keys(engine: Engine) -> Iterator[Connection]:
    """A connection to migrate with. SQLite changes a table by making it anew, which its foreign keys would forbid meanwhile."""
    with engine.connect().execution_options(**{WRITE: True}) as connection:
        if engine.dialect.name != "sqlite":
            yield connection
            return
        cursor = connection.connection.cursor()  # before any BEGIN: inside a transaction this pragma does nothing
        cursor.execute("PRAGMA foreign_keys=OFF")
        try:
            yield connection
        finally:
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.close()


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
        command.revision(config(connection), message, autogenerate=True, rev_id=f"{number:04d}")


def config(connection: object) -> Config:
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.attributes["connection"] = connection
    return made
