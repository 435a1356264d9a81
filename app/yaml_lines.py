"""YAML read with the line of every key, so that a fault in a form definition can point at its place.

Reads a plain subset: mappings, lists, texts, whole and decimal numbers, ``true``/``false`` and ``null``. Unlike PyYAML's
own loaders it leaves ``yes``, ``no``, ``on`` and dates as the texts that they are. Refuses, with file and line, whatever
could be read in two ways or blown up: double keys, tabs in the indentation, other encodings than UTF-8, control
characters, huge files, deep nesting and aliases that multiply.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from app.config import ROOT
from app.errors import TemplateFault

MAX_BYTES = 1_000_000
MAX_VALUES = 100_000
MAX_DEPTH = 40

KeyPath = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_OUTSIDE = (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)

_NOT_TEXT = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAB_INDENT = re.compile(r"^ *\t", re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """``data`` as read; ``lines``: path of each key and list item -> its line, from 1; ``file``: how faults name it."""

    data: Any
    lines: Mapping[KeyPath, int]
    file: str

    def line(self, path: KeyPath) -> int:
        """The line of ``path``, or of the nearest thing around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def fault(self, problem: str, path: KeyPath = ()) -> TemplateFault:
        return TemplateFault(problem, file=self.file, line=self.line(path), key=shown_path(path))


def read(path: Path) -> Document:
    """The content of a YAML file. Raises ``TemplateFault`` for whatever cannot be read."""
    file = shown_file(path)
    text = _text(path, file)
    try:
        return _Reading(file).document(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part)
        if error.problem_mark and error.context_mark and error.context_mark.line < error.problem_mark.line:
            problem += f"; what it belongs to begins on line {error.context_mark.line + 1}"
        problem += "; a text with : # { } [ ] , or an apostrophe in it needs double quotes"
        raise TemplateFault(f"no valid YAML: {problem}", file=file, line=mark.line + 1 if mark else None) from error
    except yaml.YAMLError as error:
        raise TemplateFault(f"no valid YAML: {error}", file=file) from error


def shown_file(path: Path) -> str:
    """How a file is named in faults: from the project's folder on when it is in there."""
    path = path.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def shown_path(path: KeyPath) -> str:
    """A path as authors read it: ``questions[2].words.min``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _text(path: Path, file: str) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TemplateFault(f"the file is larger than {MAX_BYTES} bytes; split it up", file=file)
        raw = path.read_bytes()
    except OSError as error:
        raise TemplateFault(f"the file cannot be read: {error.strerror}", file=file) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TemplateFault(f"found byte 0x{raw[error.start]:02x}; save the file as UTF-8", file=file, line=line) from error
    if found := _NOT_TEXT.search(text):
        problem = f"found the control character U+{ord(found[0]):04X}; remove it"
        raise TemplateFault(problem, file=file, line=text.count("\n", 0, found.start()) + 1)
    if found := _TAB_INDENT.search(text):
        raise TemplateFault("found a tab in the indentation; use spaces", file=file, line=text.count("\n", 0, found.start()) + 1)
    return text


_PLAIN: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"~|null|"), lambda text: None),
    (re.compile(r"true|false"), lambda text: text == "true"),
    (re.compile(r"-?(?:0|[1-9][0-9]{0,17})"), int),
    (re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}"), float),
)


class _Reading:
    """One file being turned from parser events into data.

    Events, and not PyYAML's composed nodes, because its C composer crashes the process on deep nesting. What an anchor
    holds is counted again at each alias.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[KeyPath, int] = {}
        self.count = 0
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.events: Iterator[yaml.Event] = iter(())

    def document(self, text: str) -> Document:
        self.events = (event for event in yaml.parse(text, Loader=_LOADER) if not isinstance(event, _OUTSIDE))
        first = next(self.events, None)
        if first is None:
            raise TemplateFault(
                "the file is empty; needed are keys and values, such as title: {nl: …, en: …}", file=self.file, line=1
            )
        data = self.value(first, ())
        if (second := next(self.events, None)) is not None:
            raise self.fault("a second document starts here; use one document a file", (), _line(second))
        return Document(data=data, lines=self.lines, file=self.file)

    def value(self, event: yaml.Event, path: KeyPath) -> Any:
        line = _line(event)
        self.lines.setdefault(path, line)
        before = self.count
        self.add(1, path, line)
        if len(path) > MAX_DEPTH:
            raise self.fault(f"nested deeper than {MAX_DEPTH} levels", path[:3], line)
        if isinstance(event, yaml.AliasEvent):
            return self.aliased(event.anchor, path, line)
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)  # noqa: S101  nothing else is left
        if event.tag is not None:
            raise self.fault(f"found the tag {event.tag}; tags are not used here", path, line)
        data: Any
        if isinstance(event, yaml.ScalarEvent):
            data = _plain(event.value) if event.implicit[0] else event.value
        elif isinstance(event, yaml.MappingStartEvent):
            data = self.mapping(path)
        else:
            data = self.sequence(path)
        if event.anchor is not None:
            self.anchors[event.anchor] = (data, self.count - before)
        return data

    def sequence(self, path: KeyPath) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.value(event, (*path, len(items))))
        return items

    def mapping(self, path: KeyPath) -> dict[str | int, Any]:
        items: dict[str | int, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = _line(event)
            key = self.key(event, path)
            if key in items:
                raise self.fault(f"this key stands twice; the first is on line {self.lines[(*path, key)]}", (*path, key), line)
            self.lines[(*path, key)] = line
            items[key] = self.value(next(self.events), (*path, key))
        return items

    def key(self, event: yaml.Event, path: KeyPath) -> str | int:
        if isinstance(event, yaml.ScalarEvent) and event.tag is None and event.anchor is None:
            key = _plain(event.value) if event.implicit[0] else event.value
            if isinstance(key, str | int) and not isinstance(key, bool):
                return key
        raise self.fault("a key must be a text or a whole number", path, _line(event))

    def aliased(self, anchor: str | None, path: KeyPath, line: int) -> Any:
        if anchor is None or anchor not in self.anchors:
            raise self.fault(f"*{anchor} refers to nothing above it", path, line)
        data, count = self.anchors[anchor]
        self.add(count, path, line)
        return data

    def add(self, count: int, path: KeyPath, line: int) -> None:
        self.count += count
        if self.count > MAX_VALUES:
            raise self.fault(f"more than {MAX_VALUES} values, where each alias counts in full", path, line)

    def fault(self, problem: str, path: KeyPath, line: int) -> TemplateFault:
        return TemplateFault(problem, file=self.file, line=line, key=shown_path(path))


def _plain(text: str) -> Any:
    return next((convert(text) for pattern, convert in _PLAIN if pattern.fullmatch(text)), text)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
