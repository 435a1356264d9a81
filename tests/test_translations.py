"""English is complete and in step with the code: the catalogue, the pages and the mail."""

import ast
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from flask_babel import refresh
from sqlalchemy import select

from app.accounts.models import Account
from app.dossiers import contents, invitations, starting
from app.dossiers.models import Dossier
from app.extensions import session, transaction
from app.mail import Mail
from app.pipeline import Installation
from app.texts import both, both_n, catalogue
from app.web import dates
from scripts.translations import KEYWORDS, english, extracted, unfinished

ROOT = Path(__file__).resolve().parent.parent
MAILS = ROOT / "app" / "mail_templates"
PLACES = re.compile(r"%\(\w+\)[a-z]|%%|\{\w+\}")
DUTCH = re.compile(
    r"\b(uw|u|wij|ons|niet|geen|het|een|van|voor|naar|bij|deze|dit|dat|zijn|wordt|worden|hebt|kunt|kan|nog|maar|als|om|uur|kies|vul|"
    r"onderdeel|onderdelen|bewijsstuk|bewijsstukken|bijlage|verklaring|kandidaat|beoordelaar|secretariaat|opslaan|bewaard)\b",
    re.IGNORECASE,
)
"""Words that are common in our Dutch and that English does not have."""
SAME = {
    "Browser",
    "Criteria",
    "Demo",
    "Dossier",
    "Dossier %(reference)s",
    "Dossier %(reference)s · %(name)s",
    "Log in",
    "Plugins",
    "SHA-256",
    "Status",
}
SAME |= {"Word", "auditor", "mentor", "%(num)s dossier", "%(num)s dossiers"}
SAME |= {"Download", "Downloads", "Open", "Score: %(title)s"}  # the assessor
SAME |= {"Account", "Dossiers", "Mentor", "Supervisor", "Auditor"}  # the office
SAME |= {
    "%(n)s dossier",
    "%(n)s dossiers",
    "%(role)s, %(day)s",
    "in %(month)s",
    "%(name)s, %(when)s",
}  # the office on one dossier
ADDRESS = re.compile(r"^/\S*|\S+@\S+")
MAIL_PLACE = re.compile(r"\{[{%].*?[%}]\}")


def texts() -> list[Message]:
    return [message for message in english() if message.id]


def forms(message: Message) -> list[tuple[str, str]]:
    """(Dutch, English) for the singular and the plural, or the one form that there is."""
    one = isinstance(message.id, str)
    return list(zip([message.id] if one else message.id, [message.string] if one else message.string, strict=True))


# --- the catalogue -------------------------------------------------------------------------------------------------


def test_catalogue_has_exactly_the_texts_of_the_code() -> None:
    code = {message.id for message in extracted() if message.id}
    kept = {message.id for message in texts()}
    assert (sorted(map(str, code - kept)), sorted(map(str, kept - code))) == ([], []), "missing, gone: run scripts/translations"


def test_every_text_in_code_is_written_out() -> None:
    """A name or an f-string in place of the text would never be found by the extraction."""
    hidden = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("both", "both_n"):
                wanted = max(KEYWORDS[node.func.id] or (1,))
                if not all(isinstance(argument, ast.Constant) for argument in node.args[:wanted]):
                    hidden.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert hidden == []


def test_every_text_has_its_english() -> None:
    assert unfinished(english()) == [], "translate these in the .po file and remove their fuzzy mark"


def test_places_are_the_same_in_both_languages() -> None:
    wrong = [
        pair
        for message in texts()
        for pair in forms(message)
        if sorted(PLACES.findall(pair[0])) != sorted(PLACES.findall(pair[1]))
    ]
    assert wrong == []


def test_english_starts_and_ends_as_the_dutch_does() -> None:
    """A capital, a full stop and a space at the edge are part of the text: they are there in both or in neither."""

    def edges(text: str) -> tuple[bool, bool, bool, str]:
        return (
            text[:1].isspace(),
            text[-1:].isspace(),
            text[:1].isupper() and not text[1:2].isupper(),
            text[-1:] if text[-1:] in ".?:!" else "",
        )

    moved = "%([{'‘“"  # a place or a quoted name may stand first in one language and not in the other
    wrong = [
        pair
        for message in texts()
        for pair in forms(message)
        if pair[1] and not {pair[0][0], pair[1][0]} & set(moved) and edges(pair[0]) != edges(pair[1])
    ]
    assert wrong == []


def test_no_dutch_is_left_in_english() -> None:
    assert [english for message in texts() for _, english in forms(message) if DUTCH.search(english)] == []
    assert [dutch for message in texts() for dutch, english in forms(message) if dutch == english and dutch not in SAME] == []


def test_a_text_is_made_in_both_languages() -> None:
    assert both("Regel %(n)s", n=3) == {"nl": "Regel 3", "en": "Entry 3"}
    assert both_n("%(n)s bewijsstuk", "%(n)s bewijsstukken", 1) == {"nl": "1 bewijsstuk", "en": "1 piece of evidence"}
    assert both_n("%(n)s bewijsstuk", "%(n)s bewijsstukken", 2) == {"nl": "2 bewijsstukken", "en": "2 pieces of evidence"}
    assert catalogue("nl").ugettext("Regel %(n)s") == "Regel %(n)s"


def test_every_time_is_written_as_its_language_writes_it(app: Flask) -> None:
    moment = datetime(2026, 11, 21, 13, 32, 5, tzinfo=UTC)
    pattern = "{{ moment|datetimeformat('d MMMM y, HH.mm.ss') }}"
    shown = {}
    for language in ("nl", "en"):
        with app.test_request_context(headers={"Cookie": f"language={language}"}):
            refresh()
            shown[language] = (dates.day(moment), dates.clock(moment), render_template_string(pattern, moment=moment))
    assert shown == {
        "nl": ("21 november 2026", "14.32", "21 november 2026, 14.32.05"),
        "en": ("21 November 2026", "14:32", "21 November 2026, 14:32:05"),
    }


def test_no_time_goes_round_the_place_that_knows_how_a_language_writes_it() -> None:
    """``format_time`` and ``%H`` know one way only; ``app.web.dates`` and ``clock_pattern`` know both."""
    allowed = {"app/web/dates.py", "app/documents/source.py"}
    allowed |= {"app/mail.py", "app/cli.py"}  # the header Date; commands, which speak English
    shows_time = re.compile(r"\bformat_(?:date)?time\(|%H[.:]%M\b(?!:%SZ)")
    found = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "app").rglob("*.py"))
        if shows_time.search(path.read_text(encoding="utf-8"))
    ]
    assert set(found) <= allowed


# --- the pages -----------------------------------------------------------------------------------------------------


class Words(HTMLParser):
    """What a page says, on screen or to a screen reader, and the addresses that it links to. Parts in another language are left
    out, as they are for a reader with English."""

    SPOKEN = ("alt", "title", "placeholder", "aria-label")
    EMPTY = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.open: list[tuple[str, bool]] = [("", False)]
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        silent = self.open[-1][1] or values.get("lang", "en") != "en" or tag in ("script", "style")
        if not silent:
            self.words += [value for name, value in values.items() if name in self.SPOKEN or name.startswith("data-")]
        if tag == "a":
            self.links.append(values.get("href", ""))
        if tag not in self.EMPTY:
            self.open.append((tag, silent))

    def handle_endtag(self, tag: str) -> None:
        if any(name == tag for name, _ in self.open):
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.open[-1][1] and data.strip():
            self.words.append(data.strip())


def walk(client: FlaskClient, *starts: str, limit: int = 60) -> Iterator[tuple[str, list[str]]]:
    """Address by address, the Dutch in what every page says that can be reached from ``starts`` in English."""
    client.set_cookie("language", "en")
    waiting, seen = list(starts), set(starts)
    while waiting:
        address = waiting.pop(0)
        answer = client.get(address, follow_redirects=True)
        if answer.mimetype != "text/html":
            continue
        assert answer.status_code == 200, address
        page = Words(answer.get_data(as_text=True))
        yield address, [words for words in page.words if DUTCH.search(ADDRESS.sub("", words))]
        for link in (link.partition("#")[0] for link in page.links):
            if link.startswith("/") and link not in seen and len(seen) < limit:
                seen.add(link)
                waiting.append(link)


def dutch_of(client: FlaskClient, *starts: str, at_least: int) -> dict[str, list[str]]:
    pages = dict(walk(client, *starts))
    assert len(pages) >= at_least, sorted(pages)
    return {address: words for address, words in pages.items() if words}


@pytest.fixture
def dossier(installation: Installation, make_account: Callable[..., Account]) -> Dossier:
    owner = make_account("Ann Carter", "candidate", language="en")
    with transaction():
        return starting.start(
            owner,
            "recertification",
            "2026.1",
            ["outplacement"],
            "en",
            catalogue=installation.catalogue,
            settings=installation.settings,
        )


def test_public_pages_are_english(client: FlaskClient) -> None:
    assert dutch_of(client, "/", at_least=4) == {}


def test_the_candidates_pages_are_english(dossier: Dossier, login: Callable[[Account], FlaskClient]) -> None:
    browser, here = login(dossier.owner), f"/dossier/{dossier.reference}"
    assert dutch_of(browser, here, "/dossiers/nieuw", f"{here}/controleren", at_least=25) == {}


def test_pages_of_assessor_and_office_are_english(
    make_account: Callable[..., Account], login: Callable[[Account], FlaskClient]
) -> None:
    assert dutch_of(login(make_account("Bob Green", "assessor", "office", language="en")), "/", at_least=4) == {}


def test_the_supervisors_pages_are_english(app: Flask, dossier: Dossier, installation: Installation) -> None:
    with transaction():
        invitations.invite(
            contents.read(dossier),
            "supervisor",
            "statement",
            name="Mary Jones",
            email="m.jones@example.org",
            language="en",
            settings=installation.settings,
        )
    link = str(session.scalars(select(Mail).where(Mail.template == "supervisor_invitation")).one().data["link"])
    path = link.removeprefix("http://localhost")
    browser = app.test_client()
    assert dutch_of(browser, path, at_least=1) == {}
    browser.post(f"{path}/verder")
    assert dutch_of(browser, "/verklaren/lezen", at_least=3) == {}


# --- the mail ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted({path.name.split(".")[0] for path in MAILS.glob("*.txt")}))
def test_mail_is_there_in_both_languages(name: str) -> None:
    dutch, english = ((MAILS / f"{name}.{language}.txt").read_text(encoding="utf-8") for language in ("nl", "en"))
    places = [sorted(MAIL_PLACE.findall(text)) for text in (dutch.replace(".nl.txt", ".en.txt"), english)]
    assert places[0] == places[1]
    assert DUTCH.findall(MAIL_PLACE.sub("", english)) == []
    assert len(DUTCH.findall(MAIL_PLACE.sub("", dutch))) > 0 or name == "closing"


def test_no_text_hides_in_an_f_string() -> None:
    """The extraction does not see calls inside an f-string, so such a text would stay Dutch."""
    hidden = [
        (path.name, call.lineno)
        for path in (ROOT / "app").rglob("*.py")
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("both", "both_n")
    ]
    assert hidden == []
