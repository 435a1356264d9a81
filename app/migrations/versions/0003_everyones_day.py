"""Everyone's day: admission, fees, extensions, notes, mentors, verdicts, messages; statements by several supervisors."""

import sqlalchemy as sa
from alembic import op

import app.extensions

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("template", sa.String(length=40), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("read_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_message_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_account_id"), ["account_id"], unique=False)

    op.create_table(
        "extension",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.Date(), nullable=False),
        sa.Column("submit_before", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("submit_before > before", name=op.f("ck_extension_later")),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_extension_by_id_account")),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_extension_dossier_id_dossier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension")),
    )
    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_extension_dossier_id"), ["dossier_id"], unique=False)

    op.create_table(
        "fee",
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=True),
        sa.Column("invoice", sa.String(length=60), nullable=False),
        sa.Column("on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('invoiced', 'paid', 'waived')", name=op.f("ck_fee_state_known")),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("ck_fee_amount_range")),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_fee_by_id_account")),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_fee_dossier_id_dossier")),
        sa.PrimaryKeyConstraint("dossier_id", name=op.f("pk_fee")),
    )
    op.create_table(
        "mentorship",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("mentor_id", sa.Integer(), nullable=True),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("token_expires_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("invited_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("language IN ('nl', 'en')", name=op.f("ck_mentorship_language_known")),
        sa.CheckConstraint("(accepted_at IS NULL) = (mentor_id IS NULL)", name=op.f("ck_mentorship_accepted_has_mentor")),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_mentorship_dossier_id_dossier")),
        sa.ForeignKeyConstraint(["mentor_id"], ["account.id"], name=op.f("fk_mentorship_mentor_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mentorship")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_mentorship_token_sha256")),
    )
    with op.batch_alter_table("mentorship", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mentorship_dossier_id"), ["dossier_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_mentorship_email"), ["email"], unique=False)
        batch_op.create_index(batch_op.f("ix_mentorship_mentor_id"), ["mentor_id"], unique=False)
        batch_op.create_index(
            "ux_mentorship_open",
            ["dossier_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "office_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_office_note_author_id_account")),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_office_note_dossier_id_dossier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office_note")),
    )
    with op.batch_alter_table("office_note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_office_note_dossier_id"), ["dossier_id"], unique=False)

    op.create_table(
        "admission",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('admitted', 'returned')", name=op.f("ck_admission_outcome_known")),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_admission_by_id_account")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_admission_snapshot_id_snapshot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admission")),
        sa.UniqueConstraint("snapshot_id", name=op.f("uq_admission_snapshot_id")),
    )
    op.create_table(
        "mentor_comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mentorship_id", sa.Integer(), nullable=False),
        sa.Column("section_id", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("done_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.Column("removed_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["mentorship_id"], ["mentorship.id"], name=op.f("fk_mentor_comment_mentorship_id_mentorship")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mentor_comment")),
    )
    with op.batch_alter_table("mentor_comment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mentor_comment_mentorship_id"), ["mentorship_id"], unique=False)

    op.create_table(
        "requirement_check",
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("requirement_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('met', 'not_met', 'open')", name=op.f("ck_requirement_check_state_known")),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_requirement_check_by_id_account")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_requirement_check_snapshot_id_snapshot")),
        sa.PrimaryKeyConstraint("snapshot_id", "requirement_id", name=op.f("pk_requirement_check")),
    )
    op.create_table(
        "verdict",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("assessor_id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("area_id", sa.String(length=40), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("sufficient", sa.Boolean(), nullable=False),
        sa.Column("rationale", sa.Text(), nullable=False),
        sa.Column("given_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["assessment_id"], ["assessment.id"], name=op.f("fk_verdict_assessment_id_assessment")),
        sa.ForeignKeyConstraint(["assessor_id"], ["account.id"], name=op.f("fk_verdict_assessor_id_account")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_verdict_snapshot_id_snapshot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdict")),
        sa.UniqueConstraint(
            "assessment_id", "assessor_id", "area_id", "round", name=op.f("uq_verdict_assessment_id_assessor_id_area_id_round")
        ),
    )
    with op.batch_alter_table("verdict", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verdict_assessor_id"), ["assessor_id"], unique=False)

    op.create_table(
        "area_draft",
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("area_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("saved_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignment.id"], name=op.f("fk_area_draft_assignment_id_assignment")),
        sa.PrimaryKeyConstraint("assignment_id", "area_id", name=op.f("pk_area_draft")),
    )
    op.create_table(
        "area_draft_version",
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("area_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("saved_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_area_draft_version_assignment_id_assignment")
        ),
        sa.PrimaryKeyConstraint("assignment_id", "area_id", "version", name=op.f("pk_area_draft_version")),
    )
    op.create_table(
        "score",
        sa.Column("verdict_id", sa.Integer(), nullable=False),
        sa.Column("criterion_id", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("rationale", sa.Text(), nullable=False),
        sa.Column("pages", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["verdict_id"], ["verdict.id"], name=op.f("fk_score_verdict_id_verdict")),
        sa.PrimaryKeyConstraint("verdict_id", "criterion_id", name=op.f("pk_score")),
    )
    op.create_table(
        "sign_off",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("assessor_id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("sufficient", sa.Boolean(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("signed_name", sa.String(length=120), nullable=False),
        sa.Column("signed_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["assessment_id"], ["assessment.id"], name=op.f("fk_sign_off_assessment_id_assessment")),
        sa.ForeignKeyConstraint(["assessor_id"], ["account.id"], name=op.f("fk_sign_off_assessor_id_account")),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignment.id"], name=op.f("fk_sign_off_assignment_id_assignment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_off")),
        sa.UniqueConstraint("assessment_id", "assessor_id", "round", name=op.f("uq_sign_off_assessment_id_assessor_id_round")),
    )
    with op.batch_alter_table("sign_off", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_off_assessor_id"), ["assessor_id"], unique=False)

    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("declared_at", app.extensions.UTCDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("conflict_reason", sa.Text(), server_default="", nullable=False))

    with op.batch_alter_table("dossier", schema=None) as batch_op:
        batch_op.add_column(sa.Column("withdrawn_at", app.extensions.UTCDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("withdrawn_reason", sa.Text(), server_default="", nullable=False))

    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("statement_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_evidence_statement_id"), ["statement_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_evidence_statement_id_statement"), "statement", ["statement_id"], ["id"])

    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.add_column(sa.Column("abandoned_at", app.extensions.UTCDateTime(timezone=True), nullable=True))

    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.add_column(sa.Column("place", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("renews_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("independence", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("copy_sha256", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("copy_expires_at", app.extensions.UTCDateTime(timezone=True), nullable=True))
        batch_op.drop_index(batch_op.f("ux_statement_open"), sqlite_where=sa.text("stage IN ('invited', 'signed')"))
        batch_op.create_index(
            "ux_statement_open",
            ["dossier_id", "section_id", "question_id", "place"],
            unique=True,
            sqlite_where=sa.text("stage IN ('invited', 'signed')"),
            postgresql_where=sa.text("stage IN ('invited', 'signed')"),
        )
        batch_op.create_unique_constraint(batch_op.f("uq_statement_copy_sha256"), ["copy_sha256"])
        batch_op.create_foreign_key(batch_op.f("fk_statement_renews_id_statement"), "statement", ["renews_id"], ["id"])

    with op.batch_alter_table("account_role", schema=None) as batch_op:
        batch_op.drop_constraint("role_known", type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_account_role_role_known"), "role IN ('candidate', 'mentor', 'assessor', 'office', 'auditor')"
        )

    with op.batch_alter_table("mailed_link", schema=None) as batch_op:
        batch_op.drop_constraint("purpose_known", type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_mailed_link_purpose_known"), "purpose IN ('confirm_email', 'reset_password', 'invitation')"
        )
