"""Making the unsigned documents of a snapshot again, to show that the same snapshot gives the same bytes."""

import tempfile
from pathlib import Path

from sqlalchemy import select

from app.config import Settings
from app.documents import sealing
from app.documents.models import Product
from app.dossiers import submission
from app.dossiers.models import Snapshot
from app.extensions import session
from app.schemes import schemas
from app.schemes.loader import Catalogue

REPRODUCIBLE = ("authored.pdf", "unsigned.docx", "unsigned.pdf")


def compare(snapshot: Snapshot, settings: Settings, catalogue: Catalogue) -> dict[str, bool]:
    """For each unsigned product: whether making it again gives the same SHA-256. Raises ``SealingFailed`` as sealing does."""
    content = submission.content_of(snapshot)
    known = {row.name: row.sha256 for row in session.scalars(select(Product).where(Product.snapshot_id == snapshot.id))}
    session.rollback()
    plugins = catalogue.plugins_of(schemas.load(content["template"]))
    settings.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.work, prefix="rebuild-") as folder:
        work = sealing.Work(content, snapshot.sha256, plugins, settings, Path(folder))
        sealing.check_evidence(work)
        for step in sealing.STEPS:
            if set(step.makes) & set(REPRODUCIBLE):
                sealing.run(step, work)
        return {name: work.products[name] == known.get(name) for name in REPRODUCIBLE}
