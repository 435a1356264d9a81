"""What the candidate said is no personal data of a client: hashes only, so that it is not pointed out again."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "not_of_client",
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_not_of_client_dossier_id_dossier")),
        sa.PrimaryKeyConstraint("dossier_id", "sha256", name=op.f("pk_not_of_client")),
    )
