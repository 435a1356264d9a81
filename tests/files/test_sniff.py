import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.errors import FileRefused
from app.files.sniff import MAX_NAME_BYTES, MAX_NAME_CHARACTERS, OLE, Kind, clean_name, kind_of

HEADS = {
    Kind.PDF: b"%PDF-1.7\n",
    Kind.JPG: b"\xff\xd8\xff\xe0\0\x10JFIF",
    Kind.PNG: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    Kind.HEIC: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    Kind.DOCX: b"PK\x03\x04\x14\0",
}


def sniff(folder: Path, name: str, contents: bytes) -> Kind:
    path = folder / "upload"
    path.write_bytes(contents)
    return kind_of(path, name)


def refusal(folder: Path, name: str, contents: bytes) -> str:
    with pytest.raises(FileRefused) as caught:
        sniff(folder, name, contents)
    return caught.value.text["nl"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.pdf", Kind.PDF),
        ("A.PDF", Kind.PDF),
        ("foto.jpg", Kind.JPG),
        ("foto.JPEG", Kind.JPG),
        ("scherm.png", Kind.PNG),
        ("IMG_1.HEIC", Kind.HEIC),
        ("IMG_1.heif", Kind.HEIC),
        ("verslag.docx", Kind.DOCX),
        ("简历.pdf", Kind.PDF),
    ],
)
def test_kind_of_known_files(tmp_path: Path, name: str, kind: Kind) -> None:
    assert sniff(tmp_path, name, HEADS[kind]) is kind


def test_kind_of_pdf_takes_white_space_and_byte_order_mark_before_the_header(tmp_path: Path) -> None:
    assert sniff(tmp_path, "a.pdf", b"\xef\xbb\xbf\r\n %PDF-1.4") is Kind.PDF


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("other", list(Kind))
def test_kind_of_refuses_an_extension_that_does_not_fit(tmp_path: Path, kind: Kind, other: Kind) -> None:
    if kind is other:
        assert sniff(tmp_path, f"a.{kind}", HEADS[kind]) is kind
    else:
        expected = f"De naam van “a.{other}” eindigt op .{other}, maar de inhoud is {kind}."
        assert refusal(tmp_path, f"a.{other}", HEADS[kind]).startswith(expected)


def test_kind_of_refuses_an_empty_file(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a.pdf", b"").startswith("“a.pdf” is leeg.")


@pytest.mark.parametrize("name", ["a.exe", "pdf", "a", "a.pdf.html", ""])
def test_kind_of_refuses_other_extensions(tmp_path: Path, name: str) -> None:
    assert "U kunt bestanden toevoegen met een naam die eindigt op .pdf" in refusal(tmp_path, name, HEADS[Kind.PDF])


def test_kind_of_tells_what_to_do_with_other_word_processors(tmp_path: Path) -> None:
    assert "Open het in uw tekstverwerker" in refusal(tmp_path, "brief.odt", HEADS[Kind.DOCX])


@pytest.mark.parametrize("contents", [b"<html>\n%PDF-1.4", b"MZ\x90", b"just words", b"GIF89a"])
def test_kind_of_refuses_other_contents(tmp_path: Path, contents: bytes) -> None:
    assert refusal(tmp_path, "a.pdf", contents).startswith("“a.pdf” is geen pdf-bestand, of het is beschadigd.")


def test_kind_of_tells_a_locked_word_document_from_an_old_one(tmp_path: Path) -> None:
    locked = OLE + bytes(2000) + "EncryptedPackage".encode("utf-16-le") + bytes(2000)
    assert "is beveiligd met een wachtwoord" in refusal(tmp_path, "a.docx", locked)
    assert "van een oude soort" in refusal(tmp_path, "a.docx", OLE + bytes(2000))


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("verslag 2026 (definitief).pdf", "verslag 2026 (definitief).pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Jan\\foto.jpg", "foto.jpg"),
        ("a\r\nSet-Cookie: x=1.pdf", "a Set-Cookie- x=1.pdf"),
        ("简历.pdf", "简历.pdf"),
        ("Ştefan łódź.docx", "Ştefan łódź.docx"),
        ("factuur\u202efdp.exe", "factuurfdp.exe"),
        ("e\u0301.png", "é.png"),
        ("a\0b.pdf", "ab.pdf"),
        ("\ud800.pdf", "bestand.pdf"),
        ("", "bestand"),
        ("...", "bestand"),
        ("/", "bestand"),
        (".pdf", "bestand.pdf"),
        (" . pdf", "pdf"),
        ("x" * 300 + ".pdf", "x" * 96 + ".pdf"),
        ("简" * 300 + ".pdf", "简" * 58 + ".pdf"),
    ],
)
def test_clean_name(name: str, clean: str) -> None:
    assert clean_name(name) == clean


@given(st.text(st.characters(codec=None), max_size=300) | st.text("./\\ \u202e\r\n\0ax简\u0301", max_size=300))
@example("a. .pdf")
@example("." * 200 + "pdf")
def test_clean_name_is_always_safe_and_stable(name: str) -> None:
    clean = clean_name(name)
    assert clean
    assert len(clean) <= MAX_NAME_CHARACTERS
    assert len(clean.encode()) <= MAX_NAME_BYTES
    assert not set('/\\\r\n\0<>:"|?*') & set(clean)
    assert not any(unicodedata.category(character).startswith("C") for character in clean)
    assert not clean.startswith((".", " "))
    assert not clean.endswith((".", " "))
    assert clean_name(clean) == clean
