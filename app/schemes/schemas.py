"""The shape of the YAML of schemes and areas, and the canonical JSON of a ``DossierTemplate``.

``read_scheme`` and ``read_area`` turn a YAML document into definitions and collect *all* faults of the file, each with its
line, key, what was found and what is allowed. Unknown keys are refused. ``dump``, ``load`` and ``canonical`` are the way
of a template into a snapshot and the database and back.
"""

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as dataclass_fields
from datetime import date
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.errors import TemplateFault
from app.plugin_api import QuestionType
from app.plugin_loader import ID, ID_RULE, KINDS
from app.schemes import statement_settings
from app.schemes.model import (
    CRITERION_GROUPS,
    SPECIALISATION,
    Criterion,
    DossierTemplate,
    EarlierVersion,
    EntryRequirement,
    FinalDeclaration,
    Group,
    Guidance,
    Level,
    LogKind,
    PluginRef,
    Question,
    Section,
)
from app.schemes.question_types import EVIDENCE_KINDS, ROW_TYPES
from app.texts import LANGUAGES, both
from app.yaml_lines import Document, KeyPath

Options = Sequence[Mapping[str, Any]]
Maintained = tuple[Mapping[str, str], Options]
"""A list that is maintained apart: its title and its items as options."""

# --- fields --------------------------------------------------------------------------------------------------------


class Strict(Schema):
    """A schema whose messages say what is allowed; ``_Reading`` puts in front what was found."""

    error_messages = {"type": "needed is a mapping"}  # noqa: RUF012  as marshmallow wants it

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.error_messages["unknown"] = f"unknown key; allowed are {', '.join(self.fields)}"


def _messages(allowed: str) -> dict[str, Any]:
    wrong = f"needed is {allowed}".replace("{", "{{").replace("}", "}}")  # marshmallow formats them
    return {"required": f"is missing; {wrong}", **dict.fromkeys(("null", "invalid", "too_large", "type"), wrong)}


def String(allowed: str = "a text, in quotes when it looks like a number", **options: Any) -> fields.String:
    options.setdefault("validate", validate.Regexp(r"\S", error=f"needed is {allowed}"))
    return fields.String(error_messages=_messages(allowed), **options)


def Matching(pattern: str, allowed: str, **options: Any) -> fields.String:
    return String(allowed, validate=validate.Regexp(rf"(?:{pattern})\Z", error=f"needed is {allowed}"), **options)


def Id(**options: Any) -> fields.String:
    return Matching(ID.pattern, f"an id: {ID_RULE}", **options)


FORM_FIELDS = ("action", "before", "csrf_token", "finished", "remove", "row", "signed_agree", "signed_name", "version")
"""Fields that pages put beside the questions, so that no question may have these names."""


def QuestionId() -> fields.String:
    """An id that can be the name of a form's field."""
    taken = ", ".join(FORM_FIELDS)
    return Matching(rf"(?!(?:{'|'.join(FORM_FIELDS)})\Z){ID.pattern}", f"an id: {ID_RULE}; not {taken}", required=True)


def Int(least: int = 0, most: int = 100_000, **options: Any) -> fields.Integer:
    allowed = f"a whole number of {least} or more"
    limits = [
        validate.Range(min=least, error=f"needed is {allowed}"),
        validate.Range(max=most, error=f"needed is a whole number of {most} or less"),
    ]
    return fields.Integer(strict=True, validate=limits, error_messages=_messages(allowed), **options)


def Days(least: int = 1, **options: Any) -> fields.Integer:
    return Int(least, 3650, **options)  # a number with which calendars still know what to do


def Months(least: int = 1, **options: Any) -> fields.Integer:
    return Int(least, 120, **options)


def Years(least: int = 1, **options: Any) -> fields.Integer:
    return Int(least, 50, **options)


class Number(fields.Field[Any]):
    """A whole or decimal number as YAML gives it, of ``least`` or more; a text that looks like one is refused."""

    def __init__(self, least: float | None = None, **options: Any) -> None:
        allowed = "a number" if least is None else f"a number of {least} or more"
        super().__init__(error_messages=_messages(allowed), **options)
        self.least = least

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid")
        if self.least is not None and value < self.least:
            raise self.make_error("invalid")
        return value


class Bool(fields.Field[bool]):
    default_error_messages = _messages("true or false")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


def OneOf(choices: Sequence[Any], **options: Any) -> fields.String:
    allowed = f"one of {', '.join(choices)}"
    return String(allowed, validate=validate.OneOf(choices, error=f"needed is {allowed}"), **options)


def Day(*, today: bool = False, **options: Any) -> fields.String:
    """A date ``YYYY-MM-DD``, kept as text; ``today`` allows that word too."""
    allowed = "a date such as 2026-01-31" + (", or today" if today else "")

    def check(value: str) -> None:
        try:
            if not (today and value == "today") and date.fromisoformat(value).isoformat() != value:
                raise ValueError
        except ValueError:
            raise ValidationError(f"needed is {allowed}") from None

    return String(allowed, validate=check, **options)


def Nested(schema: type[Schema], allowed: str = "a mapping", **options: Any) -> fields.Nested:
    return fields.Nested(schema, error_messages=_messages(allowed), **options)


def Many(inner: fields.Field[Any], *, least: int = 1, **options: Any) -> fields.List[Any]:
    allowed = f"a list of {least} or more" if least else "a list"
    length = validate.Length(min=least, error=f"needed is {allowed}")
    return fields.List(inner, validate=length, error_messages=_messages(allowed), **options)


class BothSchema(Strict):
    error_messages = {"type": "needed is a text {nl: …, en: …}"}  # noqa: RUF012  as marshmallow wants it

    nl = String(required=True)
    en = String(required=True)


def Both(**options: Any) -> fields.Nested:
    """A text in both languages."""
    return Nested(BothSchema, "a text {nl: …, en: …}", **options)


class Levels(fields.Field[dict[int, Any]]):
    """What each score of the scale means: ``{1: text, 2: text, …}``."""

    default_error_messages = _messages("{1: {nl: …, en: …}, 2: …}")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[int, Any]:
        if not isinstance(value, dict) or not all(isinstance(score, int) for score in value):
            raise self.make_error("invalid")
        return {score: _each(made(BothSchema), text, score) for score, text in value.items()}


def _each(schema: Schema, value: Any, key: int) -> Any:
    try:
        return schema.load(value)
    except ValidationError as error:
        raise ValidationError({key: error.messages}) from error


# --- schemas -------------------------------------------------------------------------------------------------------


@cache
def made(schema: type[Strict]) -> Strict:
    """The one instance of a schema: making one costs more than reading with it, and a form has hundreds of questions."""
    return schema()


class RangeSchema(Strict):
    min = Int()
    max = Int()

    @validates_schema
    def in_order(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        _in_order(data)


def _in_order(data: Mapping[str, Any]) -> None:
    least, most = data.get("min"), data.get("max")
    if least is not None and most is not None and "today" not in (least, most) and least > most:
        raise ValidationError({"min": ["needed is no more than max"]})


def OptionId() -> fields.String:
    return Matching(
        r"[a-z0-9_]{1,40}",
        "an id of 1 to 40 lower-case letters, digits and underscores, in quotes when it is a number",
        required=True,
    )


class OptionSchema(Strict):
    id = OptionId()
    label = Both(required=True)
    hint = Both()


class FieldSchema(Strict):
    """What every question has; a nested one knows no ``shown_if``. What it serves, ``_Reading.served`` looks after."""

    id = QuestionId()
    type = String(required=True)
    label = Both(required=True)
    hint = Both()
    required = Bool(load_default=True)
    serves = Many(Id())


class QuestionSchema(FieldSchema):
    shown_if = String("a condition, such as practice.form == 'own'", load_default="")


class ShortTextSchema(Strict):
    max_length = Int(1, 30_000, load_default=200)
    autocomplete = String()


class MentionsSchema(Strict):
    """What a text is expected to mention; without it the candidate and the office read ``otherwise``, and nothing is refused."""

    words = Many(String(), required=True)
    otherwise = Both(required=True)


class LongTextSchema(Strict):
    words = Nested(RangeSchema)
    mentions = Nested(MentionsSchema)


class NumberSchema(Strict):
    min = Number()
    max = Number()
    unit = Both()
    decimals = Int(0, 6, load_default=0)

    @validates_schema
    def in_order(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        _in_order(data)


class DaysSchema(Strict):
    min = Day(today=True)
    max = Day(today=True)

    @validates_schema
    def in_order(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        _in_order(data)


class AmongSchema(Strict):
    table = Matching(r"[a-z0-9_]+\.[a-z0-9_]+", "a table, such as reflection_meetings.meetings", required=True)
    field = Id(required=True)
    otherwise = Both(required=True)


class OrderSchema(Strict):
    """The date of another question that a date comes before or after, and why."""

    question = Matching(r"[a-z0-9_]+\.[a-z0-9_]+", "a question, such as education.assessed_on", required=True)
    because = Both(required=True)


class DateSchema(DaysSchema):
    among = Nested(AmongSchema)
    not_before = Nested(OrderSchema)
    not_after = Nested(OrderSchema)


class PeriodSchema(DaysSchema):
    open = Bool()
    begun = Bool()


class ChoiceSchema(Strict):
    options = Many(Nested(OptionSchema))
    options_from = Id()

    @validates_schema
    def enough(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if "options_from" not in data and len(data.get("options", ())) < 2:
            problem = "needed is a list of 2 or more"
            raise ValidationError({"options": [problem if "options" in data else f"is missing; {problem}"]})


class ChoicesSchema(ChoiceSchema):
    choose = Nested(RangeSchema)


class ScaleSchema(Strict):
    levels = Many(Nested(OptionSchema), least=2, required=True)


class DeclarationSchema(Strict):
    text = Both(required=True)


class TotalSchema(Strict):
    field = Id(required=True)
    label = Both(required=True)
    min = Number(0)
    max = Number(0)
    unit = Both()

    @validates_schema
    def in_order(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        _in_order(data)


class CapSchema(Strict):
    field = Id(required=True)
    by = Id(required=True)
    value = String(required=True)
    max = Number(0, required=True)


class SpanSchema(Strict):
    field = Id(required=True)
    label = Both(required=True)
    min_years = Years(required=True)
    max_years = Years()
    within_years = Years()

    @validates_schema
    def in_order(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if data.get("max_years", data.get("min_years", 0)) < data.get("min_years", 0):
            raise ValidationError({"max_years": ["needed is no less than min_years"]})
        if data.get("within_years", data.get("min_years", 0)) < data.get("min_years", 0):
            raise ValidationError({"within_years": ["needed is no less than min_years"]})


class WithinSchema(Strict):
    field = Id(required=True)
    period = Matching(r"[a-z0-9_]+\.[a-z0-9_]+", "a question, such as personal.certificate_period", required=True)


class TableSchema(Strict):
    fields = Many(fields.Raw(), required=True)  # type: ignore[assignment]  # the YAML key has the name of marshmallow's attribute
    rows = Nested(RangeSchema)
    row_title = Id()
    totals = Many(Nested(TotalSchema))
    caps = Many(Nested(CapSchema))
    span = Nested(SpanSchema)
    within = Nested(WithinSchema)
    distinct = Many(Many(Id()))
    chronological = Many(Many(Id(), least=2))


class EvidenceSchema(Strict):
    files = Nested(RangeSchema, required=True)
    kinds = Many(OneOf(EVIDENCE_KINDS), load_default=lambda: list(EVIDENCE_KINDS))
    refused = Many(Both())


class StatementSchema(Strict):
    kind = OneOf(statement_settings.KINDS)
    role = Both(required=True)
    many = Both()
    reads = Many(Id(), required=True, least=0)
    questions = Many(fields.Raw(), required=True)
    consent = Both(required=True)
    independence = Both()
    upload = Bool()
    count = Int(1)
    reminders = Many(Days(), least=0)
    days = Days()
    anonymous = Bool()
    least = Int(2)
    quote_if = Id()
    together_with = Id()


_BUILT_IN: Mapping[str, type[Strict]] = {
    "short_text": ShortTextSchema,
    "long_text": LongTextSchema,
    "number": NumberSchema,
    "date": DateSchema,
    "period": PeriodSchema,
    "choice": ChoiceSchema,
    "choices": ChoicesSchema,
    "scale": ScaleSchema,
    "declaration": DeclarationSchema,
    "table": TableSchema,
    "evidence": EvidenceSchema,
    "statement": StatementSchema,
}

_OF_KIND: Mapping[str, Callable[[], fields.Field[Any]]] = {
    "text": Both,
    "int": Int,
    "number": Number,
    "bool": Bool,
    "str": String,
    "options": lambda: Many(Nested(OptionSchema)),
    "fields": lambda: Many(fields.Raw()),
    "range": lambda: Nested(RangeSchema),
    "list": lambda: Many(fields.Raw(), least=0),
    "date": Day,
}
"""The kinds of settings that ``plugin_api.QuestionType.settings`` may name."""


class GuidanceSchema(Strict):
    look_for = Many(Both(), load_default=list)
    starr = Bool(load_default=False)
    example = Both()
    weak_example = Both()
    weak_because = Both()


class CriterionSchema(Strict):
    id = Id(required=True)
    group = OneOf(CRITERION_GROUPS, required=True)
    title = Both(required=True)
    levels = Levels(required=True)


class SectionSchema(Strict):
    id = Id(required=True)
    group = Id(required=True)
    title = Both(required=True)
    intro = Both()
    guidance = Nested(GuidanceSchema)
    questions = Many(fields.Raw(), required=True)


class OwnSectionSchema(SectionSchema):
    """A section of a scheme that is no area."""

    with_plugins = Bool(load_default=False)


class AreaSchema(SectionSchema):
    criteria = Many(Nested(CriterionSchema), required=True)


class PluginAreaSchema(AreaSchema):
    group = Id()


class GroupSchema(Strict):
    id = Id(required=True)
    title = Both(required=True)


class LevelSchema(Strict):
    value = Int(required=True)
    label = Both(required=True)
    sufficient = Bool(required=True)


class FinalDeclarationSchema(Strict):
    id = Id(required=True)
    text = Both(required=True)


class EntryRequirementSchema(Strict):
    id = Id(required=True)
    title = Both(required=True)
    explanation = Both()
    sections = Many(Id(), least=0, load_default=list)
    shows = Many(Matching(r"[a-z0-9_]+\.[a-z0-9_]+", "a question, such as education.diploma"), least=0, load_default=list)


class LogKindSchema(Strict):
    id = Id(required=True)
    label = Both(required=True)
    table = Matching(r"[a-z0-9_]+\.[a-z0-9_]+", "a table, such as education.activities", required=True)
    date = Id(required=True)
    title = Id(required=True)
    hours = Id(required=True)
    kind = Id(load_default="")
    provider = Id(load_default="")
    evidence = Matching(
        r"[a-z0-9_]+(\.[a-z0-9_]+)?",
        "a field of the table, or a question such as reflection_meetings.confirmation",
        load_default="",
    )


class ListItemSchema(Strict):
    id = OptionId()
    label = Both()
    name = String()
    fee = Int(1)
    until = Day()

    @validates_schema
    def named(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if ("label" in data) == ("name" in data):
            raise ValidationError({"name": ["is missing; needed is either name or label, not both"]})


class ListSchema(Strict):
    list = Id(required=True)
    title = Both(required=True)
    version = String(required=True)
    checked_on = Day(required=True)
    items = Many(Nested(ListItemSchema), required=True)


class _Dates(Strict):
    @validates_schema
    def in_order(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if data.get("until", data.get("from", "")) < data.get("from", ""):
            raise ValidationError({"until": ["needed is a date on or after from"]})


TransitionSchema: type[Strict] = type(  # ``from`` is a word of Python itself
    "TransitionSchema",
    (Strict,),
    {"from": String(required=True), "until": Day(required=True), "for": OneOf(("started_before",), required=True)},
)
AccreditationSchema: type[Strict] = type(
    "AccreditationSchema",
    (_Dates,),
    {"body": String(required=True), "number": String(), "from": Day(required=True), "until": Day()},
)


class HolderSchema(Strict):
    """For whom a scheme is that one follows as the holder of a certificate."""

    of = Many(Id(), required=True)
    number = String("a question, such as personal.register_number", load_default="")
    period = String("a question, such as personal.certificate_period", load_default="")
    after_expiry = Id(load_default="")


class RenewalSchema(Strict):
    opens_months = Months(required=True)
    remind_months = Many(Months(), least=0, required=True)
    grace_days = Days(0, load_default=0)

    @validates_schema
    def in_order(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        months = data.get("remind_months", [])
        if any(after >= before for before, after in pairwise(months)):
            raise ValidationError({"remind_months": ["needed are numbers that go down, each once"]})
        if months and months[0] > data.get("opens_months", months[0]):
            raise ValidationError({"remind_months": ["needed are no more months than opens_months"]})


class EarlierVersionSchema(Strict):
    version = String("a text in quotes", required=True)
    effective_from = Day(required=True)
    effective_until = Day(required=True)
    validity_years = Years(required=True)
    levels = Many(String(), load_default=list)
    transition = Nested(TransitionSchema)
    accreditation = Nested(AccreditationSchema)


class EarlierSchema(Strict):
    versions = Many(Nested(EarlierVersionSchema), required=True)


class PluginChoiceSchema(RangeSchema):
    """How many plugins one chooses."""

    max = Int(1)


class SchemeSchema(Strict):
    scheme = Id(required=True)
    version = Matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}", 'a text in quotes, such as "2026.1"', required=True)
    title = Both(required=True)
    route = OneOf(("written", "oral"), required=True)
    effective_from = Day(required=True)
    effective_until = Day(load_default="")
    transition = Nested(TransitionSchema)
    accreditation = Nested(AccreditationSchema)
    holder = Nested(HolderSchema)
    renewal = Nested(RenewalSchema)
    mentor = String("a question, such as mentor.name", load_default="")
    validity_years = Years(required=True)
    reference_prefix = Matching(r"[A-Z]{1,6}", "1 to 6 capital letters", required=True)
    hours_expected = Int(1, required=True)
    introduction = Both(required=True)
    assessors = Int(1, load_default=2)
    admission_days = Days(load_default=0)
    assessment_days = Days(load_default=0)
    decision_days = Days(load_default=0)
    accepts_plugins = Many(OneOf(KINDS), least=0, load_default=list)
    plugins = Nested(PluginChoiceSchema)
    groups = Many(Nested(GroupSchema), required=True)
    scale = Many(Nested(LevelSchema), least=2, required=True)
    declarations = Many(Nested(FinalDeclarationSchema), least=0, load_default=list)
    entry_requirements = Many(Nested(EntryRequirementSchema), least=0, load_default=list)
    development_log = Many(Nested(LogKindSchema), load_default=list)
    sections = Many(fields.Raw(), required=True)

    @validates_schema
    def in_order(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        until = data.get("effective_until")
        if until and until < data.get("effective_from", ""):
            raise ValidationError({"effective_until": ["needed is a date on or after effective_from"]})
        if "renewal" in data and "holder" not in data:
            raise ValidationError({"renewal": ["needed is holder too: whose certificates are renewed"]})
        if data.get("plugins", {}).get("min") and not data.get("accepts_plugins"):
            raise ValidationError({"plugins": ["needed is accepts_plugins too: which kinds one can choose"]})


# --- reading -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Placed:
    """A section as read, with the document and path where it stands, so that later faults can point there too.

    ``with_plugins``: it takes part only where a plugin does.
    """

    section: Section
    document: Document
    path: KeyPath
    with_plugins: bool = False


@dataclass(frozen=True)
class Scheme:
    """One scheme version as its folder tells it. ``template`` has no plugins; ``accepts_plugins`` names their kinds."""

    template: DossierTemplate
    accepts_plugins: tuple[str, ...]
    placed: tuple[Placed, ...]
    document: Document
    path: KeyPath = ()

    @property
    def route(self) -> str:
        """How dossiers are judged: ``written``, ``oral``, or ``both`` where only a specialisation has an oral session."""
        return "both" if self.template.route == "written" and SPECIALISATION in self.accepts_plugins else self.template.route


@dataclass(frozen=True)
class Earlier:
    """A version that is only history, with the document and path where it stands."""

    template: EarlierVersion
    document: Document
    path: KeyPath


def read_earlier(document: Document) -> tuple[list[Earlier], list[TemplateFault]]:
    """The versions of an ``earlier.yaml``, or everything that is wrong with it."""
    reading = _Reading(document, {})
    data = reading.take(made(EarlierSchema), document.data, ())
    reading.unique(data.get("versions", []), "version", ("versions",))
    if reading.faults:
        return [], reading.faults
    found = [EarlierVersion(**{**one, "levels": tuple(one["levels"])}) for one in data["versions"]]
    return [Earlier(one, document, ("versions", index)) for index, one in enumerate(found)], []


def read_scheme(
    document: Document, areas: Sequence[Document], types: Mapping[str, QuestionType], lists: Sequence[Document] = ()
) -> tuple[Scheme | None, list[TemplateFault]]:
    """The scheme of a ``scheme.yaml`` with its areas and lists, or None and everything that is wrong."""
    version = document.data.get("version") if isinstance(document.data, dict) else None
    options, unread = _read_lists(lists, version)
    reading = _Reading(document, types, options)
    reading.faults += unread
    data = reading.take(made(SchemeSchema), document.data, ())
    for key, name in (
        ("groups", "id"),
        ("scale", "value"),
        ("declarations", "id"),
        ("entry_requirements", "id"),
        ("development_log", "id"),
    ):
        reading.unique(data.get(key, []), name, (key,))
    raw = document.data.get("sections") if isinstance(document.data, dict) else None
    placed = reading.sections(raw if isinstance(raw, list) else [])
    faults = reading.faults
    for area in areas:
        one, found = read_area(area, types, lists=options)
        placed += [one] if one else []
        faults += found
    faults += _misplaced(data, placed)
    if faults:
        return None, faults
    order = [group["id"] for group in data["groups"]]
    placed.sort(key=lambda one: order.index(one.section.group))
    template = DossierTemplate(
        **{key: value for key, value in data.items() if key not in ("accepts_plugins", "plugins", *_NESTED)},
        plugin_choice=data.get("plugins", {}),
        groups=tuple(Group(**group) for group in data["groups"]),
        sections=tuple(one.section for one in placed if not one.with_plugins),
        scale=tuple(Level(**level) for level in data["scale"]),
        declarations=tuple(FinalDeclaration(**declaration) for declaration in data["declarations"]),
        entry_requirements=_requirements(data["entry_requirements"]),
        development_log=tuple(LogKind(**kind) for kind in data["development_log"]),
    )
    return Scheme(template, tuple(data["accepts_plugins"]), tuple(placed), document), []


def read_area(
    document: Document,
    types: Mapping[str, QuestionType],
    *,
    plugin: str = "",
    group: str = "",
    lists: Mapping[str, Maintained] | None = None,
) -> tuple[Placed | None, list[TemplateFault]]:
    """The competency area of a document, or None and everything that is wrong. ``group`` is that of the plugin, if it has one."""
    reading = _Reading(document, types, lists or {})
    schema = made(PluginAreaSchema) if group else made(AreaSchema)
    section = reading.section(schema, document.data, (), plugin=plugin, group=group)
    return (Placed(section, document, ()) if section and not reading.faults else None), reading.faults


def _read_lists(documents: Sequence[Document], version: Any) -> tuple[dict[str, Maintained], list[TemplateFault]]:
    """The lists of a scheme version, by id. One that was checked for another version is refused: it may be too old."""
    lists: dict[str, Maintained] = {}
    faults: list[TemplateFault] = []
    for document in documents:
        reading = _Reading(document, {})
        data = reading.take(made(ListSchema), document.data, ())
        reading.unique(data.get("items", []), "id", ("items",))
        name = Path(document.file).stem
        if data.get("list", name) != name:
            reading.fault(f"found {data['list']!r}; needed is the name of the file, {name!r}", ("list",))
        if version is not None and data.get("version", version) != version:
            problem = f"found {data['version']!r}; needed is the version of the scheme, {version!r}: check the list anew for it"
            reading.fault(problem, ("version",))
        faults += reading.faults
        if not reading.faults:
            lists[name] = data["title"], [_option(item) for item in data["items"]]
    return lists, faults


def _option(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """An item of a list as the option of a choice."""
    fee = {"hint": both("Richtprijs rond € %(fee)s.", fee=item["fee"])} if "fee" in item else {}
    until = {"until": item["until"]} if "until" in item else {}
    return {"id": item["id"], "label": item.get("label") or dict.fromkeys(LANGUAGES, item["name"]), **fee, **until}


def check_levels(placed: Placed, scores: Set[int]) -> list[TemplateFault]:
    """Faults of criteria whose levels are not the scores of the scheme's scale."""
    return [
        placed.document.fault(
            f"found levels {_listed(criterion.levels)}; needed are those of the scale: {_listed(scores)}",
            (*placed.path, "criteria", index, "levels"),
        )
        for index, criterion in enumerate(placed.section.criteria)
        if set(criterion.levels) != scores
    ]


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(sorted(str(value) for value in values))


def _misplaced(scheme: Mapping[str, Any], placed: Sequence[Placed]) -> list[TemplateFault]:
    """Faults that only show when the sections are seen together with the rest of the scheme."""
    groups = list(dict.fromkeys(group["id"] for group in scheme.get("groups", []) if "id" in group))
    faults = [
        one.document.fault(
            f"found {one.section.group!r}; needed is a group of the scheme: {', '.join(groups)}", (*one.path, "group")
        )
        for one in placed
        if groups and one.section.group not in groups
    ]
    if not scheme.get("accepts_plugins"):
        problem = "found True; needed is accepts_plugins too: which kinds one can choose"
        faults += [one.document.fault(problem, (*one.path, "with_plugins")) for one in placed if one.with_plugins]
    scores = {level.get("value") for level in scheme.get("scale", [])} - {None}
    if scores and len(scores) == len(scheme["scale"]):
        faults += [fault for one in placed for fault in check_levels(one, scores)]
    return faults


class _Reading:
    """One document being read; ``faults`` grows along the way, so that an author sees all of them at once."""

    def __init__(
        self, document: Document, types: Mapping[str, QuestionType], lists: Mapping[str, Maintained] | None = None
    ) -> None:
        self.document = document
        self.types = types
        self.lists = lists or {}
        self.faults: list[TemplateFault] = []

    def fault(self, problem: str, path: KeyPath) -> None:
        self.faults.append(self.document.fault(problem, path))

    def take(self, schema: Schema, raw: Any, path: KeyPath, *, ignore: bool = False) -> dict[str, Any]:
        """What ``schema`` makes of ``raw``; after faults what is right of it. ``ignore`` passes over unknown keys."""
        try:
            return dict(schema.load(raw, unknown="exclude" if ignore else "raise"))
        except ValidationError as error:
            for place, message in _leaves(error.messages):
                self.fault(_with_found(message, raw, place), (*path, *place))
            return dict(error.valid_data) if isinstance(error.valid_data, dict) else {}

    def unique(self, items: Sequence[Any], key: str, path: KeyPath) -> None:
        """Refuses items that have the same ``key`` as one before them."""
        seen: dict[Any, int] = {}
        for index, item in enumerate(items):
            value = item.get(key) if isinstance(item, dict) else None
            if not isinstance(value, Hashable):
                continue  # named where the item itself is read
            if value in seen:
                first = self.document.line((*path, seen[value], key))
                self.fault(f"found {value!r} twice; the first is on line {first}", (*path, index, key))
            elif value is not None:
                seen[value] = index

    def sections(self, raw: Sequence[Any]) -> list[Placed]:
        schema = made(OwnSectionSchema)
        found = [(("sections", index), one, self.section(schema, one, ("sections", index))) for index, one in enumerate(raw)]
        return [
            Placed(section, self.document, path, with_plugins=one.get("with_plugins", False))
            for path, one, section in found
            if section
        ]

    def section(self, schema: Schema, raw: Any, path: KeyPath, *, plugin: str = "", group: str = "") -> Section | None:
        before = len(self.faults)
        data = self.take(schema, raw, path)
        self.unique(data.get("criteria", []), "id", (*path, "criteria"))
        questions = self.questions(raw, (*path, "questions"))
        self.served([one["id"] for one in data.get("criteria", []) if "id" in one], raw, (*path, "questions"))
        if len(self.faults) > before:
            return None
        data.pop("with_plugins", None)
        data |= {
            "group": data.get("group", group),
            "guidance": _guidance(data.get("guidance", {})),
            "questions": tuple(questions),
            "criteria": tuple(Criterion(**criterion) for criterion in data.get("criteria", [])),
        }
        return Section(plugin=plugin, **data)

    def questions(self, raw: Any, path: KeyPath) -> list[Question]:
        items = raw.get("questions") if isinstance(raw, dict) else None
        if not isinstance(items, list):
            return []
        self.unique(items, "id", path)
        read = [self.question(item, (*path, index), QuestionSchema, self.types) for index, item in enumerate(items)]
        common = made(QuestionSchema).fields
        found = []
        for one in (one for one in read if one is not None):
            own: dict[str, Any] = {key: value for key, value in one.items() if key in common}
            settings = {key: value for key, value in one.items() if key not in common}
            found.append(Question(**{**own, "serves": tuple(own.get("serves", ()))}, settings=settings))
        return found

    def served(self, criteria: Sequence[str], raw: Any, path: KeyPath) -> None:
        """Refuses ``serves`` that names a criterion which the area does not have, and where nothing is judged by itself."""
        questions = raw.get("questions") if isinstance(raw, dict) else None
        for index, question in enumerate(questions if isinstance(questions, list) else ()):
            if not isinstance(question, dict):
                continue
            self.serving(question, criteria, (*path, index))
            for key in ("fields", "questions"):
                inner: Any = question.get(key)
                for number, field in enumerate(inner if isinstance(inner, list) else ()):
                    if not isinstance(field, dict) or "serves" not in field:
                        continue
                    place = (*path, index, key, number)
                    if key == "fields" and field.get("type") == "evidence":
                        self.serving(field, criteria, place)
                    else:
                        problem = "a part of a question serves no criterion by itself, unless it is evidence in a table"
                        self.fault(f"{problem}; put serves at the question", (*place, "serves"))

    def serving(self, question: Mapping[Any, Any], criteria: Sequence[str], path: KeyPath) -> None:
        named: Any = question.get("serves")
        for number, name in enumerate(named if isinstance(named, list) else ()):
            place = (*path, "serves", number)
            if isinstance(name, str):
                self.named(name, criteria, "a criterion of this area", place)
            if name in named[:number]:
                self.fault(f"found {name!r} twice", place)

    def nested(self, raw: Any, path: KeyPath, allowed: Sequence[str]) -> list[dict[str, Any]]:
        """The questions within a question: mappings with all keys of their own and of their type."""
        items = raw if isinstance(raw, list) else []
        self.unique(items, "id", path)
        types = {name: self.types[name] for name in allowed if name in self.types}
        read = [self.question(item, (*path, index), FieldSchema, types) for index, item in enumerate(items)]
        for index, one in enumerate(read):
            if one is not None and "among" in one:
                self.fault("only a question by itself can be weighed against a table", (*path, index, "among"))
        return [one for one in read if one is not None]

    def question(self, raw: Any, path: KeyPath, common: type[Strict], types: Mapping[str, QuestionType]) -> dict[str, Any] | None:
        before = len(self.faults)
        name = raw.get("type") if isinstance(raw, dict) else None
        of_type = types.get(name) if isinstance(name, str) else None
        if of_type is None:
            self.take(made(common), raw, path, ignore=True)
            if isinstance(name, str):
                self.fault(f"found {name!r}; needed is one of {', '.join(types)}", (*path, "type"))
            return None
        data = self.take(_schema(common, of_type), raw, path)
        if "options_from" in data:
            self.listed(data, path)
        if common is FieldSchema:
            for key in ("not_before", "not_after", "mentions"):
                if key in data:
                    self.fault("a question within a question cannot have this", (*path, key))
        self.look_inside(of_type, data, path)
        if of_type.name == "table" and len(self.faults) == before:
            self.table(data, path)
        if of_type.name == "statement" and len(self.faults) == before:
            for place, words in statement_settings.misfits(data):
                self.fault(words, (*path, *place))
        return data if len(self.faults) == before else None

    def listed(self, data: dict[str, Any], path: KeyPath) -> None:
        """Puts the options of a list before those that the question has itself, and the list's title beside them."""
        name = data.pop("options_from")
        self.named(name, list(self.lists), "a list of this scheme version", (*path, "options_from"))
        title, options = self.lists.get(name, ({}, ()))
        taken = {option["id"] for option in options}
        for index, option in enumerate(data.get("options", ())):
            if option.get("id") in taken:
                self.fault(f"found {option['id']!r}; the list {name} has this id", (*path, "options", index, "id"))
        data["options"] = [*options, *data.get("options", ())]
        data["list"] = title

    def look_inside(self, of_type: QuestionType, data: dict[str, Any], path: KeyPath) -> None:
        """Checks the options of one question and the questions within it."""
        allowed: tuple[str, ...] = ROW_TYPES
        if of_type.name == "statement":
            allowed = tuple(name for name in self.types if name not in ("statement", "evidence"))
        for key, kind in of_type.settings.items():
            if key in data and kind == "options":
                self.unique(data[key], "id", (*path, key))
            elif key in data and kind == "fields":
                data[key] = self.nested(data[key], (*path, key), allowed)

    def table(self, data: Mapping[str, Any], path: KeyPath) -> None:
        columns = {field["id"]: field for field in data.get("fields", [])}
        numbers = [name for name, field in columns.items() if field["type"] == "number"]
        choices = [name for name, field in columns.items() if field["type"] == "choice"]
        if "row_title" in data:
            self.named(data["row_title"], list(columns), "a field of this table", (*path, "row_title"))
        self.unique(data.get("totals", []), "field", (*path, "totals"))
        for index, total in enumerate(data.get("totals", [])):
            self.named(total.get("field"), numbers, "a number field of this table", (*path, "totals", index, "field"))
        if "within" in data:
            dates = [name for name, field in columns.items() if field["type"] == "date"]
            self.named(data["within"].get("field"), dates, "a date field of this table", (*path, "within", "field"))
        for number, group in enumerate(data.get("distinct", [])):
            for index, name in enumerate(group):
                self.named(name, list(columns), "a field of this table", (*path, "distinct", number, index))
        days = [name for name, field in columns.items() if field["type"] == "date"]
        for number, pair in enumerate(data.get("chronological", [])):
            if len(pair) != 2:
                self.fault("needed are two date fields: which comes first, and which then", (*path, "chronological", number))
            for index, name in enumerate(pair):
                self.named(name, days, "a date field of this table", (*path, "chronological", number, index))
        if "span" in data:
            periods = [name for name, field in columns.items() if field["type"] == "period"]
            self.named(data["span"].get("field"), periods, "a period field of this table", (*path, "span", "field"))
        by: dict[Any, Any] = {}
        capped: dict[Any, int] = {}
        for index, cap in enumerate(data.get("caps", [])):
            place = (*path, "caps", index)
            totals = [total.get("field") for total in data.get("totals", [])]
            self.named(cap.get("field"), totals, "a field with a total", (*place, "field"))
            self.named(cap.get("by"), choices, "a choice field of this table", (*place, "by"))
            if cap.get("by") in choices:
                options = [option["id"] for option in columns[cap["by"]]["options"]]
                self.named(cap.get("value"), options, f"an option of {cap['by']}", (*place, "value"))
            if by.setdefault(cap.get("field"), cap.get("by")) != cap.get("by"):
                self.fault("all caps of one field must have the same by", (*place, "by"))
            same = (cap.get("field"), cap.get("by"), cap.get("value"))
            if capped.setdefault(same, index) != index:  # both would take off what is above them
                first = self.document.line((*path, "caps", capped[same], "value"))
                self.fault(f"found {cap['value']!r} twice; the first is on line {first}", (*place, "value"))

    def named(self, value: Any, allowed: Sequence[Any], what: str, path: KeyPath) -> None:
        if value is not None and value not in allowed:
            self.fault(f"found {value!r}; needed is {what}: {', '.join(map(str, allowed)) or 'there is none'}", path)


def _schema(common: type[Strict], of_type: QuestionType) -> Strict:
    """What a question of this type may hold: the common keys and its own."""
    return _joined(common, of_type.name, tuple(of_type.settings.items()))


@cache
def _joined(common: type[Strict], name: str, settings: tuple[tuple[str, str], ...]) -> Strict:
    own = _BUILT_IN.get(name)
    if own is None:
        keys = {key: _OF_KIND[kind]() for key, kind in settings if kind in _OF_KIND}
        own = type(f"{name}Schema", (Strict,), keys)
    both: type[Strict] = type(f"{common.__name__}And{own.__name__}", (own, common), {})
    return both()


def _guidance(data: Mapping[str, Any]) -> Guidance:
    return Guidance(
        look_for=tuple(data.get("look_for", ())),
        starr=data.get("starr", False),
        **{key: data.get(key) for key in ("example", "weak_example", "weak_because")},
    )


def _requirements(data: Iterable[Mapping[str, Any]]) -> tuple[EntryRequirement, ...]:
    return tuple(
        EntryRequirement(**{**one, "sections": tuple(one["sections"]), "shows": tuple(one.get("shows", ()))}) for one in data
    )


def _leaves(messages: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Each of marshmallow's messages with its path."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _leaves(inner, path if key == "_schema" else (*path, key))
    else:
        for message in messages:
            yield path, str(message)


def _with_found(message: str, raw: Any, path: KeyPath) -> str:
    """``found 'x'; needed is …``"""
    if message.startswith(("is missing", "unknown key")):
        return message
    for part in path:
        raw = raw[part]
    return f"found {_shown(raw)}; {message}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"


# --- canonical JSON ------------------------------------------------------------------------------------------------

_NESTED = ("groups", "sections", "scale", "declarations", "plugins", "entry_requirements", "development_log")


def dump(template: DossierTemplate) -> dict[str, Any]:
    """The template as plain data that JSON can hold; the keys are those of ``model``."""
    data: dict[str, Any] = _plain(template)
    return data


def load(data: Mapping[str, Any]) -> DossierTemplate:
    """The template that ``dump`` made ``data`` of. Raises ``TypeError`` or ``KeyError`` for anything else."""
    return DossierTemplate(
        **{key: value for key, value in data.items() if key not in _NESTED},
        groups=tuple(Group(**group) for group in data["groups"]),
        sections=tuple(_load_section(section) for section in data["sections"]),
        scale=tuple(Level(**level) for level in data["scale"]),
        declarations=tuple(FinalDeclaration(**declaration) for declaration in data["declarations"]),
        plugins=tuple(PluginRef(**plugin) for plugin in data["plugins"]),
        entry_requirements=_requirements(data.get("entry_requirements", ())),  # templates stored before there were any lack them
        development_log=tuple(LogKind(**kind) for kind in data.get("development_log", ())),
    )


def canonical(template: DossierTemplate) -> str:
    """The one text that a template is stored and hashed as."""
    return json.dumps(dump(template), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def fingerprint(content: str) -> str:
    """SHA-256 over the UTF-8 of a canonical text, in hexadecimal."""
    return sha256(content.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclass_fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _load_section(data: Mapping[str, Any]) -> Section:
    criteria = [
        Criterion(**{**criterion, "levels": {int(score): text for score, text in criterion["levels"].items()}})
        for criterion in data["criteria"]
    ]
    return Section(
        **{key: value for key, value in data.items() if key not in ("guidance", "questions", "criteria")},
        guidance=_guidance(data["guidance"]),
        questions=tuple(
            Question(**{**question, "serves": tuple(question.get("serves", ()))})  # stored before there was serves: none
            for question in data["questions"]
        ),
        criteria=tuple(criteria),
    )
