"""The development log's pages: noting with a photo, what it counts for, removing with a way back, taking over."""

import html
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from app.accounts.models import Account
from app.development.models import LogEntry, LogFile
from app.dossiers.models import Dossier, SectionAnswers
from app.dossiers.submission import today
from app.extensions import session

DAY = today() - timedelta(days=20)
FORM = {
    "key": "formulier-1", "kind": "training.course", "title": "Oplossingsgericht werken", "hours": "6",
    "date.day": str(DAY.day), "date.month": str(DAY.month), "date.year": str(DAY.year), "provider": "", "note": "",
}  # fmt: skip


@pytest.fixture
def sanne(make_account: Callable[..., Account], login: Callable[[Account], FlaskClient]) -> FlaskClient:
    return login(make_account("Sanne de Vries", "candidate"))


def found(*wanted: Any) -> list[Any]:
    """What the database holds now."""
    session.rollback()
    return [value for one in wanted for value in session.scalars(select(one))]


def photo(colour: str = "navy", name: str = "foto.jpg") -> tuple[io.BytesIO, str]:
    target = io.BytesIO()
    Image.new("RGB", (80, 60), colour).save(target, "JPEG")
    target.seek(0)
    return target, name


def page(client: FlaskClient, address: str = "/ontwikkeling", **options: Any) -> str:
    answer = client.get(address, **options)
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def note(client: FlaskClient, number: int = 1, **changes: Any) -> Any:
    return client.post("/ontwikkeling/nieuw", data={**FORM, "key": f"formulier-{number}", **changes})


def test_an_empty_log_explains_itself_and_the_menu_leads_there(sanne: FlaskClient) -> None:
    shown = page(sanne)
    assert "Er staat nog niets in uw logboek" in shown
    assert "0 van de 75 punten" in shown
    assert '<a class="site-header__item" href="/ontwikkeling" aria-current="page">Ontwikkeling</a>' in shown


def test_an_entry_with_a_photo_is_kept_once_counted_and_its_file_opens_after_the_check(
    sanne: FlaskClient, work: Callable[[], int]
) -> None:
    for _ in range(2):
        assert note(sanne, upload=photo()).status_code == 302  # the same form with the same words
    session.rollback()
    assert work() >= 1
    (item,) = [one for one in found(LogFile) if one.removed_at is None]
    item_id, stage = item.id, item.stage
    assert stage == "checked"
    shown = page(sanne)
    assert "6 van de 75 punten" in shown
    assert "Nog 69 punten nodig." in shown
    assert "Nog nodig voor uw dossier: Aanbieder" in re.sub(r"\s+", " ", re.sub("<[^>]+>", "", shown))
    sent = sanne.get(f"/ontwikkeling/bestand/{item_id}")
    assert (sent.status_code, sent.mimetype, sent.headers["Content-Security-Policy"]) == (
        200, "image/jpeg", "sandbox; default-src 'none'",
    )  # fmt: skip
    assert sanne.get(f"/ontwikkeling/bestand/{item_id}/voorbeeld").mimetype == "image/webp"


def test_what_is_wrong_is_said_and_nothing_typed_or_sent_is_lost(sanne: FlaskClient) -> None:
    answer = note(sanne, hours="-2", title="Studiedag", upload=photo(), note="Veel geleerd.")
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Het aantal uren moet meer zijn dan 0." in shown
    assert 'value="Studiedag"' in shown
    assert "Veel geleerd." in shown
    (item,) = found(LogFile)
    assert f'name="files" value="{item.id}"' in shown
    assert found(LogEntry) == []
    assert note(sanne, title="Studiedag", files=str(item.id)).status_code == 302
    assert found(LogFile.entry_id) == found(LogEntry.id)


def test_a_file_that_is_not_checked_or_not_ones_own_is_never_sent(
    sanne: FlaskClient, make_account: Callable[..., Account], login: Callable[[Account], FlaskClient]
) -> None:
    note(sanne, upload=photo())
    item_id, entry_id = found(LogFile.id, LogEntry.id)
    assert sanne.get(f"/ontwikkeling/bestand/{item_id}").status_code == 404
    others = [login(make_account("Piet Post", "candidate")), login(make_account("Of Fice", "office"))]
    for other in others:
        for address in (f"/ontwikkeling/{entry_id}", f"/ontwikkeling/bestand/{item_id}"):
            assert other.get(address).status_code in (403, 404)
        assert other.post(f"/ontwikkeling/{entry_id}/verwijderen").status_code in (403, 404)
    assert found(LogEntry.removed_at) == [None]


def test_files_come_in_parts_and_go_with_the_form(sanne: FlaskClient) -> None:
    data = photo()[0].getvalue()
    started = sanne.post(
        "/ontwikkeling/delen", data={"filename": "foto.jpg", "size": len(data), "modified": "1", "use": ""}
    ).get_json()
    assert sanne.post(f"/ontwikkeling/delen/{started['id']}?at=0", data=data).get_json() == {"at": len(data)}
    done = [sanne.post(f"/ontwikkeling/delen/{started['id']}/klaar", data={"sha256": ""}).get_json() for _ in range(2)]
    assert done[0] == done[1]
    assert note(sanne, files=str(done[0]["id"])).status_code == 302
    assert found(LogFile.entry_id) == found(LogEntry.id)


def test_the_same_thing_twice_is_pointed_out(sanne: FlaskClient) -> None:
    note(sanne, 1, upload=photo())
    note(sanne, 2)
    assert "staat al in uw logboek op die dag. Alles telt één keer." in page(sanne)
    note(sanne, 3, title="Iets anders", upload=photo(name="zelfde.jpg"))
    assert "Hetzelfde bestand staat ook bij “Oplossingsgericht werken”" in page(sanne)


def test_another_text_with_a_form_that_was_saved_is_given_back_to_save_as_a_new_entry(sanne: FlaskClient) -> None:
    note(sanne)
    answer = note(sanne, title="De volgende dag", upload=photo())
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Dit formulier is al opgeslagen, als “Oplossingsgericht werken”." in shown
    assert 'value="De volgende dag"' in shown
    assert found(LogEntry.title) == ["Oplossingsgericht werken"]
    (fresh,) = re.findall(r'name="key" value="([0-9a-f]{24})"', shown)
    (file,) = re.findall(r'name="files" value="(\d+)"', shown)
    again = sanne.post("/ontwikkeling/nieuw", data={**FORM, "key": fresh, "title": "De volgende dag", "files": file})
    assert again.status_code == 302
    assert found(LogEntry.title) == ["Oplossingsgericht werken", "De volgende dag"]


def before_of(shown: str) -> str:
    (found_there,) = re.findall(r'name="before" value="([^"]*)"', shown)
    return html.unescape(found_there)


def test_an_entry_in_two_tabs_loses_nothing(sanne: FlaskClient) -> None:
    note(sanne)
    (entry_id,) = found(LogEntry.id)
    address = f"/ontwikkeling/{entry_id}"
    typed = {**FORM, "before": before_of(page(sanne, address))}
    assert sanne.post(address, data={**typed, "title": "Tab één"}).status_code == 302
    assert sanne.post(address, data={**typed, "hours": "-1"}).status_code == 422
    assert sanne.post(address, data={**typed, "note": "Tab twee"}).status_code == 302
    assert found(LogEntry.title, LogEntry.note) == ["Tab één", "Tab twee"]
    answer = sanne.post(address, data={**typed, "title": "Tab drie", "note": "Tab twee"})
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "U hebt deze regel ook ergens anders gewijzigd." in shown
    assert "Wat was het? – ergens anders veranderde u dit in: Tab één" in shown
    assert 'value="Tab drie"' in shown
    assert found(LogEntry.title) == ["Tab één"]
    again = sanne.post(address, data={**typed, "before": before_of(shown), "title": "Tab drie", "note": "Tab twee"})
    assert again.status_code == 302
    assert found(LogEntry.title, LogEntry.note) == ["Tab drie", "Tab twee"]


def test_editing_removing_and_the_way_back(sanne: FlaskClient) -> None:
    note(sanne)
    (entry_id,) = found(LogEntry.id)
    shown = page(sanne, f"/ontwikkeling/{entry_id}")
    assert 'value="Oplossingsgericht werken"' in shown
    typed = {**FORM, "before": before_of(shown), "title": "Anders"}
    assert sanne.post(f"/ontwikkeling/{entry_id}", data=typed).status_code == 302
    assert "Anders" in page(sanne)
    sanne.post(f"/ontwikkeling/{entry_id}/verwijderen")
    shown = page(sanne)
    assert "“Anders” is verwijderd." in shown
    assert "0 van de 75 punten" in shown
    assert sanne.post(f"/ontwikkeling/{entry_id}", data={**FORM, "title": "Te laat"}).status_code == 409
    sanne.post(f"/ontwikkeling/{entry_id}/terugzetten")
    assert "6 van de 75 punten" in page(sanne)


def test_since_is_stated_and_what_was_before_does_not_count(sanne: FlaskClient) -> None:
    note(sanne)
    day = today()
    wrong = sanne.post("/ontwikkeling/sinds", data={"since.day": "31", "since.month": "2", "since.year": "2024"})
    assert wrong.status_code == 422
    assert 'value="31"' in wrong.get_data(as_text=True)
    sanne.post(
        "/ontwikkeling/sinds", data={"since.day": str(day.day), "since.month": str(day.month), "since.year": str(day.year)}
    )
    shown = page(sanne)
    assert "1 regel valt buiten de looptijd van uw certificaat en telt niet mee." in shown
    assert "0 van de 75 punten" in shown


def test_the_list_as_csv_holds_no_formula(sanne: FlaskClient) -> None:
    note(sanne, title="=1+1")
    sent = sanne.get("/ontwikkeling/ontwikkellogboek.csv")
    lines = sent.get_data(as_text=True).lstrip("\ufeff").splitlines()
    assert lines[0] == '"Datum","Soort","Wat u deed","Uren","Aanbieder of met wie","Wat u leerde","Bestanden","Overgenomen in"'
    assert lines[1] == f'"{DAY.isoformat()}","Opleiding of training","\'=1+1","6","","","",""'


def test_one_event_of_two_kinds_is_said_in_the_log_and_in_the_dossier(sanne: FlaskClient) -> None:
    note(sanne, 1, kind="training.conference")
    note(sanne, 2, kind="meeting.peer_supervision")
    shown = page(sanne)
    said = "Dit staat op dezelfde dag ook bij “Congres, studiedag of lezing”. Eén activiteit telt één keer: kies waarvoor."
    assert shown.count(said) == 2, "after saving, and beside the entry"
    assert page(sanne).count(said) == 1
    sanne.post("/dossiers/nieuw", data={"scheme": "recertification", "language": "nl"})
    (reference,) = found(Dossier.reference)
    sanne.post(f"/ontwikkeling/overnemen/{reference}", data={"entries": [str(one) for one in found(LogEntry.id)]})
    page(sanne)
    for section, label in (("education", "Intervisie en supervisie"), ("reflection_meetings", "Scholing en punten")):
        words = f"Dit staat op dezelfde dag ook bij “{label}”. Eén activiteit telt één keer: kies waarvoor."
        assert words in page(sanne, f"/dossier/{reference}/onderdeel/{section}")


def test_taking_over_says_what_is_true_of_rows_that_stand_and_of_entries_that_are_not_ones_own(sanne: FlaskClient) -> None:
    note(sanne)
    sanne.post("/dossiers/nieuw", data={"scheme": "recertification", "language": "nl"})
    (reference,) = found(Dossier.reference)
    address = f"/ontwikkeling/overnemen/{reference}"
    (entry_id,) = found(LogEntry.id)
    for ids, words in (
        (entry_id + 9, "Er is niets overgenomen: deze regels staan niet (meer) in uw ontwikkellogboek."),
        (entry_id, "1 regel uit uw ontwikkellogboek staat nu in uw dossier."),
        (entry_id, "Deze regels stonden al in uw dossier."),
    ):
        sanne.post(address, data={"entries": str(ids)})
        assert words in page(sanne)


def test_starting_a_dossier_asks_to_take_the_log_over_and_does_it_once(sanne: FlaskClient) -> None:
    note(sanne, 1, provider="School", upload=photo())
    note(sanne, 2, title="Mijn vraag", kind="meeting.supervision", hours="1,5")
    answer = sanne.post("/dossiers/nieuw", data={"scheme": "recertification", "language": "nl"})
    dossier_id, reference = found(Dossier.id, Dossier.reference)
    assert answer.headers["Location"] == f"/ontwikkeling/overnemen/{reference}"
    shown = page(sanne, answer.headers["Location"])
    assert "U hebt 2 regels in uw ontwikkellogboek. Overnemen?" in shown
    ids = re.findall(r'name="entries" value="(\d+)" checked', shown)
    assert len(ids) == 2
    assert sanne.post(answer.headers["Location"], data={}).status_code == 422
    for _ in range(2):
        assert sanne.post(answer.headers["Location"], data={"entries": ids}).headers["Location"].endswith(reference)
    session.rollback()
    rows = session.get_one(SectionAnswers, (dossier_id, "education")).data["activities"]
    assert [(row["title"], row["points"], len(row["proof"])) for row in rows] == [("Oplossingsgericht werken", "6", 1)]
    assert f"Overgenomen in {reference}" in page(sanne)
    assert "Er is niets om over te nemen" in page(sanne, answer.headers["Location"])
