"""Style sheets, scripts, fonts and pictures, at addresses that browsers may keep for ever.

The address carries a hash of all these files together. When one changes, all get another address: so also what a module imports,
or a style sheet names, by a relative address, for which no page can write a hash. A page that was open during an upgrade may
still ask under its old address: it gets today's file, which it must not keep.
"""

import gzip
import re
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import rcssmin
from flask import Flask, Response, request, send_file, send_from_directory
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue

FOLDER = Path(__file__).parent / "static"
A_YEAR = 31_536_000
DESCENDANT = re.compile(r"(?<=[\w)\]]) +(?=::?[a-z-])")
PACKED = {".css", ".js", ".mjs", ".svg"}
"""Sent gzipped: they hold no secrets. Pages are not: a page holds a secret beside what others may have written (BREACH)."""


@cache
def version(folder: Path = FOLDER) -> str:
    """Hash of the names and contents of all files, as hexadecimal digits."""
    digest = sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _packed(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".css":
        data = minified(data.decode()).encode()
    return gzip.compress(data, mtime=0)


def minified(css: str) -> str:
    """Without comments and indentation, which are a fifth of our own layer.

    Within ``@layer`` or ``@media`` rcssmin takes ``.table :is(td)`` for a declaration and joins it to ``.table:is(td)``, which is
    something else; ``.table *:is(td)`` it leaves alone.
    """
    return str(rcssmin.cssmin(DESCENDANT.sub(" *", css)))


class Sessions(SecureCookieSessionInterface):
    """Leaves these files alone: with ``Vary: Cookie`` a browser would ask for all of them again after each login."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if request.endpoint != "static":
            super().save_session(app, session, response)


def install(app: Flask, folder: Path = FOLDER) -> None:
    """``url_for("static", filename=…)`` gives the address of a file in ``folder``."""
    app.session_interface = Sessions()

    def send(stamp: str, filename: str) -> ResponseReturnValue:
        fresh = stamp == version(folder)
        age = A_YEAR if fresh else 0
        path = folder / filename
        answer = send_from_directory(folder, filename, max_age=age, etag=version(folder))
        if path.suffix in PACKED:
            if request.accept_encodings.quality("gzip") > 0:
                kind, data = answer.mimetype, BytesIO(_packed(path))
                answer.close()
                answer = send_file(data, kind, max_age=age, etag=version(folder) + "-gzip", conditional=True)
                answer.content_encoding = "gzip"
            answer.vary.add("Accept-Encoding")
        answer.cache_control.immutable = fresh
        return answer

    app.add_url_rule("/static/<stamp>/<path:filename>", "static", send)

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, object]) -> None:
        if endpoint == "static":
            if app.debug:
                version.cache_clear()
                _packed.cache_clear()
            values.setdefault("stamp", version(folder))
