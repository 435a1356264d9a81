"""The beginning of a dossier: its number, its deadline, one at a time."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from small_world import World
from sqlalchemy import func, select
from together import together

from app import audit
from app.accounts.models import Account
from app.dossiers import lifecycle, starting, submission
from app.dossiers.models import Dossier, DossierEvent
from app.dossiers.starting import AlreadyStarted
from app.errors import Conflict, InvalidInput, NotFound
from app.extensions import session, transaction
from app.schemes.models import StoredTemplate


def start(world: World, owner: object, **changes: object) -> Dossier:
    asked = {"scheme": "small", "version": "1", "plugin_ids": [], "language": "nl", **changes}
    with transaction():
        return starting.start(owner, **asked, catalogue=world.catalogue, settings=world.settings)  # type: ignore[arg-type]


def test_start_gives_a_number_a_deadline_and_the_template_of_today(world: World) -> None:
    owner, year = world.account(), submission.today().year
    dossier = start(world, owner, language="en")
    assert (dossier.reference, dossier.stage, dossier.language, dossier.owner) == (f"KL-{year}-0001", "draft", "en", owner)
    assert dossier.submit_before == submission.today() + timedelta(days=180)
    assert session.scalars(select(StoredTemplate.sha256)).all() == [dossier.template_sha256]
    assert session.scalars(select(DossierEvent.kind)).all() == ["created"]
    assert session.scalars(select(audit.AuditEntry.action).order_by(audit.AuditEntry.id.desc())).first() == "dossier.started"


def test_start_a_second_time_leads_to_the_first(world: World) -> None:
    owner = world.account()
    first = start(world, owner)
    for stage in (None, "submitted", "in_assessment"):
        if stage:
            with transaction():
                lifecycle.advance(first, stage)
        with pytest.raises(AlreadyStarted) as refusal:
            start(world, owner)
        assert refusal.value.reference == first.reference
    with transaction():
        lifecycle.advance(first, "withdrawn")
    assert start(world, owner).reference.endswith("-0002")


def test_numbers_go_on_past_9999(world: World) -> None:
    first = world.dossier()
    year = submission.today().year
    with transaction():
        first.reference = f"KL-{year}-9999"
    assert start(world, world.account("Piet Post")).reference == f"KL-{year}-10000"
    assert start(world, world.account("Jan Smit")).reference == f"KL-{year}-10001"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"language": "fr"}, InvalidInput),
        ({"scheme": "nothing"}, NotFound),
        ({"version": "9"}, NotFound),
        ({"plugin_ids": ["nothing"]}, Conflict),
    ],
)
def test_start_refuses_what_is_not_there(world: World, changes: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        start(world, world.account(), **changes)
    assert session.scalar(select(func.count(Dossier.id))) == 0


def test_many_start_at_once_and_everybody_gets_a_number_of_his_own(world: World) -> None:
    ids = [world.account(f"Persoon {number}").id for number in range(4)]

    def run(owner_id: int) -> str:
        try:
            return start(world, session.get_one(Account, owner_id)).reference[-4:]
        except AlreadyStarted:
            return "already"

    session.rollback()
    outcomes = together(*[partial(run, owner_id) for owner_id in ids * 2])
    assert sorted(outcomes) == ["0001", "0002", "0003", "0004", *["already"] * 4]


def test_whoever_had_started_on_the_earlier_version_may_do_so_again_for_a_while(world: World) -> None:
    began, other = world.account(), world.account("Joris")
    withdrawn = start(world, began)
    with transaction():
        lifecycle.advance(withdrawn, "withdrawn")
    day = submission.today()
    base = world.catalogue.schemes["small", "1"]
    rule = {"from": "1", "until": (day + timedelta(days=9)).isoformat(), "for": "started_before"}
    newer = replace(base.template, version="2", effective_from=(day + timedelta(days=1)).isoformat(), transition=rule)
    world.catalogue = replace(world.catalogue, schemes={("small", "1"): base, ("small", "2"): replace(base, template=newer)})
    found = {
        later: [starting.version_for(one, "small", day + timedelta(days=later), world.catalogue) for one in (began, other)]
        for later in (0, 1, 9, 10)
    }
    assert found == {0: ["1", "1"], 1: ["1", "2"], 9: ["1", "2"], 10: ["2", "2"]}


def test_dossier_keeps_its_template_when_the_forms_change(world: World) -> None:
    dossier = world.dossier()
    world.catalogue = replace(world.catalogue, schemes={}, contributions={})
    assert [section.id for section in world.contents(dossier).template.sections] == ["practice", "learning", "skill", "closing"]
