"""The register: who holds which certificate or specialisation, only ever added to."""

import sqlalchemy as sa
from alembic import op

import app.extensions

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SQLITE = """
CREATE TRIGGER register_entry_no_update BEFORE UPDATE ON register_entry
BEGIN SELECT RAISE(ABORT, 'register_entry is append-only'); END
--
CREATE TRIGGER register_entry_no_delete BEFORE DELETE ON register_entry
BEGIN SELECT RAISE(ABORT, 'register_entry is append-only'); END
--
CREATE TRIGGER register_entry_no_replace BEFORE INSERT ON register_entry
WHEN EXISTS (SELECT 1 FROM register_entry WHERE id = NEW.id OR replaces_id = NEW.replaces_id)
BEGIN SELECT RAISE(ABORT, 'register_entry is append-only'); END
"""
POSTGRESQL = """
CREATE OR REPLACE FUNCTION register_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'register_entry is append-only'; END $$
--
CREATE TRIGGER register_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON register_entry
FOR EACH STATEMENT EXECUTE FUNCTION register_entry_append_only()
"""


def upgrade() -> None:
    op.create_table(
        "register_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=14), nullable=False),
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("former_level", sa.String(length=1), nullable=False),
        sa.Column("replaces_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("recorded_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('certificate', 'specialisation')", name=op.f("ck_register_entry_kind_known")),
        sa.CheckConstraint("former_level IN ('', 'A', 'B', 'C')", name=op.f("ck_register_entry_former_level_known")),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_register_entry_until_not_before_from")),
        sa.CheckConstraint("replaces_id IS NULL OR reason <> ''", name=op.f("ck_register_entry_correction_has_reason")),
        sa.CheckConstraint("NOT is_void OR replaces_id IS NOT NULL", name=op.f("ck_register_entry_void_replaces")),
        sa.CheckConstraint("replaces_id <> id", name=op.f("ck_register_entry_replaces_another")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_register_entry_account_id_account")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["account.id"], name=op.f("fk_register_entry_recorded_by_id_account")),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["register_entry.id"], name=op.f("fk_register_entry_replaces_id_register_entry")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_entry")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_register_entry_replaces_id")),
    )
    for column in ("account_id", "number", "valid_until"):
        op.create_index(op.f(f"ix_register_entry_{column}"), "register_entry", [column])
    for statement in (SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL).split("--"):
        op.execute(statement.strip())
