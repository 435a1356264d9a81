"""Writing long texts: the buttons above the field, lists, pasting, the whole window, a lost connection, earlier versions."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from browser.conftest import PASSWORD
from browser.form_filling import button
from browser.looking import PHONE

pytestmark = pytest.mark.browser

FIELD = "#situation"
WORD = Path(__file__).with_name("word_clipboard.html")
WORDS = """\
**Mijn aanpak**

Ik begin met een **open gesprek**, en daarna *kijken* we samen naar de zin “werk dat bij mij past”vragenlijst.

- Luisteren
- Doorvragen, **altijd**

Daarna:

1. Plan maken
2. Uitvoeren
en afronden

Uren | Datum
12 | 3 mei

Slot."""


@pytest.fixture(scope="module")
def people(browser, server) -> dict[str, dict[str, Any]]:
    """Two candidates who have just started a dossier: ``state`` (logged in), the ``path`` of the dossier and ``email``."""
    found = {}
    for name in ("Sara Schrijver", "Bas Buurman"):
        email = f"{name.split()[0].lower()}@voorbeeld.example"
        server.flask("accounts", "create", email, name, "--role", "candidate", "--password", PASSWORD)
        context = browser.new_context(base_url=server.url)
        page = context.new_page()
        page.goto("/inloggen?next=/dossiers/nieuw%3Fschema%3Drecertification")
        log_in(page, email)
        page.get_by_role("button", name="Start dit dossier").click()
        page.wait_for_url("**/dossier/*")
        found[name] = {"state": context.storage_state(), "path": page.url.removeprefix(server.url), "email": email}
        context.close()
    return found


def log_in(page: Page, email: str) -> None:
    page.get_by_label("E-mailadres").fill(email)
    page.get_by_label("Wachtwoord", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


@pytest.fixture
def write(visitors, people) -> Callable[..., Page]:
    """``write(section, **options)``: the page of a section in a new window of Sara, whose questions stop nobody leaving."""

    def opened(section_id: str = "methodical_guidance", who: str = "Sara Schrijver", **options: Any) -> Page:
        page = visitors.arrive(storage_state=people[who]["state"], **options)
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(f"{people[who]['path']}/onderdeel/{section_id}")
        return page

    return opened


def saved(page: Page) -> Locator:
    return page.locator("[data-save-status][data-state=saved]")


def select(page: Page, start: int, end: int) -> None:
    page.locator(FIELD).evaluate("(field, [start, end]) => { field.focus(); field.setSelectionRange(start, end) }", [start, end])


def put(page: Page, text: str) -> None:
    """The text with the selection between ``[`` and ``]``, or the caret at ``|``."""
    start = re.search(r"[\[|]", text).start()
    end = text.index("]") - 1 if "]" in text else start
    page.locator(FIELD).fill(re.sub(r"[\[\]|]", "", text))
    select(page, start, end)


def now(page: Page) -> str:
    """As ``put``: what stands there now."""
    text, start, end = page.locator(FIELD).evaluate("field => [field.value, field.selectionStart, field.selectionEnd]")
    if start == end:
        return f"{text[:start]}|{text[start:]}"
    return f"{text[:start]}[{text[start:end]}]{text[end:]}"


# --- the buttons and keys ------------------------------------------------------------------------------------------


def test_keys_type_the_markup_and_can_be_undone(write, looks):
    page = write()
    cases = (
        ("Control+b", "een [twee] drie", "een [**twee**] drie"),
        ("Control+b", "een [**twee**] drie", "een [twee] drie"),
        ("Control+b", "een **tw|ee** drie", "een tw|ee drie"),
        ("Control+b", "een tw|ee drie", "een **tw|ee** drie"),
        ("Control+b", "een t[w]ee, drie", "een [**twee**], drie"),
        ("Control+b", "een[ twee ]drie", "een [**twee**] drie"),
        ("Control+b", "een | drie", "een **|** drie"),
        ("Control+b", "a **b** [c **d** e]", "a **b** [**c d e**]"),
        ("Control+b", "- [een\n\n2. twee]", "- [**een**\n\n2. **twee**]"),
        ("Control+b", "- [**een**\n\n2. **twee**]", "- [een\n\n2. twee]"),
        ("Control+i", "een [**twee**] drie", "een [***twee***] drie"),
        ("Control+b", "een [***twee***] drie", "een [*twee*] drie"),
        ("Control+Shift+Digit8", "een\ntw|ee\ndrie", "een\n- tw|ee\ndrie"),
        ("Control+Shift+Digit8", "e[en\n\ntwee\nd]rie", "[- een\n\n- twee\n- drie]"),
        ("Control+Shift+Digit8", "[- een\n- twee]", "[een\ntwee]"),
        ("Control+Shift+Digit7", "[- een\n- twee]\n1. drie", "[1. een\n2. twee]\n3. drie"),
        ("Control+Shift+Digit7", "1. een\ntw|ee", "1. een\n2. tw|ee"),
        ("Control+Shift+Digit7", "1. een\n2. tw|ee\n3. drie", "1. een\ntw|ee\n1. drie"),
        ("Control+Shift+Digit7", "|", "1. |"),
        ("Enter", "- een|", "- een\n- |"),
        ("Enter", "- een\n- |\nverder", "- een\n|\nverder"),
        ("Enter", "1. een| twee\n2. drie", "1. een\n2. |twee\n3. drie"),
        ("Enter", "9. negen|", "9. negen\n10. |"),
        ("Enter", "een|", "een\n|"),
        ("Enter", "|- een", "\n|- een"),
        ("Shift+Enter", "- een|", "- een\n|"),
    )
    done = []
    for key, before, _ in cases:
        put(page, before)
        page.keyboard.press(key)
        done.append((key, before, now(page)))
        page.keyboard.press("Control+z")
        assert page.locator(FIELD).input_value() == re.sub(r"[\[\]|]", "", before), f"undo of {key} in {before}"
    assert done == list(cases)
    assert looks.faults == []


def test_toolbar_is_one_stop_and_does_what_the_keys_do(write, looks):
    page = write()
    bar = page.get_by_role("toolbar", name="Opmaak").first
    field = page.locator(FIELD)
    assert bar.get_attribute("aria-controls") == "situation"
    put(page, "een [twee]")
    bar.get_by_role("button", name="Vet").click()
    expect(field).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(bar.get_by_role("button", name="Vet")).to_be_focused()
    for key, name in (
        ("ArrowRight", "Schuin"), ("ArrowRight", "Opsomming"), ("ArrowLeft", "Schuin"), ("End", "Hele scherm"),
        ("ArrowRight", "Vet"), ("ArrowLeft", "Hele scherm"), ("Home", "Vet"), ("ArrowRight", "Schuin"),
        ("ArrowRight", "Opsomming"),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(bar.get_by_role("button", name=name, exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    assert now(page) == "[- een **twee**]"
    page.keyboard.press("Shift+Tab")
    expect(bar.get_by_role("button", name="Opsomming")).to_be_focused()
    expect(saved(page)).to_be_visible()
    page.reload()
    expect(field).to_have_value("- een **twee**")
    looks.at(page, "writing")
    page.goto(re.sub("/onderdeel/.*", "/controleren", page.url))
    expect(page.locator(".answer li", has_text="een twee").locator("strong")).to_have_text("twee")
    assert looks.faults == []


def test_toolbar_is_big_enough_for_a_finger_and_away_without_script(write, looks):
    page = write(viewport=PHONE, has_touch=True, is_mobile=True)
    for one in page.locator(".toolbar").first.get_by_role("button").all():
        box = one.bounding_box()
        assert (box["width"] >= 44, box["height"] >= 44, box["x"] + box["width"] <= 390) == (True, True, True)
    page = write(java_script_enabled=False)
    expect(page.locator(".toolbar").first).to_be_hidden()
    expect(page.get_by_text("Zo maakt u een lijst of vette tekst").first).to_be_visible()
    assert looks.faults == []


# --- pasting -------------------------------------------------------------------------------------------------------

PASTE = """(field, data) => {
    const transfer = new DataTransfer();
    for (const [kind, text] of Object.entries(data)) transfer.setData(kind, text);
    field.focus();
    const event = new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
    return field.dispatchEvent(event); // true: the browser goes on and pastes by itself
}"""


def paste(page: Page, **data: str) -> bool:
    kinds = {"html": "text/html", "plain": "text/plain"}
    return page.locator(FIELD).evaluate(PASTE, {kinds[name]: text for name, text in data.items()})


def test_word_becomes_clean_text_with_our_markup(write, looks):
    page = write()
    put(page, "Begin |")
    assert not paste(page, html=WORD.read_text(), plain="Mijn aanpak …")
    field = page.locator(FIELD)
    expect(field).to_have_value("Begin " + WORDS)
    expect(page.locator(".writing__said").first).to_have_text(re.compile("^Een afbeelding kan niet"))
    assert now(page).endswith("Slot.|")
    field.press("Control+z")
    expect(field).to_have_value("Begin ")
    assert looks.faults == []


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<b style='font-weight:normal' id='docs-internal-guid-1'><p>Uit <span style='font-weight:700'>Docs</span></p></b>",
         "Uit **Docs**"),
        ("<ul><li><p>een</p></li><li>twee<ul><li>drie</li></ul></li></ul><ol start=3><li>vier<li>vijf</ol>",
         "- een\n- twee\n- drie\n3. vier\n4. vijf"),
        ("<p>3*4*5 <b>a*b</b> half<b>woord</b>, <strong><em>beide</em></strong></p>", "3*4*5 a*b halfwoord, ***beide***"),
        ("<p>·&nbsp;&nbsp;los punt</p><p>§ 2 blijft</p>", "- los punt\n\n§ 2 blijft"),
        ("<table><tr><td><p>Om de</p><p>opmaak</p></td></tr></table>", "Om de\n\nopmaak"),
        ("<p><img src=x onerror='document.title=1'><script>document.title=2</script>veilig</p>", "veilig"),
    ],
    ids=["docs", "lists", "stars", "points", "layout", "script"],
)  # fmt: skip
def test_what_has_a_look_is_pasted_as_text(write, looks, html: str, text: str):
    page = write()
    put(page, "|")
    title = page.title()
    paste(page, html=html, plain="anders")
    expect(page.locator(FIELD)).to_have_value(text)
    assert page.title() == title
    assert looks.faults == []


def test_plain_text_is_pasted_by_the_browser_itself(write):
    page = write()
    put(page, "|")
    assert paste(page, plain="gewoon")
    assert paste(page, html="<meta charset=utf-8><span>gewoon</span>", plain="gewoon")


# --- the whole window ----------------------------------------------------------------------------------------------


def test_whole_window_and_back(write, looks):
    page = write()
    field = page.locator(FIELD)
    put(page, "Een zin.|")
    bar = page.get_by_role("toolbar").first
    bar.get_by_role("button", name="Hele scherm").click()
    box = page.locator(".writing--whole")
    expect(field).to_be_focused()
    expect(bar.get_by_role("button", name="Terug (Esc)")).to_have_attribute("aria-pressed", "true")
    assert field.bounding_box()["height"] > 500
    page.keyboard.type(" Nog een.")
    expect(box.locator("[data-save-status][data-state=saved]")).to_be_visible()
    expect(box.locator(".word-bar__count")).to_have_text(re.compile("^4 woorden"))
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('.writing--whole')")
    looks.at(page, "whole-window")
    field.focus()
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    expect(field).to_be_focused()
    expect(page.locator(".context-bar [data-save-status]")).to_be_visible()
    expect(page.locator("[inert]")).to_have_count(0)
    bar.get_by_role("button", name="Hele scherm").click()
    bar.get_by_role("button", name="Terug (Esc)").click()
    expect(box).to_have_count(0)
    expect(bar.get_by_role("button", name="Hele scherm")).to_have_attribute("aria-pressed", "false")
    expect(field).to_have_value("Een zin. Nog een.")
    assert looks.faults == []


# --- no connection -------------------------------------------------------------------------------------------------


def offline_faults(looks) -> list[str]:
    return [fault for fault in looks.faults if "ERR_INTERNET_DISCONNECTED" not in fault]


def drafts(page: Page) -> list[str]:
    return page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('draft:'))")


def key_of(address: str) -> str:
    return "/" + address.split("/", 3)[3] + "/autosave"


def again(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(address)
    return page


def test_texts_of_two_sections_survive_a_closed_tab_without_connection(write, people, looks):
    first = write("methodical_guidance")
    context = first.context
    second = again(context, first.url.replace("methodical_guidance", "case_study"))
    context.set_offline(True)
    typed = {first: "Geschreven in de trein.", second: "En nog iets anders."}
    for page, text in typed.items():
        page.locator("textarea").first.fill(text)
        expect(page.locator("[data-save-status]")).to_contain_text("Niet opgeslagen")
    addresses = [page.url for page in typed]
    for page in typed:
        page.close(run_before_unload=False)
    context.set_offline(False)
    for address, text in zip(addresses, typed.values(), strict=True):
        page = again(context, address)
        expect(page.locator("[data-restored]")).to_be_visible()
        expect(page.locator("textarea").first).to_have_value(text)
        looks.at(page, "restored")
        page.wait_for_function("key => !localStorage.getItem(key)", arg=f"draft:{key_of(address)}")
        page.reload()
        expect(page.locator("[data-restored]")).to_be_hidden()
        expect(page.locator("textarea").first).to_have_value(text)
    assert drafts(page) == []
    assert offline_faults(looks) == []


def test_text_is_saved_as_soon_as_the_connection_is_back(write, looks):
    page = write("field")
    page.context.set_offline(True)
    page.locator("textarea").first.fill("Vlak voor de tunnel.")
    expect(page.locator("[data-save-status]")).to_contain_text("Niet opgeslagen")
    page.context.set_offline(False)
    expect(saved(page)).to_be_visible(timeout=5_000)  # the next attempt would come after ten seconds
    assert drafts(page) == []
    assert offline_faults(looks) == []


def test_text_of_one_person_is_not_seen_by_the_next_in_the_same_browser(write, people, looks):
    page = write("ethics")
    context, address = page.context, page.url
    context.set_offline(True)
    page.locator("textarea").first.fill("Alleen voor mij.")
    expect(page.locator("[data-save-status]")).to_contain_text("Niet opgeslagen")
    page.close(run_before_unload=False)
    context.set_offline(False)
    context.clear_cookies()
    other = again(context, "/inloggen")
    log_in(other, people["Bas Buurman"]["email"])
    expect(other.get_by_role("heading", level=1)).to_be_visible()
    other.goto(f"{people['Bas Buurman']['path']}/onderdeel/ethics")
    expect(other.locator("textarea").first).to_have_value("")
    expect(other.locator("[data-restored]")).to_be_hidden()
    other.goto(address)
    expect(other.get_by_role("heading", level=1)).to_have_text("Deze pagina is er niet")
    assert "Alleen voor mij" not in other.content()
    other.get_by_role("button", name="Uitloggen").click()
    expect(other.get_by_role("link", name="Log in").first).to_be_visible()
    assert drafts(other) == []
    assert offline_faults(looks) == []


def test_logging_out_saves_first_and_leaves_nothing_in_the_browser(write, people, looks):
    page = write("labour_market")
    address = page.url
    page.locator("textarea").first.fill("Vlak voor het uitloggen.")
    page.get_by_role("button", name="Uitloggen").click()
    expect(page.get_by_role("link", name="Log in").first).to_be_visible()
    assert drafts(page) == []
    page.goto("/inloggen")
    log_in(page, people["Sara Schrijver"]["email"])
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    people["Sara Schrijver"]["state"] = page.context.storage_state()
    page.goto(address)
    expect(page.locator("textarea").first).to_have_value("Vlak voor het uitloggen.")
    assert looks.faults == []


# --- what the documents cannot show, and earlier versions ----------------------------------------------------------


def test_a_character_that_the_documents_cannot_show_is_named_at_the_field_while_typing(write, looks):
    page = write("development_report")
    field = page.locator("textarea").first
    said = page.locator(".question:has(textarea) [data-unprintable]").first
    field.fill("Top 简")
    expect(said).to_contain_text("“简” (U+7B80)")
    page.reload()
    expect(said).to_contain_text("“简” (U+7B80)")
    expect(page.locator(".note", has_text="U+7B80")).to_be_visible()
    looks.at(page, "unprintable")
    field.fill("Top")
    expect(said).to_have_text("")
    expect(page.locator(".note", has_text="U+7B80")).to_be_hidden()
    assert looks.faults == []


def test_an_earlier_text_is_put_back(write, looks):
    page = write("development_plan")
    field = page.locator("textarea").first
    for text in ("Een eerste versie met drie zinnen. En nog een. En nog een.", "Een tweede versie met één zin."):
        field.fill(text)
        with page.expect_response("**/autosave"):
            pass
    page.locator(".question").filter(has=field).get_by_role("button", name="Eerdere versies").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Eerdere versies")
    looks.at(page, "earlier")
    page.locator(".rows a").first.click()
    expect(page.locator(".compare ins").first).to_be_visible()
    looks.at(page, "earlier-text")
    page.get_by_role("button", name="Zet deze tekst terug").click()
    expect(field).to_have_value("Een eerste versie met drie zinnen. En nog een. En nog een.")
    expect(page.get_by_role("alert").filter(has_text="staat er weer")).to_be_visible()
    button(page, "later").click()
    assert looks.faults == []


# --- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ("3, 4", ["2 woorden: nog 1 nodig", "3 woorden: dat is goed", "5 woorden: 1 te veel"]),
        ("3, 0", ["0 woorden: nog 3 nodig", "3 woorden: dat is goed"]),
        ("0, 4", ["Nog geen woorden", "4 woorden: dat is goed", "6 woorden: 2 te veel"]),
    ],
    ids=["both", "minimum", "maximum"],
)
def test_words_are_counted_against_the_range_and_announced(write, looks, limits: str, said: list[str]):
    page = write()
    lowest, highest = limits.split(", ")
    script = page.context.new_cdp_session(page)
    bar = "document.querySelector('[data-words=situation]').dataset"
    set_limits = (
        f"document.addEventListener('readystatechange', () => {{ {bar}.min = {lowest}; {bar}.max = {highest}; }}, {{once: true}})"
    )
    script.send("Page.enable")
    script.send("Page.addScriptToEvaluateOnNewDocument", {"source": set_limits})
    page.reload()
    for words in said:
        number = int(re.match(r"\d+|", words)[0] or 0)
        page.locator(FIELD).fill("woord " * number)
        expect(page.locator("[data-words=situation] .word-bar__count")).to_have_text(words)
        expect(page.locator("[data-words=situation] [role=status]")).to_have_text(words)
    assert looks.faults == []
