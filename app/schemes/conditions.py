"""The small language of ``shown_if``: when a question is shown. Pure, and never longer than a line.

    practice.form == 'zzp'                  the answer is this; ``!=`` is not this (an empty answer is not this)
    form in ['zzp', 'both']                 the answer is one of these
    practice.target_groups contains 'young' this was chosen, in a question of type choices
    practice.hours >= 3                     a number, with == != < <= > >=; an empty answer fulfils only !=
    practice.notes is empty                 also ``is not empty``
    jobs has gap of 12 months               the periods in this table leave at least so much time between them
    … and …   … or …   not …   ( … )        ``not`` binds tightest, then ``and``, then ``or``

A name is ``section.question``, or ``question`` alone within its own section. The answer to a hidden question counts as
empty.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.schemes import spans
from app.schemes.model import DossierTemplate, Question
from app.schemes.question_types import BUILT_IN, as_number, as_period, nothing

MAX_LENGTH = 1000
MAX_DEPTH = 20

Name = tuple[str, str]
Value = str | Decimal
Answers = Mapping[str, Mapping[str, Any]]

_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<number>-?[0-9]+(?:\.[0-9]+)?)(?![\w.])"
    r"|(?P<word>[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)(?![\w.])"
    r"|(?P<sign>==|!=|<=|>=|[<>()\[\],])"
    r")"
)
_WORDS = frozenset({"and", "or", "not", "in", "contains", "is", "empty"})
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_EMPTY_ONLY = "it can only be tested with is empty"
_ALLOWED: Mapping[str, str] = {
    **dict.fromkeys(BUILT_IN, _EMPTY_ONLY),
    "short_text": "compare it with a text in quotes",
    "number": "compare it with a number",
    "choice": "compare it with one of its options",
    "choices": "use contains and one of its options",
    "scale": "compare it with one of its levels or a number",
    "declaration": "compare it with 'yes'",
    "table": f"{_EMPTY_ONLY}, or with has gap of … months when it has a span",
    "statement": "it has no answer to test",
}


@dataclass(frozen=True)
class Test:
    """One answer against ``values``. ``operator``: a comparison, ``in``, ``contains``, ``gap`` (months) or ``empty``."""

    name: Name
    operator: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Not:
    part: "Condition"


@dataclass(frozen=True)
class And:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Or:
    parts: tuple["Condition", ...]


Condition = Test | Not | And | Or


class ConditionError(ValueError):
    """Why a text is no condition, for its author."""


@lru_cache(maxsize=4096)
def parse(text: str, section: str) -> Condition:
    """The condition that ``text`` is, in ``section``. Raises ``ConditionError``."""
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"a condition has at most {MAX_LENGTH} characters")
    return _Parser(text, section).whole()


def names(condition: Condition) -> frozenset[Name]:
    """The (section, question) pairs that a condition looks at."""
    return frozenset(test.name for test in tests(condition))


def tests(condition: Condition) -> Iterator[Test]:
    """Every single test in a condition, from left to right."""
    if isinstance(condition, Test):
        yield condition
    else:
        for part in (condition.part,) if isinstance(condition, Not) else condition.parts:
            yield from tests(part)


def unsuited(test: Test, question: Question) -> str:
    """Why a test cannot be put to a question, for the author; empty when it can."""
    name, kind = ".".join(test.name), question.type
    if kind not in BUILT_IN or (test.operator == "empty" and kind != "statement"):
        return ""
    if test.operator == "contains":
        suited: tuple[str, ...] = ("choices",)
    elif test.operator == "gap":
        suited = ("table",) if question.settings.get("span") else ()
    elif isinstance(test.values[0] if test.values else None, Decimal):
        suited = ("number", "scale")
    else:
        suited = ("short_text", "choice", "scale", "declaration") if test.values else ()
    if kind not in suited:
        return f"found {test.operator} on {name}, a question of type {kind}; {_ALLOWED[kind]}"
    options = [option["id"] for option in question.settings.get("options", question.settings.get("levels", ()))]
    for value in test.values:
        if options and isinstance(value, str) and value not in options:
            return f"found {value!r}; {name} has the options {', '.join(options)}"
    return ""


def holds(condition: Condition, answers: Answers) -> bool:
    """Whether the condition is true for these answers, hidden ones included: ``visible`` takes those away."""
    if isinstance(condition, Not):
        return not holds(condition.part, answers)
    if isinstance(condition, And):
        return all(holds(part, answers) for part in condition.parts)
    if isinstance(condition, Or):
        return any(holds(part, answers) for part in condition.parts)
    return _passes(condition, answers.get(condition.name[0], {}).get(condition.name[1]))


def visible(template: DossierTemplate, answers: Answers) -> dict[str, tuple[Question, ...]]:
    """Section id -> its questions that are shown for these answers, in order. Every section is in it."""
    showing = _Showing(template, answers)
    return {
        section.id: tuple(question for question in section.questions if showing.shows((section.id, question.id)))
        for section in template.sections
    }


def cycle(template: DossierTemplate) -> tuple[Name, ...]:
    """The names along a circle of conditions that wait for each other, the first again at the end; empty when there is none."""
    looks_at = {
        (section.id, question.id): sorted(names(parse(question.shown_if, section.id)))
        for section, question in template.questions()
        if question.shown_if
    }
    safe: set[Name] = set()
    for start in looks_at:
        path: list[Name] = []
        if _walk(start, looks_at, path, safe):
            return tuple(path[path.index(path[-1]) :])
    return ()


def _walk(name: Name, looks_at: Mapping[Name, list[Name]], path: list[Name], safe: set[Name]) -> bool:
    """Whether a circle can be reached from ``name``; then ``path`` ends with it."""
    path.append(name)
    if name in path[:-1]:
        return True
    if name not in safe and any(_walk(other, looks_at, path, safe) for other in looks_at.get(name, ())):
        return True
    safe.add(name)
    path.pop()
    return False


class _Showing:
    """Which questions are shown, each worked out once."""

    def __init__(self, template: DossierTemplate, answers: Answers) -> None:
        self.answers = answers
        self.questions = {(section.id, question.id): question for section, question in template.questions()}
        self.known: dict[Name, bool] = {}

    def shows(self, name: Name) -> bool:
        if name not in self.known:
            self.known[name] = False  # so that a circle, refused when loading, would still come to an end
            question = self.questions.get(name)
            self.known[name] = question is not None and (not question.shown_if or self.fulfilled(question.shown_if, name[0]))
        return self.known[name]

    def fulfilled(self, text: str, section: str) -> bool:
        condition = parse(text, section)
        seen: dict[str, dict[str, Any]] = {}
        for section_id, question_id in names(condition):
            if self.shows((section_id, question_id)):
                seen.setdefault(section_id, {})[question_id] = self.answers.get(section_id, {}).get(question_id)
        return holds(condition, seen)


def _passes(test: Test, answer: Any) -> bool:
    if test.operator == "empty":
        return nothing(answer)
    if test.operator == "contains":
        return isinstance(answer, list) and test.values[0] in answer
    if test.operator == "gap":
        return _has_gap(answer, int(test.values[0]))
    if isinstance(test.values[0], Decimal):
        return _compares(as_number(answer), test.operator, test.values[0])
    equal = isinstance(answer, str) and answer in test.values
    return not equal if test.operator == "!=" else equal


def _has_gap(rows: Any, months: int) -> bool:
    """Whether the periods in a table's rows leave a gap of so many months. One without an end goes on for ever."""
    settings = {"open": True, "today": spans.LATEST}
    cells = [cell for row in rows if isinstance(row, Mapping) for cell in row.values()] if isinstance(rows, list) else []
    periods = [period for cell in cells if (period := as_period(cell, settings)) is not None]
    gaps = spans.gaps(spans.joined(periods))
    return any(spans.months_after(gap.first, months) <= gap.last + timedelta(days=1) for gap in gaps)


def _compares(number: Decimal | None, operator: str, limit: Decimal) -> bool:
    if number is None:
        return operator == "!="
    return {
        "==": number == limit,
        "!=": number != limit,
        "<": number < limit,
        "<=": number <= limit,
        ">": number > limit,
        ">=": number >= limit,
    }[operator]


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str, section: str) -> None:
        self.section = section
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> str:
        """The next token, or nothing at the end."""
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else "end"

    def take(self) -> str:
        token = self.token
        self.at += 1
        return token

    def taken(self, *tokens: str) -> bool:
        """Takes ``tokens`` when they are next."""
        if [token for kind, token in self.tokens[self.at : self.at + len(tokens)] if kind != "text"] == list(tokens):
            self.at += len(tokens)
            return True
        return False

    def expected(self, what: str) -> ConditionError:
        return ConditionError(f"found {self.token or 'the end of the condition'}; expected {what}")

    def whole(self) -> Condition:
        condition = self.either()
        if self.kind != "end":
            raise self.expected("'and', 'or' or the end")
        return condition

    def either(self) -> Condition:
        parts = [self.both()]
        while self.taken("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def both(self) -> Condition:
        parts = [self.negated()]
        while self.taken("and"):
            parts.append(self.negated())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def negated(self) -> Condition:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ConditionError(f"a condition nests at most {MAX_DEPTH} levels")
        condition = self.single()
        self.depth -= 1
        return condition

    def single(self) -> Condition:
        if self.taken("not"):
            return Not(self.negated())
        if self.taken("("):
            condition = self.either()
            if not self.taken(")"):
                raise self.expected("')'")
            return condition
        return self.test()

    def test(self) -> Condition:
        name = self.name()
        if self.taken("is", "not", "empty"):
            return Not(Test(name, "empty"))
        if self.taken("is", "empty"):
            return Test(name, "empty")
        if self.taken("in"):
            return Test(name, "in", self.values())
        if self.taken("has", "gap", "of"):
            months = self.number()
            if not self.taken("months") or not 1 <= months <= 1200 or months != int(months):
                raise self.expected("a whole number of months, such as has gap of 12 months")
            return Test(name, "gap", (months,))
        if self.taken("contains"):
            return Test(name, "contains", (self.text(),))
        if self.kind == "sign" and self.token in _COMPARISONS:
            operator = self.take()
            return Test(name, operator, (self.value() if operator in ("==", "!=") else self.number(),))
        raise self.expected(f"{', '.join(_COMPARISONS)}, in, contains, is empty, is not empty or has gap of")

    def name(self) -> Name:
        if self.kind != "word" or self.token in _WORDS:
            raise self.expected("a question, such as form or practice.form")
        section, _, question = self.take().rpartition(".")
        return section or self.section, question

    def values(self) -> tuple[str, ...]:
        if not self.taken("["):
            raise self.expected("a list, such as ['a', 'b']")
        values = [self.text()]
        while self.taken(","):
            values.append(self.text())
        if not self.taken("]"):
            raise self.expected("',' or ']'")
        return tuple(values)

    def value(self) -> Value:
        return self.number() if self.kind == "number" else self.text()

    def text(self) -> str:
        if self.kind != "text":
            raise self.expected("a text in quotes")
        return self.take()[1:-1]

    def number(self) -> Decimal:
        if self.kind != "number":
            raise self.expected("a number")
        return Decimal(self.take())


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise ConditionError(f"found {text[at:].strip()[:20]}; expected a name, a text in quotes, a number or a sign")
        yield str(found.lastgroup), found[str(found.lastgroup)]
        at = found.end()
