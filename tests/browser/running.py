"""The real programs that the browser tests stand on: web server, worker and a mail server, each on a free port."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from app.config import PREFIX, ROOT

COMMAND_S = 400
"""The longest is ``demo create``: well under a minute by itself, minutes on a machine that others use too."""
ENDS_WITH_US = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
"""So that no server is left when a test hangs and this process is ended."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(met: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """What ``met`` gives once it gives something; fails with ``what`` when it does not."""
    end = time.monotonic() + seconds
    while not (found := met()):
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain: {what}"
        time.sleep(0.1)
    return found


class Postbox:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def letter(self, to: str, about: str) -> EmailMessage:
        """The mail to this address with these words in its subject, as soon as it is there."""

        def found() -> EmailMessage | None:
            return next((one for one in self.letters if one["To"] == to and about in one["Subject"]), None)

        return until(found, f"a mail to {to} about {about}; there are {[(one['To'], one['Subject']) for one in self.letters]}")

    def link(self, to: str, about: str) -> str:
        """The one address on our site that stands in that mail."""
        words = self.letter(to, about).get_body(("plain",)).get_content()
        (link,) = re.findall(r"http://127\.0\.0\.1:\d+/\S+", words)
        return link


class Server:
    """gunicorn and the worker on an instance folder of their own, in demo mode without demo data; ``postbox`` gets its mail.

    ``settings`` are settings of the program by name, as ``templates_dir=folder``.
    """

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.postbox = Postbox()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        own = {
            "INSTANCE": folder / "instance",
            "PORT": self.port,
            "BASE_URL": self.url,
            "CONTACT_EMAIL": "secretariaat@register.example",
            "MAIL_FROM": "dossier@register.example",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": self.postbox.port,
            "SMTP_SECURITY": "none",
            **{name.upper(): value for name, value in settings.items()},
        }
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        self._environment |= {PREFIX + name: str(value) for name, value in own.items()}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.flask("database", "upgrade")
        self.postbox.__enter__()
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self.postbox.__exit__()
        shutil.rmtree(self.folder / "instance", ignore_errors=True)

    def renew(self) -> None:
        """Ends both programs and starts them again, as one does after an update: schemes and plugins are read anew."""
        self._end()
        self._begin()

    def flask(self, *arguments: str) -> str:
        """Runs ``flask --app wsgi …`` on this instance and gives what it printed."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, timeout=COMMAND_S)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def log(self, name: str) -> str:
        """What ``web`` or ``worker`` said so far."""
        path = self.folder / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def demo_root(self) -> bytes:
        """The certificate that a receiver of demo documents has to trust."""
        return (self.folder / "instance" / "keys" / "demo-root.pem").read_bytes()

    def _begin(self) -> None:
        self._start("worker", "flask", "--app", "wsgi", "worker")
        self._start("web", "gunicorn", "-c", "app/serving.py", "wsgi:app")
        until(self._answers, "the web server", 60)
        until(lambda: "The worker is ready" in self.log("worker"), "the worker", 60)

    def _end(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)
        self._running.clear()

    def _start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            own = {**self._environment, "PYTHONUNBUFFERED": "1"}
            command = (*ENDS_WITH_US, sys.executable, "-m", *command)
            self._running[name] = subprocess.Popen(command, cwd=ROOT, env=own, stdout=log, stderr=subprocess.STDOUT)

    def _answers(self) -> bool:
        for name, process in self._running.items():
            assert process.poll() is None, f"{name} stopped: {self.log(name)}"
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as reply:  # noqa: S310  our own server
                return reply.status == 200
        except (urllib.error.URLError, OSError):
            return False
