"""What can go wrong, in words a user understands. Knows no HTTP: the web turns each class into a status.

A text is a mapping ``{"nl": …, "en": …}`` made by ``texts.both``; it says what happened *and* what to do.
"""

from collections.abc import Mapping
from typing import Any

Text = Mapping[str, str]


class DomainError(Exception):
    """Base of every refusal. ``text`` is for people; ``details`` is plain data for logs and pages (never personal data)."""

    def __init__(self, text: Text, **details: Any) -> None:
        super().__init__(text.get("en") or text.get("nl", ""))
        self.text: Text = dict(text)
        self.details = details


class InvalidInput(DomainError):
    """What was sent cannot be kept as it is (unknown key, control character, too much)."""


class NotFound(DomainError):
    """There is no such thing, or this person may not know that there is."""


class Forbidden(DomainError):
    """The thing is known to this person, but not for this action or not at this stage."""


class Conflict(DomainError):
    """Somebody (or another tab) was first. Nothing is overwritten."""


class TooLarge(DomainError):
    """More bytes, files or requests than agreed."""


class TooManyRequests(DomainError):
    """The same thing was tried too often; ``details['retry_after']`` is in seconds."""


class FileRefused(DomainError):
    """A file that we will not take in; the text says which file and why."""


class LinkUnusable(DomainError):
    """A mailed link that has expired, was used, or was withdrawn."""


class StorageFailure(DomainError):
    """The disk is full or not writable. Nothing was half-written."""


class SealingFailed(DomainError):
    """A document could not be made, checked, signed or bound. ``details['step']`` names the step."""


class TemplateFault(Exception):
    """A form definition or plugin is wrong: file, line, key, what was found and what is allowed. For authors, in English."""

    def __init__(self, problem: str, *, file: str, line: int | None = None, key: str = "") -> None:
        self.problem, self.file, self.line, self.key = problem, file, line, key
        place = file if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {f'{key}: ' if key else ''}{problem}")


class SettingsFault(Exception):
    """The server's settings are missing or contradict each other; the message says which and what to do."""
