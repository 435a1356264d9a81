"""The definition of a dossier: frozen, plain, without behaviour beyond finding one's way in it.

The YAML of a scheme and the stored canonical JSON have the shape that these classes show, key by key
(``schemas.py`` guards it). Texts are ``{"nl": …, "en": …}``. Published ids never change meaning or type.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.errors import Text
from app.texts import both

SPECIALISATION = "specialisation"
"""The kind of plugin that has an oral session of its own, also where the rest is judged in writing."""
CriterionGroup = Literal["kennis", "kunde", "vaardigheden", "ethiek"]
CRITERION_GROUPS: tuple[CriterionGroup, ...] = ("kennis", "kunde", "vaardigheden", "ethiek")
GROUP_WORDS: Mapping[str, Text] = {
    "kennis": both("Kennis"),
    "kunde": both("Kunde"),
    "vaardigheden": both("Vaardigheden"),
    "ethiek": both("Ethiek"),
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """``settings`` holds the keys of the question's type (``words``, ``options``, ``fields``, ``files`` …).

    ``serves``: the ids of the criteria of its area that the answer shows something of. A table's field of evidence may have
    ``serves`` too, in its mapping.
    """

    id: str
    type: str
    label: Text
    hint: Text | None = None
    required: bool = True
    shown_if: str = ""
    serves: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Guidance:
    """Help beside a section: what assessors look for, whether STARR applies, a good example answer, and a weak one with why."""

    look_for: tuple[Text, ...] = ()
    starr: bool = False
    example: Text | None = None
    weak_example: Text | None = None
    weak_because: Text | None = None


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One line of the rubric. ``levels`` describes each score of the scheme's scale."""

    id: str
    group: CriterionGroup
    title: Text
    levels: Mapping[int, Text]


@dataclass(frozen=True, kw_only=True)
class Section:
    """One wizard page. A competency area is a section with criteria; ``plugin`` names the plugin that brought it, or is empty."""

    id: str
    group: str
    title: Text
    intro: Text | None = None
    guidance: Guidance = field(default_factory=Guidance)
    questions: tuple[Question, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    plugin: str = ""

    @property
    def is_area(self) -> bool:
        return bool(self.criteria)

    def question(self, question_id: str) -> Question | None:
        return next((question for question in self.questions if question.id == question_id), None)


@dataclass(frozen=True, kw_only=True)
class Group:
    """A heading of the task list."""

    id: str
    title: Text


@dataclass(frozen=True, kw_only=True)
class Level:
    """One score of the scale; ``sufficient`` tells whether it is enough."""

    value: int
    label: Text
    sufficient: bool


@dataclass(frozen=True, kw_only=True)
class FinalDeclaration:
    """A sentence that the candidate agrees to when submitting."""

    id: str
    text: Text


@dataclass(frozen=True, kw_only=True)
class EntryRequirement:
    """What the office checks before a dossier is assessed. ``sections`` are the ids of those where the answer stands; ``shows``
    names questions, as ``section.question``, whose answers the office sees beside the check.

    One that a plugin brings has the plugin's id.
    """

    id: str
    title: Text
    explanation: Text | None = None
    sections: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LogKind:
    """A kind of entry in the development log, and the table (``section.question``) that takes it over into a dossier.

    The others name fields of that table; ``kind`` is a choice whose options the kind is divided in, and ``evidence`` is either a
    field or an evidence question (``section.question``) that takes the files of all its entries. Empty: the table has none.
    """

    id: str
    label: Text
    table: str
    date: str
    title: str
    hours: str
    kind: str = ""
    provider: str = ""
    evidence: str = ""


@dataclass(frozen=True, kw_only=True)
class PluginRef:
    """Which plugin took part in a template, at which version; ``hooks_sha256`` is empty without hooks, ``kind`` in a template
    that was stored before it had one.
    """

    id: str
    version: str
    title: Text
    hooks_sha256: str = ""
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class DossierTemplate:
    """One immutable version of a scheme with its plugins, as a candidate fills it.

    ``transition``: ``from`` (version), ``until`` (day), ``for``; ``accreditation``: ``body``, ``number`` (if known), ``from``,
    ``until``.
    ``holder``: ``of`` (schemes whose certificates one may hold), ``number`` and ``period`` (questions that the register
    answers, as ``section.question``), ``after_expiry`` (a scheme); ``renewal``: ``opens_months``, ``remind_months`` (from many
    to few), ``grace_days``; ``plugin_choice``: ``min`` and ``max``; ``mentor``: the question in which the candidate names his
    mentor, as ``section.question``. Each is empty when there is none.
    """

    scheme: str
    version: str
    title: Text
    route: Literal["written", "oral"]
    effective_from: str
    effective_until: str = ""
    validity_years: int
    reference_prefix: str
    hours_expected: int
    introduction: Text
    groups: tuple[Group, ...]
    sections: tuple[Section, ...]
    scale: tuple[Level, ...]
    declarations: tuple[FinalDeclaration, ...]
    plugins: tuple[PluginRef, ...] = ()
    assessors: int = 2
    admission_days: int = 0  # terms in days, as the candidate reads them; 0: none is named
    assessment_days: int = 0
    decision_days: int = 0
    entry_requirements: tuple[EntryRequirement, ...] = ()
    development_log: tuple[LogKind, ...] = ()
    transition: Mapping[str, str] = field(default_factory=dict)
    accreditation: Mapping[str, str] = field(default_factory=dict)
    holder: Mapping[str, Any] = field(default_factory=dict)
    renewal: Mapping[str, Any] = field(default_factory=dict)
    mentor: str = ""
    plugin_choice: Mapping[str, int] = field(default_factory=dict)

    @property
    def full_title(self) -> Text:
        """The title with those of its plugins: "Specialisatie toevoegen · Specialisatie outplacement"."""
        named = [self.title, *(one.title for one in self.plugins)]
        return {language: " · ".join(one[language] for one in named) for language in self.title}

    @property
    def way(self) -> str:
        """How it is judged: ``written``, ``oral``, or ``both``: in writing, and orally about a specialisation."""
        specialised = any(one.kind == SPECIALISATION for one in self.plugins)
        return "both" if self.route == "written" and specialised else self.route

    def section(self, section_id: str) -> Section | None:
        return next((section for section in self.sections if section.id == section_id), None)

    def of_group(self, group_id: str) -> tuple[Section, ...]:
        return tuple(section for section in self.sections if section.group == group_id)

    @property
    def areas(self) -> tuple[Section, ...]:
        return tuple(section for section in self.sections if section.is_area)

    def questions(self) -> Iterator[tuple[Section, Question]]:
        for section in self.sections:
            for question in section.questions:
                yield section, question


@dataclass(frozen=True, kw_only=True)
class EarlierVersion:
    """What is known of a version whose forms are not here: what its certificates follow. Names as in ``DossierTemplate``.

    ``levels``: what a certificate under it could be of, before there was one level.
    """

    version: str
    effective_from: str
    effective_until: str
    validity_years: int
    levels: tuple[str, ...] = ()
    transition: Mapping[str, str] = field(default_factory=dict)
    accreditation: Mapping[str, str] = field(default_factory=dict)
