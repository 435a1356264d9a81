"""Everything that a plugin may use, on one page. Imports nothing of ours, so a plugin can be tested on its own.

A plugin is a folder with ``plugin.yaml`` and ``areas/*.yaml``; most need no code. The optional ``hooks.py`` holds plain
functions with the names and signatures of ``HOOKS`` below and imports only this module. Hooks get plain data (never the
database, the app or a request) and give plain data back. A hook that raises or gives something else disables its
plugin, which is then named, with the traceback, on the office page and by ``flask plugins check``. This isolates
faults; it is no sandbox: install only code that you trust.

Texts are mappings ``{"nl": …, "en": …}``. An *answer* is stored as typed; its shape depends on the question type:

=============  ==========================================================================
short_text     ``str``
long_text      ``str`` in the small markup (blank line, ``- item``, ``1. item``, ``**bold**``, ``*italic*``)
number         ``str`` as typed, e.g. ``"12,5"``
date           ``{"day": "1", "month": "2", "year": "2026"}`` as typed
period         ``{"from": date, "to": date}``
choice, scale  ``str``, an option's id (for scale ``"1"`` … )
choices        ``list[str]`` of option ids
declaration    ``"yes"`` or ``""``
table          ``list[dict]``: one dict a row, field id -> answer of the field's type, and ``"row"``: the row's own id
evidence       ``list[int]`` of evidence ids
statement      nothing: the supervisor's statement is a record of its own
=============  ==========================================================================
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

API_VERSION = 1

Text = Mapping[str, str]
Answer = Any


@dataclass(frozen=True)
class Finding:
    """One thing that still stands in the way of submitting, in words that say what to do.

    ``question`` is empty when the finding is about a whole section; ``row`` is a table row's id, else empty, and ``field`` a
    field of that row.
    """

    section: str
    text: Text
    question: str = ""
    row: str = ""
    field: str = ""


@dataclass(frozen=True)
class Receipt:
    """What another body's queue gave back for a delivered bundle. ``reference`` is theirs and is kept."""

    reference: str
    url: str = ""


@dataclass(frozen=True)
class BundleInfo:
    """A sealed bundle for the ``deliver`` hook. ``path`` may only be read; the same ``snapshot_sha256`` again is a retry."""

    path: str
    sha256: str
    snapshot_sha256: str
    reference: str
    revision: int
    scheme: str


# --- document blocks: what both renderers (PDF and DOCX) know how to show ------------------------------------------


@dataclass(frozen=True)
class Run:
    """Text of one look. ``link`` is a web address (http, https, mailto) or empty."""

    text: str
    bold: bool = False
    italic: bool = False
    link: str = ""


Runs = tuple[Run, ...]


@dataclass(frozen=True)
class Heading:
    """``level`` 2 to 4 (1 is a chapter's title). ``anchor`` is unique in the document, or empty."""

    text: str
    level: int = 2
    anchor: str = ""


@dataclass(frozen=True)
class Paragraph:
    """``look``: ``body``, ``lead`` (introduction), ``hint`` (small, grey), ``label`` (a question above its answer), ``step``
    (a step of a case, above what is told of it)."""

    runs: Runs
    look: Literal["body", "lead", "hint", "label", "step"] = "body"


@dataclass(frozen=True)
class ListBlock:
    items: tuple[Runs, ...]
    ordered: bool = False


@dataclass(frozen=True)
class Facts:
    """Pairs of a label and its value, set as a two-column table whose first column is a header."""

    rows: tuple[tuple[str, Runs], ...]


@dataclass(frozen=True)
class Table:
    """``numeric`` names the columns (from 0) set to the right; ``totals`` is a last row, or empty."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Runs, ...], ...]
    totals: tuple[Runs, ...] = ()
    numeric: tuple[int, ...] = ()


@dataclass(frozen=True)
class Declaration:
    """A sentence that somebody agreed to (or not yet)."""

    text: str
    agreed: bool


@dataclass(frozen=True)
class EvidenceReference:
    """A place where an answer or statement refers to an evidence item: shown as "Bijlage N: title" with its page in the PDF."""

    number: int
    title: str


@dataclass(frozen=True)
class Signature:
    """Who signed, how and when, as lines; shown in a frame."""

    name: str
    lines: tuple[str, ...]


Block = Heading | Paragraph | ListBlock | Facts | Table | Declaration | EvidenceReference | Signature


# --- question types ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """What is wrong with one answer. ``row`` and ``field`` place it inside a table."""

    text: Text
    row: str = ""
    field: str = ""


WIDGETS = (
    "short_text",
    "long_text",
    "number",
    "date",
    "period",
    "choice",
    "choices",
    "scale",
    "declaration",
    "table",
    "evidence",
    "statement",
)
"""How a question can look in a form. The last three need more than an answer and are for the built-in types alone."""

PLUGIN_WIDGETS = WIDGETS[:-3]


@dataclass(frozen=True)
class QuestionType:
    """How one kind of question is read, checked and shown. All functions are pure.

    ``name``      as written in the YAML.
    ``widget``    the form macro that asks it: one of ``PLUGIN_WIDGETS``.
    ``settings``  YAML keys of its own -> what they hold, one of ``text``, ``int``, ``number``, ``bool``, ``str``,
                  ``options`` (list of {id, label}), ``fields`` (list of questions), ``range`` ({min, max}), ``list``,
                  ``date``.
    ``read``      (form, name, settings) -> answer as typed; ``form`` maps a field's name to the list of its values.
    ``is_empty``  (answer) -> nothing was filled in.
    ``check``     (answer, settings) -> problems; only called with an answer that is not empty.
    ``blocks``    (answer, settings, language) -> document blocks; called with non-empty answers only.
    ``summary``   (answer, settings, language) -> one line for the page where answers are checked.
    """

    name: str
    widget: str
    read: Callable[[Mapping[str, Sequence[str]], str, Mapping[str, Any]], Answer]
    check: Callable[[Answer, Mapping[str, Any]], Sequence[Problem]]
    blocks: Callable[[Answer, Mapping[str, Any], str], Sequence[Block]]
    summary: Callable[[Answer, Mapping[str, Any], str], str]
    is_empty: Callable[[Answer], bool] = lambda answer: answer in (None, "", [], {})
    settings: Mapping[str, str] = field(default_factory=dict)


# --- hooks ---------------------------------------------------------------------------------------------------------


def question_types() -> Mapping[str, QuestionType]:
    """Question types that the plugin adds, by name. Names of built-in types are refused."""
    return {}


def check_dossier(snapshot_data: Mapping[str, Any]) -> Sequence[Finding]:
    """Further findings about a whole dossier. Pure and quick: it runs on every view of the page that checks answers.

    ``snapshot_data`` is what would be submitted now: ``{"answers": {section: {question: answer}}, "evidence": [{"id",
    "title", "kind", "pages"}], "statements": [{"question", "stage"}], "template": {…}, "language", "reference",
    "today": "YYYY-MM-DD"}``.
    """
    return []


def document_blocks(snapshot_data: Mapping[str, Any]) -> Sequence[Block]:
    """Extra content that both renderers put in a chapter of its own, titled with the plugin's title.

    Must give the same blocks for the same ``snapshot_data`` (the shape above plus ``candidate``, ``submitted_at``, ``revision``).
    """
    return []


def deliver(bundle_info: BundleInfo) -> Receipt:
    """Push a bundle to another body's queue. May be called again with the same ``snapshot_sha256``: deliver once."""
    raise ValueError("the plugin does not deliver")


HOOKS: Mapping[str, Callable[..., Any]] = {
    hook.__name__: hook for hook in (question_types, check_dossier, document_blocks, deliver)
}
