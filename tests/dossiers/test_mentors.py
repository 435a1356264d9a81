"""A mentor: asked by a mailed link, reads and comments while it is a draft, and leaves no trace in what is submitted."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from small_world import World
from sqlalchemy import select, update
from together import together

from app import audit
from app.accounts.models import Account, Message
from app.dossiers import mentors, submission
from app.dossiers.models import DOSSIER_STAGES, Dossier, MentorComment, Mentorship
from app.errors import Conflict, InvalidInput, LinkUnusable, NotFound, TooManyRequests
from app.extensions import now, session, transaction
from app.mail import Mail

CLOSED = tuple(stage for stage in DOSSIER_STAGES if stage not in ("draft", "returned"))


@pytest.fixture
def dossier(world: World) -> Dossier:
    return world.dossier()


@pytest.fixture
def person(world: World) -> Account:
    return world.account("Men Tor", "candidate")


@pytest.fixture
def mentorship(world: World, dossier: Dossier, person: Account) -> Mentorship:
    return world.mentor(dossier, person)


def invite(world: World, dossier: Dossier, **changes: str) -> Mentorship:
    asked = {"name": "Men Tor", "email": "men@praktijk.example", "language": "nl"} | changes
    with transaction():
        return mentors.invite(dossier, **asked, settings=world.settings)


def comment(mentorship: Mentorship, text: str = "Vertel meer.", section: str = "practice") -> MentorComment:
    with transaction():
        return mentors.comment(mentorship, section, text)


def put_stage(dossier: Dossier, stage: str) -> None:
    with transaction():
        session.execute(update(Dossier).where(Dossier.id == dossier.id).values(stage=stage))


def told(template: str) -> list[tuple[str, dict[str, str]]]:
    rows = session.scalars(select(Mail).where(Mail.template == template).order_by(Mail.id))
    return [(one.to, dict(one.data)) for one in rows]


# --- asking --------------------------------------------------------------------------------------------------------


def test_invite_mails_a_link_that_is_kept_as_a_hash_only(world: World, dossier: Dossier) -> None:
    made = invite(world, dossier, name="  Men   Tor ", email="Men@Praktijk.Example", language="en")
    assert (made.name, made.email, made.language, made.mentor_id) == ("Men Tor", "men@praktijk.example", "en", None)
    ((to, data),) = told("mentor_invitation")
    assert to == "men@praktijk.example"
    token = data.pop("link").removeprefix("/meelezen/uitnodiging/")
    assert data == {
        "name": "Men Tor", "candidate": "Sanne de Vries", "until": made.token_expires_at.date().isoformat(),
    }  # fmt: skip
    assert len(token) >= 43
    assert token not in repr(vars(made))
    assert mentors.by_link(token) == made


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"email": "sanne.de.vries@voorbeeld.nl"}, "Dit bent u zelf."),
        ({"email": "Sanne.de.Vries+mentor@voorbeeld.nl"}, "Dit bent u zelf."),
        ({"name": "SANNE  de Vriés"}, "Dit bent u zelf."),
        ({"email": "een@x.nl, twee@x.nl"}, "Vul een geldig e-mailadres in"),
        ({"name": " "}, "Vul uw naam in."),
        ({"language": "fr"}, "Kies in welke taal"),
    ],
)
def test_invite_refuses(world: World, dossier: Dossier, changes: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        invite(world, dossier, **changes)
    assert refusal.value.text["nl"].startswith(words)
    assert session.scalars(select(Mentorship)).all() == []
    assert told("mentor_invitation") == []


def test_one_mentor_at_a_time_and_another_after_ending(world: World, dossier: Dossier) -> None:
    first = invite(world, dossier)
    with pytest.raises(Conflict, match="already invited a mentor"):
        invite(world, dossier, email="ander@praktijk.example")
    with transaction():
        assert mentors.end(first, by=dossier.owner)
    with transaction():
        assert not mentors.end(first, by=dossier.owner)
    second = invite(world, dossier, email="ander@praktijk.example")
    assert [one.id for one in mentors.all_of(dossier)] == [second.id, first.id]
    assert mentors.open_one(dossier) == second


def test_two_invitations_at_the_same_moment_are_one(world: World, dossier: Dossier) -> None:
    dossier_id = dossier.id
    session.rollback()

    def run(email: str) -> str:
        try:
            invite(world, session.get_one(Dossier, dossier_id), email=email)
        except Conflict:
            return "refused"
        return "made"

    outcomes = together(*[partial(run, f"{one}@praktijk.example") for one in "ab"])
    assert sorted(outcomes) == ["made", "refused"]
    assert len(told("mentor_invitation")) == 1


@pytest.mark.parametrize("stage", CLOSED)
def test_nothing_is_asked_or_answered_outside_the_draft(world: World, dossier: Dossier, person: Account, stage: str) -> None:
    made = invite(world, dossier)
    token = world.token("mentor_invitation")
    put_stage(dossier, stage)
    with pytest.raises(Conflict), transaction():
        mentors.remind(made, world.settings)
    with pytest.raises(LinkUnusable):
        mentors.by_link(token)
    with pytest.raises(Conflict), transaction():
        mentors.accept(made, person)
    assert made.mentor_id is None
    with pytest.raises(Conflict):
        invite(world, dossier, email="ander@praktijk.example")


def test_a_reminder_has_a_new_link_and_the_old_one_stops(world: World, dossier: Dossier) -> None:
    made = invite(world, dossier)
    old = world.token("mentor_invitation")
    with transaction():
        mentors.remind(made, world.settings)
    with pytest.raises(LinkUnusable):
        mentors.by_link(old)
    assert mentors.by_link(world.token("mentor_invitation")) == made
    for _ in range(mentors.MAILS_TO_ONE_ADDRESS - 2):
        with transaction():
            mentors.remind(made, world.settings)
    with pytest.raises(TooManyRequests), transaction():
        mentors.remind(made, world.settings)


def test_an_old_link_is_refused_in_words(world: World, dossier: Dossier) -> None:
    made = invite(world, dossier)
    with transaction():
        made.token_expires_at = now() - timedelta(minutes=1)
    with pytest.raises(LinkUnusable) as refusal:
        mentors.by_link(world.token("mentor_invitation"))
    assert refusal.value.text["nl"] == "Deze link is verlopen. Vraag de kandidaat om een nieuwe uitnodiging."


# --- answering -----------------------------------------------------------------------------------------------------


def test_accept_with_an_account_of_another_address_gives_the_role_and_tells_whose_it_is(
    world: World, dossier: Dossier, person: Account
) -> None:
    made = invite(world, dossier)
    with transaction():
        assert mentors.accept(made, person)
    with transaction():
        assert not mentors.accept(made, person)
    assert (made.mentor_id, made.ended_at) == (person.id, None)
    assert made.accepted_at is not None
    assert person.roles == {"candidate", "mentor"}
    data = {"name": "Sanne de Vries", "mentor": "Men Tor", "address": "men.tor@voorbeeld.nl", "dossier": dossier.reference,
            "link": f"/dossier/{dossier.reference}/mentor"}  # fmt: skip
    assert told("mentor_accepted") == [("sanne.de.vries@voorbeeld.nl", data)]


@pytest.mark.parametrize("who", ["owner", "namesake", "tagged"])
def test_the_candidate_cannot_accept_his_own_invitation(world: World, dossier: Dossier, who: str) -> None:
    made = invite(world, dossier)
    account = dossier.owner if who == "owner" else world.account("Iemand Anders")
    with transaction():
        if who == "namesake":
            account.name = "sanne de vries"
        if who == "tagged":
            account.email = "sanne.de.vries+twee@voorbeeld.nl"
    with pytest.raises(InvalidInput), transaction():
        mentors.accept(made, account)
    assert made.mentor_id is None


def test_of_two_who_have_the_link_the_first_is_the_mentor(world: World, dossier: Dossier, person: Account) -> None:
    made = invite(world, dossier)
    second = world.account("Te Laat")
    with transaction():
        mentors.accept(made, person)
    with pytest.raises(Conflict), transaction():
        mentors.accept(made, second)
    with pytest.raises(Conflict), transaction():
        mentors.decline(made)
    assert (made.mentor_id, made.ended_at, "mentor" in second.roles) == (person.id, None, False)


def test_decline_ends_it_tells_the_candidate_and_spends_the_link(world: World, dossier: Dossier) -> None:
    made = invite(world, dossier)
    token = world.token("mentor_invitation")
    with transaction():
        mentors.decline(made)
    with pytest.raises(Conflict), transaction():
        mentors.decline(made)
    with pytest.raises(LinkUnusable):
        mentors.by_link(token)
    assert (made.ended_at is not None, made.accepted_at) == (True, None)
    data = {"name": "Sanne de Vries", "other": "Men Tor", "link": f"/dossier/{dossier.reference}/mentor"}
    assert told("mentor_declined") == [("sanne.de.vries@voorbeeld.nl", data)]


@pytest.mark.parametrize(("by", "to"), [("owner", "men.tor@voorbeeld.nl"), ("mentor", "sanne.de.vries@voorbeeld.nl")])
def test_ending_tells_the_other_once(dossier: Dossier, mentorship: Mentorship, person: Account, by: str, to: str) -> None:
    for first in (True, False):
        with transaction():
            assert mentors.end(mentorship, by=dossier.owner if by == "owner" else person) is first
    assert [one for one, _ in told("mentorship_ended")] == [to]
    assert session.scalars(select(Message.template)).all() == ["mentor_accepted", "mentorship_ended"]
    with pytest.raises(Conflict):
        comment(mentorship)


# --- comments ------------------------------------------------------------------------------------------------------


def test_a_comment_posted_twice_stands_once_and_mails_once_a_day(dossier: Dossier, mentorship: Mentorship) -> None:
    first = comment(mentorship, " Vertel meer.\r\nDat is boeiend. ")
    assert comment(mentorship, "Vertel meer.\nDat is boeiend.").id == first.id
    other = comment(mentorship, "Iets anders.")
    assert comment(mentorship, "Elders.", "skill").id not in (first.id, other.id)
    assert {section: [one.text for one in found] for section, found in mentors.comments_of(dossier).items()} == {
        "practice": ["Vertel meer.\nDat is boeiend.", "Iets anders."],
        "skill": ["Elders."],
    }
    data = {"name": "Sanne de Vries", "mentor": "Men Tor", "dossier": dossier.reference,
            "link": f"/dossier/{dossier.reference}/mentor"}  # fmt: skip
    assert told("mentor_comment") == [("sanne.de.vries@voorbeeld.nl", data)]
    mail = session.scalars(select(Mail).where(Mail.template == "mentor_comment")).one()
    assert mail.key == f"mentor_comment:{mentorship.id}:{submission.today().isoformat()}"
    noted = select(audit.AuditEntry).where(audit.AuditEntry.action == "mentorship.commented")
    assert len(session.scalars(noted).all()) == 3


@pytest.mark.parametrize("text", ["", " \n ", "x" * (mentors.MAX_COMMENT + 1), "nul\x00teken"])
def test_a_comment_that_cannot_be_kept_is_refused(mentorship: Mentorship, text: str) -> None:
    with pytest.raises(InvalidInput):
        comment(mentorship, text)
    assert session.scalars(select(MentorComment)).all() == []


def test_a_comment_on_no_section_is_not_found(mentorship: Mentorship) -> None:
    with pytest.raises(NotFound):
        comment(mentorship, section="elsewhere")


def test_edit_opens_it_anew_and_a_stale_window_overwrites_nothing(mentorship: Mentorship) -> None:
    remark = comment(mentorship)
    with transaction():
        mentors.mark(remark, done=True)
    with transaction():
        mentors.edit(remark, "Vertel veel meer.", before="Vertel meer.")
    assert (remark.text, remark.done_at) == ("Vertel veel meer.", None)
    with transaction():
        mentors.edit(remark, "Vertel veel meer.", before="Vertel meer.")  # the same button twice
    with pytest.raises(Conflict), transaction():
        mentors.edit(remark, "Vertel niets.", before="Vertel meer.")
    assert remark.text == "Vertel veel meer."


def test_a_removed_comment_is_gone_and_cannot_be_edited(dossier: Dossier, mentorship: Mentorship) -> None:
    remark = comment(mentorship)
    for _ in range(2):
        with transaction():
            mentors.remove(remark)
    assert (mentors.comments_of(dossier), mentors.own_comments(mentorship), mentors.comment_of(dossier, remark.id)) == (
        {},
        {},
        None,
    )
    with pytest.raises(Conflict), transaction():
        mentors.edit(remark, "Toch.", before="Vertel meer.")


def test_marking_twice_keeps_the_first_moment(mentorship: Mentorship) -> None:
    remark = comment(mentorship)
    with transaction():
        mentors.mark(remark, done=True)
    first = remark.done_at
    with transaction():
        mentors.mark(remark, done=True)
    assert remark.done_at == first
    with transaction():
        mentors.mark(remark, done=False)
    assert remark.done_at is None


@pytest.mark.parametrize("stage", CLOSED)
def test_nobody_comments_edits_removes_or_marks_outside_the_draft(dossier: Dossier, mentorship: Mentorship, stage: str) -> None:
    remark = comment(mentorship)
    put_stage(dossier, stage)
    deeds: list[Callable[[], object]] = [
        lambda: mentors.comment(mentorship, "practice", "Nog iets."),
        lambda: mentors.edit(remark, "Anders.", before="Vertel meer."),
        lambda: mentors.remove(remark),
        lambda: mentors.mark(remark, done=True),
    ]
    for deed in deeds:
        with pytest.raises(Conflict), transaction():
            deed()
    put_stage(dossier, "returned")
    assert comment(mentorship, "Weer verder.").id > remark.id


def test_comments_never_come_into_what_is_submitted(world: World, dossier: Dossier, mentorship: Mentorship) -> None:
    world.fill(dossier)
    for section in ("practice", "skill", "learning", "closing"):
        comment(mentorship, f"Geheime raad bij {section}.", section)
    snapshot = world.submit(dossier)
    content = json.loads(snapshot.content)
    assert content.pop("template")["mentor"] == ""  # the forms know the word
    content = json.dumps(content, ensure_ascii=False)
    for word in ("Geheime raad", "Men Tor", "men@praktijk.example", "mentor"):
        assert word not in content
    assert len(session.scalars(select(MentorComment)).all()) == 4


# --- what is new ---------------------------------------------------------------------------------------------------


def test_new_is_what_was_saved_since_the_last_look_at_that_section(
    world: World, dossier: Dossier, mentorship: Mentorship, person: Account
) -> None:
    def new() -> frozenset[str]:
        return mentors.new_sections(person, [dossier]).get(dossier.id, frozenset())

    def look(section: str, by: Account = person) -> None:
        with transaction():
            audit.write(mentors.VIEWED, actor=by, thing=dossier, mentorship=mentorship.id, section=section)

    assert new() == frozenset()
    world.save(dossier, "practice", name="Sanne")
    world.save(dossier, "skill", case="Casus")
    assert new() == {"practice", "skill"}
    look("practice")
    look("skill", by=dossier.owner)
    assert new() == {"skill"}
    world.save(dossier, "practice", name="Sanne de Vries")
    look("skill")
    assert new() == {"practice"}


def test_open_comments_counts_what_the_candidate_still_has_to_do(mentorship: Mentorship) -> None:
    done, removed, _waiting = (comment(mentorship, text) for text in "abc")
    with transaction():
        mentors.mark(done, done=True)
        mentors.remove(removed)
    assert mentors.open_comments([mentorship]) == {mentorship.id: 1}
