"""A dossier as it stands, before it is submitted: by the outline, template and typesetter of the real documents, marked CONCEPT.

Nothing is kept: a picture never touches the disk, the whole document only a private folder for as long as it is made.
"""

import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.config import Settings
from app.documents import typesetting
from app.documents.content import section_anchor
from app.documents.outline import with_plugins
from app.documents.typesetting import Drawing
from app.errors import SealingFailed, TooLarge, TooManyRequests
from app.files.sandbox import SandboxFailure
from app.plugin_loader import Plugin
from app.texts import both

PATIENCE_S = 3
"""So long a request waits for its turn."""

_room = threading.BoundedSemaphore(2)
"""One at work and one that waits, of the four threads that each web process has (``serving.py``): the rest is for other pages."""
_work = threading.Lock()


def part(content: Mapping[str, Any], plugins: Sequence[Plugin], section_id: str) -> Drawing:
    """Pictures of one section. ``content`` is ``submission.draft_content``.

    Raises ``TooLarge`` when it takes too long, ``SealingFailed`` or ``PluginFailed`` when it cannot be made, ``TooManyRequests``
    when too many ask at once.
    """
    with _turn():
        return typesetting.draw_part(with_plugins(content, plugins), section_anchor(section_id))


def whole(content: Mapping[str, Any], plugins: Sequence[Plugin], settings: Settings) -> bytes:
    """The document as PDF, with a divider page for each appendix: their own pages are put in when it is submitted."""
    with _turn():
        settings.work.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=settings.work, prefix="draft-") as folder:
            return typesetting.typeset(with_plugins(content, plugins), Path(folder), typesetting.DRAFT_LIMITS).read_bytes()


@contextmanager
def _turn() -> Iterator[None]:
    with _place(_room, 0), _place(_work, PATIENCE_S):
        try:
            yield
        except SandboxFailure as failure:
            if failure.kind in ("timeout", "memory"):
                text = both("Dit is te veel tekst om als concept te tonen. Wat u schreef, is opgeslagen, en indienen kan gewoon.")
                raise TooLarge(text, step="draft", cause=failure.kind) from failure
            text = both(
                "Uw concept kan nu niet worden getoond. Wat u schreef, is opgeslagen. Lukt het later ook niet, waarschuw dan het "
                "secretariaat."
            )
            raise SealingFailed(text, step="draft", cause=failure.kind) from failure


@contextmanager
def _place(lock: "threading.Lock | threading.BoundedSemaphore", patience: float) -> Iterator[None]:
    if not (lock.acquire(timeout=patience) if patience else lock.acquire(blocking=False)):
        text = both("Het is even druk. Wat u schreef, is opgeslagen. Probeer het over een minuut opnieuw.")
        raise TooManyRequests(text, retry_after=60)
    try:
        yield
    finally:
        lock.release()
