"""Asks ClamAV's clamd whether a file holds malware: INSTREAM over a Unix socket (see ``man clamd``)."""

import socket
import struct
from pathlib import Path

from app.errors import FileRefused
from app.files.sniff import clean_name
from app.texts import both

CHUNK = 1 << 16
LONGEST_REPLY = 4096


class ScannerUnavailable(Exception):
    """The file was not scanned, whatever the cause. It must be held and scanned again later, never let through."""


def check(path: Path, name: str, clamd_socket: Path, *, timeout: float = 120) -> None:
    """Returns when the scanner calls the file clean. Raises ``FileRefused`` for malware, else ``ScannerUnavailable``.

    ``timeout`` is in seconds, for each time that clamd keeps us waiting.
    """
    reply = _ask(path, clamd_socket, timeout)
    verdict = reply.removeprefix("stream: ")
    if verdict == "OK":
        return
    if not verdict.endswith(" FOUND"):
        raise ScannerUnavailable(f"clamd answered {reply!r}")
    raise FileRefused(
        both(
            "“%(name)s” is niet aangenomen, omdat de virusscanner er schadelijke software in vindt. Controleer uw "
            "computer en voeg een ander bestand toe.",
            name=clean_name(name),
        ),
        malware=verdict.removesuffix(" FOUND"),
    )


def _ask(path: Path, clamd_socket: Path, timeout: float) -> str:
    try:
        with path.open("rb") as stream, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(str(clamd_socket))
            connection.sendall(b"zINSTREAM\0")
            while chunk := stream.read(CHUNK):
                connection.sendall(struct.pack("!I", len(chunk)) + chunk)
            connection.sendall(struct.pack("!I", 0))
            reply = b""
            while not reply.endswith(b"\0") and len(reply) < LONGEST_REPLY and (part := connection.recv(LONGEST_REPLY)):
                reply += part
    except OSError as problem:  # also the pipe that clamd breaks above its StreamMaxLength
        raise ScannerUnavailable(repr(problem)) from problem
    return reply.rstrip(b"\0\n").decode(errors="replace")
