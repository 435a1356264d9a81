"""Anonymous statements: since when one is in the outcome that people see."""

import sqlalchemy as sa
from alembic import op

import app.extensions

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.add_column(sa.Column("counted_at", app.extensions.UTCDateTime(timezone=True), nullable=True))
