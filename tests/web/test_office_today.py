"""The office's first page: what waits, each with one way on, and nothing to press on one's own dossier."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta

from filling import start
from flask.testing import FlaskClient
from sqlalchemy import event

from app.accounts.models import Account
from app.assessment.models import Admission, Assessment
from app.config import Settings
from app.dossiers import contents, submission
from app.dossiers.models import Dossier, Snapshot
from app.dossiers.submission import today
from app.extensions import now, session, transaction
from app.pipeline import Installation

Login = Callable[[Account], FlaskClient]
MakeAccount = Callable[..., Account]


def in_queue(dossier: Dossier, settings: Settings, *, admitted: bool = False) -> int:
    """A dossier whose documents are made, as far as the office's pages look."""
    with transaction():
        dossier = session.get_one(Dossier, dossier.id)
        content = json.dumps(submission.draft_content(contents.read(dossier), settings))
        sha256 = hashlib.sha256(content.encode()).hexdigest()
        dossier.stage = "submitted"
        snapshot = Snapshot(
            dossier_id=dossier.id, revision=1, sha256=sha256, content=content, stage="handed_over", delivered_at=now()
        )
        assessment = Assessment(dossier_id=dossier.id)
        session.add_all([snapshot, assessment])
        session.flush()
        if admitted:
            session.add(Admission(snapshot_id=snapshot.id, outcome="admitted", by_id=dossier.owner_id))
        return assessment.id


def page(client: FlaskClient) -> str:
    answer = client.get("/secretariaat")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_each_row_leads_to_the_page_where_it_is_done(installation: Installation, make_account: MakeAccount, login: Login) -> None:
    waiting, admitted, late = (
        start(make_account(name, "candidate"), installation) for name in ("Toe Laten", "Wijs Toe", "Te Laat")
    )
    in_queue(waiting, installation.settings)
    assessment_id = in_queue(admitted, installation.settings, admitted=True)
    with transaction():
        session.get_one(Dossier, late.id).submit_before = today() - timedelta(days=2)
    references = [session.get_one(Dossier, one.id).reference for one in (waiting, late)]
    desk = login(make_account("Ilse Smit", "office"))
    html = page(desk)
    ways = [
        f"/secretariaat/dossiers/{references[0]}/toelating",
        f"/secretariaat/beoordelingen/{assessment_id}",
        f"/secretariaat/dossiers/{references[1]}/uitstel",
    ]
    assert [html.index(f'href="{way}"') for way in ways] == sorted(html.index(f'href="{way}"') for way in ways)
    assert [desk.get(way).status_code for way in ways] == [200, 200, 200]
    assert "0 van 2 beoordelaars" in html


def test_ones_own_dossier_is_for_a_colleague(installation: Installation, make_account: MakeAccount, login: Login) -> None:
    both = make_account("Ilse Smit", "office", "candidate")
    in_queue(start(both, installation), installation.settings)
    html = page(login(both))
    assert "Uw eigen dossier: een collega behandelt het." in html
    assert "/toelating" not in html


def test_a_full_day_takes_as_many_queries_as_a_quiet_one(
    installation: Installation, make_account: MakeAccount, login: Login
) -> None:
    in_queue(start(make_account("Eerste", "candidate"), installation), installation.settings)
    desk = login(make_account("Ilse Smit", "office"))
    asked: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *call: asked.append(call[2]))

    def queries() -> int:
        asked.clear()
        page(desk)
        return len(asked)

    queries()
    few = queries()
    for number in range(4):
        in_queue(start(make_account(f"Persoon {number}", "candidate"), installation), installation.settings, admitted=number > 1)
    assert queries() == few
