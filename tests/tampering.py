"""What somebody does who wants to change the record of deeds: first its triggers go."""

from sqlalchemy import Connection, text

UNLOCK = {
    "sqlite": (
        "DROP TRIGGER IF EXISTS audit_entry_no_update",
        "DROP TRIGGER IF EXISTS audit_entry_no_delete",
        "DROP TRIGGER IF EXISTS audit_entry_no_replace",
    ),
    "postgresql": ("DROP TRIGGER IF EXISTS audit_entry_append_only ON audit_entry",),
}


def unlock(connection: Connection) -> None:
    for statement in UNLOCK[connection.dialect.name]:
        connection.execute(text(statement))
