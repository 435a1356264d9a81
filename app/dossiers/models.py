"""The records of a dossier. Two lives: the dossier's stage and, once submitted, each snapshot's stage (see lifecycle)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from app.accounts.models import Account
from app.extensions import Base, now
from app.schemes.models import StoredTemplate

DOSSIER_STAGES = ("draft", "submitted", "in_assessment", "decided", "returned", "withdrawn")
SNAPSHOT_STAGES = ("submitted", "sealed", "handed_over")
EVIDENCE_STAGES = ("received", "checked", "refused")
STATEMENT_STAGES = ("invited", "signed", "declined", "revoked")
STATEMENT_OPEN = "stage IN ('invited', 'signed') AND NOT former"


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """A CHECK that ``column`` holds one of ``values``."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


class Dossier(Base):
    """One candidate's way through one template version. ``reference`` is what people call it."""

    __tablename__ = "dossier"
    __table_args__ = (one_of("stage", DOSSIER_STAGES), one_of("language", ("nl", "en")))

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(40), unique=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    template_sha256: Mapped[str] = mapped_column(ForeignKey("template.sha256"))
    language: Mapped[str] = mapped_column(String(2))
    stage: Mapped[str] = mapped_column(String(20), default="draft", index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    submit_before: Mapped[date]
    submitted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str] = mapped_column(Text, default="", server_default="")

    owner: Mapped[Account] = relationship(lazy="joined", innerjoin=True)
    stored_template: Mapped[StoredTemplate] = relationship(lazy="select")


class Extension(Base):
    """One person's later deadline: from which date to which, who gave it and why. The dossier itself has the date that counts."""

    __tablename__ = "extension"
    __table_args__ = (CheckConstraint("submit_before > before", name="later"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), index=True)
    before: Mapped[date]
    submit_before: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)
    by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime] = mapped_column(default=now)

    by: Mapped[Account] = relationship(lazy="joined", innerjoin=True)


class OfficeNote(Base):
    """What the office wrote down about a dossier, for the office only."""

    __tablename__ = "office_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(default=now)

    author: Mapped[Account] = relationship(lazy="joined", innerjoin=True)


class Mentorship(Base):
    """Somebody whom a candidate lets read and comment on his draft. Whoever accepted can never assess that candidate.

    ``token_sha256`` is the mailed link's; the person accepts it with an account (``mentor_id``) of any address.
    """

    __tablename__ = "mentorship"
    __table_args__ = (
        CheckConstraint("(accepted_at IS NULL) = (mentor_id IS NULL)", name="accepted_has_mentor"),
        CheckConstraint("language IN ('nl', 'en')", name="language_known"),
        Index(  # one mentor at a time
            "ux_mentorship_open",
            "dossier_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254), index=True)
    language: Mapped[str] = mapped_column(String(2))
    mentor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    token_expires_at: Mapped[datetime]
    invited_at: Mapped[datetime] = mapped_column(default=now)
    accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    dossier: Mapped[Dossier] = relationship()
    mentor: Mapped[Account | None] = relationship()


class MentorComment(Base):
    """A mentor's remark about one section of the draft; never submitted. ``done_at``: the candidate dealt with it."""

    __tablename__ = "mentor_comment"

    id: Mapped[int] = mapped_column(primary_key=True)
    mentorship_id: Mapped[int] = mapped_column(ForeignKey("mentorship.id"), index=True)
    section_id: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(default=now)
    done_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]

    mentorship: Mapped[Mentorship] = relationship(lazy="joined", innerjoin=True)


class SectionAnswers(Base):
    """The answers of one section as they stand; ``version`` goes up with every change."""

    __tablename__ = "section_answers"

    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), primary_key=True)
    section_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    finished: Mapped[bool] = mapped_column(default=False)
    saved_at: Mapped[datetime] = mapped_column(default=now)


class SectionVersion(Base):
    """What the answers of a section were at each version: to compare with when two tabs disagree, and to go back to.

    ``by_itself``: saved while somebody typed, and by nobody's button since. Such versions are thinned out (see versions).
    """

    __tablename__ = "section_version"

    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), primary_key=True)
    section_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    saved_at: Mapped[datetime] = mapped_column(default=now)
    by_itself: Mapped[bool] = mapped_column(default=False, server_default=false())


class NotOfClient(Base):
    """Words of which the candidate said that they are no personal data of a client. Only a hash, with a salt for each dossier."""

    __tablename__ = "not_of_client"

    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    salt: Mapped[str] = mapped_column(String(32))


class TemplateMove(Base):
    """A dossier went from one template to another. ``back_of_id``: the move that this one takes back.

    ``sections``: section id -> its version ``before`` and ``after`` the move, and whether it was ``finished`` until then.
    """

    __tablename__ = "template_move"

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), index=True)
    from_sha256: Mapped[str] = mapped_column(ForeignKey("template.sha256"))
    to_sha256: Mapped[str] = mapped_column(ForeignKey("template.sha256"))
    back_of_id: Mapped[int | None] = mapped_column(ForeignKey("template_move.id"))
    by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime] = mapped_column(default=now)
    sections: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class FormerAnswer(Base):
    """An answer, or a part of one, that the dossier's template does not ask any more: to be read, never submitted.

    ``template_sha256`` is the last template that asked it. ``part``: some columns or choices of an answer that stays.
    """

    __tablename__ = "former_answer"

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), index=True)
    template_sha256: Mapped[str] = mapped_column(ForeignKey("template.sha256"))
    section_id: Mapped[str] = mapped_column(String(40))
    question_id: Mapped[str] = mapped_column(String(40))
    answer: Mapped[Any] = mapped_column(JSON)
    part: Mapped[bool]
    at: Mapped[datetime] = mapped_column(default=now)


class CheckedFile:
    """A file that somebody sent in, and what its check made of it: columns that every table of such files has.

    Blobs are named by SHA-256; ``refusal`` and ``notes`` are texts in both languages. ``received`` (the check runs or waits) →
    ``checked`` or ``refused``. ``thumbnail_sha256`` is None when it was never tried and "" when there is none to be made.
    """

    @declared_attr.directive
    def __table_args__(cls) -> tuple[CheckConstraint, ...]:
        return (
            one_of("stage", EVIDENCE_STAGES),
            CheckConstraint("(stage = 'checked') = (cleaned_sha256 IS NOT NULL)", name="checked_has_copy"),
            CheckConstraint("(stage = 'refused') = (refusal IS NOT NULL)", name="refused_has_reason"),
        )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(10))
    stage: Mapped[str] = mapped_column(String(10), default="received", index=True)
    original_sha256: Mapped[str] = mapped_column(String(64))
    original_size: Mapped[int]
    cleaned_sha256: Mapped[str | None] = mapped_column(String(64))
    cleaned_kind: Mapped[str | None] = mapped_column(String(10))
    pages_sha256: Mapped[str | None] = mapped_column(String(64))
    thumbnail_sha256: Mapped[str | None] = mapped_column(String(64))
    pages: Mapped[int] = mapped_column(default=0)
    rasterised: Mapped[bool] = mapped_column(default=False)
    signed: Mapped[bool] = mapped_column(default=False)
    signatures: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    notes: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    refusal: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    uploaded_at: Mapped[datetime] = mapped_column(default=now)
    removed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]


class Evidence(CheckedFile, Base):
    """A file in the dossier's evidence folder. ``removed_at``: taken out of the folder by the candidate.

    ``statement_id``: it came with a supervisor's statement; then it is not in the candidate's folder and he cannot remove it.
    ``title`` is what the candidate calls it ("" for the file's name), ``place`` its order in the folder.
    ``replaces_id``: a new file for another row, which takes it over once it is checked; then this row (removed) holds the file
    that was there before, from ``uploaded_at`` to ``removed_at``.
    """

    __tablename__ = "evidence"

    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), index=True)
    statement_id: Mapped[int | None] = mapped_column(ForeignKey("statement.id"), index=True)
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("evidence.id"), index=True)
    title: Mapped[str] = mapped_column(String(120), default="", server_default="")
    place: Mapped[int] = mapped_column(default=0, server_default="0")

    dossier: Mapped[Dossier] = relationship()

    @property
    def shown_title(self) -> str:
        """What people call it."""
        return self.title or self.name


class Statement(Base):
    """A supervisor's statement: asked by a mailed link, filled, signed by typed name.

    ``token_sha256`` is the mailed link's, ``session_sha256`` that of the working session that "Ga verder" opened.
    ``read_sha256`` is the hash of the sections as they stood when signing: other content makes the statement stale.
    ``place`` counts the supervisors of one question, from 0. ``renews_id`` is the statement that this one confirms again.
    ``independence`` is the declaration as agreed to; ``copy_sha256`` is that of the link to the supervisor's own copy.
    ``counted_at``: since then an anonymous statement is in the outcome that people see (see outcomes).
    ``asked``: the question as it was asked, where the dossier's forms have other words for it by now (see moving_statements).
    ``former``: they do not ask for this statement any more; it is kept, read and never counted.
    """

    __tablename__ = "statement"
    __table_args__ = (
        one_of("stage", STATEMENT_STAGES),
        one_of("language", ("nl", "en")),
        # a revoked statement keeps what was signed: whoever signed it was this candidate's supervisor
        CheckConstraint("stage = 'revoked' OR (stage = 'signed') = (signed_at IS NOT NULL)", name="signed_has_date"),
        Index(  # one statement at a time is asked for or given; a declined or revoked one may be followed by another
            "ux_statement_open",
            "dossier_id",
            "section_id",
            "question_id",
            "place",
            unique=True,
            sqlite_where=text(STATEMENT_OPEN),
            postgresql_where=text(STATEMENT_OPEN),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), index=True)
    section_id: Mapped[str] = mapped_column(String(40))
    question_id: Mapped[str] = mapped_column(String(40))
    place: Mapped[int] = mapped_column(default=0, server_default="0")
    renews_id: Mapped[int | None] = mapped_column(ForeignKey("statement.id"))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(2))
    stage: Mapped[str] = mapped_column(String(10), default="invited")
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    token_expires_at: Mapped[datetime]
    session_sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    session_expires_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=0)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    consent: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    independence: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    copy_sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    copy_expires_at: Mapped[datetime | None]
    signed_name: Mapped[str | None] = mapped_column(String(120))
    signed_at: Mapped[datetime | None]
    read_sha256: Mapped[str | None] = mapped_column(String(64))
    content_sha256: Mapped[str | None] = mapped_column(String(64))
    declined_reason: Mapped[str | None] = mapped_column(Text)
    invited_at: Mapped[datetime] = mapped_column(default=now)
    counted_at: Mapped[datetime | None]
    asked: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    former: Mapped[bool] = mapped_column(default=False, server_default=false())

    dossier: Mapped[Dossier] = relationship()


class StatementEvent(Base):
    """What happened to a statement, for the audit page: sent, opened, read, saved, signed, declined, revoked.

    ``sha256``: of what was read or signed; of "opened" that of the working session, so that an ended one is known.
    """

    __tablename__ = "statement_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    statement_id: Mapped[int] = mapped_column(ForeignKey("statement.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(default=now)
    address: Mapped[str] = mapped_column(String(64), default="")
    user_agent: Mapped[str] = mapped_column(String(255), default="")
    sha256: Mapped[str] = mapped_column(String(64), default="")


class Snapshot(Base):
    """What was submitted: frozen canonical JSON and its SHA-256. ``step``, ``percent`` and ``error`` tell how assembling goes;
    ``step`` is a name, with how far it is when that is known: "merge 3/12".

    ``abandoned_at``: nobody waits for it any more, because its dossier was returned or withdrawn before it was delivered.
    """

    __tablename__ = "snapshot"
    __table_args__ = (
        UniqueConstraint("dossier_id", "revision"),
        one_of("stage", SNAPSHOT_STAGES),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"))
    revision: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    content: Mapped[str] = mapped_column(Text)
    submitted_at: Mapped[datetime] = mapped_column(default=now)
    stage: Mapped[str] = mapped_column(String(12), default="submitted", index=True)
    step: Mapped[str] = mapped_column(String(20), default="")
    percent: Mapped[int] = mapped_column(default=0)
    error: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    abandoned_at: Mapped[datetime | None]

    dossier: Mapped[Dossier] = relationship()

    @property
    def step_name(self) -> str:
        return self.step.partition(" ")[0]

    @property
    def step_part(self) -> tuple[int, int] | None:
        """How many parts of the step are done, and of how many."""
        done, _, total = self.step.partition(" ")[2].partition("/")
        return (int(done), int(total)) if total else None


class DossierEvent(Base):
    """One line of a dossier's timeline, for the people who may see it. ``kind`` is a code that the page puts into words."""

    __tablename__ = "dossier_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[int] = mapped_column(ForeignKey("dossier.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(default=now)
