"""A file that waits for its next check says so apart from who is checking it now."""

import sqlalchemy as sa
from alembic import op

import app.extensions

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("next_attempt_at", app.extensions.UTCDateTime(timezone=True), nullable=True))
