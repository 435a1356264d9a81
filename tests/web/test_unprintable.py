"""Characters that the documents cannot show are named to the candidate, and never stop him."""

import filling
import pytest
from flask.testing import FlaskClient

from app.accounts.models import Account
from app.dossiers import answers
from app.dossiers import contents as dossier_contents
from app.extensions import transaction
from app.pipeline import Installation
from app.web import unprintable


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ("Gewoon Şenay Łukasiewicz – “goed” €", ""),
        ("Top 简", "Dit teken kan niet in uw documenten staan: “简” (U+7B80)."),
        ([{"row": "r1", "title": "a\u202eb"}], "Dit teken kan niet in uw documenten staan: U+202E."),
        (
            {"from": {"day": "简"}, "to": ["简ก"]},
            "Deze tekens kunnen niet in uw documenten staan: “ก” (U+0E01), “简” (U+7B80).",
        ),
        (None, ""),
        ([1, 2], ""),
    ],
)
def test_warning_names_the_characters(answer: object, named: str) -> None:
    words = unprintable.warning(answer)
    assert (words["nl"].partition(" Daar komt")[0] if words else "") == named


def test_the_name_of_a_file_is_looked_at_where_it_is_used(make_account, installation: Installation) -> None:
    dossier = filling.start(make_account("Sanne de Vries", "candidate"), installation)
    proof = filling.checked_file(dossier, installation, "简历.pdf")
    section = dossier_contents.read(dossier).template.section("development_report")
    assert section is not None
    assert unprintable.in_section(dossier_contents.read(dossier), section) == []
    with transaction():
        answers.put_answer(dossier, "development_report", "attachments", [proof])
    found = unprintable.in_section(dossier_contents.read(dossier), section)
    assert [(question.id, "“历” (U+5386), “简” (U+7B80)" in words["nl"]) for question, words in found] == [("attachments", True)]


def test_the_check_page_names_characters_in_the_candidates_own_name(make_account, login, installation: Installation) -> None:
    owner: Account = make_account("Wang Xiaoming", "candidate")
    with transaction():
        owner.name = "Wang Xiaoming 王小明"
    dossier = filling.start(owner, installation)
    page = login(owner).get(f"/dossier/{dossier.reference}/controleren").get_data(as_text=True)
    assert (
        '<a class="govuk-link" href="/account">Uw naam</a> – Deze tekens kunnen niet in uw documenten staan: “小” (U+5C0F)'
        in page
    )


def test_it_is_said_on_saving_at_the_section_and_on_the_check_page_and_stops_nothing(
    make_account, login, installation: Installation
) -> None:
    owner: Account = make_account("Sanne de Vries", "candidate")
    dossier = filling.start(owner, installation)
    with transaction():
        answers.put_answer(dossier, "development_report", "goals", "Rustig")
    base, client = f"/dossier/{dossier.reference}", login(owner)

    def page(path: str, browser: FlaskClient = client) -> str:
        return browser.get(base + path).get_data(as_text=True)

    assert "U+7B80" not in page("/onderdeel/development_report") + page("/controleren")
    version = page("/onderdeel/development_report").split('name="version" value="')[1].split('"')[0]
    saved = client.post(f"{base}/onderdeel/development_report", data={"version": version, "goals": "Top 简", "action": "later"})
    assert saved.status_code == 302
    assert "“简” (U+7B80)" in page("")
    assert "“简” (U+7B80)" not in page("")  # said once
    assert "“简” (U+7B80)" in page("/onderdeel/development_report")
    assert "“简” (U+7B80)" in page("/controleren")
