"""What every part of the document is written from: the snapshot, read once, and how it is put into words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from app.errors import SealingFailed, Text
from app.plugin_api import EvidenceReference, QuestionType, Run, Runs
from app.schemes import conditions, schemas
from app.schemes.model import DossierTemplate, Question, Section
from app.texts import both, both_n, clock_pattern, pick

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@dataclass(frozen=True)
class Source:
    """``snapshot``: as ``dossiers.submission`` makes it; ``types``: the question types in use; ``sha256``: of the snapshot."""

    snapshot: Mapping[str, Any]
    types: Mapping[str, QuestionType]
    sha256: str

    @property
    def language(self) -> str:
        return str(self.snapshot["language"])

    @cached_property
    def template(self) -> DossierTemplate:
        return schemas.load(self.snapshot["template"])

    @cached_property
    def visible(self) -> Mapping[str, tuple[Question, ...]]:
        """The questions that the conditions show, by section."""
        return conditions.visible(self.template, self.snapshot["answers"])

    @cached_property
    def evidence(self) -> Mapping[int, Mapping[str, Any]]:
        return {item["id"]: item for item in self.snapshot["evidence"]}

    @property
    def name(self) -> str:
        """The candidate's name."""
        return str(self.snapshot["candidate"]["name"])

    @cached_property
    def submitted_at(self) -> datetime:
        """For a draft: the start of the day on which it is read."""
        if self.snapshot["submitted_at"]:
            return datetime.fromisoformat(self.snapshot["submitted_at"])
        return datetime.fromisoformat(self.snapshot["today"]).replace(tzinfo=AMSTERDAM)

    def answers(self, section: Section) -> Mapping[str, Any]:
        return self.snapshot["answers"].get(section.id) or {}

    def say(self, text: Text | None) -> str:
        """A text in the dossier's language."""
        return pick(text, self.language)

    def moment(self, iso: str) -> str:
        """``21 november 2026, 15.32`` in Dutch time; ``15:32`` in English."""
        moment = datetime.fromisoformat(iso).astimezone(AMSTERDAM)
        return str(format_datetime(moment, clock_pattern("d MMMM y, HH.mm", self.language), locale=self.language))

    def version(self, title: Text, version: str) -> str:
        return self.say(both("%(title)s, versie %(version)s", title=title, version=version))

    @property
    def reference(self) -> str:
        """The reference, with the number of the submission from the second one on."""
        if self.snapshot["revision"] <= 1:
            return str(self.snapshot["reference"])
        reference, number = self.snapshot["reference"], self.snapshot["revision"]
        return self.say(both("%(reference)s (inzending %(number)s)", reference=reference, number=number))

    def item(self, evidence_id: int, label: str) -> Mapping[str, Any]:
        """One evidence item. Raises ``SealingFailed`` when the snapshot does not have it; ``label`` says who asked."""
        item = self.evidence.get(evidence_id)
        if item is None:
            text = both(
                "Bij “%(label)s” hoort een bijlage die niet in het dossier zit. Neem contact op met het secretariaat.",
                label=label,
            )
            raise SealingFailed(text, step="outline", evidence=evidence_id)
        return item

    def evidence_reference(self, evidence_id: int, label: str) -> EvidenceReference:
        item = self.item(evidence_id, label)
        return EvidenceReference(item["number"], title_of(item))

    def evidence_numbers(self, section: Section) -> list[int]:
        """Numbers of the appendices that a section's answers refer to, in order."""
        used = (item for item in self.snapshot["evidence"] if any(place[0] == section.id for place in item["used_by"]))
        return [item["number"] for item in used]

    def appendix_words(self, numbers: list[int]) -> str:
        """``Bijlage 3``, ``Bijlagen 3, 5``."""
        listed = ", ".join(map(str, numbers))
        return self.say(both_n("Bijlage %(listed)s", "Bijlagen %(listed)s", len(numbers), listed=listed))


def title_of(item: Mapping[str, Any]) -> str:
    """What an evidence item is called in the document."""
    return str(item["title"] or item["name"])


def words(text: str, *, bold: bool = False, italic: bool = False) -> Runs:
    """A text as runs of one look."""
    return (Run(text, bold=bold, italic=italic),)
