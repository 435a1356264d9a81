"""The evidence of the demo, made when it is needed: each file is what it claims to be, and everything in it is invented.

Papers are set with Typst; scans, photographs and the chart are drawn. The same texts give the same bytes, but for the
signed certificate, whose signature has a time and a key of its own.
"""

import datetime
import io
import json
import math
import random
import shutil
import tempfile
import textwrap
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
import pikepdf
import pillow_heif
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from app.config import Settings
from app.documents import signing
from app.documents.signing import SealKey
from app.documents.typesetting import HOUSE_STYLE
from app.extensions import now
from app.files import sandbox, sniff, store
from app.files.store import Blob

TEMPLATE = Path(__file__).with_name("evidence.typ")
FONTS = HOUSE_STYLE / "fonts"
SET_IN_TYPE = ("certificate", "attendance", "letter", "report", "locked", "cv", "form")
TYPESETTING = {"wall_seconds": 120, "memory_mb": 2500, "cpu_seconds": 120, "file_mb": 50}
A_LONG_TIME_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment that a ZIP can say

BLUE_INK, BLACK_INK, PENCIL = (29, 60, 143), (35, 35, 40), (70, 70, 75)
WOOD, PAPER, CARD = (150, 116, 82), (250, 249, 244), (252, 246, 232)

Entry = Mapping[str, Any]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Stored:
    """A file that was taken in, as an upload is."""

    blob: Blob
    name: str
    kind: str


@contextmanager
def made(entries: Mapping[str, Entry], settings: Settings) -> Iterator[dict[str, Path]]:
    """The files of ``make`` in a folder that goes away afterwards."""
    settings.work.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=settings.work, prefix="demo-") as folder:
        yield make(entries, Path(folder))


def stored(path: Path, name: str, settings: Settings) -> Stored:
    clean = sniff.clean_name(name)
    with path.open("rb") as stream:
        blob = store.put_stream(settings.blobs, stream, limit=settings.max_file_bytes)
    return Stored(blob, clean, sniff.kind_of(store.path(settings.blobs, blob.sha256), clean))


def make(entries: Mapping[str, Entry], folder: Path) -> dict[str, Path]:
    """Makes the file of each entry in ``folder`` (existing, empty) and gives its path by the entry's key."""
    made: dict[str, Path] = {}
    for key, entry in entries.items():
        if entry["kind"] in DRAWN:
            suffix, draw = DRAWN[entry["kind"]]
            made[key] = folder / f"{key}{suffix}"
            draw(entry, made[key])
    papers = {key: _with_places(entry) for key, entry in entries.items() if entry["kind"] in SET_IN_TYPE}
    for key, entry in papers.items():
        (folder / f"{key}.json").write_text(json.dumps(entry, ensure_ascii=False), encoding="utf-8")
    if papers:
        shutil.copyfile(TEMPLATE, folder / TEMPLATE.name)
        payload = {"folder": str(folder), "template": TEMPLATE.name, "fonts": str(FONTS), "keys": list(papers)}
        sandbox.run("app.demo.papers:typeset", payload, **TYPESETTING)
    for key, entry in papers.items():
        made[key] = folder / f"{key}.pdf"
        _finish(entry, made[key])
    return made


def _finish(entry: Entry, path: Path) -> None:
    """What a PDF gets after it was set: fields, turned pages, a password or a signature."""
    if entry["kind"] == "form":
        _fill_form(entry, path)
    if "turned_pages" in entry:
        _turn_pages(path, entry["turned_pages"])
    if entry["kind"] == "locked":
        _lock(path)
    if "signed_by" in entry:
        _sign(path, entry["signed_by"])


# --- PDF -----------------------------------------------------------------------------------------------------------

FORM_LEFT, FORM_WIDTH, LINE, LETTERS_A_LINE = 60, 475, 13, 96


def _with_places(entry: Entry) -> dict[str, Any]:
    """A form's entry with the places of labels, boxes and fields, in points from the top left; any other as it is."""
    if entry["kind"] != "form":
        return dict(entry)
    labels: list[dict[str, Any]] = []
    fields: list[dict[str, Any]] = []
    y = 112
    for label, value in [("Datum", entry["date"]), *entry["answers"]]:
        lines = textwrap.wrap(value, LETTERS_A_LINE)
        height = 10 + LINE * max(len(lines), 1 if label in ("Datum", "Hoeveel gesprekken had u?") else 4)
        labels.append({"x": FORM_LEFT, "y": y, "size": 10.5, "text": label})
        fields.append({"x": FORM_LEFT, "y": y + 16, "width": FORM_WIDTH, "height": height, "lines": lines, "name": label})
        y += height + 30
    labels += [{"x": FORM_LEFT + 302 + 40 * score, "y": y, "size": 9.5, "text": str(score)} for score in range(1, 5)]
    labels.append({"x": FORM_LEFT, "y": y, "size": 9.5, "text": "1 is helemaal niet, 4 is helemaal"})
    for label, chosen in entry["scores"].items():
        y += 24
        labels.append({"x": FORM_LEFT, "y": y, "size": 10.5, "text": label})
        for score in range(1, 5):
            box = {"x": FORM_LEFT + 298 + 40 * score, "y": y - 2, "width": 14, "height": 14, "name": f"{label} {score}"}
            fields.append({**box, "checked": score == chosen})
    y += 34
    labels.append({"x": FORM_LEFT, "y": y + 4, "size": 10.5, "text": "Welk cijfer geeft u de begeleiding?"})
    fields.append({"x": FORM_LEFT + 338, "y": y - 2, "width": 60, "height": 22, "lines": [entry["mark"]], "name": "Cijfer"})
    return {**entry, "labels": labels, "boxes": fields}


def _fill_form(entry: Entry, path: Path) -> None:
    """Puts a real, filled field (AcroForm) in each box of the form."""
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        page = pdf.pages[0]
        height = float(page.mediabox[3])
        font = pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Font,
                Subtype=pikepdf.Name.Type1,
                BaseFont=pikepdf.Name.Helvetica,
                Encoding=pikepdf.Name.WinAnsiEncoding,
            )
        )
        widgets = [pdf.make_indirect(_field(pdf, one, font, height)) for one in entry["boxes"]]
        page.obj.Annots = pikepdf.Array(widgets)
        pdf.Root.AcroForm = pdf.make_indirect(
            pikepdf.Dictionary(
                Fields=pikepdf.Array(widgets),
                DA=pikepdf.String("/Helv 10 Tf 0 g"),
                DR=pikepdf.Dictionary(Font=pikepdf.Dictionary(Helv=font)),
            )
        )
        pdf.save(path, deterministic_id=True)


def _field(pdf: pikepdf.Pdf, box: Mapping[str, Any], font: pikepdf.Object, page_height: float) -> pikepdf.Object:
    width, height = box["width"], box["height"]
    x, top = box["x"], page_height - box["y"]
    field = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.Widget,
        Rect=pikepdf.Array([x, top - height, x + width, top]),
        T=pikepdf.String(box["name"]),
        F=4,
    )
    resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(Helv=font))

    def look(drawing: str) -> pikepdf.Object:
        stream = pdf.make_stream(drawing.encode("cp1252"))
        stream.Type, stream.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
        stream.BBox, stream.Resources = pikepdf.Array([0, 0, width, height]), resources
        return stream

    if "checked" in box:
        cross = f"0.11 0.24 0.56 RG 1.6 w 3 3 m {width - 3} {height - 3} l 3 {height - 3} m {width - 3} 3 l S"
        state = pikepdf.Name.Yes if box["checked"] else pikepdf.Name.Off
        field.FT, field.V, field.AS = pikepdf.Name.Btn, state, state
        field.AP = pikepdf.Dictionary(N=pikepdf.Dictionary(Yes=look(cross), Off=look("")))
        return field
    shown = " T* ".join(f"({_escaped(line)}) Tj" for line in box["lines"])
    field.FT, field.DA = pikepdf.Name.Tx, pikepdf.String("/Helv 10 Tf 0 g")
    field.V, field.Ff = pikepdf.String("\n".join(box["lines"])), 1 << 12  # more lines
    field.AP = pikepdf.Dictionary(
        N=look(f"/Tx BMC q BT 0.11 0.24 0.56 rg /Helv 10 Tf {LINE} TL 5 {height - 15} Td {shown} ET Q EMC")
    )
    return field


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _turn_pages(path: Path, numbers: Sequence[int]) -> None:
    """Lets pages lie on their side in the file, with the note that viewers must turn them: as scanners do."""
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        for number in numbers:
            page = pdf.pages[number - 1]
            width, height = float(page.mediabox[2]), float(page.mediabox[3])
            page.contents_add(f"q 0 1 -1 0 {height} 0 cm".encode(), prepend=True)
            page.contents_add(b"Q")
            page.mediabox = pikepdf.Array([0, 0, height, width])
            page.rotate(90, relative=False)
        pdf.save(path, deterministic_id=True)


def _lock(path: Path) -> None:
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(owner="demo", user="demo"))


def _sign(path: Path, signer: str) -> None:
    """A digital signature of an organisation that vouches for itself, as small institutes have them."""
    unsigned = path.with_suffix(".unsigned")
    path.rename(unsigned)
    key = _own_key(signer)
    signing.seal_pdf(unsigned, path, key, reason="Uitgifte van dit certificaat", location="Demo", contact=signer)
    unsigned.unlink()


def _own_key(name: str) -> SealKey:
    private_key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = now() - datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=3650))
        .sign(private_key, hashes.SHA256())
    )
    return SealKey(private_key, certificate, (), demo=True)


# --- drawn: scan, photographs, chart -------------------------------------------------------------------------------


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / f"{name}.ttf"), size)


def _by_hand(image: Image.Image, place: tuple[float, float], text: str, size: int, colour: Colour, seed: int) -> None:
    """Writes like a hand: every letter a little turned and shifted, and never twice the same."""
    chance = random.Random(f"{text}{seed}")  # noqa: S311  looks, not secrets
    font = _font("SourceSans3_400Regular_Italic", size)
    x, y = place
    for number, line in enumerate(text.split("\n")):
        left, base = x, y + number * size * 1.2
        for letter in line:
            box = Image.new("L", (size * 2, size * 2))
            ImageDraw.Draw(box).text((size // 2, size // 4), letter, fill=255, font=font)
            box = box.rotate(chance.uniform(-7, 7), Image.Resampling.BICUBIC)
            image.paste(colour, (round(left) - size // 2, round(base + chance.uniform(-size, size) * 0.045) - size // 4), box)
            left += font.getlength(letter) * chance.uniform(0.93, 1.07)


def _signature(image: Image.Image, place: tuple[float, float], width: float, seed: int, colour: Colour) -> None:
    chance = random.Random(seed)  # noqa: S311
    x, y = place
    slow, quick, height = chance.uniform(0.05, 0.08), chance.uniform(0.16, 0.24), width * chance.uniform(0.08, 0.12)
    points = [
        (
            x + width * step / 150 + math.cos(step * quick) * height * 0.5,
            y + (math.sin(step * slow) + 0.7 * math.sin(step * quick)) * height * (1.1 - step / 190) - step * 0.08,
        )
        for step in range(150)
    ]
    ImageDraw.Draw(image).line(points, fill=colour, width=max(2, round(width / 60)), joint="curve")


def _grain(image: Image.Image, strength: float, seed: int) -> Image.Image:
    """The noise of a sensor."""
    quarter = (image.width // 2, image.height // 2)
    noise = Image.frombytes("L", quarter, random.Random(seed).randbytes(quarter[0] * quarter[1]))  # noqa: S311
    return Image.blend(image, noise.resize(image.size).convert(image.mode), strength)


def _shade(image: Image.Image) -> Image.Image:
    """Light from the upper left, as under a lamp."""
    light = Image.radial_gradient("L").resize((image.width * 2, image.height * 2))
    light = light.crop((image.width * 6 // 10, image.height * 6 // 10, image.width * 16 // 10, image.height * 16 // 10))
    bright = light.point([255 - round(value * 0.42) for value in range(256)])
    return ImageChops.multiply(image, Image.merge("RGB", (bright, bright, bright)))


def _on_a_table(sheet: Image.Image, size: tuple[int, int], corners: Sequence[tuple[int, int]]) -> Image.Image:
    """The sheet as photographed on a wooden table, with its four corners (from the upper left, clockwise) at these places."""
    table = Image.new("RGB", size, WOOD)
    drawing, chance = ImageDraw.Draw(table), random.Random(7)  # noqa: S311
    for y in range(0, size[1], 3):
        tone = chance.randint(-14, 14)
        red, green, blue = WOOD
        drawing.line([(0, y), (size[0], y + chance.randint(-6, 6))], fill=(red + tone, green + tone, blue + tone), width=3)
    source = [(0, 0), (sheet.width, 0), (sheet.width, sheet.height), (0, sheet.height)]
    warp = _perspective(corners, source)
    shadow = Image.new("L", size)
    ImageDraw.Draw(shadow).polygon([(x + 14, y + 18) for x, y in corners], fill=120)
    table.paste((40, 28, 18), (0, 0), shadow.filter(ImageFilter.GaussianBlur(14)))
    mask = Image.new("L", sheet.size, 255).transform(size, Image.Transform.PERSPECTIVE, warp)
    table.paste(sheet.transform(size, Image.Transform.PERSPECTIVE, warp, Image.Resampling.BICUBIC), (0, 0), mask)
    return _grain(_shade(table), 0.05, 3)


def _perspective(to: Sequence[tuple[int, int]], of: Sequence[tuple[int, int]]) -> list[float]:
    """The eight numbers with which Pillow takes each place in ``to`` from ``of``."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(to, of, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    for column in range(8):  # elimination after Gauss
        pivot = max(range(column, 8), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [value / rows[column][column] for value in rows[column]]
        for row in range(8):
            if row != column:
                factor = rows[row][column]
                rows[row] = [value - factor * other for value, other in zip(rows[row], rows[column], strict=True)]
    return [row[8] for row in rows]


def _draw_scan(entry: Entry, path: Path) -> None:
    """A signed list as an office scanner delivers it: one grey, slightly crooked picture and no text."""
    page = Image.new("RGB", (1240, 1754), "white")
    drawing = ImageDraw.Draw(page)
    drawing.text((120, 120), entry["title"], fill="black", font=_font("SourceSans3_600SemiBold", 52))
    drawing.text((120, 190), entry["subtitle"], fill="black", font=_font("SourceSans3_400Regular", 30))
    drawing.text((120, 250), entry["name"], fill="black", font=_font("SourceSans3_400Regular", 28))
    columns, top, height = (120, 340, 640, 800, 1120), 330, 118
    for row in range(len(entry["rows"]) + 1):
        drawing.rectangle([columns[0], top + row * height, columns[-1], top + (row + 1) * height], outline="black", width=2)
    for x in columns[1:-1]:
        drawing.line([(x, top), (x, top + (len(entry["rows"]) + 1) * height)], fill="black", width=2)
    for x, heading in zip(columns, ("Soort", "Datum", "Duur", "Handtekening"), strict=False):
        drawing.text((x + 14, top + 40), heading, fill="black", font=_font("SourceSans3_600SemiBold", 28))
    for number, (kind, day, duration) in enumerate(entry["rows"], start=1):
        y = top + number * height
        for x, text in zip(columns, (kind, day, duration), strict=False):
            _by_hand(page, (x + 12, y + 36), text, 31, BLUE_INK, number)
        _signature(page, (columns[3] + 50, y + 62), 210, 1 if kind == "supervisie" else 2, BLACK_INK)
    drawing.text((120, 1310), entry["closing"], fill="black", font=_font("SourceSans3_400Regular", 28))
    drawing.text(
        (120, 1660), "Verzonnen stuk uit de demo van Loopbaandossier", fill=PENCIL, font=_font("SourceSans3_400Regular", 20)
    )
    turned = page.rotate(0.8, Image.Resampling.BICUBIC, fillcolor="white").filter(ImageFilter.GaussianBlur(0.7))
    grey = _grain(turned.convert("L"), 0.06, 1)
    moment = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC).timetuple()
    grey.save(path, resolution=150, quality=70, creationDate=moment, modDate=moment)


def _draw_card(entry: Entry, path: Path) -> None:
    """A thank-you card in handwriting, as a telephone photographs it (HEIC)."""
    card = Image.new("RGB", (1500, 1050), CARD)
    drawing = ImageDraw.Draw(card)
    drawing.rectangle([18, 18, 1481, 1031], outline=(190, 150, 90), width=5)
    for petal in range(8):
        x, y = 1270 + 60 * math.cos(petal * math.pi / 4), 190 + 60 * math.sin(petal * math.pi / 4)
        drawing.ellipse([x - 38, y - 38, x + 38, y + 38], fill=(217, 122, 94))
    drawing.ellipse([1235, 155, 1305, 225], fill=(240, 196, 80))
    drawing.line([(1270, 260), (1250, 560)], fill=(90, 130, 80), width=12)
    for number, line in enumerate(entry["lines"]):
        _by_hand(card, (120, 110 + number * 84), line, 60, BLUE_INK, number)
    photo = _on_a_table(card, (1600, 1200), [(130, 120), (1490, 60), (1530, 1090), (70, 1120)])
    pillow_heif.from_pillow(photo).save(str(path), quality=65, enc_params={"preset": "ultrafast"})


def _draw_photo(entry: Entry, path: Path) -> None:
    """A network map on a flip-over sheet; the telephone wrote down where it was (which cleaning must take out again)."""
    sheet = Image.new("RGB", (1700, 1250), PAPER)
    drawing = ImageDraw.Draw(sheet)
    _by_hand(sheet, (90, 50), entry["title"], 58, BLACK_INK, 0)
    middle, count = (850, 690), len(entry["labels"])
    places = [
        (middle[0] + 610 * math.cos(2 * math.pi * at / count), middle[1] + 400 * math.sin(2 * math.pi * at / count))
        for at in range(count)
    ]
    for number, (x, y) in enumerate(places):
        drawing.line([middle, (x, y)], fill=(190, 60, 50) if number in entry["cluster"] else BLACK_INK, width=5)
    for one in entry["cluster"]:
        for other in entry["cluster"]:
            drawing.line([places[one], places[other]], fill=(190, 60, 50), width=4)
    for number, (label, (x, y)) in enumerate(zip(entry["labels"], places, strict=True)):
        lines = label.split("\n")
        width = max(_font("SourceSans3_400Regular_Italic", 40).getlength(line) for line in lines) / 2 + 34
        height = 34 + 26 * len(lines)
        edge = (190, 60, 50) if number in entry["cluster"] else BLACK_INK
        drawing.ellipse([x - width, y - height, x + width, y + height], fill=PAPER, outline=edge, width=5)
        _by_hand(sheet, (x - width + 34, y - 24 * len(lines)), label, 40, BLACK_INK, number)
    drawing.ellipse(
        [middle[0] - 80, middle[1] - 60, middle[0] + 80, middle[1] + 60], fill=(240, 196, 80), outline=BLACK_INK, width=6
    )
    _by_hand(sheet, (middle[0] - 22, middle[1] - 40), entry["centre"], 60, BLACK_INK, 9)
    photo = _on_a_table(sheet, (2000, 1500), [(140, 170), (1850, 90), (1920, 1390), (90, 1420)])
    details = Image.Exif()
    details[0x010F], details[0x0110] = "Demo", "Demo-telefoon"  # maker and model
    details.get_ifd(0x8825).update({1: "N", 2: (52.0, 45.0, 0.0), 3: "E", 4: (5.0, 24.0, 0.0)})  # in the IJsselmeer
    photo.save(path, quality=85, exif=details)


def _draw_chart(entry: Entry, path: Path) -> None:
    image = Image.new("RGB", (1400, 900), "white")
    drawing = ImageDraw.Draw(image)
    drawing.text((80, 40), entry["title"], fill="#1b2430", font=_font("SourceSans3_600SemiBold", 46))
    drawing.text((80, 100), entry["subtitle"], fill="#4a5565", font=_font("SourceSans3_400Regular", 28))
    left, bottom, top, most = 130, 740, 190, 50
    for value in range(0, most + 1, 10):
        y = bottom - (bottom - top) * value / most
        drawing.line([(left, y), (1340, y)], fill="#cfd8da", width=2)
        drawing.text((70, y - 18), str(value), fill="#4a5565", font=_font("SourceSans3_400Regular", 28))
    for number, (label, *values) in enumerate(entry["groups"]):
        start = left + 50 + number * 400
        for week, value in enumerate(values):
            x, y = start + week * 80, bottom - (bottom - top) * value / most
            drawing.rectangle([x, y, x + 66, bottom], fill=("#0f4c5c", "#3d7a89", "#7fa9b3", "#e9b44c")[week])
            drawing.text((x + 18, y - 36), str(value), fill="#1b2430", font=_font("SourceSans3_400Regular", 26))
        drawing.text((start - 10, bottom + 18), label, fill="#1b2430", font=_font("SourceSans3_400Regular", 25))
    for week in range(4):
        x = 420 + week * 170
        drawing.rectangle([x, 830, x + 28, 858], fill=("#0f4c5c", "#3d7a89", "#7fa9b3", "#e9b44c")[week])
        drawing.text((x + 40, 825), f"week {week + 1}", fill="#1b2430", font=_font("SourceSans3_400Regular", 26))
    image.save(path)


# --- DOCX ----------------------------------------------------------------------------------------------------------


def _write_docx(entry: Entry, path: Path) -> None:
    """A letter or report as somebody writes it in Word."""
    document = docx.Document()
    document.core_properties.author = "Demo"
    document.core_properties.created = document.core_properties.modified = datetime.datetime(2000, 1, 1)  # noqa: DTZ001
    document.styles["Normal"].font.name = "Calibri"
    document.add_heading(entry["title"], level=1)
    if "place_date" in entry:
        document.add_paragraph(entry["place_date"])
    if "facts" in entry:
        _add_table(document, entry["facts"], first_is_heading=False)
    _add_paragraphs(document, entry.get("paragraphs", ()))
    for part in entry.get("parts", ()):
        document.add_heading(part["heading"], level=2)
        _add_paragraphs(document, part.get("paragraphs", ()))
        for item in part.get("list", ()):
            document.add_paragraph(item, style="List Bullet")
        if "table" in part:
            _add_table(document, part["table"], first_is_heading=True)
    document.sections[0].footer.paragraphs[0].text = "Verzonnen stuk uit de demo van Loopbaandossier"
    buffer = io.BytesIO()
    document.save(buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for item in source.infolist():  # python-docx writes the time of writing
            entry_info = zipfile.ZipInfo(item.filename, A_LONG_TIME_AGO)
            target.writestr(entry_info, source.read(item), zipfile.ZIP_DEFLATED)


def _add_paragraphs(document: Any, texts: Sequence[str]) -> None:
    for text in texts:
        paragraph = document.add_paragraph()
        for number, piece in enumerate(text.split("*")):  # every second piece stood between stars
            paragraph.add_run(piece).italic = number % 2 == 1


def _add_table(document: Any, rows: Sequence[Sequence[str]], *, first_is_heading: bool) -> None:
    table = document.add_table(rows=0, cols=len(rows[0]))
    table.style = "Table Grid"
    for number, row in enumerate(rows):
        for column, (cell, text) in enumerate(zip(table.add_row().cells, row, strict=True)):
            cell.text = ""
            cell.paragraphs[0].add_run(text).bold = number == 0 if first_is_heading else column == 0
    document.add_paragraph()


DRAWN: Mapping[str, tuple[str, Callable[[Entry, Path], None]]] = {
    "scan": (".pdf", _draw_scan),
    "card": (".heic", _draw_card),
    "photo": (".jpg", _draw_photo),
    "chart": (".png", _draw_chart),
    "docx_letter": (".docx", _write_docx),
    "docx_report": (".docx", _write_docx),
}
