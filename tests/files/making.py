"""Makes the files that the tests of normalise send in: ordinary, odd and hostile."""

import io
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import docx
import pillow_heif
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from PIL import Image, ImageDraw

pillow_heif.register_heif_opener()
JAVASCRIPT = {"S": Name.JavaScript, "JS": String("app.alert(1)")}


def helvetica(pdf: Pdf) -> Any:
    return pdf.make_indirect(
        Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    )


def pdf_with_text(*texts: str, size: tuple[float, float] = (595, 842)) -> Pdf:
    """A page for each text, with a mark in one corner so that a turn or a shift is seen."""
    pdf = Pdf.new()
    font = helvetica(pdf)
    for text in texts:
        page = pdf.add_blank_page(page_size=size)
        page.obj.Resources = Dictionary(Font=Dictionary(F=font))
        page.obj.Contents = Stream(pdf, f"0.8 0.1 0.1 rg 20 20 60 30 re f 0 g BT /F 24 Tf 60 300 Td ({text}) Tj ET".encode())
    return pdf


def saved(pdf: Pdf, path: Path, **options: Any) -> Path:
    pdf.save(path, deterministic_id="encryption" not in options, **options)
    return path


def form(path: Path, *, needs_appearances: bool) -> Path:
    """A filled form without appearances, as simple programs leave it: text, several lines, a choice, a tick."""
    pdf = Pdf.new()
    page = pdf.add_blank_page(page_size=(300, 200))

    def widget(rectangle: list[int], **keys: Any) -> Any:
        return pdf.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Widget,
                F=4,
                P=page.obj,
                DA=String("/Helv 12 Tf 0 g"),
                Rect=Array(rectangle),
                **keys,
            )
        )

    fields = [
        widget([20, 150, 280, 180], FT=Name.Tx, T=String("naam"), V=String("Zoë Öztürk")),
        widget([20, 80, 280, 140], FT=Name.Tx, Ff=1 << 12, T=String("tekst"), V=String("Regel een\nRegel twee")),
        widget([20, 40, 280, 70], FT=Name.Ch, Ff=1 << 17, T=String("plaats"), V=String("Utrecht"), Opt=Array(["Utrecht"])),
        widget([20, 10, 40, 30], FT=Name.Btn, T=String("ja"), V=Name.Yes, AS=Name.Yes, MK=Dictionary(CA=String("4"))),
    ]
    page.obj.Annots = Array(fields)
    pdf.Root.AcroForm = Dictionary(
        Fields=Array(fields),
        DR=Dictionary(Font=Dictionary(Helv=helvetica(pdf))),
        DA=String("/Helv 12 Tf 0 g"),
        NeedAppearances=needs_appearances,
    )
    return saved(pdf, path)


def active(path: Path) -> Path:
    """Every kind of active content that a PDF can have, around one ordinary page with five links."""
    pdf = pdf_with_text("Gewone tekst")
    page = pdf.pages[0].obj
    attached = Stream(pdf, b"MZ evil", Type=Name.EmbeddedFile)
    file = pdf.make_indirect(Dictionary(Type=Name.Filespec, F=String("x.exe"), EF=Dictionary(F=attached)))
    script = pdf.make_indirect(Dictionary(**JAVASCRIPT))
    pdf.Root.OpenAction = script
    pdf.Root.AA = Dictionary(WC=script)
    pdf.Root.Names = Dictionary(
        JavaScript=Dictionary(Names=Array([String("a"), script])),
        EmbeddedFiles=Dictionary(Names=Array([String("x.exe"), file])),
    )
    pdf.Root.AcroForm = Dictionary(Fields=Array(), XFA=Stream(pdf, b"<xdp/>"))
    pdf.Root.Metadata = Stream(pdf, b"<x:xmpmeta>Jan de Vries</x:xmpmeta>", Type=Name.Metadata, Subtype=Name.XML)
    pdf.docinfo["/Author"] = "Jan de Vries"
    page.AA = Dictionary(O=Dictionary(S=Name.Launch, F=String("calc.exe")))
    page.PieceInfo = Dictionary(X=Dictionary(Private=script))
    inner = Stream(pdf, b"0 0 1 rg 0 0 20 20 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 20, 20]))
    inner.Metadata = Stream(pdf, b"<x:xmpmeta/>")
    inner.AA = Dictionary(O=script)
    inner.Extra = Dictionary(Deep=Array([Dictionary(S=Name.Launch, F=String("calc.exe"))]))
    page.Resources.XObject = Dictionary(X=inner)
    page.Contents = Array([page.Contents, Stream(pdf, b" q 1 0 0 1 300 300 cm /X Do Q")])

    def link(number: int, **action: Any) -> Dictionary:
        rectangle = Array([10, 700 - 20 * number, 100, 715 - 20 * number])
        return Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=rectangle, Border=Array([0, 0, 0]), A=Dictionary(**action))

    page.Annots = Array(
        [
            link(0, S=Name.URI, URI=String("https://example.org/a")),
            link(1, S=Name.URI, URI=String("mailto:a@example.org"), Next=script),
            link(2, S=Name.URI, URI=String("javascript:alert(1)")),
            link(3, S=Name.Launch, F=String("\\\\evil\\x")),
            link(4, S=Name.GoToR, F=String("other.pdf")),
            Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, Rect=Array([0, 0, 0, 0]), FS=file),
            Dictionary(Type=Name.Annot, Subtype=Name.Screen, Rect=Array([0, 0, 0, 0]), A=script),
        ]
    )
    return saved(pdf, path)


def with_layers(path: Path, **usual: Any) -> Path:
    """A page of which the second line stands in a layer; ``usual`` is the layers' usual state (OFF, BaseState, AS)."""
    pdf = pdf_with_text("Zichtbaar")
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("laag")))
    page = pdf.pages[0].obj
    page.Resources.Properties = Dictionary(L=layer)
    page.Contents = Array([page.Contents, Stream(pdf, b" /OC /L BDC BT /F 24 Tf 60 200 Td (In de laag) Tj ET EMC")])
    usual = {key: Array([layer]) if value == "layer" else value for key, value in usual.items()}
    pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(**usual))
    return saved(pdf, path)


def signed(path: Path) -> Path:
    """Has the objects of a signature; whether the signature is right is not for this room."""
    pdf = pdf_with_text("Getekend")
    value = Dictionary(Type=Name.Sig, Filter=Name("/Adobe.PPKLite"), ByteRange=Array([0, 1, 2, 3]), Contents=String("x" * 20))
    field = pdf.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T=String("s"), V=pdf.make_indirect(value), Rect=Array([0] * 4)
        )
    )
    pdf.pages[0].obj.Annots = Array([field])
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]), SigFlags=3)
    return saved(pdf, path)


def raw_pdf(path: Path, *objects: bytes) -> Path:
    """A PDF of exactly these objects, numbered from 1; the first is the catalogue."""
    data, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        table,
        len(objects) + 1,
        len(data),
    )
    path.write_bytes(data)
    return path


def zeros(mib: int, byte: bytes) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(byte * (1 << 20)) for _ in range(mib)), packer.flush()])


def bomb(path: Path, mib: int) -> Path:
    """A small PDF whose page inflates, in two layers, to this size."""
    packed = zlib.compress(zeros(mib, b" "), 9)
    return raw_pdf(
        path,
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
        b"<</Filter[/FlateDecode/FlateDecode]/Length %d>>stream\n%s\nendstream" % (len(packed), packed),
    )


def photo(width: int = 600, height: int = 400, mode: str = "RGB") -> Image.Image:
    """Red above left, blue below right."""
    image = Image.new("RGB", (width, height), (30, 120, 60))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 3, height // 3), (200, 30, 30))
    draw.rectangle((2 * width // 3, 2 * height // 3, width, height), (30, 30, 200))
    return image.convert(mode)


def exif(orientation: int = 1) -> bytes:
    data = Image.Exif()
    data[0x010F] = "iPhone van Jan"
    data[0x0112] = orientation
    data[0x8825] = {1: "N", 2: (52.0, 5.0, 6.0), 3: "E", 4: (5.0, 7.0, 8.0)}
    return data.tobytes()


def word(path: Path, fill: Callable[[Any], None] = lambda document: None) -> Path:
    document = docx.Document()
    document.core_properties.author = "Jan de Vries"
    document.core_properties.last_modified_by = "Piet Pietersen"
    document.add_heading("Reflectieverslag", 1)
    document.add_paragraph("Een gewone alinea met é en €.")
    fill(document)
    document.save(str(path))
    return path


def second_page(document: Any) -> None:
    document.add_page_break()
    document.add_paragraph("De tweede bladzijde.")


def rezipped(source: Path, changes: Mapping[str, bytes | Callable[[bytes], bytes]]) -> Path:
    """The same ZIP with parts replaced, changed by a function, or added."""
    with zipfile.ZipFile(source) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name, change in changes.items():
        parts[name] = change(parts[name]) if callable(change) else change
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    source.write_bytes(packed.getvalue())
    return source


def related(source: Path, kind: str, target: str, *, outside: bool, owner: str = "word/_rels/document.xml.rels") -> Path:
    """The same document with one relation more."""
    mode = b' TargetMode="External"' if outside else b""
    base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relation = b'<Relationship Id="rId99" Type="%s/%s" Target="%s"%s/></Relationships>'
    entry = relation % (base.encode(), kind.encode(), target.encode(), mode)
    return rezipped(source, {owner: lambda data: data.replace(b"</Relationships>", entry)})
