"""Brings the English texts in step with the code. Run it as ``scripts/translations`` after changing any text.

Dutch is the source: the texts in ``both(…)`` and ``both_n(…)`` in ``app`` and in ``_(…)`` and ``ngettext(…)`` in the
templates. Texts that are gone are removed, new ones are added without English. One that looks like a text that was there gets
the English of that one, marked ``fuzzy``: correct it and remove that mark. Until then such a text is shown in Dutch.

The .po file has no dates and no line numbers, so that a change in the code only changes it where a text changed.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
ENGLISH = ROOT / "app" / "web" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
SOURCES = [("web/templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"web/templates/**.html": {"silent": "false"}}  # a template that cannot be read is an error
KEYWORDS = {**DEFAULT_KEYWORDS, "both": None, "both_n": (1, 2)}
HEADER = r"""# English. Every text as the pages and documents show it; the Dutch in the code is the source.
# Keep the %(names)s as they are. After a change in the code: scripts/translations.
msgid ""
msgstr ""
"Language: en\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

"""


def extracted() -> Catalog:
    """The Dutch texts in the code of now, each with the files that it stands in."""
    catalogue = Catalog(locale="en")
    found = extract_from_dir(ROOT / "app", SOURCES, OPTIONS, KEYWORDS)
    for name, line, text, comments, context in found:
        catalogue.add(text, locations=[(f"app/{name}", line)], auto_comments=comments, context=context)
    return catalogue


def english() -> Catalog:
    """The English texts as they are kept."""
    if not ENGLISH.exists():
        return Catalog(locale="en")
    with ENGLISH.open("rb") as source:
        return read_po(source, locale="en")


def unfinished(catalogue: Catalog) -> list[str]:
    """The Dutch of the texts that have no English, or only a guess."""
    return [
        message.id if isinstance(message.id, str) else message.id[0]
        for message in catalogue
        if message.id and (message.fuzzy or not message.string or not all(message.string))
    ]


def main() -> int:
    catalogue = english()
    before = {message.id for message in catalogue if message.id}
    catalogue.update(extracted())
    after = {message.id for message in catalogue if message.id}
    written = BytesIO()
    write_po(written, catalogue, width=0, omit_header=True, include_lineno=False, ignore_obsolete=True, include_previous=True)
    ENGLISH.parent.mkdir(parents=True, exist_ok=True)
    ENGLISH.write_text(HEADER + written.getvalue().decode().rstrip("\n") + "\n", encoding="utf-8")
    print(f"{len(after)} texts: {len(after - before)} new, {len(before - after)} gone.")
    missing = unfinished(catalogue)
    if missing:
        print(f"{len(missing)} to translate in {ENGLISH.relative_to(ROOT)}:", *missing, sep="\n- ")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
