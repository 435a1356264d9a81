"""Where templates are kept for ever: once each, under the SHA-256 of their canonical JSON."""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.errors import NotFound, StorageFailure
from app.extensions import Base, now, session
from app.schemes import schemas
from app.schemes.model import DossierTemplate
from app.texts import both


class StoredTemplate(Base):
    """One template, never changed. ``plugins`` holds the ids of its plugins; ``content`` is canonical JSON."""

    __tablename__ = "template"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    scheme: Mapped[str] = mapped_column(String(40))
    version: Mapped[str] = mapped_column(String(20))
    plugins: Mapped[list[Any]] = mapped_column(JSON)
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)

    __table_args__ = (CheckConstraint("length(sha256) = 64", name="sha256_whole"),)


def store(template: DossierTemplate) -> StoredTemplate:
    """The row of this template, made when it is not there yet. Inside a ``transaction()``."""
    content = schemas.canonical(template)
    sha256 = schemas.fingerprint(content)
    stored = session.get(StoredTemplate, sha256)
    if stored is None:
        stored = StoredTemplate(
            sha256=sha256,
            scheme=template.scheme,
            version=template.version,
            plugins=[plugin.id for plugin in template.plugins],
            content=content,
        )
        session.add(stored)
        session.flush()
    return stored


@lru_cache(maxsize=64)
def get(sha256: str) -> DossierTemplate:
    """The template stored under ``sha256``. Raises ``NotFound``, or ``StorageFailure`` when its content was changed."""
    stored = session.get(StoredTemplate, sha256)
    if stored is None:
        raise NotFound(
            both("Het formulier van dit dossier is niet gevonden. Neem contact op met het secretariaat."), sha256=sha256
        )
    if schemas.fingerprint(stored.content) != sha256:
        raise StorageFailure(
            both("Het formulier van dit dossier is beschadigd. Neem contact op met het secretariaat."), sha256=sha256
        )
    return schemas.load(json.loads(stored.content))
