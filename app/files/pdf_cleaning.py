"""What happens to a PDF inside the sandbox: cleaning, turning into pictures, and a rendering of every page as a test.

Run by ``normalise`` through ``sandbox.run``; every function takes and gives plain data.
"""

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
from pikepdf import Array, Dictionary, Name, Object, Page, Pdf, Stream, String
from PIL import Image

from app.errors import FileRefused
from app.texts import both

TAIL_BYTES = 65_536
MAX_PAGES = 500
LONGEST_SIDE = 14_400
"""In points: the largest page that PDF promises to work (200 inches)."""
SAFE_LINKS = ("http://", "https://", "mailto:")
PAGE_KEYS = ("/MediaBox", "/CropBox", "/Rotate", "/Resources", "/Contents", "/Group", "/UserUnit")
NOT_FLATTENED = ("/Link", "/Popup")
# Keys of streams (images, forms, fonts) that point outside the file, to alternatives, to metadata or to the structure.
STREAM_KEYS = ("/F", "/FFilter", "/FDecodeParms", "/OPI", "/Ref", "/Alternates", "/Metadata", "/PieceInfo", "/AF",
               "/StructParent", "/StructParents", "/LastModified", "/Measure", "/PtData")  # fmt: skip
ACTIONS = ("/JavaScript", "/Launch", "/URI", "/GoToR", "/GoToE", "/SubmitForm", "/ImportData", "/Rendition", "/Movie",
           "/Sound", "/RichMediaExecute", "/GoTo3DView", "/ResetForm", "/Hide", "/SetOCGState", "/Named")  # fmt: skip
RASTER_DPI = 150
GATE_DPI = 72
MOST_PIXELS_A_SIDE = 4000


def clean(source: str, target: str, name: str) -> dict[str, Any]:
    """Copies the pages, and only the pages, of ``source`` to ``target``; forms and comments become part of the page.

    Gives ``pages`` (their number), ``signed``, ``attachments`` (whether there were), and ``rasterise``: whether pictures of
    the pages must be used, because hidden layers would become visible or a page is too large; ``target`` was not written.
    """
    with _opened(source, name) as pdf:
        _check_page_count(len(pdf.pages), name)
        if pdf.Root.get("/NeedsRendering", False):
            raise _only_in_adobe_reader(name)
        found = {
            "pages": len(pdf.pages),
            "signed": _carries_signature(pdf),
            "attachments": _has_attachments(pdf),
            "rasterise": _hides_layers(pdf) or _has_huge_page(pdf),
        }
        if not found["rasterise"]:
            links = [_safe_links(page) for page in pdf.pages]
            with _flattened(pdf) as flat, Pdf.new() as new:
                for page, original in zip(flat.pages, pdf.pages, strict=True):
                    _copy_page(new, page, original)
                _strip(new)
                for page, page_links in zip(new.pages, links, strict=True):
                    if page_links:
                        page.obj.Annots = Array([_link(rectangle, address) for rectangle, address in page_links])
                new.save(target, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return found


def rasterise(source: str, target: str, name: str) -> dict[str, Any]:
    """Writes ``target`` with a picture of each page as pdfium shows it. Gives ``pages``."""
    with pypdfium2.PdfDocument(source) as shown, Pdf.new() as new:
        _check_page_count(len(shown), name)
        shown.init_forms()
        for page in shown:
            width, height = page.get_size()
            picture = page.render(scale=_scale(width, height, RASTER_DPI)).to_pil().convert("RGB")
            coded = io.BytesIO()
            picture.save(coded, "JPEG", quality=85)
            smaller = min(1.0, LONGEST_SIDE / max(width, height))
            size = (width * smaller, height * smaller)
            add_picture_page(new, coded.getvalue(), picture.size, size, (0, 0, *size))
            page.close()
        new.save(target, deterministic_id=True)
        return {"pages": len(new.pages)}


def render_all(source: str) -> dict[str, Any]:
    """Renders every page, and forgets the pictures. Gives ``pages``."""
    with pypdfium2.PdfDocument(source) as shown:
        for page in shown:
            width, height = page.get_size()
            page.render(scale=_scale(width, height, GATE_DPI)).close()
            page.close()
        return {"pages": len(shown)}


def first_page(source: str, longest: int) -> Image.Image:
    """The first page as a picture, its longest side about ``longest`` pixels."""
    with pypdfium2.PdfDocument(source) as shown:
        page = shown[0]
        width, height = page.get_size()
        scale = min(_scale(width, height, RASTER_DPI), longest / max(width, height))
        picture: Image.Image = page.render(scale=scale).to_pil()
        return picture.convert("RGB")


def add_picture_page(
    pdf: Pdf,
    data: bytes,
    pixels: tuple[int, int],
    page_size: tuple[float, float],
    place: tuple[float, float, float, float],
    **image_keys: Any,
) -> None:
    """Adds a page with one RGB picture: ``data`` is JPEG unless ``image_keys`` name another filter; ``place`` is left, bottom,
    width, height in points.
    """
    keys = {"Filter": Name.DCTDecode} | image_keys
    image = Stream(
        pdf,
        data,
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=pixels[0],
        Height=pixels[1],
        ColorSpace=Name.DeviceRGB,
        BitsPerComponent=8,
        **keys,
    )
    left, bottom, width, height = place
    page = pdf.add_blank_page(page_size=page_size)
    page.obj.Resources = Dictionary(XObject=Dictionary(Picture=image))
    matrix = f"{width:.3f} 0 0 {height:.3f} {left:.3f} {bottom:.3f}"
    page.obj.Contents = Stream(pdf, f"q {matrix} cm /Picture Do Q".encode())


def _opened(source: str, name: str) -> Pdf:
    try:
        pdf = pikepdf.open(source)
    except pikepdf.PasswordError:
        raise FileRefused(
            both(
                "“%(name)s” is beveiligd met een wachtwoord. Sla het op zonder wachtwoord en voeg dat bestand toe.",
                name=name,
            )
        ) from None
    if _is_cut_off(source):
        pdf.close()
        raise FileRefused(
            both(
                "“%(name)s” is niet compleet: het einde van het bestand ontbreekt. Download of sla het opnieuw op, en voeg het "
                "dan toe.",
                name=name,
            )
        )
    return pdf


def _is_cut_off(source: str) -> bool:
    """Whether the mark at the end of every PDF is nowhere: what is left can be read, but nobody knows what is missing."""
    with open(source, "rb") as stream:  # noqa: PTH123  a path as text, as the sandbox gives it
        stream.seek(max(0, Path(source).stat().st_size - TAIL_BYTES))
        return b"%%EOF" not in stream.read()


def _check_page_count(pages: int, name: str) -> None:
    if pages > MAX_PAGES:
        raise FileRefused(
            both(
                "“%(name)s” heeft meer dan %(most)s pagina’s. Voeg alleen de pagina’s toe die nodig zijn, of verdeel ze "
                "over meer bestanden.",
                name=name,
                most=MAX_PAGES,
            )
        )
    if pages == 0:
        raise FileRefused(both("“%(name)s” heeft geen pagina’s. Voeg een ander bestand toe.", name=name))


def _only_in_adobe_reader(name: str) -> FileRefused:
    return FileRefused(
        both(
            "“%(name)s” is een formulier dat alleen Adobe Reader kan tonen. Open het daarin, kies Afdrukken en dan "
            "Opslaan als PDF, en voeg dat nieuwe bestand toe.",
            name=name,
        )
    )


def _carries_signature(pdf: Pdf) -> bool:
    """Whether any object is a signature over part of the bytes of the file (ISO 32000-2, 12.8.1)."""
    return any(
        isinstance(entry, Dictionary) and "/ByteRange" in entry and "/Contents" in entry and "/Filter" in entry
        for entry in pdf.objects
    )


def _has_attachments(pdf: Pdf) -> bool:
    if "/Collection" in pdf.Root or len(pdf.attachments) > 0:
        return True
    return any(annotation.get("/Subtype") == "/FileAttachment" for page in pdf.pages for annotation in _annotations(page))


def _hides_layers(pdf: Pdf) -> bool:
    """Whether a viewer would leave optional content out; copied pages lose the list of what to leave out."""
    properties = pdf.Root.get("/OCProperties")
    if not isinstance(properties, Dictionary):
        return False
    usual = properties.get("/D", Dictionary())
    if len(usual.get("/OFF", Array())) or usual.get("/BaseState", Name.ON) != Name.ON:
        return True
    # "Automatic states" switch layers by what one does: seen, but not printed, or the other way round.
    return len(usual.get("/AS", Array())) > 0


def _has_huge_page(pdf: Pdf) -> bool:
    return any(max(abs(float(number)) for number in page.mediabox) > LONGEST_SIDE for page in pdf.pages)


def _annotations(page: Page) -> Iterator[Dictionary]:
    listed = page.obj.get("/Annots")
    if isinstance(listed, Array):
        yield from (entry for entry in listed if isinstance(entry, Dictionary))


def _safe_links(page: Page) -> list[tuple[list[float], str]]:
    """The rectangle and address of each link to the web or to a mail address."""
    found = []
    for annotation in _annotations(page):
        action = annotation.get("/A")
        if annotation.get("/Subtype") != "/Link" or not isinstance(action, Dictionary) or action.get("/S") != "/URI":
            continue
        address, rectangle = str(action.get("/URI", "")).strip(), annotation.get("/Rect")
        if address.lower().startswith(SAFE_LINKS) and isinstance(rectangle, Array) and len(rectangle) == 4:
            found.append(([float(number) for number in rectangle], address))
    return found


def _flattened(pdf: Pdf) -> Pdf:
    """The same pages with filled fields, comments and stamps drawn on them, as pdfium shows them.

    pdfium, because it also draws what has no appearance of its own, such as fields filled by simple programs.
    """
    if not any(entry.get("/Subtype") not in NOT_FLATTENED for page in pdf.pages for entry in _annotations(page)):
        return pdf
    plain, flat = io.BytesIO(), io.BytesIO()
    pdf.save(plain, encryption=False)
    with pypdfium2.PdfDocument(plain) as shown:
        shown.init_forms()
        for page in shown:
            # Showing a page makes pdfium draw what has no appearance yet; flattening alone would leave that out.
            width, height = page.get_size()
            page.render(scale=_scale(width, height, 1)).close()
            if pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY) == pdfium.FLATTEN_FAIL:
                raise ValueError("pdfium cannot flatten a page")
            page.close()
        shown.save(flat)
    return pikepdf.open(flat)


def _copy_page(new: Pdf, page: Page, original: Page) -> None:
    """``original`` gives the size and rotation, which flattening may change; both may inherit from their page trees."""
    values = {key: _inherited(page.obj, key) for key in PAGE_KEYS}
    for key in ("/MediaBox", "/CropBox", "/Rotate"):
        value = _inherited(original.obj, key)
        values[key] = Array([float(number) for number in value]) if isinstance(value, Array) else value
    for key in list(page.obj.keys()):
        if key not in ("/Type", "/Parent"):
            del page.obj[key]
    for key, value in values.items():
        if value is not None:
            page.obj[key] = value
    new.pages.append(page)


def _link(rectangle: list[float], address: str) -> Dictionary:
    return Dictionary(
        Type=Name.Annot,
        Subtype=Name.Link,
        Rect=Array(rectangle),
        Border=Array([0, 0, 0]),
        A=Dictionary(S=Name.URI, URI=String(address)),
    )


def _inherited(node: Object, key: str) -> Any:
    """A page's own value or that of the nearest parent that has one; None without."""
    for _ in range(100):
        if key in node:
            return node[key]
        if key not in ("/MediaBox", "/CropBox", "/Rotate", "/Resources") or "/Parent" not in node:
            return None
        node = node["/Parent"]
    return None


def _strip(pdf: Pdf) -> None:
    """Takes what can act or point outside from everything that came along with the pages."""
    for entry in pdf.objects:
        if isinstance(entry, Stream):
            for key in STREAM_KEYS:
                if key in entry:
                    del entry[key]
        for dictionary in _dictionaries(entry):
            _disarm(dictionary)


def _dictionaries(entry: Object) -> Iterator[Object]:
    """``entry`` and every dictionary written directly inside it."""
    todo = [entry]
    while todo:
        current = todo.pop()
        if isinstance(current, Dictionary | Stream):
            yield current
            todo += [value for _, value in current.items() if isinstance(value, Dictionary | Array) and not value.is_indirect]
        elif isinstance(current, Array):
            todo += [value for value in itertools.islice(current, 100_000)
                     if isinstance(value, Dictionary | Array) and not value.is_indirect]  # fmt: skip


def _disarm(dictionary: Object) -> None:
    if "/JS" in dictionary or (dictionary.get("/S") in ACTIONS and dictionary.get("/Type") in (None, Name.Action)):
        for key in list(dictionary.keys()):
            del dictionary[key]
    if "/AA" in dictionary and _only_dictionaries(dictionary["/AA"]):
        del dictionary["/AA"]


def _only_dictionaries(value: Object) -> bool:
    """As the triggers of actions are; a font or colour that happens to be named AA is not."""
    return isinstance(value, Dictionary) and all(isinstance(entry, Dictionary) for _, entry in value.items())


def _scale(width: float, height: float, dpi: int) -> float:
    return min(dpi / 72, MOST_PIXELS_A_SIDE / max(width, height, 1))
