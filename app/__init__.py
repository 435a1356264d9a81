"""Loopbaandossier: from an empty form to a signed bundle in the assessment queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings
    from app.schemes.loader import Catalogue


def create_app(settings: Settings | None = None, catalogue: Catalogue | None = None) -> Flask:
    """The whole program for these settings (else: from the environment) and this catalogue (else: read from its folders).

    Raises ``SettingsFault`` when the settings cannot work.
    """
    from app import wiring  # here, so that a child process or a plugin can import one room without the whole program

    return wiring.create_app(settings, catalogue)
