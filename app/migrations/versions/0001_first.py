"""The first shape of the database: everything from an account to a bundle in the queue."""

import sqlalchemy as sa
from alembic import op

import app.extensions

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("email_confirmed_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.Column("created_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("email = lower(email) AND email LIKE '%_@_%'", name=op.f("ck_account_email_casefolded")),
        sa.CheckConstraint("language IN ('nl', 'en')", name=op.f("ck_account_language_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempt_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_attempt_key_at"), ["key", "at"], unique=False)

    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("thing", sa.String(length=60), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("previous_sha256", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("previous_sha256", name=op.f("uq_audit_entry_previous_sha256")),
        sa.UniqueConstraint("sha256", name=op.f("uq_audit_entry_sha256")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entry_thing"), ["thing"], unique=False)

    op.create_table(
        "mail",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("to", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("template", sa.String(length=40), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=True),
        sa.Column("stage", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("sent_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.Column("created_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(stage = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_mail_sent_has_time")),
        sa.CheckConstraint("language IN ('nl', 'en')", name=op.f("ck_mail_language_known")),
        sa.CheckConstraint("stage IN ('queued', 'sent', 'failed')", name=op.f("ck_mail_stage_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("key", name=op.f("uq_mail_key")),
    )
    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_stage_next_attempt_at"), ["stage", "next_attempt_at"], unique=False)

    op.create_table(
        "template",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("plugins", sa.JSON(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_template_sha256_whole")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_template")),
    )
    op.create_table(
        "account_role",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.CheckConstraint("role IN ('candidate', 'assessor', 'office', 'auditor')", name=op.f("ck_account_role_role_known")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_role_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "role", name=op.f("pk_account_role")),
    )
    op.create_table(
        "dossier",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("template_sha256", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("created_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("submit_before", sa.Date(), nullable=False),
        sa.Column("submitted_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("language IN ('nl', 'en')", name=op.f("ck_dossier_language_known")),
        sa.CheckConstraint(
            "stage IN ('draft', 'submitted', 'in_assessment', 'decided', 'returned', 'withdrawn')",
            name=op.f("ck_dossier_stage_known"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_dossier_owner_id_account")),
        sa.ForeignKeyConstraint(["template_sha256"], ["template.sha256"], name=op.f("fk_dossier_template_sha256_template")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier")),
        sa.UniqueConstraint("reference", name=op.f("uq_dossier_reference")),
    )
    with op.batch_alter_table("dossier", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dossier_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dossier_stage"), ["stage"], unique=False)

    op.create_table(
        "login_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_login_session_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_login_session_token_sha256")),
    )
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_session_account_id"), ["account_id"], unique=False)

    op.create_table(
        "mailed_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("sent_to", sa.String(length=254), nullable=False),
        sa.Column("created_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("used_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose IN ('confirm_email', 'reset_password')", name=op.f("ck_mailed_link_purpose_known")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_mailed_link_expires_later")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_mailed_link_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailed_link")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_mailed_link_token_sha256")),
    )
    with op.batch_alter_table("mailed_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mailed_link_account_id"), ["account_id"], unique=False)

    op.create_table(
        "assessment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("created_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_assessment_dossier_id_dossier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
        sa.UniqueConstraint("dossier_id", name=op.f("uq_assessment_dossier_id")),
    )
    op.create_table(
        "dossier_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_dossier_event_dossier_id_dossier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier_event")),
    )
    with op.batch_alter_table("dossier_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dossier_event_dossier_id"), ["dossier_id"], unique=False)

    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=False),
        sa.Column("original_sha256", sa.String(length=64), nullable=False),
        sa.Column("original_size", sa.Integer(), nullable=False),
        sa.Column("cleaned_sha256", sa.String(length=64), nullable=True),
        sa.Column("cleaned_kind", sa.String(length=10), nullable=True),
        sa.Column("pages_sha256", sa.String(length=64), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("rasterised", sa.Boolean(), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("signatures", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("refusal", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("uploaded_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_until", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(stage = 'checked') = (cleaned_sha256 IS NOT NULL)", name=op.f("ck_evidence_checked_has_copy")),
        sa.CheckConstraint("(stage = 'refused') = (refusal IS NOT NULL)", name=op.f("ck_evidence_refused_has_reason")),
        sa.CheckConstraint("stage IN ('received', 'checked', 'refused')", name=op.f("ck_evidence_stage_known")),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_evidence_dossier_id_dossier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_dossier_id"), ["dossier_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_evidence_stage"), ["stage"], unique=False)

    op.create_table(
        "section_answers",
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("section_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("saved_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_section_answers_dossier_id_dossier")),
        sa.PrimaryKeyConstraint("dossier_id", "section_id", name=op.f("pk_section_answers")),
    )
    op.create_table(
        "section_version",
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("section_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("saved_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_section_version_dossier_id_dossier")),
        sa.PrimaryKeyConstraint("dossier_id", "section_id", "version", name=op.f("pk_section_version")),
    )
    op.create_table(
        "snapshot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("submitted_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.Column("claimed_until", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("stage IN ('submitted', 'sealed', 'handed_over')", name=op.f("ck_snapshot_stage_known")),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_snapshot_percent_range")),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_snapshot_dossier_id_dossier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
        sa.UniqueConstraint("dossier_id", "revision", name=op.f("uq_snapshot_dossier_id_revision")),
        sa.UniqueConstraint("sha256", name=op.f("uq_snapshot_sha256")),
    )
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_snapshot_stage"), ["stage"], unique=False)

    op.create_table(
        "statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dossier_id", sa.Integer(), nullable=False),
        sa.Column("section_id", sa.String(length=40), nullable=False),
        sa.Column("question_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("token_expires_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("session_sha256", sa.String(length=64), nullable=True),
        sa.Column("session_expires_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("consent", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("signed_name", sa.String(length=120), nullable=True),
        sa.Column("signed_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.Column("read_sha256", sa.String(length=64), nullable=True),
        sa.Column("content_sha256", sa.String(length=64), nullable=True),
        sa.Column("declined_reason", sa.Text(), nullable=True),
        sa.Column("invited_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("language IN ('nl', 'en')", name=op.f("ck_statement_language_known")),
        sa.CheckConstraint(
            "stage = 'revoked' OR (stage = 'signed') = (signed_at IS NOT NULL)", name=op.f("ck_statement_signed_has_date")
        ),
        sa.CheckConstraint("stage IN ('invited', 'signed', 'declined', 'revoked')", name=op.f("ck_statement_stage_known")),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_statement_dossier_id_dossier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("session_sha256", name=op.f("uq_statement_session_sha256")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_statement_token_sha256")),
    )
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_dossier_id"), ["dossier_id"], unique=False)
        batch_op.create_index(
            "ux_statement_open",
            ["dossier_id", "section_id", "question_id"],
            unique=True,
            sqlite_where=sa.text("stage IN ('invited', 'signed')"),
            postgresql_where=sa.text("stage IN ('invited', 'signed')"),
        )

    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("assessor_id", sa.Integer(), nullable=False),
        sa.Column("assigned_by_id", sa.Integer(), nullable=True),
        sa.Column("assigned_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", app.extensions.UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["assessment_id"], ["assessment.id"], name=op.f("fk_assignment_assessment_id_assessment")),
        sa.ForeignKeyConstraint(["assessor_id"], ["account.id"], name=op.f("fk_assignment_assessor_id_account")),
        sa.ForeignKeyConstraint(["assigned_by_id"], ["account.id"], name=op.f("fk_assignment_assigned_by_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assignment_assessment_id"), ["assessment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_assignment_assessor_id"), ["assessor_id"], unique=False)
        batch_op.create_index(
            "ux_assignment_open",
            ["assessment_id", "assessor_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "bundle",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("zip_sha256", sa.String(length=64), nullable=False),
        sa.Column("zip_size", sa.Integer(), nullable=False),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=False),
        sa.Column("docx_sha256", sa.String(length=64), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("seal_sha256", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_bundle_snapshot_id_snapshot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundle")),
        sa.UniqueConstraint("snapshot_id", name=op.f("uq_bundle_snapshot_id")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("delivered_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_delivery_snapshot_id_snapshot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("snapshot_id", "plugin", name=op.f("uq_delivery_snapshot_id_plugin")),
    )
    op.create_table(
        "product",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("peak_mib", sa.Double(), nullable=False),
        sa.Column("made_at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_product_snapshot_id_snapshot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("snapshot_id", "name", name=op.f("uq_product_snapshot_id_name")),
    )
    op.create_table(
        "statement_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("statement_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name=op.f("fk_statement_event_statement_id_statement")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_event")),
    )
    with op.batch_alter_table("statement_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_event_statement_id"), ["statement_id"], unique=False)

    op.create_table(
        "hand_over",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("bundle_id", sa.Integer(), nullable=False),
        sa.Column("snapshot_sha256", sa.String(length=64), nullable=False),
        sa.Column("at", app.extensions.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["assessment_id"], ["assessment.id"], name=op.f("fk_hand_over_assessment_id_assessment")),
        sa.ForeignKeyConstraint(["bundle_id"], ["bundle.id"], name=op.f("fk_hand_over_bundle_id_bundle")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over")),
        sa.UniqueConstraint("bundle_id", name=op.f("uq_hand_over_bundle_id")),
        sa.UniqueConstraint("snapshot_sha256", name=op.f("uq_hand_over_snapshot_sha256")),
    )
    with op.batch_alter_table("hand_over", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hand_over_assessment_id"), ["assessment_id"], unique=False)
