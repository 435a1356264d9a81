"""The record of deeds refuses changes by itself; a database says what it is for; mail knows since when its server is away."""

import sqlalchemy as sa
from alembic import op

import app.extensions

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SQLITE = """
CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END
--
CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END
--
CREATE TRIGGER audit_entry_no_replace BEFORE INSERT ON audit_entry
WHEN EXISTS (SELECT 1 FROM audit_entry
  WHERE id = NEW.id OR sha256 = NEW.sha256 OR previous_sha256 = NEW.previous_sha256)
BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END
"""
POSTGRESQL = """
CREATE OR REPLACE FUNCTION audit_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit_entry is append-only'; END $$
--
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_append_only()
"""


def upgrade() -> None:
    op.create_table(
        "installation_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("made_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_mark_only_one")),
        sa.CheckConstraint("mode IN ('demo', 'production')", name=op.f("ck_installation_mark_mode_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation_mark")),
    )
    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.add_column(sa.Column("held_since", app.extensions.UTCDateTime(timezone=True), nullable=True))
    for column in ("at", "actor", "action"):
        op.create_index(op.f(f"ix_audit_entry_{column}"), "audit_entry", [column])
    for statement in (SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL).split("--"):
        op.execute(statement.strip())
