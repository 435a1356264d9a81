"""Documentation held against the code."""

import dataclasses
import re
from pathlib import Path

from flask import Flask

from app.config import PREFIX, ROOT, Settings

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_lists_every_setting_with_its_default_and_explanation() -> None:
    listed = re.findall(r"^\| `(LOOPBAAN_\w+)` \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
    assert listed == [
        (PREFIX + entry.name.upper(), _shown(entry.default), entry.metadata["explanation"])
        for entry in dataclasses.fields(Settings)
    ]


def test_readme_names_files_that_exist() -> None:
    named = re.findall(r"`((?:app|docs|scripts|plugins|dossier_templates|tests)/[\w./-]*)`", README)
    named += re.findall(r"\]\(([\w./-]+)\)", README)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_docs_name_files_that_exist() -> None:
    missing = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for name in re.findall(r"\]\((?!https?:)([\w./-]+)\)", page.read_text(encoding="utf-8")):
            if not (page.parent / name).exists():
                missing.append((page.name, name))
    assert missing == []


def test_security_document_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", text)
    assert named
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_commands_in_the_docs_exist(app: Flask) -> None:
    pages = [README, *(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))]
    named = {tuple(found.split()) for page in pages for found in re.findall(r"flask (?:--app wsgi )?([a-z]+ [a-z-]+)\b", page)}
    groups = app.cli.commands
    unknown = [
        words
        for words in sorted(named)
        if words[0] not in groups or (hasattr(groups[words[0]], "commands") and words[1] not in groups[words[0]].commands)  # type: ignore[attr-defined]
    ]
    assert named
    assert unknown == []


def _shown(default: object) -> str:
    if default is None or default == "":
        return ""
    return f"`{default.relative_to(ROOT)}/`" if isinstance(default, Path) else f"`{default}`"
