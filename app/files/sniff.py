"""What kind of file this is, by its name and its first bytes; and file names that are safe to show and to store.

The extension says what the candidate meant, the first bytes must agree, and the parser has the last word
(``normalise``). Nothing is parsed here: this runs outside the sandbox.
"""

import re
import unicodedata
from enum import StrEnum
from pathlib import Path
from typing import IO

from app.errors import FileRefused, Text
from app.texts import both

MAX_NAME_CHARACTERS = 100
MAX_NAME_BYTES = 180
"""Leaves room for a prefix within the 255 bytes that a file system takes."""
LONGEST_EXTENSION = 10
HEAD_BYTES = 64
OLE_SEARCH_BYTES = 4_000_000


class Kind(StrEnum):
    """The kinds of evidence, by their usual extension."""

    PDF = "pdf"
    JPG = "jpg"
    PNG = "png"
    HEIC = "heic"
    DOCX = "docx"


EXTENSIONS = {
    ".pdf": Kind.PDF,
    ".jpg": Kind.JPG,
    ".jpeg": Kind.JPG,
    ".png": Kind.PNG,
    ".heic": Kind.HEIC,
    ".heif": Kind.HEIC,
    ".docx": Kind.DOCX,
}
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def kind_of(path: Path, name: str) -> Kind:
    """``kind_of_stream`` of the file at ``path``."""
    with path.open("rb") as stream:
        return kind_of_stream(stream, name)


def kind_of_stream(stream: IO[bytes], name: str) -> Kind:
    """The kind of what was sent in as ``name``, from its first bytes; ``stream`` then stands at its start again.

    Raises ``FileRefused`` with the reason, so that what we will not take need never be stored.
    """
    shown = clean_name(name)
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    if not head:
        raise FileRefused(
            both("“%(name)s” is leeg. Kijk of het bestand op uw computer opent en voeg het opnieuw toe.", name=shown)
        )
    meant = EXTENSIONS.get(Path(shown).suffix.lower())
    if meant is None:
        raise FileRefused(_unknown_extension(shown))
    found = _by_contents(head)
    if found is meant:
        return meant
    if meant is Kind.DOCX and head.startswith(OLE):
        raise FileRefused(_old_or_locked_word(stream, shown))
    if found is not None:
        raise FileRefused(
            both(
                "De naam van “%(name)s” eindigt op %(meant)s, maar de inhoud is %(found)s. Geef het bestand de "
                "juiste naam of sla het opnieuw op, en voeg het dan toe.",
                name=shown,
                meant=Path(shown).suffix,
                found={"nl": found.value, "en": found.upper()},
            )
        )
    raise FileRefused(
        both(
            "“%(name)s” is geen %(meant)s-bestand, of het is beschadigd. Open het op uw computer, sla het opnieuw op "
            "als pdf en voeg dat bestand toe.",
            name=shown,
            meant={"nl": meant.value, "en": meant.upper()},
        )
    )


def clean_name(name: str) -> str:
    """A file name to show, to put in a bundle and in a header: one line, no path, nothing invisible, never empty.

    It stays recognisable: letters of every script, the extension and ordinary punctuation are kept.
    """
    last_part = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    visible = unicodedata.normalize("NFC", "".join(_kept(character) for character in last_part))
    stem, extension = _split(" ".join(visible.split()).rstrip(". "))
    cut = _shortened(stem.lstrip(". "), MAX_NAME_CHARACTERS - len(extension), MAX_NAME_BYTES - len(extension.encode()))
    return (cut.strip(". ") or "bestand") + extension


def _kept(character: str) -> str:
    if character in '<>:"|?*':
        return "-"  # not allowed in names on Windows
    if character.isspace():
        return " "
    # Cc control, Cf invisible and direction-changing, Cs half a character, Co and Cn without a meaning
    return "" if unicodedata.category(character).startswith("C") else character


def _split(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    if dot and re.fullmatch(rf"[0-9A-Za-z]{{1,{LONGEST_EXTENSION}}}", extension):
        return stem, dot + extension
    return name, ""


def _shortened(text: str, characters: int, size: int) -> str:
    text = text[:characters]
    return text.encode()[:size].decode(errors="ignore")


def _by_contents(head: bytes) -> Kind | None:
    if head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\0\t\n\f\r ").startswith(b"%PDF-"):
        return Kind.PDF
    if head.startswith(b"\xff\xd8\xff"):
        return Kind.JPG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS:
        return Kind.HEIC
    # Every DOCX is a ZIP; whether this ZIP is a DOCX is for the parser to say.
    return Kind.DOCX if head.startswith(b"PK\x03\x04") else None


def _unknown_extension(shown: str) -> Text:
    if Path(shown).suffix.lower() in (".doc", ".odt", ".rtf", ".pages"):
        return both(
            "“%(name)s” kan niet worden toegevoegd. Open het in uw tekstverwerker, sla het op als pdf of als Word-"
            "document (docx) en voeg dat bestand toe.",
            name=shown,
        )
    return both(
        "“%(name)s” kan niet worden toegevoegd. U kunt bestanden toevoegen met een naam die eindigt op .pdf, .docx, "
        ".jpg, .png of .heic. Sla het bestand op als pdf en voeg dat toe.",
        name=shown,
    )


def _old_or_locked_word(stream: IO[bytes], shown: str) -> Text:
    """Word wraps a document with a password in an OLE file, in which a stream has this name."""
    locked = "EncryptedPackage".encode("utf-16-le") in stream.read(OLE_SEARCH_BYTES)
    if locked:
        return both(
            "“%(name)s” is beveiligd met een wachtwoord. Sla het in Word op zonder wachtwoord, of als pdf zonder "
            "wachtwoord, en voeg dat bestand toe.",
            name=shown,
        )
    return both(
        "“%(name)s” is een Word-document van een oude soort. Open het in Word, sla het op als docx of pdf en voeg dat "
        "bestand toe.",
        name=shown,
    )
