"""What a database is for: a demo's and a production's are never taken for one another.

The demo's people have passwords that everybody knows. A file in the instance folder says that too (``config.DEMO_MARK``),
but a file can be taken away, and a database can stand elsewhere. So the database says it itself, from its first ``prepare`` on.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, Connection, Engine, String, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from app.config import DEMO_DOMAIN, Settings
from app.errors import SettingsFault
from app.extensions import Base, now, session


class InstallationMark(Base):
    """The one row that says what this database is for."""

    __tablename__ = "installation_mark"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        CheckConstraint("mode IN ('demo', 'production')", name="mode_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mode: Mapped[str] = mapped_column(String(10))
    made_at: Mapped[datetime] = mapped_column(default=now)


def check(settings: Settings, engine: Engine) -> None:
    """Raises ``SettingsFault`` when the database cannot be used, or is for the other mode. Changes nothing."""
    try:
        with engine.connect() as connection:
            mode = mode_of(connection)
    except SQLAlchemyError as fault:
        raise unusable(settings, fault) from fault
    if mode == "demo" and not settings.demo:
        raise SettingsFault(
            "The database holds demo data with well-known passwords. "
            "Set LOOPBAAN_DATABASE_URL (or LOOPBAAN_INSTANCE, when that is empty) to a new database for production."
        )
    if mode == "production" and settings.demo:
        raise SettingsFault(
            "The database is a production's: its people and their work do not belong in a demo. Set LOOPBAAN_MODE=production, "
            "or set LOOPBAAN_DATABASE_URL (or LOOPBAAN_INSTANCE, when that is empty) to a new database for the demo."
        )


def mode_of(connection: Connection) -> str | None:
    """What the database says it is for; one from before the mark is known by the demo's people. ``None``: nothing yet."""
    tables = inspect(connection).get_table_names()
    if InstallationMark.__tablename__ in tables:
        mode: str | None = connection.scalar(select(InstallationMark.mode))
        if mode is not None:
            return mode
    if "account" in tables and connection.scalar(
        text("SELECT count(*) FROM account WHERE email LIKE :demo"), {"demo": f"%@{DEMO_DOMAIN}"}
    ):
        return "demo"
    return None


def put(settings: Settings) -> None:
    """Marks an up-to-date database that has no mark, inside the caller's transaction."""
    if session.scalar(select(InstallationMark.id)) is None:
        session.add(InstallationMark(id=1, mode=mode_of(session.connection()) or settings.mode))
        session.flush()


def unusable(settings: Settings, fault: Exception) -> SettingsFault:
    """One line for a database that cannot be opened, without the password that may stand in its URL."""
    reason = str(getattr(fault, "orig", None) or fault).strip().partition("\n")[0]
    if not settings.database_url:
        return SettingsFault(
            f"The database in {settings.instance} cannot be opened ({reason}). Is the disk full, or is it damaged?"
        )
    return SettingsFault(
        f"LOOPBAAN_DATABASE_URL cannot be used ({reason}). Write an address such as "
        "postgresql+psycopg://user@localhost/loopbaan, or leave it empty for SQLite in the instance folder."
    )
