"""The files that the browser tests hand in: one of each kind that is welcome, and two that are refused."""

import io
from pathlib import Path

import docx
import pikepdf
import pillow_heif
from PIL import Image, ImageDraw

WELCOME = ("Curriculum vitae.docx", "Certificaat leergang.pdf", "Foto presentielijst.jpg", "Schema.png", "Telefoonfoto.heic")
NO_PDF = "Notities.pdf"
LOCKED = "Met wachtwoord.pdf"


def make(folder: Path) -> dict[str, Path]:
    """Name -> file, in the order of ``WELCOME`` and then the refused ones."""
    folder.mkdir()
    paths = {name: folder / name for name in (*WELCOME, NO_PDF, LOCKED)}
    cv, certificate, photo, scheme, phone = (paths[name] for name in WELCOME)
    _document(cv)
    _pdf("Certificaat leergang", "Bladzijde twee").save(certificate)
    _picture("Presentielijst", (1200, 900)).save(photo, "JPEG", quality=80)
    _picture("Schema van het traject", (900, 600)).save(scheme, "PNG")
    pillow_heif.from_pillow(_picture("Telefoonfoto", (1200, 900))).save(phone, quality=60)
    paths[NO_PDF].write_bytes(b"Gewone tekst met de verkeerde naam.")
    _pdf("Geheim").save(paths[LOCKED], encryption=pikepdf.Encryption(owner="eigenaar", user="lezer"))
    return paths


def _document(path: Path) -> None:
    document = docx.Document()
    document.add_heading("Curriculum vitae", 1)
    document.add_paragraph("Loopbaanprofessional sinds 2014.")
    document.add_paragraph("Post-hbo loopbaanbegeleiding", style="List Bullet")
    document.add_picture(io.BytesIO(_png_bytes()))
    document.save(path)


def _png_bytes() -> bytes:
    memory = io.BytesIO()
    _picture("Diploma", (300, 120)).save(memory, "PNG")
    return memory.getvalue()


def _picture(words: str, size: tuple[int, int]) -> Image.Image:
    picture = Image.new("RGB", size, "#e3ecf8")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((20, 20, size[0] - 20, size[1] - 20), outline="#0f4c5c", width=6)
    pen.text((60, 60), words, fill="#1b2430", font_size=size[1] // 14)
    return picture


def _pdf(*pages: str) -> pikepdf.Pdf:
    pdf = pikepdf.new()
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    for words in pages:
        page = pdf.add_blank_page(page_size=(595, 842))
        page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
        page.obj.Contents = pikepdf.Stream(pdf, f"BT /F 24 Tf 60 700 Td ({words}) Tj ET".encode())
    return pdf
