import hashlib
import io
import shutil
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import docx
import making
import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageChops, ImageCms, ImageStat

from app.config import ROOT
from app.errors import FileRefused, StorageFailure
from app.files import normalise as normalise_module
from app.files import sandbox, sniff
from app.files.normalise import Normalised, normalise

CORPUS = ROOT.parent / "shared" / "corpus"
SOFFICE = shutil.which("soffice")
needs_libreoffice = pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
FORBIDDEN = (b"/JavaScript", b"/JS", b"/OpenAction", b"/AA", b"/Launch", b"/XFA", b"/EmbeddedFile", b"/GoToR", b"/Metadata",
             b"Jan de Vries", b"evil", b"/AcroForm", b"/PieceInfo", b"/Author", b"javascript:")  # fmt: skip


def accept(source: Path, folder: str = "work", libreoffice: str = "no-such-program") -> Normalised:
    work = source.parent / folder
    work.mkdir()
    return normalise(source, sniff.kind_of(source, source.name), source.name, work, libreoffice=libreoffice)


def refusal(source: Path) -> str:
    with pytest.raises(FileRefused) as caught:
        accept(source)
    assert f"“{source.name}”" in caught.value.text["nl"]
    assert caught.value.text["en"]
    return caught.value.text["nl"]


def pictures(path: Path, *, forms: bool = False) -> list[Image.Image]:
    with pypdfium2.PdfDocument(path) as pdf:
        if forms:
            pdf.init_forms()
        return [page.render(scale=1).to_pil().convert("RGB") for page in pdf]


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of the worst colour, 0 to 255."""
    assert one.size == other.size
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


def assert_same_looks(source: Path, result: Normalised, most: float = 0.02) -> None:
    assert result.pages is not None
    before, after = pictures(source, forms=True), pictures(result.pages)
    assert len(before) == len(after) == result.page_count
    assert max(difference(one, other) for one, other in zip(before, after, strict=True)) <= most


def plain_bytes(path: Path) -> bytes:
    """The PDF with nothing packed, so that one can search in it."""
    target = io.BytesIO()
    with pikepdf.open(path) as pdf:
        pdf.save(
            target,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            stream_decode_level=pikepdf.StreamDecodeLevel.generalized,
            compress_streams=False,
        )
    return target.getvalue()


# PDF


def test_pdf_keeps_its_pages_and_looks(tmp_path: Path) -> None:
    source = making.saved(making.pdf_with_text("Een", "Twee"), tmp_path / "verslag.pdf")
    result = accept(source)
    assert result == Normalised(
        tmp_path / "work" / "cleaned.pdf", tmp_path / "work" / "cleaned.pdf", 2, rasterised=False, notes=(), signed=False
    )
    assert_same_looks(source, result)


def test_pdf_gives_the_same_bytes_again(tmp_path: Path) -> None:
    for name, source in {
        "text": making.saved(making.pdf_with_text("Een"), tmp_path / "a.pdf"),
        "form": making.form(tmp_path / "b.pdf", needs_appearances=False),
        "raster": making.with_layers(tmp_path / "c.pdf", OFF="layer"),
    }.items():
        first, second = accept(source, f"{name}1"), accept(source, f"{name}2")
        assert first.cleaned.read_bytes() == second.cleaned.read_bytes()


def test_pdf_loses_all_active_content_and_metadata(tmp_path: Path) -> None:
    source = making.active(tmp_path / "actief.pdf")
    before = plain_bytes(source)
    result = accept(source)
    after = plain_bytes(result.cleaned)
    assert [word for word in FORBIDDEN if word not in before] == []
    assert [word for word in FORBIDDEN if word in after] == []
    with pikepdf.open(result.cleaned) as pdf:
        assert set(pdf.Root.keys()) == {"/Type", "/Pages"}
        assert len(pdf.docinfo) == 0
        links = [str(annotation.A.URI) for annotation in pdf.pages[0].obj.Annots]
        assert links == ["https://example.org/a", "mailto:a@example.org"]
        assert [set(annotation.A.keys()) for annotation in pdf.pages[0].obj.Annots] == [{"/S", "/URI"}] * 2
    assert [note["nl"].split(".")[0] for note in result.notes] == ["In “actief"]
    assert not result.rasterised
    assert_same_looks(source, result)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_pdf_keeps_rotation_crop_and_inherited_values(tmp_path: Path, rotation: int) -> None:
    pdf = making.pdf_with_text("Gedraaid")
    page = pdf.pages[0].obj
    page.CropBox = Array([10, 10, 500, 400])
    # as some programs do: the values stand in the page tree, not at the page
    for key, value in {"/Rotate": rotation, "/MediaBox": page.MediaBox, "/Resources": page.Resources}.items():
        pdf.Root.Pages[key] = value
        if key in page:
            del page[key]
    page.Annots = Array([Dictionary(Type=Name.Annot, Subtype=Name.Square, Rect=Array([60, 60, 90, 90]), C=Array([0, 0, 1]), F=4)])
    source = making.saved(pdf, tmp_path / "a.pdf")
    result = accept(source)
    assert pictures(result.cleaned)[0].size == ((490, 390) if rotation in (0, 180) else (390, 490))
    assert_same_looks(source, result)


@pytest.mark.parametrize("needs_appearances", [False, True])
def test_pdf_form_values_stay_visible(tmp_path: Path, needs_appearances: bool) -> None:
    source = making.form(tmp_path / "formulier.pdf", needs_appearances=needs_appearances)
    result = accept(source)
    assert_same_looks(source, result, most=1.0)  # the edges of letters are smoothed in another way
    with pypdfium2.PdfDocument(result.cleaned) as pdf:
        text = pdf[0].get_textpage().get_text_range()
        assert pdf.get_formtype() == 0
    assert [words for words in ("Zoë Öztürk", "Regel een", "Regel twee", "Utrecht") if words not in text] == []
    assert pictures(result.cleaned)[0].crop((20, 170, 40, 190)).getextrema()[0][0] < 100  # the tick


def test_pdf_comments_without_appearance_stay_visible(tmp_path: Path) -> None:
    pdf = making.pdf_with_text("Gemarkeerd")
    pdf.pages[0].obj.Annots = Array(
        [
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Highlight,
                Rect=Array([60, 290, 200, 330]),
                QuadPoints=Array([60, 330, 200, 330, 60, 290, 200, 290]),
                C=Array([1, 1, 0]),
                F=4,
            )
        ]
    )
    result = accept(making.saved(pdf, tmp_path / "a.pdf"))
    assert pictures(result.cleaned)[0].getpixel((190, 842 - 325)) == (255, 255, 0)


def test_pdf_with_a_user_password_is_refused(tmp_path: Path) -> None:
    lock = pikepdf.Encryption(user="geheim", owner="geheim")
    source = making.saved(making.pdf_with_text("Een"), tmp_path / "a.pdf", encryption=lock)
    assert refusal(source) == ("“a.pdf” is beveiligd met een wachtwoord. Sla het op zonder wachtwoord en voeg dat bestand toe.")


def test_pdf_with_only_an_owner_password_is_taken(tmp_path: Path) -> None:
    lock = pikepdf.Encryption(user="", owner="geheim")
    source = making.saved(making.pdf_with_text("Een"), tmp_path / "a.pdf", encryption=lock)
    result = accept(source)
    assert not result.rasterised
    assert_same_looks(source, result)
    with pikepdf.open(result.cleaned) as pdf:
        assert not pdf.is_encrypted


@pytest.mark.parametrize("usual", [{"OFF": "layer"}, {"BaseState": Name.OFF}, {"AS": Array([Dictionary(Event=Name.View)])}])
def test_pdf_with_hidden_layers_becomes_pictures(tmp_path: Path, usual: dict[str, Any]) -> None:
    source = making.with_layers(tmp_path / "lagen.pdf", **usual)
    result = accept(source)
    assert result.rasterised
    assert result.notes[0]["nl"].startswith("“lagen.pdf” kon niet veilig worden overgenomen zoals het is.")
    assert_same_looks(source, result, most=1.0)


def test_pdf_with_visible_layers_is_kept_as_it_is(tmp_path: Path) -> None:
    source = making.with_layers(tmp_path / "lagen.pdf")
    result = accept(source)
    assert not result.rasterised
    assert_same_looks(source, result)


def test_pdf_page_of_a_kilometre_becomes_a_picture(tmp_path: Path) -> None:
    pdf = making.pdf_with_text("Groot")
    pdf.pages[0].obj.MediaBox = Array([0, 0, 3_000_000, 2_000_000])
    result = accept(making.saved(pdf, tmp_path / "a.pdf"))
    assert result.rasterised
    with pikepdf.open(result.cleaned) as pdf:
        assert [float(number) for number in pdf.pages[0].mediabox] == [0, 0, 14_400, 9_600]


def test_pdf_that_pikepdf_cannot_read_but_pdfium_can_becomes_pictures(tmp_path: Path) -> None:
    source = tmp_path / "raar.pdf"
    # no table of where the objects are, one line, and a catalogue that does not name itself one
    source.write_bytes(
        b"%PDF-1.4\n1 0 obj<</Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj trailer<</Root 1 0 R>>"
    )
    result = accept(source)
    assert (result.page_count, result.rasterised) == (1, True)


def test_pdf_signature_is_seen(tmp_path: Path) -> None:
    result = accept(making.signed(tmp_path / "getekend.pdf"))
    assert result.signed
    assert b"/ByteRange" not in plain_bytes(result.cleaned)


def test_pdf_of_more_than_500_pages_is_refused(tmp_path: Path) -> None:
    pdf = pikepdf.new()
    for _ in range(501):
        pdf.add_blank_page(page_size=(100, 100))
    assert "heeft meer dan 500 pagina’s" in refusal(making.saved(pdf, tmp_path / "dik.pdf"))


def test_pdf_without_pages_is_refused(tmp_path: Path) -> None:
    assert "heeft geen pagina’s" in refusal(making.saved(pikepdf.new(), tmp_path / "leeg.pdf"))


def test_pdf_form_for_adobe_reader_alone_is_refused(tmp_path: Path) -> None:
    pdf = making.pdf_with_text("Please wait...")
    pdf.Root.NeedsRendering = True
    assert "alleen Adobe Reader" in refusal(making.saved(pdf, tmp_path / "xfa.pdf"))


@pytest.mark.parametrize("contents", [b"%PDF-1.7\nonly words", b"%PDF-1.7\n" + bytes(5000)])
def test_pdf_that_is_broken_is_refused(tmp_path: Path, contents: bytes) -> None:
    (tmp_path / "kapot.pdf").write_bytes(contents)
    assert refusal(tmp_path / "kapot.pdf").startswith("“kapot.pdf” is beschadigd of geen gewone pdf.")


def test_pdf_bomb_is_refused_at_the_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(normalise_module.RENDERING, "memory_mb", 256)
    source = making.bomb(tmp_path / "bom.pdf", 384)
    assert source.stat().st_size < 20_000
    assert refusal(source).startswith("“bom.pdf” is beschadigd")


def test_pdf_that_takes_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(normalise_module.RENDERING, "wall_seconds", 0)
    source = making.saved(making.pdf_with_text("Een"), tmp_path / "traag.pdf")
    assert refusal(source).startswith("“traag.pdf” is te zwaar om te tonen.")


def test_pdf_that_cannot_be_cleaned_in_time_becomes_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(normalise_module.CLEANING, "wall_seconds", 0)
    source = making.saved(making.pdf_with_text("Een"), tmp_path / "traag.pdf")
    result = accept(source)
    assert result.rasterised
    assert_same_looks(source, result, most=1.0)


def test_work_that_was_killed_is_not_blamed_on_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "run", lambda *_, **__: (_ for _ in ()).throw(sandbox.SandboxFailure("killed")))
    with pytest.raises(sandbox.SandboxFailure):
        accept(making.saved(making.pdf_with_text("Een"), tmp_path / "a.pdf"))


def test_full_disk_is_not_blamed_on_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normalise_module, "LEAST_FREE_BYTES", 1 << 62)
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7\nonly words")
    with pytest.raises(StorageFailure):
        accept(tmp_path / "a.pdf")


# Pictures


def page_picture(result: Normalised) -> Image.Image:
    assert result.pages is not None
    assert result.page_count == 1
    return pictures(result.pages)[0]


def test_jpg_is_cleaned_and_put_on_a_page(tmp_path: Path) -> None:
    making.photo().save(tmp_path / "foto.jpg", exif=making.exif(), comment=b"Jan", quality=95)
    result = accept(tmp_path / "foto.jpg")
    assert result.cleaned.name == "cleaned.jpg"
    assert result.notes == ()
    with Image.open(result.cleaned) as image:
        assert image.format == "JPEG"
        assert dict(image.getexif()) == {}
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert difference(image.convert("RGB"), making.photo()) < 3
    assert b"iPhone" not in result.cleaned.read_bytes()
    assert page_picture(result).size == (842, 596)


def test_picture_gives_the_same_bytes_again(tmp_path: Path) -> None:
    making.photo().save(tmp_path / "foto.jpg")
    making.photo().save(tmp_path / "foto.png")
    for name in ("foto.jpg", "foto.png"):
        one, other = accept(tmp_path / name, f"{name}1"), accept(tmp_path / name, f"{name}2")
        assert one.cleaned.read_bytes() == other.cleaned.read_bytes()
        assert one.pages is not None
        assert other.pages is not None
        assert one.pages.read_bytes() == other.pages.read_bytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_picture_is_set_upright(tmp_path: Path, orientation: int) -> None:
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # how a camera stored what is upright now
    stored = making.photo() if orientation == 1 else making.photo().transpose(Image.Transpose(turns[orientation]))
    stored.save(tmp_path / "foto.jpg", exif=making.exif(orientation), quality=95)
    with Image.open(accept(tmp_path / "foto.jpg").cleaned) as image:
        assert difference(image.convert("RGB"), making.photo()) < 3


def test_heic_becomes_jpg(tmp_path: Path) -> None:
    making.photo().save(tmp_path / "IMG_1.HEIC", exif=making.exif(6), quality=90)
    result = accept(tmp_path / "IMG_1.HEIC")
    with Image.open(result.cleaned) as image:
        assert image.format == "JPEG"
        assert dict(image.getexif()) == {}
        assert "icc_profile" not in image.info
        assert image.size in ((600, 400), (400, 600))
    assert page_picture(result).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_jpg_in_other_colours_becomes_rgb(tmp_path: Path, mode: str) -> None:
    making.photo(mode=mode).save(tmp_path / "foto.jpg", quality=95)
    with Image.open(accept(tmp_path / "foto.jpg").cleaned) as image:
        assert image.mode == "RGB"
        assert difference(image, making.photo(mode=mode).convert("RGB")) < 4


def test_jpg_with_a_colour_profile_keeps_its_colours(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, data in (("goed.jpg", profile), ("kapot.jpg", b"no profile at all")):
        making.photo().save(tmp_path / name, icc_profile=data, quality=95)
        with Image.open(accept(tmp_path / name, name.removesuffix(".jpg")).cleaned) as image:
            assert "icc_profile" not in image.info
            assert difference(image.convert("RGB"), making.photo()) < 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_png_stays_png_in_every_mode(tmp_path: Path, mode: str) -> None:
    stored = Image.new(mode, (60, 40), 0x8000) if mode == "I;16" else making.photo(60, 40).convert(mode)
    stored.save(tmp_path / "scherm.png")
    result = accept(tmp_path / "scherm.png")
    with Image.open(result.cleaned) as image:
        assert image.format == "PNG"
        assert image.mode in ("RGB", "RGBA")
        expected = Image.new("RGB", (60, 40), (128, 128, 128)) if mode == "I;16" else stored.convert("RGB")
        assert difference(image.convert("RGB"), expected) < 1
    assert page_picture(result).size == (842, 596)


def test_transparent_png_is_white_on_the_page(tmp_path: Path) -> None:
    stored = Image.new("RGBA", (300, 400), (255, 0, 0, 0))
    stored.paste((0, 0, 255, 255), (100, 100, 200, 200))
    stored.save(tmp_path / "logo.png")
    result = accept(tmp_path / "logo.png")
    with Image.open(result.cleaned) as image:
        assert image.getpixel((0, 0)) == (255, 0, 0, 0)
    page = page_picture(result)
    assert page.size == (596, 842)
    assert page.getpixel((297, 340)) == (255, 255, 255)
    assert page.getpixel((297, 395)) == (0, 0, 255)


def test_picture_of_too_many_pixels_is_refused(tmp_path: Path) -> None:
    Image.new("1", (8000, 6251)).save(tmp_path / "groot.png")
    assert refusal(tmp_path / "groot.png").startswith("“groot.png” heeft te veel beeldpunten (8000 × 6251).")


@pytest.mark.parametrize("name", ["foto.jpg", "foto.png", "foto.heic"])
def test_truncated_picture_is_refused(tmp_path: Path, name: str) -> None:
    making.photo(1200, 900).effect_spread(20).save(tmp_path / name)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    assert refusal(tmp_path / name).startswith(f"“{name}” is beschadigd of niet volledig.")


def test_picture_with_another_kind_of_contents_is_refused(tmp_path: Path) -> None:
    (tmp_path / "foto.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    assert "is beschadigd of niet volledig" in refusal(tmp_path / "foto.png")


# Word


def test_docx_is_cleaned(tmp_path: Path) -> None:
    def fill(document: Any) -> None:
        picture = io.BytesIO()
        making.photo().save(picture, "JPEG", exif=making.exif(6))
        document.add_picture(picture)

    source = making.word(tmp_path / "verslag.docx", fill)
    result = accept(source)
    assert (result.pages, result.page_count, result.signed) == (None, 0, False)
    assert [note["nl"][:50] for note in result.notes] == ["Van “verslag.docx” konden geen pagina’s worden gem"]
    document = docx.Document(str(result.cleaned))
    assert [paragraph.text for paragraph in document.paragraphs][:2] == ["Reflectieverslag", "Een gewone alinea met é en €."]
    assert document.core_properties.author == ""
    with zipfile.ZipFile(result.cleaned) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert not any(b"Jan de Vries" in data or b"Pietersen" in data or b"iPhone" in data for data in parts.values())
    assert "docProps/thumbnail.jpeg" not in parts
    with Image.open(io.BytesIO(parts["word/media/image1.jpg"])) as image:
        assert dict(image.getexif()) == {0x0112: 6}
        assert difference(image.convert("RGB"), making.photo()) < 4


def test_docx_gives_the_same_bytes_again(tmp_path: Path) -> None:
    source = making.word(tmp_path / "a.docx")
    assert accept(source, "1").cleaned.read_bytes() == accept(source, "2").cleaned.read_bytes()


def test_docx_keeps_safe_links_and_loses_unsafe_ones(tmp_path: Path) -> None:
    paragraph = (
        b'<w:p><w:hyperlink r:id="%s" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        b"<w:r><w:t>%s</w:t></w:r></w:hyperlink></w:p><w:sectPr"
    )
    source = making.word(tmp_path / "a.docx")
    making.related(source, "hyperlink", "file:///etc/passwd", outside=True)
    making.rezipped(
        source,
        {
            "word/_rels/document.xml.rels": lambda data: data.replace(b"rId99", b"rId98"),
            "word/document.xml": lambda data: data.replace(b"<w:sectPr", paragraph % (b"rId98", b"onveilig"))
            .replace(b"<w:sectPr", paragraph % (b"rId99", b"veilig")),
        },
    )  # fmt: skip
    making.related(source, "hyperlink", "https://example.org/", outside=True)
    result = accept(source)
    document = docx.Document(str(result.cleaned))
    links = [link for paragraph in document.paragraphs for link in paragraph.hyperlinks]
    assert [(link.text, link.address) for link in links] == [("onveilig", ""), ("veilig", "https://example.org/")]
    assert b"passwd" not in b"".join(
        zipfile.ZipFile(result.cleaned).read(name) for name in zipfile.ZipFile(result.cleaned).namelist()
    )


def test_docx_signature_is_seen_and_dropped_from_the_copy(tmp_path: Path) -> None:
    source = making.word(tmp_path / "a.docx")
    making.rezipped(source, {"_xmlsignatures/origin.sigs": b"", "_xmlsignatures/sig1.xml": b"<Signature/>"})
    result = accept(source)
    assert result.signed
    assert not any("_xmlsignatures" in name for name in zipfile.ZipFile(result.cleaned).namelist())


def test_docx_parts_that_nothing_refers_to_are_dropped(tmp_path: Path) -> None:
    source = making.rezipped(making.word(tmp_path / "a.docx"), {"word/media/hidden.exe": b"MZ"})
    assert "word/media/hidden.exe" not in zipfile.ZipFile(accept(source).cleaned).namelist()


BROKEN, OUTSIDE, ACTIVE, TOO_MUCH = "is beschadigd of geen gewoon", "van buiten het document", "macro’s", "te veel of te grote"
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE z [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


def with_doctype(data: bytes) -> bytes:
    return ENTITIES + data.split(b"?>", 1)[1]


def with_field(data: bytes) -> bytes:
    field = b'<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>DD</w:instrText><w:instrText>EAUTO c:\\\\x</w:instrText>'
    return data.replace(b"<w:sectPr", field + b"</w:r></w:p><w:sectPr", 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"word/vbaProject.bin": b"\xd0\xcf\x11\xe0"}, ACTIVE, id="macros"),
        pytest.param(
            {"[Content_Types].xml": lambda data: data.replace(b"wordprocessingml.document.main", b"x.macroEnabled.main")},
            ACTIVE,
            id="macro type",
        ),
        pytest.param({"word/document.xml": with_field}, ACTIVE, id="DDE field"),
        pytest.param({"word/document.xml": with_doctype}, BROKEN, id="DOCTYPE"),
        pytest.param(
            {"word/document.xml": lambda data: with_doctype(data.replace(b"UTF-8", b"UTF-16")).decode().encode("utf-16")},
            BROKEN,
            id="DOCTYPE in UTF-16",
        ),
        pytest.param({"word/document.xml": b"<w:document"}, BROKEN, id="broken XML"),
        pytest.param({"../../x": b"x"}, BROKEN, id="name that climbs"),
        pytest.param({"/etc/x": b"x"}, BROKEN, id="absolute name"),
        pytest.param({"WORD/DOCUMENT.XML": b"<x/>"}, BROKEN, id="same name twice"),
        pytest.param({f"word/media/{number}.png": b"" for number in range(2001)}, TOO_MUCH, id="too many parts"),
        pytest.param({"word/media/a.bin": bytes(301_000_000)}, TOO_MUCH, id="too large unpacked"),
        pytest.param({"word/media/a.bin": bytes(11_000_000)}, TOO_MUCH, id="packed too well"),
    ],
)
def test_docx_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    assert words in refusal(making.rezipped(making.word(tmp_path / "a.docx"), changes))


@pytest.mark.parametrize(
    ("kind", "target", "outside", "words"),
    [
        ("frame", "http://127.0.0.1:9/t.html", True, OUTSIDE),
        ("image", "file://server/share/a.png", True, OUTSIDE),
        ("oleObject", "embeddings/a.bin", False, ACTIVE),
        ("aFChunk", "a.html", False, ACTIVE),
        ("image", "../../../etc/passwd", False, BROKEN),
        ("image", "file:///etc/passwd", False, BROKEN),
    ],
)
def test_docx_relation_is_refused(tmp_path: Path, kind: str, target: str, outside: bool, words: str) -> None:
    assert words in refusal(making.related(making.word(tmp_path / "a.docx"), kind, target, outside=outside))


def test_docx_made_from_a_template_elsewhere_is_kept_without_it(tmp_path: Path) -> None:
    source = making.related(making.word(tmp_path / "a.docx"), "attachedTemplate", "http://127.0.0.1:9/t.dotm", outside=True)
    result = accept(source)
    with zipfile.ZipFile(result.cleaned) as package:
        assert [name for name in package.namelist() if b"t.dotm" in package.read(name)] == []


def test_docx_that_is_another_zip_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert BROKEN in refusal(tmp_path / "a.docx")


def test_docx_that_is_truncated_is_refused(tmp_path: Path) -> None:
    source = making.word(tmp_path / "a.docx")
    source.write_bytes(source.read_bytes()[:5000])
    assert BROKEN in refusal(source)


@needs_libreoffice
def test_docx_becomes_pages(tmp_path: Path) -> None:
    source = making.word(tmp_path / "verslag.docx", making.second_page)
    first, second = (accept(source, folder, "soffice") for folder in ("1", "2"))
    assert first.pages is not None
    assert second.pages is not None
    assert (first.page_count, first.rasterised, first.notes) == (2, False, ())
    assert first.pages.read_bytes() == second.pages.read_bytes()
    with pypdfium2.PdfDocument(first.pages) as pdf:
        text = pdf[0].get_textpage().get_text_range()
    assert "Reflectieverslag" in text
    assert "Een gewone alinea met é en €." in text


def test_docx_is_kept_without_pages_when_the_conversion_fails(tmp_path: Path) -> None:
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\necho nee >&2\nexit 1\n")
    program.chmod(0o755)
    result = accept(making.word(tmp_path / "a.docx"), libreoffice=str(program))
    assert result.pages is None
    assert len(result.notes) == 1


def test_docx_conversion_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(normalise_module.CONVERTING, "wall_seconds", 1)
    program = tmp_path / "soffice"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 600\n")
    program.chmod(0o755)
    assert accept(making.word(tmp_path / "a.docx"), libreoffice=str(program)).pages is None
    time.sleep(0.1)
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


# The whole collection


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the collection of odd public files is not here")
def test_every_file_of_the_corpus_is_accepted_or_refused_with_words(tmp_path: Path) -> None:
    outcomes: Counter[str] = Counter()
    refused: dict[str, str] = {}
    files = sorted(file for file in CORPUS.rglob("*") if file.suffix.lower() in sniff.EXTENSIONS)
    for number, file in enumerate(files):
        work = tmp_path / str(number)
        work.mkdir()
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        try:
            result = normalise(file, sniff.kind_of(file, file.name), file.name, work, libreoffice="no-such-program")
        except FileRefused as problem:
            refused[file.name] = problem.text["nl"]
            outcomes[f"{file.suffix} refused"] += 1
        else:
            assert result.cleaned.stat().st_size > 0
            assert result.page_count > 0 or result.pages is None
            outcomes[f"{file.suffix} {'as pictures' if result.rasterised else 'accepted'}"] += 1
        assert hashlib.sha256(file.read_bytes()).hexdigest() == digest
        shutil.rmtree(work)
    assert [name for name, words in refused.items() if f"“{name}”" not in words] == []
    assert outcomes[".pdf refused"] <= 5
    assert outcomes[".docx refused"] <= 1
    assert outcomes[".jpg refused"] + outcomes[".png refused"] == 0


def test_pdf_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole = making.saved(making.pdf_with_text("een", "twee"), tmp_path / "whole.pdf").read_bytes()
    cut = tmp_path / "a.pdf"
    cut.write_bytes(whole[: whole.rindex(b"startxref")])
    assert "is niet compleet: het einde van het bestand ontbreekt" in refusal(cut)
