"""A plugin with every hook, for the tests."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.plugin_api import Block, BundleInfo, Finding, Paragraph, Problem, QuestionType, Receipt, Run


def question_types() -> Mapping[str, QuestionType]:
    return {
        "colour": QuestionType(
            name="colour",
            widget="short_text",
            read=lambda form, name, settings: next(iter(form.get(name, ())), ""),
            check=_check,
            blocks=lambda answer, settings, language: [Paragraph((Run(answer),))],
            summary=lambda answer, settings, language: answer,
            settings={"palette": "options"},
        )
    }


def _check(answer: Any, settings: Mapping[str, Any]) -> Sequence[Problem]:
    if answer == "boom":
        raise RuntimeError("no such colour")
    known = [option["id"] for option in settings["palette"]]
    return [] if answer in known else [Problem({"nl": "Kies een kleur.", "en": "Choose a colour."})]


def check_dossier(snapshot_data: Mapping[str, Any]) -> Sequence[Finding]:
    snapshot_data["answers"].clear()  # must not reach the caller's data
    return [Finding(section="good_area", text={"nl": "Let op.", "en": "Mind this."})]


def document_blocks(snapshot_data: Mapping[str, Any]) -> Sequence[Block]:
    return [Paragraph((Run("extra"),))]


def deliver(bundle_info: BundleInfo) -> Receipt:
    return Receipt(reference=f"R-{bundle_info.reference}")
