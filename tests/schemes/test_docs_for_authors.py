"""The guide for authors of schemes and plugins, held against the code: every key, whether it is needed, and its example."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app import plugin_api, plugin_loader
from app.plugin_api import Finding
from app.schemes import schemas
from app.schemes.question_types import BUILT_IN

GUIDE = (Path(__file__).parents[2] / "docs" / "schemes-and-plugins.md").read_text()

OBJECTS: Mapping[str, type[schemas.Strict]] = {
    "Scheme": schemas.SchemeSchema,
    "Group": schemas.GroupSchema,
    "Level of the scale": schemas.LevelSchema,
    "Final declaration": schemas.FinalDeclarationSchema,
    "Entry requirement": schemas.EntryRequirementSchema,
    "Kind of the development log": schemas.LogKindSchema,
    "Guidance": schemas.GuidanceSchema,
    "Criterion": schemas.CriterionSchema,
    "Question": schemas.QuestionSchema,
    "Option of a choice or scale": schemas.OptionSchema,
    "Total of a table": schemas.TotalSchema,
    "Cap of a table": schemas.CapSchema,
    "Span of a table": schemas.SpanSchema,
    "Among": schemas.AmongSchema,
    "Within": schemas.WithinSchema,
    "Mentions": schemas.MentionsSchema,
    "Order of two dates": schemas.OrderSchema,
    "Transition to a scheme version": schemas.TransitionSchema,
    "Accreditation of a scheme version": schemas.AccreditationSchema,
    "Earlier versions": schemas.EarlierSchema,
    "Earlier version": schemas.EarlierVersionSchema,
    "Holder": schemas.HolderSchema,
    "Renewal of a certificate": schemas.RenewalSchema,
    "List": schemas.ListSchema,
    "Item of a list": schemas.ListItemSchema,
}


def documented() -> dict[str, dict[str, str]]:
    """Heading, up to a colon -> key -> whether it is needed, as the guide's tables say it."""
    parts = re.findall(r"^### (.+?)\n(.*?)(?=^##)", GUIDE, re.DOTALL | re.MULTILINE)
    tables = {
        heading.split(":")[0]: dict(re.findall(r"^\| `([a-z_]+)` \| ([a-z ]+) \|", body, re.MULTILINE)) for heading, body in parts
    }
    return {heading: table for heading, table in tables.items() if table}


def in_code() -> dict[str, dict[str, str]]:
    keys = {heading: keys_of(schema) for heading, schema in OBJECTS.items()}
    keys["Section or area"] = keys_of(schemas.OwnSectionSchema) | {"criteria": "in areas"}
    keys["Plugin"] = {key: needed(required) for key, (required, _, _) in plugin_loader._MANIFEST.items()}
    return keys | {f"Type `{name}`": keys_of(schemas._BUILT_IN[name]) for name in BUILT_IN}


def keys_of(schema: type[schemas.Strict]) -> dict[str, str]:
    return {name: needed(field.required) for name, field in schema().fields.items()}


def needed(required: bool) -> str:
    return "yes" if required else "no"


def test_the_guide_has_every_yaml_key_and_says_whether_it_is_needed() -> None:
    assert documented() == in_code()


def test_the_guide_names_every_hook() -> None:
    hooks = re.findall(r"^\| `([a-z_]+)` \| [a-z]", GUIDE.partition("## Hooks")[2], re.MULTILINE)
    assert hooks == list(plugin_api.HOOKS)


def test_the_worked_example_of_a_hook_works() -> None:
    example = re.search(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert example is not None
    module: dict[str, Any] = {}
    exec(example[1], module)  # noqa: S102  our own text
    right = {"answers": {"mediation_practice": {"conducted": "4", "agreed": "3"}}}
    wrong = {"answers": {"mediation_practice": {"conducted": "3", "agreed": "4"}}}
    text = {
        "nl": "U noemt meer overeenkomsten dan mediations. Controleer beide aantallen.",
        "en": "You mention more agreements than mediations. Check both numbers.",
    }
    assert module["check_dossier"](right) == []
    assert module["check_dossier"](wrong) == [Finding(section="mediation_practice", question="agreed", text=text)]
