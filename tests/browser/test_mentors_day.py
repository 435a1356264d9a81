"""A mentor's day in a browser: from the mailed link to comments that the candidate deals with, at 1280, 390 and 320 pixels."""

import pytest
from playwright.sync_api import expect

from browser.conftest import PASSWORD

pytestmark = pytest.mark.browser

CANDIDATE, MENTOR = "lotte@voorbeeld.example", "hugo@voorbeeld.example"


def test_a_mentor_reads_along_from_the_mailed_link_until_it_is_ended(visitors, server, postbox, looks):
    for email, name in ((CANDIDATE, "Lotte Weijers-Şahin"), (MENTOR, "Hugo Vandersteen")):
        server.flask("accounts", "create", email, name, "--role", "candidate", "--password", PASSWORD)

    candidate = visitors.arrive()
    visitors.log_in(candidate, CANDIDATE)
    candidate.goto("/dossiers/nieuw?schema=recertification")
    candidate.get_by_role("button", name="Start dit dossier").click()
    candidate.wait_for_url("**/dossier/*")
    own = candidate.url
    candidate.goto(f"{own}/onderdeel/development_plan")
    candidate.locator("textarea").first.fill("Ik wil leren om een groep te begeleiden.")
    expect(candidate.locator("[data-save-status][data-state=saved]")).to_be_visible()
    candidate.goto(own)
    candidate.get_by_role("link", name="Vraag een mentor").click()
    looks.at(candidate, "mentor-ask")
    candidate.get_by_label("Naam van uw mentor").fill("H. Vandersteen")
    candidate.get_by_label("E-mailadres van uw mentor").fill(CANDIDATE)
    candidate.get_by_role("button", name="Verstuur de uitnodiging").click()
    expect(candidate.locator(".govuk-error-summary")).to_contain_text("Dit bent u zelf")
    expect(candidate.get_by_label("Naam van uw mentor")).to_have_value("H. Vandersteen")
    looks.at(candidate, "mentor-ask-errors")
    candidate.get_by_label("E-mailadres van uw mentor").fill("vandersteen@praktijk.example")
    candidate.get_by_role("button", name="Verstuur de uitnodiging").click()
    expect(candidate.get_by_text("Wacht op antwoord")).to_be_visible()
    looks.at(candidate, "mentor-waiting")

    mentor = visitors.arrive()
    mentor.goto(postbox.link("vandersteen@praktijk.example", "mentor"))
    expect(mentor.get_by_role("heading", level=1)).to_have_text("Wilt u als mentor meelezen met Lotte Weijers-Şahin?")
    looks.at(mentor, "mentor-invitation")
    mentor.get_by_role("link", name="Nee, of: dit ben ik niet").click()
    looks.at(mentor, "mentor-decline")
    mentor.get_by_role("link", name="Nee, ga terug").click()
    mentor.locator("main").get_by_role("button", name="Log in").click()
    mentor.get_by_label("E-mailadres").fill(MENTOR)
    mentor.get_by_label("Wachtwoord", exact=True).fill(PASSWORD)
    mentor.get_by_role("button", name="Log in").click()
    looks.at(mentor, "mentor-accept")
    mentor.get_by_role("button", name="Ik doe mee").click()
    expect(mentor.get_by_role("heading", level=1)).to_have_text("Lotte Weijers-Şahin")
    looks.at(mentor, "mentor-dossier")
    mentor.get_by_role("link", name="Meelezen", exact=True).click()
    expect(mentor.get_by_text("1 onderdeel met tekst die u nog niet las")).to_be_visible()
    looks.at(mentor, "mentor-home")
    mentor.get_by_role("link", name="Lotte Weijers-Şahin").click()
    mentor.get_by_role("link", name="Ontwikkelplan").click()
    expect(mentor.get_by_text("Ik wil leren om een groep te begeleiden.")).to_be_visible()
    mentor.get_by_role("button", name="Plaats de opmerking").click()
    expect(mentor.locator(".govuk-error-summary")).to_contain_text("Schrijf eerst uw opmerking")
    mentor.get_by_label("Nieuwe opmerking").fill("Welke groep, en waarom juist nu?")
    mentor.get_by_role("button", name="Plaats de opmerking").click()
    expect(mentor.locator(".remark")).to_contain_text("Welke groep, en waarom juist nu?")
    looks.at(mentor, "mentor-section")
    section = mentor.url
    mentor.get_by_role("link", name="Wijzig of verwijder").click()
    looks.at(mentor, "mentor-comment")
    mentor.goto(section.partition("/onderdeel/")[0] + "/onderdeel/personal")
    mentor.get_by_label("Nieuwe opmerking").fill("Schrijf uw naam voluit.")
    mentor.get_by_role("button", name="Plaats de opmerking").click()

    candidate.goto(postbox.link(CANDIDATE, "opmerking"))
    looks.at(candidate, "mentor-comments")
    candidate.get_by_role("link", name="Ontwikkelplan").click()
    looks.at(candidate, "section-with-comment")
    candidate.locator("textarea").first.fill("Ik wil leren om een groep van acht te begeleiden.")
    candidate.get_by_role("button", name="Zet op afgehandeld").click()  # before anything was saved by itself
    expect(candidate.locator(".remark--done")).to_contain_text("Toch niet")
    expect(candidate.locator("textarea").first).to_have_value("Ik wil leren om een groep van acht te begeleiden.")

    candidate.goto(f"{own}/onderdeel/personal")
    candidate.locator("#certificate_name").fill("Lotte Weijers")
    candidate.locator("#certificate_name").press("Enter")  # saves; the button of the remark above it is not pressed
    expect(candidate.locator(".note").get_by_text("Opgeslagen om")).to_be_visible()
    expect(candidate.locator("#certificate_name")).to_have_value("Lotte Weijers")
    expect(candidate.get_by_role("button", name="Zet op afgehandeld")).to_be_visible()

    mentor.goto("/meelezen")
    expect(mentor.get_by_text("Nieuwe tekst")).to_be_visible()
    candidate.goto(f"{own}/mentor")
    candidate.get_by_role("link", name="Beëindig het meelezen").click()
    looks.at(candidate, "mentor-end")
    candidate.get_by_role("button", name="Ja, beëindig het").click()
    mentor.get_by_role("link", name="Lotte Weijers-Şahin").click()
    expect(mentor.get_by_role("heading", level=1)).to_have_text("Hier is nu niets te lezen")
    looks.at(mentor, "mentor-closed")
    mentor.get_by_role("link", name="Met wie u meeleest").click()
    looks.at(mentor, "mentor-home-former")
    assert looks.faults == []
