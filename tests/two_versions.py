"""The small scheme in two versions: in the second some is added, gone, moved, reworded and stricter."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from small_world import AREA, SCHEME

from app.dossiers import submission
from app.schemes import loader
from app.schemes.loader import Catalogue

CHANGES = (
    # gone: since. stricter and reworded: story. a choice gone: job. added: motive. moved to closing: name
    ("      - {id: name, type: short_text, label: {nl: Naam, en: Name}}\n", ""),
    ("      - {id: since, type: date, required: false, label: {nl: Sinds, en: Since}}\n", ""),
    ("          - {id: job, label: {nl: In dienst, en: Employed}}\n", "          - {id: both, label: {nl: Allebei, en: Both}}\n"),
    (
        "label: {nl: Verhaal, en: Story}, words: {min: 2, max: 9}}\n",
        (
            "label: {nl: Uw verhaal, en: Your story}, words: {min: 4, max: 9}}\n"
            "      - {id: motive, type: long_text, label: {nl: Drijfveer, en: Motive}}\n"
        ),
    ),
    (
        "      - {id: code, type: declaration, label: {nl: Code, en: Code}, text: {nl: Akkoord, en: Agreed}}\n",
        (
            "      - {id: name, type: short_text, label: {nl: Naam, en: Name}}\n"
            "      - {id: code, type: declaration, label: {nl: Code, en: Code}, text: {nl: Geheel akkoord, en: Fully agreed}}\n"
        ),
    ),
    # a column gone, and one added
    (
        "          - {id: points, type: number, label: {nl: Punten, en: Points}}\n",
        "          - {id: place, type: short_text, required: false, label: {nl: Plaats, en: Place}}\n",
    ),
)
NEW_AREA = AREA.replace("id: skill", "id: advice").replace("{nl: Kunnen, en: Skill}", "{nl: Adviseren, en: Advising}")


def second(first: str) -> str:
    """``scheme.yaml`` of version 2, in effect since yesterday."""
    day = (submission.today() - timedelta(days=1)).isoformat()
    made = first.replace('version: "1"', 'version: "2"').replace("effective_from: 2026-01-01", f"effective_from: {day}")
    for old, new in CHANGES:
        if old not in made:
            raise ValueError(old)
        made = made.replace(old, new, 1)
    return made


def add_second(templates_dir: Path, first: str = SCHEME) -> None:
    """Puts version 2 beside version 1; the competency area ``skill`` makes way for ``advice``."""
    home = templates_dir / "small" / "2"
    (home / "areas").mkdir(parents=True)
    (home / "scheme.yaml").write_text(second(first))
    (home / "areas" / "10-advice.yaml").write_text(NEW_AREA)


def with_second(catalogue: Catalogue, folder: Path, first: str = SCHEME) -> Catalogue:
    """A catalogue that has version 2 too."""
    add_second(folder, first)
    found = loader._load_schemes(folder, catalogue.types)
    if found[1]:
        raise ValueError([str(fault) for fault in found[1]])
    return replace(catalogue, schemes={**catalogue.schemes, **found[0]})
