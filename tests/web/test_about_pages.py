"""The pages about the service: in both languages, with the same parts, and true to this installation."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

PAGES = ("hulp", "privacy", "toegankelijkheid", "reglement", "gedragscode", "overeenkomst")


def page(client: FlaskClient, path: str, language: str) -> str:
    client.set_cookie("language", language)
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def shape(html: str) -> list[str]:
    """The tags of the article, in order, without those inside a sentence."""
    article = html.split("<article")[1].split("</article>")[0]
    return re.findall(r"<(h1|h2|h3|p|li|tr|td|th)\b", article)


@pytest.mark.parametrize("name", PAGES)
def test_page_about_the_service_says_the_same_in_both_languages(client: FlaskClient, name: str) -> None:
    dutch, english = (page(client, f"/over/{name}", language) for language in ("nl", "en"))
    assert shape(dutch) == shape(english)
    assert len(shape(dutch)) > 15
    assert "secretariaat@voorbeeld.nl" in dutch


def test_regulations_name_every_scheme_with_its_own_numbers(app: Flask, client: FlaskClient) -> None:
    shown = page(client, "/over/reglement", "nl")
    for scheme in app.extensions["installation"].catalogue.schemes.values():
        assert f"{scheme.template.title['nl']}, versie {scheme.template.version}" in shown
        assert f"Het certificaat is {scheme.template.validity_years} jaar geldig." in shown
        for requirement in scheme.template.entry_requirements:
            assert f"<li>{requirement.title['nl']}.</li>" in shown


def test_regulations_tell_what_applied_before_and_claim_no_accreditation_that_ended(client: FlaskClient) -> None:
    shown = page(client, "/over/reglement", "nl")
    assert "Een certificaat vanaf 1 januari 2007 tot en met 30 juni 2020 was 3 jaar geldig, op niveau A, B, C." in shown
    assert "Een certificaat vanaf 1 juli 2020 tot en met 31 december 2025 was 4 jaar geldig." in shown
    assert "Geaccrediteerd" not in shown


def test_regulations_say_how_each_scheme_is_judged(client: FlaskClient) -> None:
    def ways(language: str) -> list[str]:
        shown = page(client, "/over/reglement", language)
        return re.findall(r"<li>2 (?:beoordelaars|assessors), ([^<]+)\.</li>", shown)

    assert sorted(ways("nl")) == [
        "met een mondelinge toetsing",
        "met een mondelinge toetsing",
        "schriftelijk; over een specialisatie die u erbij kiest, ook mondeling",
    ]
    assert sorted(ways("en")) == [
        "in writing; about a specialisation that you choose to add, also orally",
        "with an oral session",
        "with an oral session",
    ]


@pytest.mark.parametrize("language", ["nl", "en"])
def test_declarations_accept_the_version_that_can_be_read(app: Flask, client: FlaskClient, language: str) -> None:
    def read(name: str) -> list[tuple[str, str]]:
        return re.findall(r"<strong>[^<]*, (?:versie|version) (\S+), ([^<]+)\.</strong>", page(client, f"/over/{name}", language))

    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for scheme in app.extensions["installation"].catalogue.schemes.values():
        texts = {
            section.id: question.settings["text"][language]
            for section in scheme.template.sections
            for question in section.questions
            if (section.id, question.id) in (("code_of_conduct", "acceptance"), ("agreement", "acceptance"))
        } | {f"final {one.id}": one.text[language] for one in scheme.template.declarations if one.id == "code_of_conduct"}
        for place, text in texts.items():
            found[scheme.template.scheme, place] = re.findall(r"(?:versie|version) (\S+) (?:van|of) ([^,]+),", text)
    code, agreement = read("gedragscode"), read("overeenkomst")
    assert len(code) == len(agreement) == 1
    assert found == {
        ("initial", "code_of_conduct"): code,
        ("initial", "agreement"): agreement,
        ("recertification", "code_of_conduct"): code,
        ("recertification", "final code_of_conduct"): code,
        ("specialisation", "code_of_conduct"): code,
    }


def test_footer_of_every_page_leads_to_them(client: FlaskClient) -> None:
    links = re.findall(r'<li><a href="(/over/[a-z]+)">', page(client, "/inloggen", "nl"))
    assert links == [f"/over/{name}" for name in PAGES]
    assert client.get("/over/iets-anders").status_code == 404
