"""What went wrong in plugins, kept where every process and the office see it."""

import sqlalchemy as sa
from alembic import op

import app.extensions

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plugin_fault",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("hooks_sha256", sa.String(length=64), nullable=False),
        sa.Column("hook", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("last_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plugin_fault")),
        sa.UniqueConstraint(
            "plugin", "hooks_sha256", "hook", "kind", "place", name=op.f("uq_plugin_fault_plugin_hooks_sha256_hook_kind_place")
        ),
    )
