"""What happens to a picture inside the sandbox: decoded, set upright, and written anew without anything but its pixels.

Run by ``normalise`` through ``sandbox.run``.
"""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pikepdf
import pillow_heif
from pikepdf import Dictionary, Name, Pdf
from PIL import Image, ImageCms, ImageOps

from app.errors import FileRefused
from app.files.pdf_cleaning import add_picture_page, first_page
from app.texts import both

MAX_PIXELS = 50_000_000
A4 = (595.276, 841.89)
MARGIN = 42.52
"""Points: 15 mm."""
PAGE_PIXELS = 3508
"""The longest side of the picture on the page: A4 at 300 dots per inch. The cleaned copy keeps every pixel."""
THUMBNAIL_SIDE = 240
THUMBNAIL_BYTES = 20_000
ORIENTATION = 0x0112

Image.MAX_IMAGE_PIXELS = None  # our own limit is checked before anything is decoded


def clean(source: str, target: str, pages: str, kind: str, name: str) -> dict[str, Any]:
    """Writes ``target`` (PNG for a PNG, else JPEG) and ``pages``: a PDF with the picture on one A4 page. Gives nothing."""
    with _opened(source, kind) as image:
        if image.width * image.height > MAX_PIXELS:
            raise FileRefused(
                both(
                    "“%(name)s” heeft te veel beeldpunten (%(width)s × %(height)s). Maak de afbeelding kleiner, tot "
                    "hoogstens %(most)s miljoen beeldpunten, en voeg haar opnieuw toe.",
                    name=name,
                    width=image.width,
                    height=image.height,
                    most=MAX_PIXELS // 1_000_000,
                )
            )
        upright = ImageOps.exif_transpose(image)
        picture = _in_srgb(upright, keep_alpha=kind == "png")
    # A fresh image has no EXIF, comments, colour profile or thumbnails that could come along.
    if kind == "png":
        picture.save(target, "PNG", compress_level=6)
    else:
        picture.save(target, "JPEG", quality=90)
    _write_page(_on_white(picture), kind == "png", pages)
    return {}


def thumbnail(source: str, target: str) -> dict[str, Any]:
    """Writes ``target``, a WebP of at most ``THUMBNAIL_BYTES``, of a cleaned picture or of the first page of a cleaned PDF.

    Gives its ``size`` in pixels.
    """
    with Path(source).open("rb") as stream:
        is_pdf = stream.read(5) == b"%PDF-"
    if is_pdf:
        picture = first_page(source, 2 * THUMBNAIL_SIDE)
    else:
        with Image.open(source, formats=("JPEG", "PNG")) as image:
            picture = _on_white(image.convert("RGBA" if "A" in image.mode else "RGB"))
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    for quality in (80, 60, 40, 20, 5):
        picture.save(target, "WEBP", quality=quality, method=4)
        if Path(target).stat().st_size <= THUMBNAIL_BYTES:
            break
    return {"size": list(picture.size)}


def without_metadata(jpeg: bytes) -> bytes:
    """The same JPEG, its pixels untouched, without EXIF, GPS, XMP and comments; only how it is to be turned stays.

    Gives the input back when it is not built as a JPEG. For pictures inside documents.
    """
    if not jpeg.startswith(b"\xff\xd8"):
        return jpeg
    kept, position = [b"\xff\xd8", _orientation_segment(jpeg)], 2
    while jpeg[position : position + 1] == b"\xff" and position + 4 <= len(jpeg):
        marker = jpeg[position + 1]
        if marker == 0xDA:  # the pixels start
            return b"".join([*kept, jpeg[position:]])
        end = position + 2 + int.from_bytes(jpeg[position + 2 : position + 4], "big")
        # 0xE1 EXIF and XMP, 0xED Photoshop and IPTC, 0xFE comment
        if marker not in (0xE1, 0xED, 0xFE):
            kept.append(jpeg[position:end])
        position = end
    return jpeg


def _opened(source: str, kind: str) -> Image.Image:
    """Reads no more than the size and the metadata."""
    if kind == "heic":
        pillow_heif.register_heif_opener()
        return Image.open(source, formats=("HEIF",))
    return Image.open(source, formats=("JPEG", "PNG"))


def _in_srgb(image: Image.Image, *, keep_alpha: bool) -> Image.Image:
    """RGB (or RGBA) in the usual colours of screens, in a fresh image."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith(("I", "F")):  # 16 or 32 bits a pixel: keep the highest eight
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    elif image.mode in ("P", "LA", "PA", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
    if profile and image.mode in ("RGB", "RGBA", "CMYK", "L"):
        image = _converted(image, profile)
    image = image.convert("RGBA" if image.mode == "RGBA" else "RGB")
    if image.mode == "RGBA" and not keep_alpha:
        image = _on_white(image)
    fresh = Image.new(image.mode, image.size)
    fresh.paste(image)
    return fresh


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    try:
        colours = image.convert("RGB") if alpha else image
        found = ImageCms.profileToProfile(
            colours, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image  # a profile that is broken or of another kind: the plain colours are near enough
    if found is None:
        return image
    if alpha:
        found.putalpha(alpha)
    return found


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _write_page(picture: Image.Image, lossless: bool, pages: str) -> None:
    picture.thumbnail((PAGE_PIXELS, PAGE_PIXELS), Image.Resampling.LANCZOS)
    page_size = A4 if picture.height >= picture.width else (A4[1], A4[0])
    room = (page_size[0] - 2 * MARGIN, page_size[1] - 2 * MARGIN)
    # Small pictures are not blown up beyond 96 dots per inch, the size that screens give them.
    scale = min(room[0] / picture.width, room[1] / picture.height, 72 / 96)
    width, height = picture.width * scale, picture.height * scale
    place = ((page_size[0] - width) / 2, (page_size[1] - height) / 2, width, height)
    coded = io.BytesIO()
    with Pdf.new() as pdf:
        if lossless:
            picture.save(coded, "PNG", compress_level=6)
            parameters = Dictionary(Predictor=15, Colors=3, BitsPerComponent=8, Columns=picture.width)
            keys = {"Filter": Name.FlateDecode, "DecodeParms": parameters}
            add_picture_page(pdf, _png_pixels(coded.getvalue()), picture.size, page_size, place, **keys)
        else:
            picture.save(coded, "JPEG", quality=85)
            add_picture_page(pdf, coded.getvalue(), picture.size, page_size, place)
        pdf.save(pages, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def _png_pixels(png: bytes) -> bytes:
    """The compressed rows of a PNG that Pillow wrote: PDF takes them as they are."""
    parts, position = [], 8
    while position < len(png):
        length = int.from_bytes(png[position : position + 4], "big")
        if png[position + 4 : position + 8] == b"IDAT":
            parts.append(png[position + 8 : position + 8 + length])
        position += length + 12
    return b"".join(parts)


def _orientation_segment(jpeg: bytes) -> bytes:
    """An EXIF segment with nothing but the orientation; empty when the picture stands upright."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
            orientation = image.getexif().get(ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, struct.error, zlib.error):
        return b""
    if orientation not in range(2, 9):
        return b""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = exif.tobytes()
    return b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data
