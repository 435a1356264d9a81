"""A version that was saved while somebody typed is told apart from one that he saved himself: only the first are thinned out."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("section_version", schema=None) as batch_op:
        batch_op.add_column(sa.Column("by_itself", sa.Boolean(), server_default=sa.false(), nullable=False))
