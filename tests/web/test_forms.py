"""The door from questions to the form: every built-in type asks under the names that it reads, shows its errors where the
summary leads, and never lets a text become markup."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from lxml.html import HtmlElement

from app import extensions, texts
from app.plugin_api import Facts, Finding, Paragraph, Problem, Run, Table
from app.schemes import question_types
from app.schemes.model import Question, Section
from app.web import forms

HOSTILE = '"><script>alert(1)</script>&amp;'
OPTIONS = [{"id": "one", "label": {"nl": "Eén", "en": "One"}}, {"id": "two", "label": {"nl": "Twee", "en": "Two"}}]
LEVELS = [{"id": "1", "label": {"nl": "Oneens", "en": "Disagree"}}, {"id": "2", "label": {"nl": "Eens", "en": "Agree"}}]
FIELDS = [
    {"id": "title", "type": "short_text", "label": {"nl": "Naam", "en": "Name"}},
    {"id": "points", "type": "number", "label": {"nl": "Punten", "en": "Points"}},
]
SETTINGS: dict[str, dict[str, Any]] = {
    "short_text": {},
    "long_text": {"words": {"min": 3, "max": 5}},
    "number": {"unit": {"nl": "uur", "en": "hours"}},
    "date": {},
    "period": {},
    "choice": {"options": OPTIONS},
    "choices": {"options": OPTIONS},
    "scale": {"levels": LEVELS},
    "declaration": {"text": {"nl": "Ik ga akkoord.", "en": "I agree."}},
    "table": {
        "fields": FIELDS,
        "row_title": "title",
        "totals": [
            {"field": "points", "label": {"nl": "Totaal", "en": "Total"}, "min": 60, "unit": {"nl": "punten", "en": "points"}}
        ],
    },
    "evidence": {"files": {"min": 1, "max": 3}, "kinds": ["pdf", "jpg"]},
    "statement": {"role": {"nl": "supervisor", "en": "supervisor"}},
}
DAY = {"day": "1", "month": "2", "year": "2026"}
ANSWERS: dict[str, Any] = {
    "short_text": "De Vries",
    "long_text": "een twee\n\n- drie",
    "number": "12,5",
    "date": DAY,
    "period": {"from": DAY, "to": {"day": "3", "month": "4", "year": "2026"}},
    "choice": "two",
    "choices": ["one", "two"],
    "scale": "2",
    "declaration": "yes",
    "evidence": [7, 9],
}
PLAIN_TYPES = tuple(ANSWERS)


def made(kind: str, **overrides: Any) -> Question:
    question: dict[str, Any] = {"id": "ask", "type": kind, "label": {"nl": "Vraag", "en": "Question"}, "settings": SETTINGS[kind]}
    return Question(**(question | overrides))


def one(question: Question) -> Section:
    return Section(id="part", group="all", title={"nl": "Deel", "en": "Part"}, questions=(question,))


def file(number: int, **overrides: Any) -> dict[str, Any]:
    plain = {
        "id": number,
        "title": f"Stuk {number}.pdf",
        "kind": "pdf",
        "size": 1_830_000,
        "added": "1 mei 2026",
        "stage": "checked",
    }
    return plain | overrides


@pytest.fixture(autouse=True, scope="module")
def page() -> Iterator[Flask]:
    app = Flask("pages", template_folder=str(texts.TRANSLATIONS.parent / "templates"))
    app.config["SECRET_KEY"] = "k" * 32
    extensions.csrf.init_app(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.i18n")
    dutch = texts.catalogue("nl")
    app.jinja_env.install_gettext_callables(dutch.ugettext, dutch.ungettext, newstyle=True)  # type: ignore[attr-defined]
    forms.install(app)
    with app.test_request_context(headers={"Cookie": "language=nl"}):
        yield app


def drawn(question: Question, answer: Any = None, errors: list[Finding] | None = None, **context: Any) -> HtmlElement:
    context.setdefault("files", [file(number) for number in answer] if question.type == "evidence" and answer else [])
    return html.fromstring(forms.render_question(one(question), question, answer, "nl", errors or [], **context))


def sent(form: HtmlElement) -> dict[str, list[str]]:
    """What a browser would send: each successful control's name with its values."""
    pairs: dict[str, list[str]] = {}
    for control in form.iter("input", "textarea"):
        unchosen = control.get("type") in ("radio", "checkbox") and control.get("checked") is None
        if unchosen or control.get("type") == "file":
            continue
        value = (control.text or "").removeprefix("\n") if control.tag == "textarea" else control.get("value", "")
        pairs.setdefault(control.get("name"), []).append(value)
    return pairs


@pytest.mark.parametrize("kind", PLAIN_TYPES)
def test_question_sends_back_the_answer_that_it_shows(kind: str) -> None:
    question = made(kind)
    form = sent(drawn(question, ANSWERS[kind]))
    assert question_types.BUILT_IN[kind].read(form, "ask", question.settings) == ANSWERS[kind]


@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40))
def test_long_text_comes_back_as_typed(page: Flask, text: str) -> None:
    typed = f"\n{text}\n{text}"
    control = drawn(made("long_text"), typed).find(".//textarea")
    assert control is not None
    assert (control.text or "").removeprefix("\n") == typed


@pytest.mark.parametrize("kind", PLAIN_TYPES)
def test_errors_stand_beside_the_field_in_the_words_of_the_summary_which_names_the_question(kind: str) -> None:
    question = made(kind)
    finding = Finding(section="part", question="ask", text={"nl": "Vul dit in.", "en": "Fill this in."})
    [error] = forms.error_list(one(question), [finding], "nl")
    shown = drawn(question, None, [finding])
    target = shown.get_element_by_id(error["href"].removeprefix("#"))
    assert target.tag in ("input", "textarea")
    message = shown.get_element_by_id(f"{forms.element_id('ask')}-{'date-' if kind == 'date' else ''}error")
    assert message.text_content().split() == ["Fout:", "Vul", "dit", "in."]
    assert error["text"] == "Vraag: Vul dit in."
    described = {name for element in shown.iter() for name in element.get("aria-describedby", "").split()}
    assert message.get("id") in described


@pytest.mark.parametrize("kind", SETTINGS)
def test_every_reference_in_a_question_leads_to_an_element(kind: str) -> None:
    finding = Finding(section="part", question="ask", text={"nl": "Vul dit in.", "en": "Fill this in."})
    shown = drawn(
        made(kind, hint={"nl": "Hulp", "en": "Help"}), ANSWERS.get(kind), [finding], choose_url=lambda question: "/choose"
    )
    ids = [element.get("id") for element in shown.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in shown.iter():
        for name in ("for", "aria-describedby", "aria-labelledby"):
            assert set(element.get(name, "").split()) <= set(ids)


@pytest.mark.parametrize("kind", SETTINGS)
def test_texts_never_become_markup(kind: str) -> None:
    hostile = {"nl": HOSTILE, "en": HOSTILE}
    settings = {**SETTINGS[kind], "unit": hostile, "text": hostile, "refused": [hostile]}
    for key in ("options", "levels"):
        if key in settings:
            settings[key] = [{"id": "1", "label": hostile, "hint": hostile}]
    question = made(kind, label=hostile, hint=hostile, settings=settings)
    answer = [{"row": HOSTILE, "title": HOSTILE}] if kind == "table" else HOSTILE
    shown = drawn(
        question,
        answer,
        [Finding(section="part", question="ask", text=hostile)],
        files=[file(1, title=HOSTILE, reason=HOSTILE, stage="refused", used_in=[HOSTILE], added=HOSTILE)],
        statement={"state": HOSTILE, "lines": [HOSTILE], "kind": "", "href": "/x", "action": HOSTILE},
    )
    assert shown.find(".//script") is None
    assert "<script" not in str(forms.render_answer(question, answer, "nl", files=[file(1, title=HOSTILE)]))
    assert HOSTILE in shown.text_content() or HOSTILE in "".join(shown.xpath("//@value"))


@pytest.mark.parametrize("kind", SETTINGS)
def test_only_questions_that_need_no_answer_say_so(kind: str) -> None:
    assert "(niet verplicht)" not in drawn(made(kind)).text_content()
    assert "(niet verplicht)" in drawn(made(kind, required=False)).text_content()


def test_question_that_is_not_to_be_answered_now_is_hidden() -> None:
    assert drawn(made("short_text"), shown=False).get("hidden") is not None
    assert drawn(made("short_text"), shown=True).get("hidden") is None


def test_errors_of_other_questions_and_sections_are_not_shown() -> None:
    words = {"nl": "Vul dit in.", "en": "Fill this in."}
    others = [Finding(section="part", question="other", text=words), Finding(section="else", question="ask", text=words)]
    assert "Vul dit in." not in drawn(made("short_text"), "", others).text_content()


def test_error_list_follows_the_questions_and_leads_to_rows() -> None:
    first, second = made("short_text", id="first"), made("table", id="second")
    section = Section(id="part", group="all", title={"nl": "Deel"}, questions=(first, second))
    findings = [
        Finding(section="part", question="second", row="r2", text={"nl": "Rij."}),
        Finding(section="else", question="first", text={"nl": "Elders."}),
        Finding(section="part", question="first", text={"nl": "Eerste."}),
        Finding(section="part", text={"nl": "Alles."}),
    ]
    assert forms.error_list(section, findings, "nl") == [
        {"text": "Alles.", "href": "#main-content"},
        {"text": "Vraag: Eerste.", "href": "#first"},
        {"text": "Rij.", "href": "#second-row-r2"},
    ]


@pytest.mark.parametrize(
    ("label", "text", "shown"),
    [
        ("Wat leerde u?", "Schrijf nog 1 woord.", "Wat leerde u? Schrijf nog 1 woord."),
        ("Uw plan", "Schrijf nog 1 woord.", "Uw plan: Schrijf nog 1 woord."),
        ("Uw plan", "Vul in: Uw plan", "Vul in: Uw plan"),
    ],
)
def test_a_summary_names_the_question_unless_the_words_do(label: str, text: str, shown: str) -> None:
    question = made("long_text", label={"nl": label})
    finding = Finding(section="part", question="ask", text={"nl": text})
    assert forms.named(one(question), finding, "nl") == shown


def test_a_row_with_a_problem_looks_so_before_anybody_asked() -> None:
    rows = [{"row": "r1", "title": "Cursus", "points": "16"}, {"row": "r2", "title": "Les", "points": "veel"}]
    wrong = [Problem({"nl": "Vul een getal in."}, row="r2", field="points")]
    shown = drawn(made("table"), rows, row_problems=wrong)
    assert [item.get("class") for item in shown.xpath("//ul[@class='rows']/li")] == [None, "rows__wrong"]
    assert "Vul een getal in." in shown.get_element_by_id("ask-row-r2").text_content()


def test_long_list_of_choices_is_one_control_that_names_them_all() -> None:
    told = "Dit kan alleen als het secretariaat er vooraf mee heeft ingestemd."
    options = [{"id": f"b{number}", "label": {"nl": f"Bureau {number}"}, "hint": {"nl": "Rond € 200."}} for number in range(10)]
    other = {"id": "other", "label": {"nl": "Een ander"}, "hint": {"nl": told}}
    shown = drawn(replace(made("choice"), settings={"options": [*options, other]}), "b3")
    (control,) = shown.iter("select")
    texts = [str(option.text) for option in control.iter("option")]
    assert texts == ["Kies uit de lijst", *(f"Bureau {number} – Rond € 200." for number in range(10)), "Een ander"]
    assert [option.get("value") for option in control.iter("option") if option.get("selected") is not None] == ["b3"]
    more = shown.get_element_by_id(control.get("aria-describedby"))
    assert more.text_content() == f"Een ander: {told}"
    assert [control.get("name"), *shown.xpath("//label/@for")] == ["ask", control.get("id")]


def test_table_shows_rows_running_total_and_links() -> None:
    rows = [{"row": "r1", "title": "Cursus", "points": "16"}, {"row": "r2", "title": "", "points": "30"}]
    shown = drawn(
        made("table"),
        rows,
        [Finding(section="part", question="ask", row="r2", text={"nl": "Vul in: Naam.", "en": "Fill in: Name."})],
        add_url=lambda question: f"/{question}/new",
        edit_url=lambda question, row: f"/{question}/{row}",
        remove_url=lambda question, row: f"/{question}/{row}/remove",
    )
    assert [title.text_content() for title in shown.iter("h3")] == ["Cursus", "Regel 2"]
    assert [button.get("value") for button in shown.iter("button")] == [
        *("go:/ask/r1", "go:/ask/r1/remove", "go:/ask/r2", "go:/ask/r2/remove"),
        "go:/ask/new",
    ]
    assert "46 van 60 punten" in shown.text_content()
    assert "Vul in: Naam." in shown.get_element_by_id("ask-row-r2").text_content()
    [progress] = shown.iter("progress")
    assert (float(progress.get("value")), float(progress.get("max"))) == (46, 60)


def test_row_page_asks_each_field_under_the_names_that_a_row_reads() -> None:
    table = made("table")
    row = {"title": "Cursus", "points": "16"}
    problems = [Problem(text={"nl": "Vul in: Naam.", "en": "Fill in: Name."}, field="title")]
    parts = [forms.render_row_field(table, field, row[field.id], "nl", problems) for field in forms.row_fields(table)]
    form = html.fromstring("<div>" + "".join(parts) + "</div>")
    assert question_types.BUILT_IN["table"].read(sent(form), "ask", table.settings) == row
    [error] = forms.row_error_list(table, problems, "nl")
    assert error == {"text": "Vul in: Naam.", "href": "#ask-title"}
    assert form.get_element_by_id("ask-title").get("name") == "ask.title"


def test_evidence_shows_how_each_file_stands() -> None:
    files = [
        file(7, href="/file/7", pages=14, used_in=["Intake"]),
        file(9, stage="received"),
        file(11, stage="refused", reason="Stuk 11.pdf is leeg."),
    ]
    shown = drawn(
        made("evidence"), [7, 9, 11], files=files, poll="/here", choose_url=lambda question: f"/choose/{question}", folder_count=4
    )
    listed = [" ".join(item.text_content().split()) for item in shown.iter("li")]
    assert listed == [
        "PDF Stuk 7.pdf 1,8 MB · 14 pagina’s · toegevoegd op 1 mei 2026 · ook gebruikt bij Intake Verwijder Stuk 7.pdf",
        "PDF Stuk 9.pdf 1,8 MB · toegevoegd op 1 mei 2026 Wordt gecontroleerd Verwijder Stuk 9.pdf",
        "PDF Stuk 11.pdf 1,8 MB · toegevoegd op 1 mei 2026 Niet bruikbaar Stuk 11.pdf is leeg. Verwijder Stuk 11.pdf",
    ]
    assert [button.get("value") for button in shown.iter("button") if button.get("name") == "remove"] == [
        "ask:7",
        "ask:9",
        "ask:11",
    ]
    assert shown.get_element_by_id("ask").get("accept") == ".pdf,.jpg,.jpeg"
    assert shown.get_element_by_id("ask-files").get("data-poll") == "/here"


def test_evidence_list_is_not_refreshed_when_all_files_are_checked() -> None:
    assert drawn(made("evidence"), [7], poll="/here").get_element_by_id("ask-files").get("data-poll") is None


def test_plugin_question_type_is_drawn_by_the_widget_that_it_names() -> None:
    built_in = question_types.BUILT_IN["short_text"]
    plain = Question(id="ask", type="postcode", label={"nl": "Postcode", "en": "Postcode"})
    shown = drawn(plain, "1234 AB", types={"postcode": built_in})
    assert sent(shown) == {"ask": ["1234 AB"]}


def test_answer_is_shown_as_paragraphs_and_lists() -> None:
    read = forms.render_answer(made("long_text"), "Een **dik** woord.\n\n- een\n- twee", "nl")
    assert " ".join(str(read).split()) == "<p>Een <strong>dik</strong> woord.</p><ul><li>een</li><li>twee</li></ul>"


def test_answer_that_is_missing_is_named() -> None:
    assert forms.render_answer(made("short_text"), " ", "nl") == '<p class="muted">Nog niet ingevuld</p>'


def test_blocks_link_to_the_web_only() -> None:
    runs = (Run("site", link="https://example.org/?a=1&b=2"), Run("val", link="javascript:alert(1)"))
    shown = html.fromstring(f"<div>{forms.render_blocks([Paragraph(runs)])}</div>")
    assert [link.get("href") for link in shown.iter("a")] == ["https://example.org/?a=1&b=2"]
    assert shown.text_content() == "siteval"


def test_blocks_show_facts_and_tables() -> None:
    table = Table(
        "Punten", ("Naam", "Punten"), (((Run("Cursus"),), (Run("16"),)),), totals=((Run("Samen"),), (Run("16"),)), numeric=(1,)
    )
    shown = html.fromstring(f"<div>{forms.render_blocks([Facts((('Naam', (Run('S. de Vries'),)),)), table])}</div>")
    assert [cell.text_content() for cell in shown.iter("dt", "dd", "caption", "th", "td")] == [
        *("Naam", "S. de Vries", "Punten", "Naam", "Punten", "Cursus", "16", "Samen", "16"),
    ]
    assert len(shown.xpath("//*[@class='number']")) == 3


@pytest.mark.parametrize(
    ("size", "words"), [(0, "1 kB"), (1_499, "1 kB"), (214_000, "214 kB"), (999_999, "1000 kB"), (1_830_000, "1,8 MB")]
)
def test_file_size_is_told_in_round_numbers(size: int, words: str) -> None:
    assert forms.file_size(size, "nl") == words


WORDS = st.lists(st.sampled_from(["een", "twee", "drie", " ", "\n"]), max_size=12).map("".join)


@given(mine=WORDS, theirs=WORDS)
def test_difference_keeps_both_texts_whole(mine: str, theirs: str) -> None:
    left, right = forms.difference(mine, theirs)
    assert ("".join(words for _, words in left), "".join(words for _, words in right)) == (mine, theirs)
    assert [words for kind, words in left if kind == "same"] == [words for kind, words in right if kind == "same"]


def test_difference_marks_what_each_text_has_alone() -> None:
    assert forms.difference("een rode auto", "een blauwe auto") == (
        [("same", "een "), ("ins", "rode "), ("same", "auto")],
        [("same", "een "), ("del", "blauwe "), ("same", "auto")],
    )


def test_evidence_that_many_sections_use_names_three_of_them() -> None:
    shown = drawn(made("evidence"), [7], files=[file(7, used_in=["Intake", "Casus", "Cv", "Ethiek", "Markt"])])
    assert "ook gebruikt bij Intake, Casus, Cv en nog 2 onderdelen" in " ".join(shown.text_content().split())


def test_evidence_question_for_one_file_takes_one_file() -> None:
    assert drawn(made("evidence")).get_element_by_id("ask").get("multiple") is not None
    single = made("evidence", settings={"files": {"min": 1, "max": 1}})
    assert drawn(single).get_element_by_id("ask").get("multiple") is None
