"""The whole line in a browser, against the real programs: from registering to an assessor who downloads the sealed bundle."""

import hashlib
import json
import re
import zipfile
from pathlib import Path

import pypdf
import pytest
import verifiers
from playwright.sync_api import Download, Page, expect

from app.schemes import loader, question_types
from app.schemes.model import DossierTemplate, Question, Section
from browser.conftest import PASSWORD
from browser.evidence_files import LOCKED, NO_PDF, WELCOME
from browser.form_filling import Filler, answers_of, button
from browser.looking import PHONE
from browser.running import until

pytestmark = pytest.mark.browser

NAME = "Sanne van der Meer-Öztürk"
EMAIL = "sanne@voorbeeld.example"
SUPERVISOR = "Hélène Kuiper-Bąk"
SUPERVISOR_EMAIL = "helene@voorbeeld.example"
PAGES = {"practice": "section-practice", "education": "section-education", "ethics": "section"}  # that are looked at
SECTION = re.compile(r"/onderdeel/(\w+)$")


def test_the_line(visitors, server, postbox, evidence, looks, make_account, catalogue, tmp_path):
    template = loader.compose(catalogue, "recertification", "2026.1", ["outplacement"])
    candidate = visitors.arrive()

    register(candidate, postbox)
    start_dossier(candidate, looks)
    fill_dossier(candidate, template, evidence, looks)
    invite_supervisor(candidate, looks)
    give_statement(visitors.arrive(viewport=PHONE, has_touch=True, is_mobile=True), template, postbox, looks)
    documents = submit(candidate, postbox, looks, tmp_path)

    office, assessor = make_account("Margriet Zuidervelt", "office"), make_account("Wouter Sjöberg", "assessor")
    assign(visitors, office, looks)
    assert postbox.letter(assessor, "te beoordelen")
    pages_shown, zip_path = read_and_take_along(visitors, assessor, looks, tmp_path)

    assert zip_path.read_bytes() == documents["zip"].read_bytes()
    root = server.demo_root()
    bag = unpacked(zip_path, tmp_path / "bag")
    check_pdf(documents["pdf"], root, pages_shown)
    check_docx(documents["docx"], root)
    check_bag(bag, root, documents, [evidence[name] for name in WELCOME])
    for name in ("web", "worker"):
        assert "Traceback" not in server.log(name)
    assert looks.faults == []


# --- the candidate -------------------------------------------------------------------------------------------------


def register(page: Page, postbox) -> None:
    page.goto("/registreren")
    page.get_by_label("Uw volledige naam").fill(NAME)
    page.get_by_label("Uw e-mailadres").fill(EMAIL)
    page.get_by_label("Kies een wachtwoord").fill(PASSWORD)
    page.get_by_role("button", name="Maak mijn account").click()
    page.goto(postbox.link(EMAIL, "Bevestig"))
    page.get_by_role("button", name="Bevestig mijn e-mailadres").click()
    page.get_by_label("E-mailadres").fill(EMAIL)
    page.get_by_label("Wachtwoord", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def start_dossier(page: Page, looks) -> None:
    page.get_by_role("button", name="Start een dossier").click()
    page.get_by_label("Hercertificering loopbaanprofessional").check()
    page.get_by_role("button", name="Ga verder").click()
    looks.at(page, "start")
    page.get_by_label("Outplacement").check()
    page.get_by_role("button", name="Start dit dossier").click()
    expect(page.locator(".segments__words")).to_have_text(re.compile(r"^0 van \d+ onderdelen afgerond$"))


def fill_dossier(page: Page, template: DossierTemplate, evidence: dict[str, Path], looks) -> None:
    answers = answers_of("senay")
    filler = Filler(page, [evidence[name] for name in WELCOME])
    tasks = page.url
    page.locator(".govuk-task-list__link").first.click()
    for number, section in enumerate(template.sections):
        assert SECTION.search(page.url).group(1) == section.id
        if number == 0:
            finish_too_early(page, looks)
            files_that_are_refused(page, filler, evidence, looks)
            saved_by_itself(page)
        filler.section(section, answers[section.id])
        if section.id in PAGES:
            looks.at(page, PAGES[section.id])
        if section.id == by_supervisor(template)[0].id:
            filler.go_on()
        else:
            filler.finish()
        if number == len(template.sections) // 2:
            look_at_tasks(page, tasks, looks)
    expect(page).to_have_url(tasks)
    done = len(template.sections) - 1
    expect(page.locator(".segments__words")).to_have_text(f"{done} van {done + 1} onderdelen afgerond")
    assert filler.new_files == []


def by_supervisor(template: DossierTemplate) -> tuple[Section, Question]:
    """The one statement that a person gives by name. What clients say is on paper here: ``test_clients_day.py`` asks by mail."""
    (found,) = (
        (section, question)
        for section, question in template.questions()
        if question.type == "statement" and not question.settings.get("anonymous")
    )
    return found


def finish_too_early(page: Page, looks) -> None:
    """ "Ready" on an empty page names everything that lacks, and takes one there."""
    page.locator("[name=finished][value=yes]").check()
    button(page, "continue").click()
    expect(page).to_have_title(re.compile("^Fout:"))
    summary = page.locator(".govuk-error-summary")
    expect(summary).to_be_focused()
    summary.get_by_role("link").first.click()
    expect(page.locator("#certificate_name")).to_be_focused()
    looks.at(page, "errors")


def files_that_are_refused(page: Page, filler: Filler, evidence: dict[str, Path], looks) -> None:
    """One at once, by its content; one after a look inside, while the page stands open."""
    filler.upload("cv", evidence[NO_PDF])
    expect(page.locator(".upload .files__reason")).to_contain_text(f"“{NO_PDF}” is geen pdf-bestand")
    filler.upload("cv", evidence[LOCKED])
    files = page.locator("#cv-files li").filter(has_text=LOCKED)
    expect(files.locator(".govuk-tag")).to_have_text("Niet bruikbaar", timeout=20_000)
    expect(files.locator(".files__reason")).to_contain_text("wachtwoord")
    looks.at(page, "refused-file")
    files.get_by_role("button", name="Verwijder").click()
    expect(page.locator("#cv-files")).to_have_count(0)


def saved_by_itself(page: Page) -> None:
    page.locator("#phone").press_sequentially("030 - 000 00 00")
    expect(page.locator("[data-save-status]")).to_have_text(re.compile(r"Opgeslagen om \d+\.\d\d"))
    page.reload()
    expect(page.locator("#phone")).to_have_value("030 - 000 00 00")


def look_at_tasks(page: Page, tasks: str, looks) -> None:
    section = page.url
    page.goto(tasks)
    looks.at(page, "task-list")
    page.get_by_role("link", name="Open uw bewijsmap").click()
    looks.at(page, "evidence-folder")
    page.goto(section)


def invite_supervisor(page: Page, looks) -> None:
    page.get_by_role("link", name="Nodig uw supervisor uit").click()
    page.get_by_label("Naam van uw supervisor").fill(SUPERVISOR)
    page.get_by_label("E-mailadres van uw supervisor").fill(SUPERVISOR_EMAIL)
    looks.at(page, "invite-supervisor")
    page.get_by_role("button", name="Verstuur de uitnodiging").click()
    expect(page.get_by_text(f"De uitnodiging voor {SUPERVISOR} is verstuurd.")).to_be_visible()


def submit(page: Page, postbox, looks, folder: Path) -> dict[str, Path]:
    """Marks the last section, checks, submits, waits; gives the downloaded documents by kind."""
    postbox.letter(EMAIL, "heeft de verklaring ondertekend")
    page.goto("/dossiers")
    page.get_by_role("link", name="Verklaring van uw supervisor", exact=True).click()
    expect(page.get_by_text("Ondertekend op")).to_be_visible()
    Filler(page).finish()
    page.goto("/dossiers")
    page.get_by_role("link", name="Uw antwoorden controleren").click()
    expect(page.get_by_text("Uw dossier is compleet")).to_be_visible()
    looks.at(page, "check-answers")
    page.get_by_role("button", name="Ga verder naar indienen").click()
    looks.at(page, "submit")
    for box in page.locator("input[name=declarations]").all():
        box.check()
    page.get_by_label("Typ uw volledige naam").fill(NAME)
    page.get_by_role("button", name="Dien het dossier in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Uw dossier is ingediend")
    expect(page.locator("#assembling progress")).to_be_visible()
    links = page.locator("#assembling a[href*='/documenten/']")
    expect(links).to_have_count(3, timeout=120_000)  # the page refreshes this part by itself
    looks.at(page, "receipt")
    assert postbox.letter(EMAIL, "Ontvangstbewijs")
    documents = {}
    for kind in ("pdf", "docx", "zip"):
        with page.expect_download() as download:
            page.locator(f"#assembling a[href$='/{kind}']").click()
        documents[kind] = kept(download.value, folder / f"dossier.{kind}")
    page.goto("/dossiers")
    looks.at(page, "status")
    return documents


def kept(download: Download, path: Path) -> Path:
    download.save_as(path)
    return path


# --- the supervisor ------------------------------------------------------------------------------------------------


def give_statement(page: Page, template: DossierTemplate, postbox, looks) -> None:
    """On a telephone, by the mailed link, without an account."""
    _, statement = by_supervisor(template)
    answers = answers_of("senay_statement")
    page.goto(postbox.link(SUPERVISOR_EMAIL, "verklaring"))
    looks.at(page, "supervisor-invitation")
    page.get_by_role("button", name="Ga verder").tap()
    read = page.locator("main")
    expect(read).to_contain_text(answers_of("senay")["development_report"]["feedback"][:60])
    expect(read).not_to_contain_text(answers_of("senay")["ethics"]["situation"][20:80])
    looks.at(page, "supervisor-reading")
    page.get_by_role("button", name="Ik heb dit gelezen, naar de verklaring").tap()
    filler = Filler(page)
    for question in map(question_types.question, statement.settings["questions"]):
        filler.question(question, question.id, answers[question.id])
    page.locator("#signed_independent").check()
    page.get_by_label("Typ uw volledige naam").fill(SUPERVISOR)
    page.locator("#signed_agree").check()
    looks.at(page, "supervisor-phone")
    button(page, "sign").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dank u wel voor uw verklaring")
    looks.at(page, "supervisor-thanks")
    assert postbox.letter(SUPERVISOR_EMAIL, "is ontvangen")


# --- office and assessor -------------------------------------------------------------------------------------------


def assign(visitors, office: str, looks) -> None:
    page = visitors.arrive()
    visitors.log_in(page, office)
    admit(page, NAME)
    page.get_by_role("button", name="Wijs beoordelaars toe").click()
    page.get_by_role("row").filter(has_text="Wouter Sjöberg").get_by_role("button", name="Wijs toe").click()
    expect(page.get_by_text("Wouter Sjöberg beoordeelt dossier")).to_be_visible()
    looks.at(page, "office")


def admit(page: Page, name: str) -> None:
    """From the list of all dossiers to admission: every requirement in order."""
    page.goto("/secretariaat/dossiers")
    page.get_by_role("row").filter(has_text=name).get_by_role("link").click()
    page.get_by_role("button", name="Controleer de toelatingseisen").click()
    for answer in page.get_by_role("radio", name="In orde", exact=True).all():
        answer.check()
    page.get_by_role("button", name="Bewaar en laat toe").click()
    expect(page.get_by_text("is toegelaten")).to_be_visible()


def read_and_take_along(visitors, assessor: str, looks, folder: Path) -> tuple[int, Path]:
    """The number of pages that the reader shows, and the downloaded bundle."""
    page = visitors.arrive()
    visitors.log_in(page, assessor)
    looks.at(page, "assessor-list")
    page.get_by_role("row").filter(has_text=NAME).get_by_role("link").click()
    looks.at(page, "assessor-declaration")
    page.get_by_role("button", name="Ik heb geen belang").click()
    expect(page.locator("[data-reader][data-ready=yes]")).to_be_visible()
    first = page.locator(".reader__sheet canvas").first
    expect(first).to_be_visible()
    until(lambda: first.evaluate(COLOURS) > 20, "a drawn page")
    expect(page.locator(".reader__sheet .textLayer").first).to_contain_text(NAME)
    looks.at(page, "assessor")
    pages = int(page.locator("[data-reader-total]").inner_text())
    with page.expect_download() as download:
        page.get_by_role("link", name="Download alles (zip)").click()
    return pages, kept(download.value, folder / "bundel.zip")


COLOURS = """canvas => {
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const seen = new Set();
    for (let at = 0; at < data.length; at += 4 * 97) seen.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]);
    return seen.size;
}"""


# --- what other people's programs say ------------------------------------------------------------------------------


def check_pdf(path: Path, root: bytes, pages_shown: int) -> None:
    said = verifiers.pdfsig(path, root)
    assert said.count("Signature #") == 1
    assert "Signature Validation: Signature is Valid." in said
    assert "Certificate Validation: Certificate is Trusted." in said
    assert "Total document signed" in said
    assert "Not total document signed" not in said
    pdf = pypdf.PdfReader(path)
    assert len(pdf.pages) == pages_shown
    text = squeezed("".join(page.extract_text() for page in pdf.pages))
    for words in (NAME, SUPERVISOR, last_words("senay", "ethics", "own_blind_spot"), last_words("senay_statement", "judgement")):
        assert squeezed(words) in text


def last_words(name: str, *place: str) -> str:
    answer = answers_of(name)
    for key in place:
        answer = answer[key]
    return " ".join(answer.split()[-4:])


def squeezed(text: str) -> str:
    """Without white space and hyphens: the end of a line is nobody's concern here."""
    return re.sub(r"[\s\u00ad‐-]", "", text)


def check_docx(path: Path, root: bytes) -> None:
    fine, parts = verifiers.xmlsec1(path, root)
    with zipfile.ZipFile(path) as package:
        others = [name for name in package.namelist() if name.startswith("_xmlsignatures/") or name == "[Content_Types].xml"]
        count = len(package.namelist()) - len(others)
    assert (fine, parts) == (True, f"{count}/{count}")


def unpacked(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as package:
        package.extractall(folder)
    (bag,) = folder.iterdir()
    return bag


def check_bag(bag: Path, root: bytes, documents: dict[str, Path], sent: list[Path]) -> None:
    assert verifiers.bagit(bag).strip().endswith("is valid")
    signature = bag / "signatures" / "tagmanifest-sha256.txt.p7s"
    assert "CMS Verification successful" in verifiers.openssl_cms(signature, bag / "tagmanifest-sha256.txt", root)
    for kind in ("pdf", "docx"):
        assert (bag / "data" / f"dossier.{kind}").read_bytes() == documents[kind].read_bytes()
    listed = json.loads((bag / "data" / "evidence.json").read_text())
    assert {one["original_sha256"] for one in listed} == {hashlib.sha256(path.read_bytes()).hexdigest() for path in sent}
    assert len(list((bag / "data" / "evidence").iterdir())) == len(sent)
