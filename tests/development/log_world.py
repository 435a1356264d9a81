"""An installation with the schemes that are shipped, and the short ways into somebody's development log."""

import io
import secrets
from dataclasses import dataclass
from datetime import date, timedelta

from PIL import Image
from small_world import World

from app.accounts.models import Account
from app.development import entries, files
from app.development.entries import Draft, Rules
from app.development.models import LogEntry, LogFile
from app.dossiers import evidence as folder
from app.dossiers import starting, submission
from app.dossiers.models import Dossier
from app.extensions import transaction
from app.files import store


@dataclass
class LogWorld:
    world: World
    owner: Account

    @property
    def rules(self) -> Rules:
        found = entries.rules_for(self.owner, self.world.catalogue)
        assert found is not None
        return found

    def add(self, title: str = "Training", *, key: str = "", owner: Account | None = None, **values: str) -> LogEntry:
        with transaction():
            return entries.add(owner or self.owner, draft(title, **values), key or secrets.token_hex(8), self.rules)

    def photo(self, entry: LogEntry | None, colour: str = "navy", name: str = "foto.jpg", *, check: bool = True) -> LogFile:
        """A photo with an entry, or loose; ``check``: it counts as checked, without the way of a foreign file."""
        blob = store.put_bytes(self.world.settings.blobs, jpg(colour))
        with transaction():
            made = files.receive(entry.owner if entry else self.owner, blob, name, "jpg", self.world.settings)
            if entry is not None:
                files.attach(entry, [made.id])
            if check:
                folder.note_examined(made, folder.Examined(blob, "jpg", blob, 1, False, False, [], [], blob))
        return made

    def dossier(self) -> Dossier:
        settings, catalogue = self.world.settings, self.world.catalogue
        with transaction():
            return starting.start(self.owner, "recertification", "2026.1", [], "nl", catalogue=catalogue, settings=settings)


def draft(title: str = "Training", *, on: date | None = None, kind: str = "training.course", **values: str) -> Draft:
    day = on or submission.today() - timedelta(days=30)
    kind_id, _, option = kind.partition(".")
    typed = {"day": str(day.day), "month": str(day.month), "year": str(day.year)}
    return Draft(**{"kind": kind_id, "option": option, "date": typed, "title": title, "hours": "6", **values})


def jpg(colour: str = "navy") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (80, 60), colour).save(target, "JPEG")
    return target.getvalue()
