"""Every hook gives something else than agreed."""

from typing import Any


def question_types() -> int:
    return 7


def check_dossier(snapshot_data: Any) -> int:
    return 7


def document_blocks(snapshot_data: Any) -> int:
    return 7


def deliver(bundle_info: Any) -> int:
    return 7
