"""What happens to a Word document inside the sandbox: guarded as a ZIP, read as XML, packed anew, turned into pages.

Run by ``normalise`` through ``sandbox.run``.
"""

import posixpath
import re
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
from lxml import etree

from app.errors import FileRefused, Text
from app.files.image_cleaning import without_metadata
from app.texts import both

MAX_ENTRIES = 2_000
MAX_UNPACKED = 300_000_000
MAX_RATIO = 200
RATIO_MATTERS_FROM = 10_000_000
"""Bytes unpacked; below this a high ratio does no harm (an empty picture compresses well)."""

RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
TYPES_PART = "[Content_Types].xml"
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MAIN_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
SAFE_LINKS = ("http://", "https://", "mailto:")
ACTIVE_RELATIONS = ("/vbaProject", "/wordVbaData", "/control", "/activeXControlBinary", "/oleObject", "/aFChunk")
ACTIVE_NAMES = ("vbaproject", "vbadata", "activex", "oleobject")
ACTIVE_FIELDS = re.compile(r"\s*DDE(AUTO)?\b", re.IGNORECASE)
DROPPED_RELATIONS = ("/thumbnail", "/digital-signature/origin")
DROPPED_PARTS = ("_xmlsignatures/", "docProps/thumbnail")
EMPTIED = {
    "docProps/core.xml": b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
    b'core-properties"/>',
    "docProps/app.xml": b'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"/>',
    "docProps/custom.xml": b'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"/>',
}
XML_START = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
FIXED_TIME = (1980, 1, 1, 0, 0, 0)

# LibreOffice: no macros, no content from elsewhere, no updating of links. Its own names, from its registry schema.
PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableActiveContent" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>0</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>1</value></prop></item>
</oor:items>
"""  # noqa: E501


@dataclass
class _Package:
    """The parts of the document by name, and the name to show in refusals."""

    name: str
    parts: dict[str, bytes]


def clean(source: str, target: str, name: str) -> dict[str, Any]:
    """Writes ``target``: the same document without metadata, signatures and unsafe links. Gives ``signed``.

    Refuses what could act when somebody opens it, and everything that is fetched from elsewhere.
    """
    package = _Package(name, _unpacked(source, name))
    if any(posixpath.basename(part).lower().startswith(ACTIVE_NAMES) for part in package.parts):
        raise FileRefused(_active(name))
    types = _parsed(TYPES_PART, package)
    _check_content_types(types, name)
    trees = {part: _parsed(part, package) for part in _xml_parts(package, types)}
    signed = any(part.startswith("_xmlsignatures/") for part in package.parts)
    for part, tree in trees.items():
        if part.endswith(".rels"):
            _check_relations(part, tree, name)
        elif _has_active_field(tree):
            raise FileRefused(_active(name))
    for part, tree in trees.items():
        if part.endswith(".rels") and _drop_relations(part, tree, trees, package):
            package.parts[part] = _serialised(tree)
    _drop_unrelated(package, trees)
    _empty_metadata(package, trees)
    _pack(package.parts, target)
    docx.Document(target)  # what python-docx cannot open, we do not hand on
    return {"signed": signed}


def convert(source: str, folder: str, libreoffice: str) -> dict[str, Any]:
    """Lets LibreOffice turn ``source`` into a PDF in ``folder`` (existing, empty). Gives ``pdf``, its path."""
    profile = Path(folder) / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(PROFILE)
    command = [
        libreoffice,
        f"-env:UserInstallation={profile.as_uri()}",
        "--headless",
        "--norestore",
        "--nolockcheck",
        "--nodefault",
        "--nofirststartwizard",
        "--convert-to",
        "pdf:writer_pdf_Export",
        "--outdir",
        folder,
        source,
    ]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(profile), "LANG": "C.UTF-8", "TMPDIR": folder}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    pdf = Path(folder) / Path(source).with_suffix(".pdf").name
    if not pdf.is_file():
        raise ValueError(f"LibreOffice made no PDF (status {done.returncode}): {done.stdout} {done.stderr}")
    return {"pdf": str(pdf)}


def _unpacked(source: str, name: str) -> dict[str, bytes]:
    """The parts of the ZIP, after all its promises about names and sizes were checked."""
    with zipfile.ZipFile(source) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(archive.infolist()) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
            raise FileRefused(_too_much_inside(name))
        if any(
            entry.file_size > RATIO_MATTERS_FROM and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)
            for entry in entries
        ):
            raise FileRefused(_too_much_inside(name))
        if any(entry.flag_bits & 1 for entry in entries):
            raise FileRefused(
                both(
                    "“%(name)s” is beveiligd met een wachtwoord. Sla het op zonder wachtwoord en voeg dat bestand toe.",
                    name=name,
                )
            )
        names = [entry.filename for entry in entries]
        if len({part.lower() for part in names}) < len(names) or not all(_sound_name(part) for part in names):
            raise ValueError("doubtful names in the ZIP")
        # Reading stops at the promised size, so a lying header cannot unpack more.
        return {entry.filename: archive.read(entry) for entry in entries}


def _sound_name(part: str) -> bool:
    return not part.startswith("/") and "\\" not in part and ":" not in part and ".." not in part.split("/")


TAKEN_OUT_WHEN_OUTSIDE = ("/hyperlink", "/attachedTemplate")
"""Relations that the document reads well without: links keep their words, and every office's letter has a template."""


def _parsed(part: str, package: _Package) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=False)
    root = etree.fromstring(package.parts[part], parser)
    if root.getroottree().docinfo.doctype or root.getroottree().docinfo.internalDTD is not None:
        raise ValueError(f"{part} has a DOCTYPE")
    return root


def _check_content_types(types: etree._Element, name: str) -> None:
    kinds = [str(entry.get("ContentType", "")) for entry in types]
    if any("macroEnabled" in kind or "vbaProject" in kind for kind in kinds):
        raise FileRefused(_active(name))
    if MAIN_TYPE not in kinds:
        raise ValueError("no Word document")


def _xml_parts(package: _Package, types: etree._Element) -> list[str]:
    """The parts that programs read as XML: by their declared type, whatever their name, and by their name."""
    kinds = {
        str(entry.get("PartName", "")).removeprefix("/").lower() or "." + str(entry.get("Extension", "")).lower(): str(
            entry.get("ContentType", "")
        )
        for entry in types
    }
    return [
        part
        for part in package.parts
        if part.endswith((".xml", ".rels", ".vml"))
        or kinds.get(part.lower(), kinds.get(posixpath.splitext(part)[1].lower(), "")).endswith("xml")
    ]


def _relations(tree: etree._Element) -> Iterator[tuple[etree._Element, str, str, bool]]:
    """Each relation with its type, target, and whether the target is outside the document."""
    for relation in tree.iter(f"{{{RELATIONSHIPS}}}Relationship"):
        outside = relation.get("TargetMode", "") == "External"
        yield relation, str(relation.get("Type", "")), str(relation.get("Target", "")), outside


def _check_relations(part: str, tree: etree._Element, name: str) -> None:
    folder = posixpath.dirname(posixpath.dirname(part))
    for _, kind, target, outside in _relations(tree):
        if kind.endswith(ACTIVE_RELATIONS):
            raise FileRefused(_active(name))
        if outside and not kind.endswith(TAKEN_OUT_WHEN_OUTSIDE):
            raise FileRefused(
                both(
                    "“%(name)s” haalt een onderdeel van buiten het document op, bijvoorbeeld een sjabloon of een gekoppelde "
                    "afbeelding. Sla het in Word op als pdf en voeg die toe.",
                    name=name,
                )
            )
        if not outside and (":" in target or posixpath.normpath(posixpath.join("/", folder, target)).startswith("/..")):
            raise ValueError(f"{part} leads outside the document")


def _has_active_field(tree: etree._Element) -> bool:
    """Whether a field fetches from another program (DDE). Its words may be spread over many runs of text."""
    written: list[str] = []
    for element in tree.iter(f"{WORD}instrText", f"{WORD}fldSimple", f"{WORD}fldChar"):
        if element.tag == f"{WORD}instrText":
            written.append(element.text or "")
        else:
            written.append("\n" + str(element.get(f"{WORD}instr", "")))
    return any(ACTIVE_FIELDS.match(field) for field in "".join(written).split("\n"))


def _drop_relations(part: str, tree: etree._Element, trees: dict[str, etree._Element], package: _Package) -> bool:
    """Takes thumbnails, signatures and unsafe links out of one list of relations; says whether it changed anything."""
    dropped = []
    for relation, kind, target, outside in list(_relations(tree)):
        unsafe = outside and not (kind.endswith("/hyperlink") and target.strip().lower().startswith(SAFE_LINKS))
        if unsafe or kind.endswith(DROPPED_RELATIONS):
            dropped.append(str(relation.get("Id", "")))
            tree.remove(relation)
    owner = posixpath.join(posixpath.dirname(posixpath.dirname(part)), posixpath.basename(part).removesuffix(".rels"))
    if dropped and owner in trees:
        _forget_links(trees[owner], set(dropped))
        package.parts[owner] = _serialised(trees[owner])
    return bool(dropped)


def _forget_links(tree: etree._Element, ids: set[str]) -> None:
    """Leaves the words of a link whose target is gone; Word calls a document broken that refers to a missing relation."""
    for element in list(tree.iter()):
        for key in [key for key, value in element.attrib.items() if value in ids and "relationships}" in str(key)]:
            del element.attrib[key]
            if element.tag == f"{WORD}attachedTemplate" and (parent := element.getparent()) is not None:
                parent.remove(element)  # it consists of its target alone


def _empty_metadata(package: _Package, trees: dict[str, etree._Element]) -> None:
    for part in list(package.parts):
        if part.startswith(DROPPED_PARTS):
            del package.parts[part]
        elif part in EMPTIED:
            package.parts[part] = XML_START + EMPTIED[part]
        elif part.lower().endswith((".jpg", ".jpeg")):
            package.parts[part] = without_metadata(package.parts[part])
    types = trees[TYPES_PART]
    for entry in list(types.iter(f"{{{CONTENT_TYPES}}}Override")):
        if str(entry.get("PartName", "")).removeprefix("/") not in package.parts:
            types.remove(entry)
    package.parts[TYPES_PART] = _serialised(types)


def _drop_unrelated(package: _Package, trees: dict[str, etree._Element]) -> None:
    """Takes away parts that nothing in the document refers to: no viewer shows them, so nobody would know of them."""
    kept, todo = {TYPES_PART}, [""]
    while todo:
        folder, base = posixpath.split(todo.pop())
        relations = posixpath.join(folder, "_rels", f"{base}.rels")
        if relations in kept or relations not in trees:
            continue
        kept.add(relations)
        for _, _, target, outside in _relations(trees[relations]):
            part = posixpath.normpath(posixpath.join("/", folder, target)).removeprefix("/")
            if not outside and part not in kept:
                kept.add(part)
                todo.append(part)
    for part in set(package.parts) - kept:
        del package.parts[part]


def _serialised(tree: etree._Element) -> bytes:
    return etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)


def _pack(parts: dict[str, bytes], target: str) -> None:
    """Always in the same order, with the same times: same parts, same bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(parts, key=lambda part: (part != TYPES_PART, part)):
            entry = zipfile.ZipInfo(part, FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, parts[part])


def _too_much_inside(name: str) -> Text:
    return both("“%(name)s” bevat te veel of te grote onderdelen. Sla het in Word op als pdf en voeg die toe.", name=name)


def _active(name: str) -> Text:
    return both(
        "In “%(name)s” zitten macro’s of ingevoegde objecten. Die nemen wij niet aan, omdat ze schade kunnen doen. Sla "
        "het document in Word op als pdf en voeg die toe.",
        name=name,
    )
