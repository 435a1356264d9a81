"""Every hook raises."""

from typing import Any, NoReturn


def question_types() -> NoReturn:
    raise LookupError("question_types went wrong")


def check_dossier(snapshot_data: Any) -> NoReturn:
    raise LookupError("check_dossier went wrong")


def document_blocks(snapshot_data: Any) -> NoReturn:
    raise LookupError("document_blocks went wrong")


def deliver(bundle_info: Any) -> NoReturn:
    raise LookupError("deliver went wrong")
