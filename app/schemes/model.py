"""The definition of a dossier: frozen, plain, without behaviour beyond finding one's way in it.

The YAML of a scheme and the stored canonical JSON have the shape that these classes show, key by key
(``schemas.py`` guards it). Texts are ``{"nl": …, "en": …}``. Published ids never change meaning or type.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.errors import Text

CriterionGroup = Literal["kennis", "kunde", "vaardigheden", "ethiek"]
CRITERION_GROUPS: tuple[CriterionGroup, ...] = ("kennis", "kunde", "vaardigheden", "ethiek")


@dataclass(frozen=True, kw_only=True)
class Question:
    """``settings`` holds the keys of the question's type (``words``, ``options``, ``fields``, ``files`` …)."""

    id: str
    type: str
    label: Text
    hint: Text | None = None
    required: bool = True
    shown_if: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Guidance:
    """Help beside a section: what assessors look for, whether STARR applies, an example answer."""

    look_for: tuple[Text, ...] = ()
    starr: bool = False
    example: Text | None = None


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
class PluginRef:
    """Which plugin took part in a template, at which version; ``hooks_sha256`` is empty without hooks."""

    id: str
    version: str
    title: Text
    hooks_sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class DossierTemplate:
    """One immutable version of a scheme with its plugins, as a candidate fills it."""

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
