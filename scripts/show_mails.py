"""Writes every mail, in Dutch and English, with invented data to a folder, to look at: python scripts/show_mails.py FOLDER"""

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app import mail  # noqa: E402
from app.config import Settings  # noqa: E402
from app.extensions import now  # noqa: E402
from app.texts import LANGUAGES  # noqa: E402

SAMPLE: dict[str, Any] = {
    "address": "jan.nieuw@example.org",
    "assessor": "Joost Bakker",
    "candidate": "Sanne de Vries",
    "dossier": "LD-2026-0007",
    "hours": 48,
    "link": "/bevestigen/geheim-woord",
    "minutes": 60,
    "mentor": "Hugo Vandersteen",
    "n": 3,
    "name": "Jan Łukasz",
    "other": "Hugo Vandersteen",
    "reason": "Het bestand is beveiligd met een wachtwoord.",
    "role": "cliënt",
    "roles": {"nl": "kandidaat, beoordelaar", "en": "candidate, assessor"},
    "revision": 1,
    "sha256": "ab" * 32,
    "submit_by": "2026-11-20",
    "submitted_on": "2026-11-21",
    "supervisor": "Marieke Jansen",
    "title": "Verslag <intervisie>",
    "total": 5,
    "until": "2026-11-21",
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(base_url="https://dossier.example.org", mode="production")
    for template, names in mail.TEMPLATES.items():
        data: dict[str, Any] = {name: SAMPLE[name] for name in names}
        for language in LANGUAGES:
            message = mail.compose(mail.Letter(1, "jan@example.org", language, template, data, now()), settings)
            for kind, suffix in (("plain", "txt"), ("html", "html")):
                part = message.get_body((kind,))
                assert part is not None
                (folder / f"{template}.{language}.{suffix}").write_text(part.get_content())
    print(f"{len(mail.TEMPLATES) * len(LANGUAGES)} mails in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
