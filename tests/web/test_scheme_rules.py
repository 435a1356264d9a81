"""What the rules of a scheme count and find, as the candidate sees it on the page."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.accounts.models import Account
from app.dossiers import answers, starting
from app.dossiers.models import Dossier
from app.extensions import transaction
from app.pipeline import Installation


def a_day(day: int, month: int, year: int) -> dict[str, str]:
    return {"day": str(day), "month": str(month), "year": str(year)}


@pytest.fixture
def sanne(make_account: Callable[..., Account]) -> Account:
    return make_account("Sanne de Vries", "candidate")


def started(owner: Account, installation: Installation, scheme: str) -> Dossier:
    with transaction():
        return starting.start(owner, scheme, "2026.1", [], "nl", catalogue=installation.catalogue, settings=installation.settings)


def put(dossier: Dossier, section: str, question: str, answer: Any) -> None:
    with transaction():
        answers.put_answer(dossier, section, question, answer)


def test_work_experience_is_shown_where_it_is_entered_checked_and_listed(
    sanne: Account, installation: Installation, login: Callable[[Account], FlaskClient]
) -> None:
    dossier, browser = started(sanne, installation, "initial"), login(sanne)
    home, page = f"/dossier/{dossier.reference}", f"/dossier/{dossier.reference}/onderdeel/experience"
    first = {"row": "a", "position": "Adviseur", "worked": {"from": a_day(1, 2, 2018), "to": a_day(31, 1, 2019)}}
    second = {"row": "b", "position": "Coach", "worked": {"from": a_day(1, 6, 2020), "to": a_day(30, 4, 2022)}}
    put(dossier, "experience", "periods", [first, second])
    text = browser.get(page).get_data(as_text=True)
    assert "2 jaar en 11 maanden van 3 jaar" in text
    assert "Niet ingevuld: 1 februari 2019 – 31 mei 2020" in text
    assert "Er zit een jaar of langer tussen uw perioden." in text
    assert "u komt nog 1 maand tekort" in browser.get(f"{page}?controle=1").get_data(as_text=True)
    second["worked"] = {"from": a_day(1, 6, 2020), "to": a_day(0, 0, 0) | dict.fromkeys(("day", "month", "year"), "")}
    put(dossier, "experience", "periods", [first, second])
    text = browser.get(page).get_data(as_text=True)
    assert "1 juni 2020 – heden" in text
    assert "(minstens 3 jaar nodig)" in text
    assert "Gerekend tot en met " in text
    assert "2 regels" in browser.get(home).get_data(as_text=True)
    assert "2 regels, " in browser.get(f"{home}/controleren").get_data(as_text=True)
