"""A realistic snapshot and its evidence, made by code: every question type, six areas, a statement, awkward texts."""

import copy
import hashlib
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, String

CASE = """In het voorjaar van 2026 begeleidde ik een man van 52 jaar die na 24 jaar zijn functie als planner bij een \
transportbedrijf verloor. Hij kwam via zijn werkgever bij mij voor een traject van zes maanden. Zijn eerste vraag was \
eenvoudig: “Wie zit er nog op mij te wachten?” Hij had sinds 2001 niet gesolliciteerd en kende alleen de vacatures van \
zijn eigen sector.

Mijn taak was om hem een **realistisch beeld** te geven van zijn mogelijkheden en hem daarin *zelf* de regie te laten \
nemen. Ik wilde voorkomen dat ik de deskundige werd die hem vertelde wat hij moest doen.

Ik ben begonnen met een analyse van de regionale arbeidsmarkt. Samen maakten we een overzicht van zeven functies:

- drie functies waren **direct haalbaar**, zonder opleiding;
- twee functies vroegen om een korte opleiding van € 1.250 (twee maanden);
- twee functies vielen na een netwerkgesprek af.

Daarna voerde hij vijf netwerkgesprekken, in deze volgorde:

1. een oud-collega in de zorg;
2. een planner bij een ziekenhuis in ’s-Hertogenbosch;
3. twee wervers en een buurman.

Na vier maanden begon hij als capaciteitsplanner. Hij zei: “Ik weet nu hoe ik moet zoeken.” Zie https://www.example.org/\
arbeidsmarkt/spanningsindicator/2026/kwartaal-3/beroepsgroepen/planners-en-logistiek-medewerkers?regio=noord-brabant&jaar=2026."""

ODD = (
    """Letterlijk: #read("/etc/passwd") {{7*7}} <w:p/> $x^2$ @label \\ _ ~ `code` & "aanhalingstekens" -- klaar.

Emoji: 😀 👩🏽‍💻 ✅ en pijlen → ✓ ☐; Pools: Zażółć gęślą jaźń; Turks: İşçi ğüşöç; Grieks: Λόγος; Cyrillisch: Работа.

Arabisch: مرحبا بالعالم midden in de zin, Hebreeuws: שלום, Chinees: 简历 (zonder teken in onze letters).

Een heel lang woord: """
    + "hottentottententententoonstellingsmakersgereedschapskist" * 4
)

AREAS = [
    ("intake", "Intake en verhelderen van de vraag"),
    ("plan", "Plan en keuze van werkwijze"),
    ("begeleiding", "Methodische begeleiding"),
    ("arbeidsmarkt", "Arbeidsmarkt en loopbaanmogelijkheden"),
    ("ethiek", "Ethiek en beroepshouding"),
    ("reflectie", "Reflectie en eigen ontwikkeling"),
]

CRITERIA = [
    ("kennis", "Gebruikt actuele en betrouwbare bronnen over de arbeidsmarkt"),
    ("kennis", "Kent de theorie achter de gekozen werkwijze en kan haar uitleggen"),
    ("kunde", "Vertaalt informatie naar haalbare opties voor déze cliënt"),
    ("vaardigheden", "Laat de regie bij de cliënt en toetst of de uitleg is begrepen"),
    ("ethiek", "Bewaakt vertrouwelijkheid tegenover cliënt en opdrachtgever"),
]


def text(dutch: str, english: str = "") -> dict[str, str]:
    return {"nl": dutch, "en": english or dutch}


def question(name: str, kind: str, label: str, **settings: Any) -> dict[str, Any]:
    required, shown_if = settings.pop("required", True), settings.pop("shown_if", "")
    return {
        "id": name,
        "type": kind,
        "label": text(label),
        "hint": None,
        "required": required,
        "shown_if": shown_if,
        "settings": settings,
    }


def section(name: str, group: str, title: str, questions: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "group": group,
        "title": text(title),
        "intro": None,
        "guidance": {"look_for": [], "starr": False, "example": None},
        "questions": questions,
        "criteria": [],
        "plugin": "",
        **more,
    }


def _template() -> dict[str, Any]:
    words = {"min": 50, "max": 800}
    training_fields = [
        {"id": "name", "type": "short_text", "label": text("Activiteit")},
        {"id": "date", "type": "date", "label": text("Datum")},
        {
            "id": "kind",
            "type": "choice",
            "label": text("Soort"),
            "options": [{"id": "training", "label": text("Training")}, {"id": "lezen", "label": text("Vakliteratuur")}],
        },
        {"id": "points", "type": "number", "label": text("Punten"), "decimals": 1},
        {"id": "proof", "type": "evidence", "label": text("Bewijs"), "required": False, "files": {"min": 0, "max": 3}},
    ]
    practice = section(
        "praktijk",
        "algemeen",
        "Uw praktijk",
        [
            question("naam", "short_text", "Naam van uw praktijk"),
            question("vorm", "choice", "Hoe werkt u?", options=[{"id": "zzp", "label": text("Als zelfstandige")}]),
            question("uren", "number", "Hoeveel uren per week begeleidt u cliënten?", unit=text("uur"), decimals=1),
            question("start", "date", "Sinds wanneer doet u dit werk?"),
            question("werkgever", "short_text", "Naam van uw werkgever", shown_if="vorm == 'loondienst'"),
            question("periode", "period", "Over welke periode gaat dit dossier?"),
            question(
                "doelgroepen",
                "choices",
                "Voor welke groepen werkt u?",
                options=[
                    {"id": "jong", "label": text("Jongeren en starters")},
                    {"id": "werk", "label": text("Werkenden die iets anders willen")},
                    {"id": "ontslag", "label": text("Mensen die hun werk verliezen")},
                ],
            ),
            question("website", "short_text", "Website", required=False),
            question("toelichting", "long_text", "Wilt u iets toelichten?", required=False, words=words),
            question("bijzonder", "long_text", "Beschrijf wat bijzonder is aan uw praktijk", words=words),
            question("cv", "evidence", "Uw curriculum vitae", files={"min": 1, "max": 1}),
        ],
    )
    log = section(
        "scholing",
        "algemeen",
        "Scholing en punten",
        [
            question(
                "lijst",
                "table",
                "Wat hebt u gedaan om bij te blijven?",
                fields=training_fields,
                rows={"min": 1},
                row_title="name",
                totals=[{"field": "points", "label": text("Totaal"), "min": 75, "unit": text("punten")}],
                caps=[],
            ),
            question(
                "gedragscode",
                "declaration",
                "Gedragscode",
                text=text("Ik houd me aan de gedragscode voor loopbaanprofessionals."),
            ),
        ],
    )
    levels = {str(score): text(f"Niveau {score}") for score in range(1, 5)}
    areas = [
        section(
            name,
            "gebieden",
            title,
            [
                question("situatie", "long_text", "Situatie: beschrijf een situatie uit uw werk", words=words),
                question("actie", "long_text", "Actie: wat deed u, en waarom zo?", words=words),
                question("resultaat", "long_text", "Resultaat en reflectie: wat leverde het op, wat leerde u?", words=words),
                question("bewijs", "evidence", "Bewijsstukken bij deze casus", required=False, files={"min": 0, "max": 5}),
            ],
            criteria=[
                {"id": f"{name}_{index}", "group": group, "title": text(title), "levels": levels}
                for index, (group, title) in enumerate(CRITERIA)
            ],
        )
        for name, title in AREAS
    ]
    statement_questions = [
        {"id": "gesprekken", "type": "long_text", "label": text("Welke gesprekken hebt u gevoerd?"), "words": words},
        {
            "id": "groei",
            "type": "scale",
            "label": text("De kandidaat heeft zich zichtbaar ontwikkeld"),
            "levels": [{"id": str(score), "label": text(f"{score} – zeker")} for score in range(1, 5)],
        },
        {
            "id": "band",
            "type": "declaration",
            "label": text("Geen band"),
            "text": text("Ik heb geen familieband met de kandidaat."),
        },
    ]
    supervisor = section(
        "supervisor",
        "afronding",
        "Verklaring van uw supervisor",
        [
            question(
                "verklaring",
                "statement",
                "Verklaring van de supervisor",
                role=text("Supervisor"),
                reads=["reflectie", "intake"],
                questions=statement_questions,
                consent=text("Ik heb de genoemde onderdelen gelezen en sta in voor wat ik verklaar over %(candidate)s."),
            )
        ],
    )
    return {
        "scheme": "recertification",
        "version": "2026-1",
        "title": text("Hercertificering Register Loopbaanprofessional", "Recertification"),
        "route": "written",
        "effective_from": "2026-01-01",
        "effective_until": "",
        "validity_years": 4,
        "reference_prefix": "HC",
        "hours_expected": 20,
        "introduction": text("Uitleg."),
        "groups": [
            {"id": "algemeen", "title": text("Uw gegevens en ontwikkeling")},
            {"id": "gebieden", "title": text("Competentiegebieden")},
            {"id": "leeg", "title": text("Groep zonder onderdelen")},
            {"id": "afronding", "title": text("Afronding")},
        ],
        "sections": [practice, log, *areas, supervisor],
        "scale": [{"value": score, "label": text(f"Niveau {score}"), "sufficient": score > 2} for score in range(1, 5)],
        "declarations": [
            {
                "id": "eigen",
                "text": text("Dit dossier is mijn eigen werk en bevat geen gegevens waaraan cliënten te herkennen zijn."),
            },
            {"id": "waar", "text": text("Alles wat ik heb ingevuld is waar en volledig.")},
        ],
        "plugins": [
            {"id": "outplacement", "version": "1.0", "title": text("Specialisatie outplacement"), "hooks_sha256": ""},
        ],
        "assessors": 2,
    }


TRAININGS = [
    ("Basistraining motiverende gespreksvoering", "training", "12,5", [11]),
    (
        "Wet verbetering poortwachter in de praktijk: wat betekent dit voor uw cliënten en opdrachtgevers?",
        "training",
        "8",
        [11, 12],
    ),
    ("Savickas, Career Counseling", "lezen", "4", []),
    ("Intervisie met vijf collega’s", "training", "16", []),
]


def snapshot(*, trainings: int = 12, repeat: int = 1, language: str = "nl", demo: bool = True) -> dict[str, Any]:
    """``trainings`` rows in the table; ``repeat`` makes the cases longer (for measuring)."""
    template = _template()
    rows = [
        {
            "row": f"r{index}",
            "name": TRAININGS[index % 4][0],
            "date": {"day": str(index % 28 + 1), "month": "3", "year": "2026"},
            "kind": TRAININGS[index % 4][1],
            "points": TRAININGS[index % 4][2],
            "proof": TRAININGS[index % 4][3],
        }
        for index in range(trainings)
    ]
    case = "\n\n".join([CASE] * repeat)
    answers: dict[str, Any] = {
        "praktijk": {
            "naam": "De Vries & Müller Loopbaanbegeleiding “Łódź”",
            "vorm": "zzp",
            "uren": "24,5",
            "start": {"day": "1", "month": "2", "year": "2011"},
            "periode": {
                "from": {"day": "1", "month": "1", "year": "2023"},
                "to": {"day": "21", "month": "11", "year": "2026"},
            },
            "doelgroepen": ["werk", "ontslag"],
            "website": "",
            "bijzonder": ODD,
            "cv": [14],
        },
        "scholing": {"lijst": rows, "gedragscode": "yes"},
    }
    for index, (name, _title) in enumerate(AREAS):
        answers[name] = {
            "situatie": case,
            "actie": case,
            "resultaat": "Ik heb geleerd dat ik in het begin te veel informatie tegelijk gaf. " * 6,
            "bewijs": [[13], [], [11, 13], [], [], []][index],
        }
    evidence = [
        _item(14, 1, "Curriculum vitae.docx", "Curriculum vitae", "docx", 0, [["praktijk", "cv"]]),
        _item(
            11,
            2,
            "certificaat training mgv 2026.pdf",
            "Certificaat motiverende gespreksvoering",
            "pdf",
            2,
            [["scholing", "lijst"], ["begeleiding", "bewijs"]],
        ),
        _item(
            12, 3, "scan.jpg", "Deelnamebewijs Wet verbetering poortwachter", "jpg", 1, [["scholing", "lijst"]], rasterised=True
        ),
        _item(
            13,
            4,
            "简历\u202egpj.pdf",
            "Casus مرحبا, verslag",
            "pdf",
            5,
            [["intake", "bewijs"], ["begeleiding", "bewijs"]],
            signed=True,
            signatures=[SIGNATURE],
        ),
        _item(15, 5, "plattegrond-" + "x" * 120 + ".pdf", "Plattegrond op liggend papier", "pdf", 1, [["reflectie", "bewijs"]]),
    ]
    answers["reflectie"]["bewijs"] = [15]
    statement = {
        "id": 3,
        "section": "supervisor",
        "question": "verklaring",
        "stage": "signed",
        "supervisor": {"name": "Marieke Jansen-van den Oetelaar", "email": "marieke@example.org", "role": "Supervisor"},
        "answers": {"gesprekken": CASE.split("\n\n")[0], "groei": "4", "band": "yes"},
        "signed_name": "M. Jansen-van den Oetelaar",
        "signed_at": "2026-11-18T19:05:00+00:00",
        "consent": "Ik heb de genoemde onderdelen gelezen en sta in voor wat ik verklaar over Sanne de Vries.",
        "read_sha256": sha("gelezen"),
        "content_sha256": sha("getekend"),
        "evidence": [],
        "events": [
            {
                "kind": kind,
                "at": f"2026-11-1{day}T08:30:00+00:00",
                "address": "2001:db8:85a3::8a2e:370:7334",
                "user_agent": AGENT,
                "sha256": sha(kind) if kind in ("read", "signed") else "",
            }
            for day, kind in enumerate(["sent", "opened", "read", "saved", "signed"], 4)
        ],
    }
    data = {
        "format": 1,
        "reference": "HC-2026-0001",
        "revision": 1,
        "language": language,
        "demo": demo,
        "organisation": "Register Loopbaanprofessionals",
        "submitted_at": "2026-11-21T14:32:00+00:00",
        "today": "2026-11-21",
        "candidate": {"name": "Sanne de Vries – محمد", "email": "sanne@example.org"},
        "template_sha256": sha("template"),
        "template": template,
        "house_style_sha256": sha("house style"),
        "answers": answers,
        "evidence": evidence,
        "statements": [statement],
        "declarations": [{"id": one["id"], "text": one["text"][language]} for one in template["declarations"]],
        "signature": {"name": "Sanne de Vries", "at": "2026-11-21T14:32:00+00:00", "address": "192.0.2.14", "user_agent": AGENT},
        "events": [
            {"kind": "created", "at": "2026-09-01T07:00:00+00:00"},
            {"kind": "submitted", "at": "2026-11-21T14:32:00+00:00"},
        ],
    }
    return copy.deepcopy(data)


AGENT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148"
)


SIGNATURE = {"signer": "M. Jansen", "error": "", "intact": True, "valid": True, "trusted": False, "revoked": False}


def sha(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


def _item(
    number_id: int, number: int, name: str, title: str, kind: str, pages: int, used_by: list[Any], **more: Any
) -> dict[str, Any]:
    return {
        "id": number_id,
        "number": number,
        "name": name,
        "title": title,
        "kind": kind,
        "original_sha256": sha(f"original {number}"),
        "original_size": 1_834_000 if pages else 214_000,
        "cleaned_sha256": sha(f"cleaned {number}"),
        "cleaned_kind": kind,
        "pages_sha256": sha(f"pages {number}") if pages else "",
        "pages": pages,
        "rasterised": False,
        "signed": False,
        "signatures": [],
        "uploaded_at": "2026-11-12T09:15:00+00:00",
        "used_by": used_by,
        **more,
    }


def evidence_pdf(path: Path, sizes: list[dict[str, Any]], *, bookmarks: bool = False, form: bool = False) -> Path:
    """A PDF with a page for each of ``sizes``: ``{"width", "height", "rotate", "crop": [x0, y0, x1, y1]}`` in points.

    Each page says its number in the middle, has a frame at its visible edge, marked content with an MCID (as tagged
    files have), a ``cm`` that is never undone, and a link.
    """
    with pikepdf.new() as pdf:
        font = pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
        for index, size in enumerate(sizes, 1):
            width, height = size.get("width", 595), size.get("height", 842)
            x0, y0, x1, y1 = size.get("crop", [0, 0, width, height])
            content = (
                f"/P <</MCID 0>> BDC 0.8 w {x0 + 8} {y0 + 8} {x1 - x0 - 16} {y1 - y0 - 16} re S "
                f"BT /F1 30 Tf {(x0 + x1) / 2 - 90} {(y0 + y1) / 2} Td (Bewijs blad {index}) Tj ET EMC 0.5 0 0 0.5 100 100 cm"
            )
            page = Dictionary(
                Type=Name.Page,
                MediaBox=Array([0, 0, width, height]),
                Resources=Dictionary(Font=Dictionary(F1=font)),
                Contents=pdf.make_stream(content.encode()),
                StructParents=0,
                Annots=Array(
                    [
                        pdf.make_indirect(
                            Dictionary(
                                Type=Name.Annot,
                                Subtype=Name.Link,
                                Rect=Array([x0 + 100, y0 + 100, x0 + 200, y0 + 120]),
                                A=Dictionary(S=Name.URI, URI=String(f"https://example.org/blad/{index}")),
                                StructParent=1,
                            )
                        )
                    ]
                ),
            )
            if "crop" in size:
                page.CropBox = Array([x0, y0, x1, y1])
            if "rotate" in size:
                page.Rotate = size["rotate"]
            pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
        if bookmarks:
            with pdf.open_outline() as contents:
                chapter = pikepdf.OutlineItem("Deel één", 0)
                chapter.children.append(pikepdf.OutlineItem("Laatste blad", len(sizes) - 1))
                contents.root.append(chapter)
        if form:
            field = pdf.make_indirect(
                Dictionary(
                    Type=Name.Annot,
                    Subtype=Name.Widget,
                    FT=Name.Tx,
                    T=String("opmerking"),
                    V=String("ingevuld"),
                    Rect=Array([100, 200, 300, 220]),
                    DA=String("/F1 12 Tf"),
                )
            )
            pdf.pages[0].Annots.append(field)
            pdf.Root.AcroForm = Dictionary(Fields=Array([field]), DR=Dictionary(Font=Dictionary(F1=font)))
        pdf.save(path, deterministic_id=True)
    return path


ODD_PAGES = [
    {},
    {"rotate": 90},
    {"rotate": 180, "crop": [40, 60, 500, 700]},
    {"rotate": 270, "crop": [40, 60, 500, 700]},
    {"width": 842, "height": 595},
]


def evidence_files(folder: Path) -> dict[int, Path]:
    """The pages of the sample's appendices by number (the first one has none)."""
    return {
        2: evidence_pdf(folder / "2.pdf", [{}, {}], bookmarks=True),
        3: evidence_pdf(folder / "3.pdf", [{"width": 400, "height": 300}]),
        4: evidence_pdf(folder / "4.pdf", ODD_PAGES, form=True),
        5: evidence_pdf(folder / "5.pdf", [{"width": 1191, "height": 842}]),
    }
