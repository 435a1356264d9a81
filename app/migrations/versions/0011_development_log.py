"""A development log for each person: entries, their files of evidence, and what dossiers took over of them."""

import sqlalchemy as sa
from alembic import op

from app.extensions import UTCDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("option", sa.String(length=40), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("hours", sa.String(length=30), nullable=False),
        sa.Column("provider", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("changed_at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_log_entry_owner_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_entry")),
        sa.UniqueConstraint("owner_id", "key", name=op.f("uq_log_entry_owner_id_key")),
    )
    with op.batch_alter_table("log_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_log_entry_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "log_period",
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_log_period_owner_id_account")),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_log_period")),
    )
    op.create_table(
        "log_file",
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=False),
        sa.Column("original_sha256", sa.String(length=64), nullable=False),
        sa.Column("original_size", sa.Integer(), nullable=False),
        sa.Column("cleaned_sha256", sa.String(length=64), nullable=True),
        sa.Column("cleaned_kind", sa.String(length=10), nullable=True),
        sa.Column("pages_sha256", sa.String(length=64), nullable=True),
        sa.Column("thumbnail_sha256", sa.String(length=64), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("rasterised", sa.Boolean(), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("signatures", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("refusal", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("uploaded_at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", UTCDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UTCDateTime(timezone=True), nullable=True),
        sa.Column("claimed_until", UTCDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(stage = 'checked') = (cleaned_sha256 IS NOT NULL)", name=op.f("ck_log_file_checked_has_copy")),
        sa.CheckConstraint("(stage = 'refused') = (refusal IS NOT NULL)", name=op.f("ck_log_file_refused_has_reason")),
        sa.CheckConstraint("stage IN ('received', 'checked', 'refused')", name=op.f("ck_log_file_stage_known")),
        sa.ForeignKeyConstraint(["entry_id"], ["log_entry.id"], name=op.f("fk_log_file_entry_id_log_entry")),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_log_file_owner_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_file")),
    )
    with op.batch_alter_table("log_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_log_file_entry_id"), ["entry_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_log_file_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_log_file_stage"), ["stage"], unique=False)

    op.create_table(
        "log_taken_over",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_log_taken_over_dossier_id_dossier")),
        sa.ForeignKeyConstraint(["entry_id"], ["log_entry.id"], name=op.f("fk_log_taken_over_entry_id_log_entry")),
        sa.PrimaryKeyConstraint("entry_id", "dossier_id", name=op.f("pk_log_taken_over")),
    )
    with op.batch_alter_table("log_taken_over", schema=None) as batch_op:
        batch_op.create_index("ix_log_taken_over_dossier_id", ["dossier_id"], unique=False)
