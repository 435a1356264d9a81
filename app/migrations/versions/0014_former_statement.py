"""A statement of which the forms ask something else, or nothing, since it was given: kept with the question that it answers."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OPEN = "stage IN ('invited', 'signed') AND NOT former"


def upgrade() -> None:
    op.drop_index("ux_statement_open", "statement")
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.add_column(sa.Column("asked", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("former", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index(
        "ux_statement_open",
        "statement",
        ["dossier_id", "section_id", "question_id", "place"],
        unique=True,
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )
