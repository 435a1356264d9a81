import socketserver
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import FileRefused
from app.files.scan import ScannerUnavailable, check

# The industry's harmless test file, in two parts so that no scanner takes this source for it.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
STREAM_MAX_LENGTH = 1_000_000


class Clamd(socketserver.StreamRequestHandler):
    """Speaks clamd's INSTREAM: a command, chunks with their length, a zero length, one reply."""

    def handle(self) -> None:
        assert self.rfile.read(10) == b"zINSTREAM\0"
        data = b""
        while length := struct.unpack("!I", self.rfile.read(4))[0]:
            data += self.rfile.read(length)
            if len(data) > STREAM_MAX_LENGTH:
                return  # as clamd does: hangs up while the client is still sending
        if b"silent" in data:
            return
        if b"confused" in data:
            self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
        elif EICAR in data:
            self.wfile.write(b"stream: Eicar-Test-Signature FOUND\0")
        else:
            self.wfile.write(b"stream: OK\0")


@pytest.fixture
def clamd(tmp_path: Path) -> Iterator[Path]:
    socket_path = tmp_path / "clamd.sock"
    with socketserver.ThreadingUnixStreamServer(str(socket_path), Clamd) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield socket_path
        server.shutdown()


def scan(folder: Path, clamd: Path, contents: bytes) -> None:
    (folder / "upload").write_bytes(contents)
    check(folder / "upload", "../factuur.pdf", clamd, timeout=5)


@pytest.mark.parametrize("contents", [b"", b"ordinary", bytes(900_000)])
def test_clean_file_passes(tmp_path: Path, clamd: Path, contents: bytes) -> None:
    scan(tmp_path, clamd, contents)


def test_malware_is_refused_by_name(tmp_path: Path, clamd: Path) -> None:
    with pytest.raises(FileRefused) as caught:
        scan(tmp_path, clamd, EICAR)
    assert caught.value.text["nl"].startswith("“factuur.pdf” is niet aangenomen, omdat de virusscanner")
    assert caught.value.details == {"malware": "Eicar-Test-Signature"}


@pytest.mark.parametrize("contents", [bytes(8_000_000), b"silent", b"confused"])
def test_file_that_is_not_scanned_is_held(tmp_path: Path, clamd: Path, contents: bytes) -> None:
    with pytest.raises(ScannerUnavailable):
        scan(tmp_path, clamd, contents)


def test_scanner_that_is_down_holds_the_file(tmp_path: Path) -> None:
    with pytest.raises(ScannerUnavailable):
        scan(tmp_path, tmp_path / "nobody.sock", b"ordinary")
