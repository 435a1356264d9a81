"""A small scheme as files, for tests that break it in one place at a time."""

from pathlib import Path

from app.config import Settings

PLUGINS = Path(__file__).parents[1] / "plugins"

SCHEME = """\
scheme: small
version: "1"
title: {nl: Klein, en: Small}
route: written
effective_from: 2026-01-01
validity_years: 3
reference_prefix: KL
hours_expected: 2
introduction: {nl: Welkom, en: Welcome}
accepts_plugins: [extension]
groups:
  - {id: first, title: {nl: Eerst, en: First}}
  - {id: last, title: {nl: Laatst, en: Last}}
scale:
  - {value: 1, label: {nl: Onvoldoende, en: Insufficient}, sufficient: false}
  - {value: 2, label: {nl: Voldoende, en: Sufficient}, sufficient: true}
declarations:
  - {id: truth, text: {nl: Dit is waar, en: This is true}}
sections:
  - id: closing
    group: last
    title: {nl: Slot, en: Closing}
    questions:
      - id: supervisor
        type: statement
        label: {nl: Verklaring, en: Statement}
        role: {nl: supervisor, en: supervisor}
        reads: [practice, skill]
        consent: {nl: Akkoord, en: Agreed}
        questions:
          - {id: opinion, type: long_text, label: {nl: Oordeel, en: Opinion}}
  - id: practice
    group: first
    title: {nl: Praktijk, en: Practice}
    questions:
      - id: form
        type: choice
        label: {nl: Vorm, en: Form}
        options:
          - {id: own, label: {nl: Zelfstandig, en: Self-employed}}
          - {id: job, label: {nl: In dienst, en: Employed}}
      - id: company
        type: short_text
        label: {nl: Bedrijf, en: Company}
        shown_if: form == 'own'
      - id: courses
        type: table
        label: {nl: Cursussen, en: Courses}
        row_title: name
        fields:
          - {id: name, type: short_text, label: {nl: Naam, en: Name}}
          - id: kind
            type: choice
            label: {nl: Soort, en: Kind}
            options: [{id: course, label: {nl: Cursus, en: Course}}, {id: book, label: {nl: Boek, en: Book}}]
          - {id: points, type: number, label: {nl: Punten, en: Points}, decimals: 1}
        totals: [{field: points, label: {nl: Totaal, en: Total}, min: 10}]
        caps: [{field: points, by: kind, value: book, max: 4}]
"""

AREA = """\
id: skill
group: first
title: {nl: Kunnen, en: Skill}
criteria:
  - id: craft
    group: kunde
    title: {nl: Vak, en: Craft}
    levels:
      1: {nl: Zwak, en: Weak}
      2: {nl: Goed, en: Good}
questions:
  - {id: story, type: long_text, label: {nl: Verhaal, en: Story}, words: {min: 2, max: 9}}
"""


def write_scheme(
    folder: Path, scheme: str = SCHEME, area: str = AREA, *, version: str = "1", plugins: Path | None = None
) -> Settings:
    """The scheme in ``folder``, with the settings that find it there; without plugins unless their folder is given."""
    home = folder / "small" / version
    (home / "areas").mkdir(parents=True, exist_ok=True)
    (home / "scheme.yaml").write_text(scheme)
    (home / "areas" / "10-skill.yaml").write_text(area)
    return Settings(templates_dir=folder, plugins_dir=plugins or folder / "no_plugins")


def replaced(text: str, old: str, new: str) -> str:
    """``text`` with its one ``old`` replaced."""
    assert text.count(old) == 1, old
    return text.replace(old, new)
