"""A dossier may go to a newer version of its forms: which templates it had, and the answers that are not asked any more."""

import sqlalchemy as sa
from alembic import op

from app.extensions import UTCDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "template_move",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("from_sha256", sa.String(length=64), nullable=False),
        sa.Column("to_sha256", sa.String(length=64), nullable=False),
        sa.Column("back_of_id", sa.Integer(), nullable=True),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("sections", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["back_of_id"], ["template_move.id"], name=op.f("fk_template_move_back_of_id_template_move")),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_template_move_by_id_account")),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_template_move_dossier_id_dossier")),
        sa.ForeignKeyConstraint(["from_sha256"], ["template.sha256"], name=op.f("fk_template_move_from_sha256_template")),
        sa.ForeignKeyConstraint(["to_sha256"], ["template.sha256"], name=op.f("fk_template_move_to_sha256_template")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_move")),
    )
    op.create_index(op.f("ix_template_move_dossier_id"), "template_move", ["dossier_id"])
    op.create_table(
        "former_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("template_sha256", sa.String(length=64), nullable=False),
        sa.Column("section_id", sa.String(length=40), nullable=False),
        sa.Column("question_id", sa.String(length=40), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("part", sa.Boolean(), nullable=False),
        sa.Column("at", UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_former_answer_dossier_id_dossier")),
        sa.ForeignKeyConstraint(["template_sha256"], ["template.sha256"], name=op.f("fk_former_answer_template_sha256_template")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_answer")),
    )
    op.create_index(op.f("ix_former_answer_dossier_id"), "former_answer", ["dossier_id"])
