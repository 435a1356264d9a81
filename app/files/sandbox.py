"""Runs a function on foreign bytes in a child process that has limits and no network.

A small server process (``sandbox_server``) has the heavy libraries loaded and forks a child for each call: that costs
a few milliseconds, and never forks the threaded web server or worker. The standard library's fork server is not used,
because it runs the program's ``__main__`` again in every child and unpickles what the child sends back.
"""

import atexit
import errno
import json
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from typing import Any, Literal

from app import errors
from app.config import ROOT
from app.errors import DomainError
from app.files.store import storage_failure

MAX_ANSWER_BYTES = 16_000_000
GRACE_SECONDS = 10.0
"""The server ends a child at its wall time; after this much more, the caller stops waiting for the server itself."""
TICK_SECONDS = 0.5
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
"""What children see of the environment: no settings, no secrets."""

_peaks: ContextVar[list[float] | None] = ContextVar("peaks", default=None)
_tick: ContextVar[Callable[[], None] | None] = ContextVar("tick", default=None)
Kind = Literal["timeout", "memory", "crashed", "raised", "killed"]
log = logging.getLogger(__name__)


class SandboxFailure(Exception):
    """The child gave no answer. ``kind`` says why; ``detail`` (traceback, what it wrote to stderr) is for logs only.

    ``timeout``, ``memory``, ``crashed`` (a fatal signal) and ``raised`` (an exception) say something about the input.
    ``killed`` does not: somebody or the system ended the child or its server, so trying again makes sense.
    """

    def __init__(self, kind: Kind, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind: Kind = kind
        self.detail = detail


@dataclass(frozen=True)
class Outcome:
    """What the function returned, the wall time it took, and the largest memory of the child or its children."""

    value: dict[str, Any]
    seconds: float
    peak_mib: float


@contextmanager
def measured() -> Iterator[list[float]]:
    """Collects the largest memory, in MiB, of each child that is run inside, for whoever keeps figures."""
    peaks: list[float] = []
    token = _peaks.set(peaks)
    try:
        yield peaks
    finally:
        _peaks.reset(token)


@contextmanager
def ticking(tick: Callable[[], None]) -> Iterator[None]:
    """Calls ``tick`` now and then while a child that is run inside works."""
    token = _tick.set(tick)
    try:
        yield
    finally:
        _tick.reset(token)


def run(
    function: str,
    payload: Mapping[str, Any],
    *,
    wall_seconds: float,
    memory_mb: int,
    cpu_seconds: int,
    file_mb: int,
) -> Outcome:
    """Calls ``module:function`` with the keys of ``payload`` as arguments, in a limited child. JSON goes in and out.

    ``memory_mb`` is address space on top of what an idle child has; each process that the child starts has it for
    itself. ``file_mb`` is the largest file that it may write. After ``wall_seconds`` the child and all that it started
    are killed, also when the calling process dies. May be called from any thread.

    Raises what the function raised if that is a ``DomainError``; ``StorageFailure`` for a full or read-only disk;
    else ``SandboxFailure``.
    """
    request = {
        "function": function,
        "payload": dict(payload),
        "path": sys.path,
        "limits": {"wall": wall_seconds, "memory": memory_mb, "cpu": cpu_seconds, "file": file_mb},
        "max_answer": MAX_ANSWER_BYTES,
    }
    started = time.monotonic()
    ours, theirs = Pipe()
    with ours:
        with theirs:
            _server.pass_on(theirs)
        report = _exchange(ours, json.dumps(request).encode(), wall_seconds + GRACE_SECONDS)
    seconds = time.monotonic() - started
    if (peaks := _peaks.get()) is not None:
        peaks.append(report["peak_mib"])
    answer: dict[str, Any] = report["answer"] or {}
    if answer.get("network_blocked") is False:
        _warn_once("Sandboxed children can reach the network: this system has no seccomp filters.")
    if "value" in answer:
        return Outcome(answer["value"], seconds, report["peak_mib"])
    raise _failure(report, answer)


def _exchange(connection: "Connection[Any, Any]", request: bytes, seconds: float) -> dict[str, Any]:
    until, tick = time.monotonic() + seconds, _tick.get()
    try:
        _limit_sending(connection, seconds)
        connection.send_bytes(request)
        while not connection.poll(TICK_SECONDS):
            if time.monotonic() > until:
                raise SandboxFailure("killed", "the sandbox server did not answer")
            if tick is not None:
                tick()
        report: dict[str, Any] = json.loads(connection.recv_bytes(2 * MAX_ANSWER_BYTES))
    except (EOFError, OSError) as problem:
        raise SandboxFailure("killed", f"the sandbox server went away ({problem!r})") from problem
    return report


def _limit_sending(connection: "Connection[Any, Any]", seconds: float) -> None:
    """From now on a message that the server does not take within so many seconds is an ``OSError``."""
    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", int(seconds), int(seconds % 1 * 1e6)))


def _failure(report: Mapping[str, Any], answer: Mapping[str, Any]) -> Exception:
    """The exception that tells what the report says."""
    if report["timed_out"]:
        return SandboxFailure("timeout", report["stderr"])
    if "refused" in answer:
        kind: type[DomainError] = getattr(errors, answer["refused"])
        return kind(answer["text"], **answer["details"])
    if "raised" in answer:
        if answer["errno"] in DISK_FULL:
            return storage_failure()
        return SandboxFailure("memory" if answer["memory"] else "raised", answer["raised"] + report["stderr"])
    return SandboxFailure(report["ended"], f"exit status {report['status']}\n{report['stderr']}")


class _Server:
    """The forking server of this process: started at the first call, again when it is gone, and in a forked copy."""

    _lock: threading.Lock
    _process: subprocess.Popen[bytes] | None
    _control: socket.socket | None

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self._stop)

    def pass_on(self, connection: "Connection[Any, Any]") -> None:
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            if self._control is None:
                raise SandboxFailure("killed", "the sandbox server could not be reached")
            try:
                socket.send_fds(self._control, [b"+"], [connection.fileno()])
            except OSError:  # it ended between the question and now
                self._start()
                socket.send_fds(self._control, [b"+"], [connection.fileno()])

    def _start(self) -> None:
        if self._control is not None:
            self._control.close()
        self._control, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment |= {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]), "MALLOC_ARENA_MAX": "2"}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "app.files.sandbox_server", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the program; the server ends when the program does
                env=environment,
            )

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._process = None
        self._control = None

    def _stop(self) -> None:
        if self._control is not None and self._process is not None:
            self._control.close()
            self._process.wait(GRACE_SECONDS)


_server = _Server()
_warned: set[str] = set()


def _warn_once(message: str) -> None:
    if message not in _warned:
        _warned.add(message)
        log.warning(message)
