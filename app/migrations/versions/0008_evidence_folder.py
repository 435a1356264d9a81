"""A piece of evidence has a title, a place in the folder and a thumbnail, and its file can be replaced."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("replaces_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("title", sa.String(length=120), server_default="", nullable=False))
        batch_op.add_column(sa.Column("place", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("thumbnail_sha256", sa.String(length=64), nullable=True))
        batch_op.create_index(batch_op.f("ix_evidence_replaces_id"), ["replaces_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_evidence_replaces_id_evidence"), "evidence", ["replaces_id"], ["id"])
