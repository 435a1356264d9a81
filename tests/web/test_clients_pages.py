"""The pages around anonymous statements: the candidate asks several, each client answers, and names stay away from answers."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app.accounts.models import Account
from app.dossiers import starting
from app.dossiers.models import Statement
from app.extensions import session, transaction
from app.mail import Mail
from app.pipeline import Installation
from app.schemes.model import Question

PAGE = "verklaring/satisfaction/clients"
NAMES = ("Zeger Wildschut", "Anna Boterbloem", "Mo Quispel", "Xaviera Prins", "Ids Okkema")
SCALES = ("clear_agreements", "felt_safe", "own_choices", "expertise", "would_recommend")


def address_of(name: str) -> str:
    return f"{name.split()[0].lower()}@klant.example"


@pytest.fixture
def owner(make_account: Callable[..., Account]) -> Account:
    return make_account("Sanne de Vries", "candidate")


@pytest.fixture
def reference(owner: Account, installation: Installation) -> str:
    with transaction():
        return starting.start(
            owner, "recertification", "2026.1", [], "nl", catalogue=installation.catalogue, settings=installation.settings
        ).reference


@pytest.fixture
def candidate(owner: Account, login: Callable[[Account], FlaskClient]) -> FlaskClient:
    return login(owner)


def rows(*names: str, language: str = "nl") -> dict[str, str]:
    form: dict[str, str] = {}
    for number, name in enumerate(names):
        form |= {f"name-{number}": name, f"email-{number}": address_of(name), f"language-{number}": language}
    return form


def ask(candidate: FlaskClient, reference: str, **form: str) -> str:
    return candidate.post(f"/dossier/{reference}/{PAGE}", data=form, follow_redirects=True).get_data(as_text=True)


def link_of(name: str) -> str:
    session.rollback()
    mails = select(Mail).where(Mail.to == address_of(name), Mail.template.in_(("client_invitation", "client_reminder")))
    return str(session.scalars(mails.order_by(Mail.id.desc())).first().data["link"])  # type: ignore[union-attr]


def open_form(app: Flask, name: str) -> tuple[FlaskClient, str]:
    client = app.test_client()
    assert client.get(link_of(name)).status_code == 200
    page = client.post(f"{link_of(name)}/verder", follow_redirects=True).get_data(as_text=True)
    return client, page


def version_in(page: str) -> str:
    return re.search(r'name="version" value="(\d+)"', page)[1]  # type: ignore[index]


def answer(app: Flask, name: str, score: str, remark: str = "") -> str:
    client, page = open_form(app, name)
    form = {"version": version_in(page), "action": "sign", "relation": "client", "may_quote": "yes", "good": remark}
    form |= {"better": "", "signed_agree": "yes", **dict.fromkeys(SCALES, score)}
    return client.post("/verklaren", data=form, follow_redirects=True).get_data(as_text=True)


def test_five_are_asked_on_one_page_and_answer_without_being_seen(app: Flask, candidate: FlaskClient, reference: str) -> None:
    page = candidate.get(f"/dossier/{reference}/{PAGE}").get_data(as_text=True)
    assert page.count("<fieldset") >= 5
    assert "Er is nog geen van de 5 tevredenheidsverklaringen binnen." in page
    assert "Er zijn 5 uitnodigingen verstuurd." in ask(candidate, reference, **rows(*NAMES))
    for number, name in enumerate(NAMES):
        page = candidate.get(f"/dossier/{reference}/{PAGE}").get_data(as_text=True)
        assert ("De uitkomst</h2>" in page, page.count("Nog niet ingevuld")) == (False, 5 - number)
        assert "Dank u wel voor uw antwoorden" in answer(app, name, str(1 + number % 5), f"Goed was {'abcde'[number]}{number}")
    page = candidate.get(f"/dossier/{reference}/{PAGE}").get_data(as_text=True)
    outcome = page[page.index("De uitkomst</h2>") : page.index("Wie u vroeg")]
    assert ("5 personen antwoordden" in outcome, outcome.count("Goed was"), "3,0" in outcome) == (True, 5, True)
    assert [name for name in NAMES if any(part in outcome for part in (*name.split(), address_of(name)))] == []
    assert [name for name in sorted(NAMES) if name in page[len(page[: page.index("Wie u vroeg")]) :]] == sorted(NAMES)
    first = session.scalars(select(Statement.id)).first()
    said = candidate.post(f"/dossier/{reference}/verklaringen/{first}/intrekken", follow_redirects=True).get_data(as_text=True)
    assert "kan niemand meer weghalen" in said
    assert "5 van 5 binnen" in candidate.get(f"/dossier/{reference}").get_data(as_text=True)


def test_a_wrong_row_is_said_beside_it_and_nobody_is_asked(candidate: FlaskClient, reference: str) -> None:
    wrong = rows("Zeger Wildschut", "Mo Quispel") | {"email-1": "geen adres"}
    response = candidate.post(f"/dossier/{reference}/{PAGE}", data=wrong)
    page = response.get_data(as_text=True)
    assert (response.status_code, "Persoon 2: " in page, 'value="Zeger Wildschut"' in page) == (422, True, True)
    response = candidate.post(f"/dossier/{reference}/{PAGE}", data={})
    assert (response.status_code, "Vul van minstens één persoon" in response.get_data(as_text=True)) == (422, True)
    assert session.scalars(select(Statement)).all() == []


def test_the_mail_and_pages_for_a_client_never_say_supervisor(app: Flask, candidate: FlaskClient, reference: str) -> None:
    ask(candidate, reference, **rows("Zeger Wildschut"))
    ask(candidate, reference, **rows("Anna Boterbloem", language="en"))
    for name, words in (
        ("Zeger Wildschut", "Wat vond u van de begeleiding"),
        ("Anna Boterbloem", "What did you think of the guidance"),
    ):
        before = app.test_client().get(link_of(name)).get_data(as_text=True)
        client, form = open_form(app, name)
        pages = [
            before,
            form,
            *(client.get(path).get_data(as_text=True) for path in ("/verklaren/niet", "/verklaren/niet?wie=anders")),
        ]
        assert words in form
        main = [page[page.index("<main") : page.index("</main")] for page in pages]
        assert [page for page in main if "upervis" in page or "dossier onderdelen" in page] == []
        assert client.get("/verklaren/lezen").headers["Location"].endswith("/verklaren")


def test_saving_declining_and_what_lacks(app: Flask, candidate: FlaskClient, reference: str) -> None:
    ask(candidate, reference, **rows("Zeger Wildschut"))
    client, page = open_form(app, "Zeger Wildschut")
    lacking = client.post("/verklaren", data={"version": version_in(page), "action": "sign", "good": "Groeten, Zeger"})
    text = lacking.get_data(as_text=True)
    assert (lacking.status_code, "Zet een vinkje." in text, "Hierin staat uw eigen naam" in text) == (422, True, True)
    client.post("/verklaren/niet", data={"reason": "Geheime reden"})
    page = candidate.get(f"/dossier/{reference}/{PAGE}").get_data(as_text=True)
    assert ("Doet niet mee" in page, "Geheime reden" in page) == (True, False)
    assert "liet weten geen verklaring te geven" in ask(candidate, reference, **rows("Zeger Wildschut"))


def test_a_client_gets_small_plain_fields(app: Flask, candidate: FlaskClient, reference: str) -> None:
    ask(candidate, reference, **rows("Zeger Wildschut"))
    page = open_form(app, "Zeger Wildschut")[1]
    assert [page.count(one) for one in ("<textarea", 'rows="3"', "data-writing", 'role="toolbar"', "markup-help")] == [
        2,
        2,
        0,
        0,
        0,
    ]


def test_the_office_reads_that_a_client_answered_not_that_he_signed(
    app: Flask,
    candidate: FlaskClient,
    reference: str,
    make_account: Callable[..., Account],
    login: Callable[[Account], FlaskClient],
) -> None:
    ask(candidate, reference, **rows("Zeger Wildschut"))
    answer(app, "Zeger Wildschut", "4")
    page = login(make_account("Ilse Smit", "office")).get(f"/secretariaat/dossiers/{reference}").get_data(as_text=True)
    assert (page.count("Ingevuld"), page.count("Ondertekend")) == (1, 0)


def test_who_is_at_work_while_his_invitation_is_withdrawn_reads_that_and_gets_his_answers_in_words(
    app: Flask, candidate: FlaskClient, reference: str
) -> None:
    ask(candidate, reference, **rows("Zeger Wildschut"))
    client, page = open_form(app, "Zeger Wildschut")
    number = session.scalars(select(Statement.id)).one()
    candidate.post(f"/dossier/{reference}/verklaringen/{number}/intrekken")
    form = {"version": version_in(page), "action": "sign", "relation": "client", "clear_agreements": "1", "good": "Fijn."}
    response = client.post("/verklaren", data=form)
    said = response.get_data(as_text=True)
    assert (response.status_code, "Deze uitnodiging is ingetrokken." in said, "Open de link" in said) == (410, True, False)
    kept = re.findall(r'<div class="answer">(.*?)</div>', said, re.DOTALL)
    assert [" ".join(re.sub("<[^>]+>", "", one).split()) for one in kept] == [
        "Ik werd begeleid: ik ben of was cliënt",
        "1 – Helemaal oneens",
        "Fijn.",
    ]


# --- other forms ---------------------------------------------------------------------------------------------------


def offer(app: Flask, other: Callable[[Question], Question | None]) -> None:
    """Corrected forms, in which the clients' question is another one or gone."""
    made = app.extensions["installation"]
    base = made.catalogue.schemes["recertification", "2026.1"]
    placed = []
    for one in base.placed:
        asked = one.section.questions
        if one.section.id == "satisfaction":
            asked = tuple(now for was in asked if (now := other(was) if was.id == "clients" else was) is not None)
        placed.append(replace(one, section=replace(one.section, questions=asked)))
    newer = replace(base, placed=tuple(placed))
    schemes = {**made.catalogue.schemes, ("recertification", "2026.1"): newer}
    app.extensions["installation"] = replace(made, catalogue=replace(made.catalogue, schemes=schemes))


def go_over(candidate: FlaskClient, reference: str) -> str:
    address = f"/dossier/{reference}/formulieren/overstappen"
    page = candidate.get(address).get_data(as_text=True)
    form = {name: re.search(f'name="{name}" value="([^"]+)"', page)[1] for name in ("before", "after")}  # type: ignore[index]
    answer = candidate.post(address, data=form)
    assert answer.headers["Location"] == f"/dossier/{reference}/formulieren/klaar"
    return page


@pytest.mark.parametrize("all_answer", [False, True])
def test_a_question_that_goes_leaves_clear_words_everywhere(
    app: Flask, candidate: FlaskClient, reference: str, all_answer: bool
) -> None:
    ask(candidate, reference, **rows(*NAMES))
    for number, name in enumerate(NAMES[: 5 if all_answer else 4]):
        answer(app, name, "4", f"Goed was {'abcde'[number]}{number}")
    last = link_of(NAMES[4]) if not all_answer else ""
    offer(app, lambda question: None)
    page = go_over(candidate, reference)
    said = "Wat 5 personen antwoordden" if all_answer else "Wat 4 personen antwoordden"
    assert f"{said} bij “Verklaringen per e-mail”, telt niet meer mee." in page
    old = candidate.get(f"/dossier/{reference}/{PAGE}")
    assert (old.status_code, old.headers["Location"]) == (302, f"/dossier/{reference}/niet-meer-gevraagd")
    kept = candidate.get(f"/dossier/{reference}/niet-meer-gevraagd").get_data(as_text=True)
    assert "Deze verklaring wordt niet meer gevraagd: de formulieren van uw dossier zijn veranderd." in kept
    main = kept[kept.index("<main") :]
    assert ("5 personen antwoordden via een persoonlijke link" in main, "4 personen antwoordden zonder naam" in main) == (
        all_answer, not all_answer,
    )  # fmt: skip
    assert main.count("Goed was") == (5 if all_answer else 0)
    assert [name for name in NAMES if any(part in main for part in (*name.split(), address_of(name)))] == []
    assert "wordt niet meer gevraagd" in candidate.get(f"/dossier/{reference}").get_data(as_text=True)
    if last:
        answered = app.test_client().get(last)
        page = answered.get_data(as_text=True)
        assert answered.status_code == 410
        assert "Deze vragen worden niet meer gesteld. U hoeft niets te doen. Dank u wel." in page
    closing = candidate.post(f"/dossier/{reference}/{PAGE}/afsluiten")
    assert closing.headers["Location"] == f"/dossier/{reference}/niet-meer-gevraagd"


def test_a_question_that_is_asked_by_name_from_now_on_shows_nothing_of_who_answered(
    app: Flask, candidate: FlaskClient, reference: str
) -> None:
    ask(candidate, reference, **rows(*NAMES))
    for name in NAMES[:3]:
        answer(app, name, "2", "Een geheim.")

    def by_name(question: Question) -> Question:
        left_out = ("anonymous", "least", "together_with")
        return replace(question, settings={key: one for key, one in question.settings.items() if key not in left_out})

    offer(app, by_name)
    page = go_over(candidate, reference)
    assert "Wat 3 personen antwoordden bij “Verklaringen per e-mail”, telt niet meer mee." in page
    assert page.count("de uitnodiging wordt ingetrokken") == 2
    for address in (PAGE, "niet-meer-gevraagd", "onderdeel/satisfaction", "controleren"):
        shown = candidate.get(f"/dossier/{reference}/{address}").get_data(as_text=True)
        assert ("Een geheim" in shown, [name for name in NAMES if name in shown]) == (False, []), address


def test_a_newer_form_is_for_who_comes_before_the_first_answer_and_the_page_says_so(
    app: Flask, candidate: FlaskClient, reference: str
) -> None:
    ask(candidate, reference, **rows(*NAMES[:2]))
    answer(app, NAMES[0], "4")

    def reworded(question: Question) -> Question:
        form = [dict(one) for one in question.settings["questions"]]
        form[1]["label"] = {"nl": "Heel iets anders", "en": "Something else"}
        return replace(question, settings={**question.settings, "questions": form})

    offer(app, reworded)
    page = go_over(candidate, reference)
    assert "Bij “Verklaringen per e-mail” antwoordde al iemand. Wie u daar nog vraagt, krijgt hetzelfde formulier." in page
    ask(candidate, reference, **rows(NAMES[2]))
    for name in NAMES[1:3]:
        assert "Heel iets anders" not in open_form(app, name)[1]


# --- a link that does not work any more ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ("UPDATE statement SET token_expires_at = '2020-01-01 10:00:00'",
         "Deze link is verlopen. Wilt u nog antwoorden? Vraag Sanne de Vries om een nieuwe e-mail."),
        ("UPDATE statement SET stage = 'signed', signed_at = '2026-11-01 10:00:00'",
         "U hebt al geantwoord. Dank u wel; u hoeft niets meer te doen."),
        ("UPDATE statement SET stage = 'declined'", "U liet weten dat u niet meedoet. Dat is goed; u hoeft niets meer te doen."),
        ("UPDATE statement SET stage = 'revoked'",
         "Kreeg u daarna nog een e-mail van ons? Gebruik dan de link daarin. Anders hoeft u niets te doen."),
        ("UPDATE dossier SET stage = 'submitted'", "Uw antwoord is niet meer nodig. U hoeft niets te doen. Dank u wel."),
        ("UPDATE dossier SET stage = 'withdrawn'", "Uw antwoord is niet meer nodig. U hoeft niets te doen. Dank u wel."),
    ],
)  # fmt: skip
def test_a_dead_link_speaks_to_a_client_of_an_answer_and_never_of_a_candidate(
    app: Flask, candidate: FlaskClient, reference: str, deed: str, words: str
) -> None:
    ask(candidate, reference, **rows(NAMES[0]))
    link = link_of(NAMES[0])
    with transaction():
        session.execute(text(deed))
    page = app.test_client().get(link).get_data(as_text=True)
    main = page[page.index("<main") :]
    assert words in main
    assert re.search("kandidaat|verklaring|supervisor", main) is None


def test_a_dead_link_speaks_the_language_of_the_invitation(app: Flask, candidate: FlaskClient, reference: str) -> None:
    ask(candidate, reference, **rows(NAMES[0], language="en"))
    link = link_of(NAMES[0])
    with transaction():
        session.execute(text("UPDATE statement SET stage = 'declined'"))
    page = app.test_client().get(link).get_data(as_text=True)
    assert "You let us know that you do not take part. That is fine; you do not have to do anything else." in page
    unknown = app.test_client().get("/verklaring/dit-is-geen-link").get_data(as_text=True)
    assert "Vraag om een nieuwe e-mail aan wie u om uw antwoord vroeg." in unknown


def test_the_link_to_ones_own_answers_ends_in_a_clients_words(app: Flask, candidate: FlaskClient, reference: str) -> None:
    ask(candidate, reference, **rows(NAMES[0]))
    answer(app, NAMES[0], "4")
    session.rollback()
    link = str(session.scalars(select(Mail).where(Mail.template == "client_thanks")).one().data["link"])
    with transaction():
        session.execute(text("UPDATE statement SET copy_expires_at = '2020-01-01 10:00:00'"))
    page = app.test_client().get(link).get_data(as_text=True)
    assert "De link naar uw antwoorden is verlopen. Zij zijn bewaard en tellen mee. U hoeft niets te doen." in page
