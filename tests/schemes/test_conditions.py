from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemes import conditions
from app.schemes.conditions import And, Condition, ConditionError, Not, Or
from app.schemes.model import DossierTemplate, Question, Section

TEXT = {"nl": "x", "en": "x"}
NUMBERS = ("==", "!=", "<", "<=", ">", ">=")


def one(name: str, operator: str, *values: str | Decimal) -> conditions.Test:
    section, question = name.split(".")
    return conditions.Test((section, question), operator, values)


def template(**shown_if: str) -> DossierTemplate:
    """One section ``s`` with a short text question for each name."""
    questions = tuple(Question(id=name, type="short_text", label=TEXT, shown_if=text) for name, text in shown_if.items())
    return DossierTemplate(
        scheme="s",
        version="1",
        title=TEXT,
        route="written",
        effective_from="2026-01-01",
        validity_years=3,
        reference_prefix="S",
        hours_expected=1,
        introduction=TEXT,
        groups=(),
        sections=(Section(id="s", group="g", title=TEXT, questions=questions),),
        scale=(),
        declarations=(),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("form == 'zzp'", one("s.form", "==", "zzp")),
        ('practice.form != "zzp"', one("practice.form", "!=", "zzp")),
        ("form in ['a', 'b']", one("s.form", "in", "a", "b")),
        ("form contains 'and'", one("s.form", "contains", "and")),
        ("hours >= 2.5", one("s.hours", ">=", Decimal("2.5"))),
        ("hours==-3", one("s.hours", "==", Decimal(-3))),
        ("form is empty", one("s.form", "empty")),
        ("jobs has gap of 12 months", one("s.jobs", "gap", Decimal(12))),
        ("form is not empty", Not(one("s.form", "empty"))),
        (
            "not a is empty and b == '1' or (c < 3 or d == ')')",
            Or(
                (
                    And((Not(one("s.a", "empty")), one("s.b", "==", "1"))),
                    Or((one("s.c", "<", Decimal(3)), one("s.d", "==", ")"))),
                )
            ),
        ),
    ],
)
def test_parse_reads_every_form(text: str, expected: Condition) -> None:
    assert conditions.parse(text, "s") == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "found the end of the condition; expected a question, such as form or practice.form"),
        (
            "form",
            "found the end of the condition; expected ==, !=, <, <=, >, >=, in, contains, is empty, is not empty or has gap of",
        ),
        ("form = 'a'", "found = 'a'; expected a name, a text in quotes, a number or a sign"),
        ("form == a", "found a; expected a text in quotes"),
        ("form == 'a", "found 'a; expected a name, a text in quotes, a number or a sign"),
        ("form in 'a'", "found 'a'; expected a list, such as ['a', 'b']"),
        ("form in ['a' 'b']", "found 'b'; expected ',' or ']'"),
        ("form in []", "found ]; expected a text in quotes"),
        ("form contains 3", "found 3; expected a text in quotes"),
        ("form > 'a'", "found 'a'; expected a number"),
        ("(form is empty", "found the end of the condition; expected ')'"),
        (
            "form has gap of 0 months",
            "found the end of the condition; expected a whole number of months, such as has gap of 12 months",
        ),
        ("form has gap of 12 days", "found days; expected a whole number of months, such as has gap of 12 months"),
        ("form is empty form", "found form; expected 'and', 'or' or the end"),
        ("and == 'a'", "found and; expected a question, such as form or practice.form"),
        ("a.b.c is empty", "found a.b.c is empty; expected a name, a text in quotes, a number or a sign"),
        ("Form is empty", "found Form is empty; expected a name, a text in quotes, a number or a sign"),
        ("__import__('os')", "found __import__('os'); expected a name, a text in quotes, a number or a sign"),
        ("a is empty or " * 100, "a condition has at most 1000 characters"),
        ("(" * 30 + "a is empty" + ")" * 30, "a condition nests at most 20 levels"),
        ("not " * 200 + "a is empty", "a condition nests at most 20 levels"),
    ],
)
def test_parse_says_what_it_found_and_expected(text: str, problem: str) -> None:
    with pytest.raises(ConditionError) as caught:
        conditions.parse(text, "s")
    assert str(caught.value) == problem


@given(st.one_of(st.text(max_size=80), st.text(alphabet="ab.'\"()[],=!<>0 inotd", max_size=80)))
def test_parse_gives_a_condition_or_a_condition_error(text: str) -> None:
    try:
        condition = conditions.parse(text, "s")
    except ConditionError:
        return
    conditions.holds(condition, {})


NAMES = st.sampled_from(["a", "b", "other.c"])
WORDS = st.sampled_from(["x", "y", ""])
SINGLE = st.one_of(
    st.builds(lambda name, value: (f"{name} == '{value}'", [name], lambda get: get(name) == value), NAMES, WORDS),
    st.builds(lambda name, value: (f"{name} != '{value}'", [name], lambda get: get(name) != value), NAMES, WORDS),
    st.builds(lambda name, value: (f"{name} in ['x', '{value}']", [name], lambda get: get(name) in ("x", value)), NAMES, WORDS),
    st.builds(lambda name: (f"{name} is empty", [name], lambda get: not get(name)), NAMES),
)
SPOKEN = st.recursive(
    SINGLE,
    lambda inner: st.one_of(
        st.builds(lambda part: (f"not ({part[0]})", part[1], lambda get: not part[2](get)), inner),
        st.builds(lambda p, q: (f"({p[0]}) and ({q[0]})", p[1] + q[1], lambda get: p[2](get) and q[2](get)), inner, inner),
        st.builds(lambda p, q: (f"({p[0]}) or ({q[0]})", p[1] + q[1], lambda get: p[2](get) or q[2](get)), inner, inner),
    ),
    max_leaves=5,
)


@given(SPOKEN, st.fixed_dictionaries({"a": WORDS, "b": WORDS, "other.c": WORDS}))
def test_holds_agrees_with_python(spoken: Any, values: dict[str, str]) -> None:
    text, names, expected = spoken
    condition = conditions.parse(text, "s")
    answers = {"s": {"a": values["a"], "b": values["b"]}, "other": {"c": values["other.c"]}}
    assert conditions.holds(condition, answers) == expected(values.__getitem__)
    assert conditions.names(condition) == {("other", "c") if name == "other.c" else ("s", name) for name in names}


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-99, max_value=99), st.integers(-99, 99))
def test_holds_compares_numbers_as_typed(number: Decimal, limit: int) -> None:
    answers = {"s": {"n": str(number).replace(".", ",")}}
    found = [conditions.holds(conditions.parse(f"n {operator} {limit}", "s"), answers) for operator in NUMBERS]
    assert found == [number == limit, number != limit, number < limit, number <= limit, number > limit, number >= limit]


@pytest.mark.parametrize("answer", [None, "", "ca. 3", [], {}, 3, [1], {"a": "b"}])
def test_holds_takes_what_is_no_number_as_empty(answer: object) -> None:
    found = [conditions.holds(conditions.parse(f"n {operator} 3", "s"), {"s": {"n": answer}}) for operator in NUMBERS]
    assert found == [False, True, False, False, False, False]


def test_holds_looks_for_what_was_chosen() -> None:
    chosen = conditions.parse("c contains 'a'", "s")
    assert [conditions.holds(chosen, {"s": {"c": answer}}) for answer in (["a", "b"], ["b"], "a", None)] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("ends", "found"),
    [
        ([("2020-01-01", "2020-12-31"), ("2022-01-01", "2022-12-31")], True),
        ([("2020-01-01", "2020-12-31"), ("2021-12-31", "2022-12-31")], False),
        ([("2022-01-01", ""), ("2020-01-01", "2020-12-31")], True),
        ([("2020-01-01", ""), ("2024-01-01", "2024-12-31")], False),
        ([("2020-01-01", "2019-01-01"), ("", "2024-12-31")], False),
        ([], False),
    ],
)
def test_holds_sees_the_time_between_periods(ends: list[tuple[str, str]], found: bool) -> None:
    def typed(day: str) -> dict[str, str]:
        return dict(zip(("year", "month", "day"), day.split("-"), strict=True)) if day else {}

    rows = [{"row": str(index), "during": {"from": typed(first), "to": typed(last)}} for index, (first, last) in enumerate(ends)]
    assert conditions.holds(conditions.parse("jobs has gap of 12 months", "s"), {"s": {"jobs": rows}}) is found
    assert not conditions.holds(conditions.parse("jobs has gap of 12 months", "s"), {"s": {"jobs": "x"}})


def test_visible_counts_a_hidden_answer_as_empty() -> None:
    form = template(first="", second="first == 'yes'", third="second == 'yes'", fourth="third is empty")
    yes = {"s": {"first": "yes", "second": "yes", "third": "x"}}
    no = {"s": {"first": "no", "second": "yes", "third": "x"}}
    assert [question.id for question in conditions.visible(form, yes)["s"]] == ["first", "second", "third"]
    assert [question.id for question in conditions.visible(form, no)["s"]] == ["first", "fourth"]


def test_cycle_names_the_way_round() -> None:
    assert conditions.cycle(template(a="b is empty", b="c is empty", c="d is empty or b is empty", d="")) == (
        ("s", "b"),
        ("s", "c"),
        ("s", "b"),
    )
    assert conditions.cycle(template(a="b is empty and c is empty", b="c is empty", c="")) == ()


def test_visible_comes_to_an_end_on_a_circle() -> None:
    assert set(conditions.visible(template(a="b is empty", b="a is empty"), {})) == {"s"}


def test_visible_is_quick_on_a_long_chain() -> None:
    chain = {f"q{number}": f"q{number - 1} is not empty" if number else "" for number in range(200)}
    answers = {"s": dict.fromkeys(chain, "x")}
    assert len(conditions.visible(template(**chain), answers)["s"]) == 200


OPTIONS = {"options": [{"id": "a", "label": TEXT}, {"id": "b", "label": TEXT}]}


@pytest.mark.parametrize(
    ("text", "kind", "problem"),
    [
        ("q == 'a'", "choice", ""),
        ("q in ['a', 'c']", "choice", "found 'c'; s.q has the options a, b"),
        ("q contains 'a'", "choices", ""),
        ("q contains 'c'", "choices", "found 'c'; s.q has the options a, b"),
        ("q == 'a'", "choices", "found == on s.q, a question of type choices; use contains and one of its options"),
        ("q >= 3", "number", ""),
        ("q == '3'", "number", "found == on s.q, a question of type number; compare it with a number"),
        ("q == 3", "short_text", "found == on s.q, a question of type short_text; compare it with a text in quotes"),
        ("q == 'x'", "evidence", "found == on s.q, a question of type evidence; it can only be tested with is empty"),
        ("q is empty", "table", ""),
        (
            "q has gap of 12 months",
            "table",
            (
                "found gap on s.q, a question of type table; "
                "it can only be tested with is empty, or with has gap of … months when it has a span"
            ),
        ),
        ("q is empty", "statement", "found empty on s.q, a question of type statement; it has no answer to test"),
        ("q == 'x'", "of_a_plugin", ""),
    ],
)
def test_unsuited_says_what_a_question_cannot_be_asked(text: str, kind: str, problem: str) -> None:
    (test,) = conditions.tests(conditions.parse(text, "s"))
    question = Question(id="q", type=kind, label=TEXT, settings=OPTIONS if kind.startswith("choice") else {})
    assert conditions.unsuited(test, question) == problem
