"""The table of rights on the web: every guarded address × every kind of person × every stage, asked for real.

Expected is what ``permissions.may`` says; ``test_permissions.py`` holds that table itself. Here it is shown that no page
does anything else than the table says, that a refused request changes nothing, and that no address is forgotten.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse
from whole_site import PEOPLE, REFERENCE, REQUESTS, ROLES, SUPERVISORS, Request, Site, whole_site

from app import permissions
from app.accounts import login
from app.accounts.models import Account
from app.assessment.models import Assessment
from app.development.models import LogEntry, LogFile
from app.dossiers.models import Dossier, Evidence, Mentorship, Statement
from app.extensions import session

PUBLIC = {
    "auth.agree_to_email", "auth.first_set_up", "auth.second_step",
    "auth.invited",
    "auth.confirm", "auth.forgot", "auth.login", "auth.logout", "auth.mailed", "auth.register", "auth.resend", "auth.reset",
    "demo.home", "demo.letter", "demo.post", "public.about", "public.health", "public.home", "public.language",
    "mentor.decline", "mentor.invitation", "supervisor.copy", "supervisor.copy_file", "supervisor.enter", "supervisor.invitation",
}  # fmt: skip
DOWNLOADS = {
    "assessor.bundle",
    "assessor.document",
    "assessor.evidence",
    "audit_log.export",
    "candidate.document",
    "candidate.draft",
    "development.download",
    "development.export",
    "development.thumbnail",
    "evidence.download",
    "evidence.original",
    "evidence.thumbnail",
    "mentor.evidence",
    "office.document",
    "office.evidence",
    "office.export_dossiers",
    "supervisor.evidence",
    "office.export_people",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, empty_database: Any, password_hash: str) -> Iterator[Site]:
    with whole_site(tmp_path_factory.mktemp("rights"), empty_database, password_hash) as made:
        yield made


@pytest.fixture(autouse=True)
def fresh(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(
        login, "SEEN_EVERY", timedelta(days=1)
    )  # else, after a minute, every request notes that a login is in use
    site.reset()
    yield
    session.remove()


def guarded(site: Site) -> dict[str, str]:
    """Every endpoint behind a guard with its action."""
    views = {rule.endpoint: site.app.view_functions[rule.endpoint] for rule in site.app.url_map.iter_rules()}
    return {name: view.guarded_action for name, view in views.items() if getattr(view, "guarded_action", "")}


def kind_of(action: str) -> type | None:
    (kind,) = {rule.kind for rule in permissions.RULES if rule.action == action}
    return kind


def thing_of(site: Site, action: str, person: str) -> object:
    """The thing that the address names; a supervisor's addresses name nothing, so his are about his own statement."""
    kind = kind_of(action)
    if kind is Mentorship:  # a link invites for the other dossier
        return (
            session.query(Mentorship)
            .join(Dossier)
            .where((Dossier.reference == REFERENCE) == (action != "mentorship.accept"))
            .one()
        )
    if kind is Dossier:
        return session.query(Dossier).where(Dossier.reference == REFERENCE).one()
    if kind is Evidence:
        return session.get_one(Evidence, site.values["evidence_id"])
    if kind is LogEntry:
        return session.get_one(LogEntry, site.values["entry_id"])
    if kind is LogFile:
        return session.get_one(LogFile, site.values["log_file_id"])
    if kind is Assessment:
        return session.get_one(Assessment, site.values["assessment_id"])
    return session.get_one(Statement, site.statements[person if person in SUPERVISORS else "supervisor"]) if kind else None


def may(site: Site, person: str, action: str) -> bool:
    thing = thing_of(site, action, person)
    if person in ROLES:
        return permissions.may(session.get_one(Account, site.accounts[person]), action, thing)
    if person in SUPERVISORS:
        own = session.get_one(Statement, site.statements[person])
        return permissions.may(own, action, thing)
    return permissions.may(None, action, thing)


def let_in(answer: TestResponse) -> bool:
    """Whether the page itself answered. Refused is 403, 404 or 410, or a redirect to the login or (submitting) to the receipt."""
    if answer.status_code in (403, 404, 410):
        return False
    location = answer.headers.get("Location", "")
    return not location.startswith("/inloggen") and not location.endswith("/ontvangst")


def stages(action: str) -> tuple[str, ...]:
    kind = kind_of(action)
    if kind is None:
        return ("",)
    return permissions.stages_of(Statement if action in ("statement.read", "statement.fill") else Dossier)


def test_every_address_is_in_the_table(site: Site) -> None:
    rules = {rule.endpoint for rule in site.app.url_map.iter_rules()} - {"static"}
    assert rules == PUBLIC | set(REQUESTS)
    assert set(guarded(site)) == set(REQUESTS)
    methods = {rule.endpoint: rule.methods - {"HEAD", "OPTIONS"} for rule in site.app.url_map.iter_rules()}
    assert {name: {one.method for one in asked} for name, asked in REQUESTS.items()} == {name: methods[name] for name in REQUESTS}


def test_every_cell_r7_answers_as_the_table_of_rights_says(site: Site) -> None:
    cells, allowed, wrong, sending = 0, 0, [], set()
    with closing(sqlite3.connect(site.database)) as watch:
        version = "PRAGMA data_version"
        plan = sorted({(action, stage) for action in guarded(site).values() for stage in stages(action)})
        for action, stage in plan:
            site.put_stage(action, stage)
            expected = {person: may(site, person, action) for person in PEOPLE}
            session.remove()
            before = watch.execute(version).fetchone()
            for endpoint, asked in REQUESTS.items():
                if guarded(site)[endpoint] != action:
                    continue
                for request in asked:
                    for person in PEOPLE:
                        answer = site.ask(site.clients[person], endpoint, request)
                        after = watch.execute(version).fetchone()
                        cells += 1
                        allowed += expected[person]
                        sending |= {endpoint} if answer.mimetype not in ("text/html", "application/json") else set()
                        if let_in(answer) != expected[person] or answer.status_code >= 500:
                            wrong.append((endpoint, request.method, person, stage, answer.status_code, expected[person]))
                        elif not expected[person] and after != before:
                            wrong.append((endpoint, request.method, person, stage, "refused, and yet something was written"))
                        answer.close()
                        if after != before:
                            site.reset()
                            site.put_stage(action, stage)
                            before = watch.execute(version).fetchone()
            site.reset()
    assert [str(one) for one in wrong] == []
    print(f"{cells} cells, {allowed} of them allowed")
    assert sending == DOWNLOADS
    assert cells > 2000
    assert 0 < allowed < cells / 5


# --- downloads -----------------------------------------------------------------------------------------------------


def downloads(site: Site, endpoints: set[str]) -> Iterator[tuple[str, Request]]:
    for endpoint in sorted(endpoints):
        for request in REQUESTS[endpoint]:
            yield endpoint, request


ASSESSORS = {"assessor.bundle", "assessor.document", "assessor.evidence"}


@pytest.mark.parametrize(("person", "endpoints"), [("owner", {"candidate.document", "evidence.download"}),
                                                   ("assigned assessor", ASSESSORS)])  # fmt: skip
def test_downloads_r9_are_for_one_person_and_also_parts_and_unchanged_copies_are_refused_to_others(
    site: Site, person: str, endpoints: set[str]
) -> None:
    site.write("UPDATE dossier SET stage = 'in_assessment'")
    for endpoint, request in downloads(site, endpoints):
        answer = site.ask(site.clients[person], endpoint, request)
        assert answer.status_code == 200
        assert answer.data
        mark = answer.headers["ETag"]
        for other in set(PEOPLE) - {person}:
            for headers in ({}, {"Range": "bytes=0-3"}, {"If-None-Match": mark}):
                refused = site.ask(site.clients[other], endpoint, request, headers=headers)
                assert not let_in(refused), (endpoint, other, headers)
                assert "ETag" not in refused.headers
                assert answer.data not in refused.data


@pytest.mark.parametrize(
    "revoke",
    [
        "UPDATE assignment SET ended_at = '2026-11-01 10:00:00'",
        "DELETE FROM account_role WHERE role = 'assessor'",
        "UPDATE account SET disabled_at = '2026-11-01 10:00:00'",
        "UPDATE login_session SET ended_at = '2026-11-01 10:00:00'",
        "UPDATE dossier SET stage = 'withdrawn'",
    ],
)
def test_assessors_downloads_r9_end_with_the_appointment(site: Site, revoke: str) -> None:
    site.write("UPDATE dossier SET stage = 'in_assessment'")
    client = site.clients["assigned assessor"]
    for statement, expected in (("SELECT 1", True), (revoke, False)):
        site.write(statement)
        for endpoint, request in downloads(site, ASSESSORS):
            assert let_in(site.ask(client, endpoint, request)) == expected, endpoint


@pytest.mark.parametrize(
    ("endpoint", "revoke"),
    [
        ("evidence.download", "UPDATE evidence SET removed_at = '2026-11-01 10:00:00'"),
        ("evidence.download", "UPDATE evidence SET stage = 'received', cleaned_sha256 = NULL"),
        ("evidence.download", "UPDATE dossier SET owner_id = owner_id + 1"),
        ("evidence.download", "UPDATE account SET disabled_at = '2026-11-01 10:00:00'"),
        ("candidate.document", "UPDATE login_session SET ended_at = '2026-11-01 10:00:00'"),
        ("candidate.document", "UPDATE dossier SET owner_id = owner_id + 1"),
        ("candidate.document", "UPDATE dossier SET stage = 'returned'"),
        ("candidate.document", "DELETE FROM account_role WHERE role = 'candidate'"),
    ],
)
def test_candidates_downloads_r9_end_with_the_right_to_them(site: Site, endpoint: str, revoke: str) -> None:
    site.write("UPDATE dossier SET stage = 'submitted'")
    for statement, expected in (("SELECT 1", True), (revoke, False)):
        site.write(statement)
        for name, request in downloads(site, {endpoint}):
            assert let_in(site.ask(site.clients["owner"], name, request)) == expected


def test_a_file_of_one_dossier_cannot_be_had_through_the_address_of_another_r9(site: Site) -> None:
    """The owner of one dossier and a file that belongs to somebody else's: neither address gives it."""
    theirs = session.query(Evidence.id).join(Dossier).where(Dossier.reference != REFERENCE).scalar()
    session.remove()
    for reference in (REFERENCE, "KL-ANDER"):
        assert site.clients["owner"].get(f"/dossier/{reference}/bewijs/{theirs}").status_code == 404
    assert site.clients["owner"].post(f"/dossier/{REFERENCE}/bewijs/{theirs}/verwijderen").status_code in (302, 404)
    assert session.get_one(Evidence, theirs).removed_at is None


def test_a_statement_of_one_dossier_cannot_be_managed_through_the_address_of_another_r9(site: Site) -> None:
    theirs = site.statements["other supervisor"]
    for reference in (REFERENCE, "KL-ANDER"):
        for deed in ("herinneren", "intrekken"):
            assert site.clients["owner"].post(f"/dossier/{reference}/verklaringen/{theirs}/{deed}").status_code == 404
    assert session.get_one(Statement, theirs).stage == "invited"


def test_a_supervisors_session_r9_ends_when_the_invitation_is_withdrawn(site: Site) -> None:
    link = f"/dossier/{REFERENCE}/verklaringen/{site.statements['supervisor']}/intrekken"
    assert site.clients["supervisor"].get("/verklaren/lezen").status_code == 200
    assert site.clients["owner"].post(link).status_code == 302
    assert [site.clients["supervisor"].get(path).status_code for path in ("/verklaren", "/verklaren/lezen")] == [410, 410]
    assert site.clients["other supervisor"].get("/verklaren/lezen").status_code == 200
