"""Invented people and dossiers, made the way real ones come to be, to try things with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.demo.people import PEOPLE, Person, logins

if TYPE_CHECKING:
    from pathlib import Path

    from app.demo.creating import Bar, Say
    from app.pipeline import Installation

__all__ = ["PEOPLE", "Person", "create", "logins"]


def create(installation: Installation, *, say: Say, bar: Bar) -> Path | None:
    """See ``creating.create``."""
    from app.demo import creating  # here, so that the typesetting child need not load the whole program

    return creating.create(installation, say=say, bar=bar)
