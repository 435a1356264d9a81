import errno
import hashlib
import io
import os
import time
from pathlib import Path

import pytest
from together import together

from app.errors import StorageFailure, TooLarge
from app.files import store

TEXT = b"een bewijsstuk"
SHA256 = hashlib.sha256(TEXT).hexdigest()


def files_in(root: Path) -> list[str]:
    return sorted(str(entry.relative_to(root)) for entry in root.rglob("*") if entry.is_file())


def test_put_bytes_stores_under_the_hash(tmp_path: Path) -> None:
    assert store.put_bytes(tmp_path, TEXT) == store.Blob(SHA256, len(TEXT))
    assert files_in(tmp_path) == [f"{SHA256[:2]}/{SHA256}"]
    blob = store.path(tmp_path, SHA256)
    assert blob.read_bytes() == TEXT
    assert blob.stat().st_mode & 0o777 == 0o440


def test_put_file_copies(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(TEXT)
    assert store.put_file(tmp_path / "blobs", tmp_path / "a.pdf").sha256 == SHA256
    assert (tmp_path / "a.pdf").read_bytes() == TEXT


def test_put_stream_takes_what_fits_exactly(tmp_path: Path) -> None:
    assert store.put_stream(tmp_path, io.BytesIO(b"x" * 10), limit=10).size == 10


def test_put_stream_leaves_nothing_of_what_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(TooLarge, match="50 MB"):
        store.put_stream(tmp_path, io.BytesIO(bytes(50_000_001)), limit=50_000_000)
    assert files_in(tmp_path) == []


def test_put_stream_leaves_nothing_when_the_reader_fails(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.put_stream(tmp_path, Broken())
    assert files_in(tmp_path) == []


def test_two_writers_of_the_same_contents_do_not_disturb_each_other(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    blobs = together(*[lambda: store.put_bytes(tmp_path, data)] * 4)
    assert len(set(blobs)) == 1
    assert len(blobs) == 4
    assert store.intact(tmp_path, blobs[0].sha256)
    assert len(files_in(tmp_path)) == 1


@pytest.mark.parametrize("wrong", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n", "g" * 64])
def test_path_refuses_what_is_not_a_hash(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal"):
        store.path(tmp_path, wrong)


def test_intact_finds_changed_and_missing_contents(tmp_path: Path) -> None:
    store.put_bytes(tmp_path, TEXT)
    assert store.exists(tmp_path, SHA256)
    assert store.intact(tmp_path, SHA256)
    blob = store.path(tmp_path, SHA256)
    blob.chmod(0o640)
    blob.write_bytes(b"iets anders")
    assert not store.intact(tmp_path, SHA256)
    store.put_bytes(tmp_path, TEXT)
    assert store.intact(tmp_path, SHA256)
    store.remove(tmp_path, SHA256)
    assert not store.exists(tmp_path, SHA256)
    assert not store.intact(tmp_path, SHA256)


def test_remove_of_what_is_not_there_does_nothing(tmp_path: Path) -> None:
    store.remove(tmp_path, SHA256)
    assert files_in(tmp_path) == []


def test_remove_unfinished_takes_only_the_old(tmp_path: Path) -> None:
    store.put_bytes(tmp_path, TEXT)
    for name, seconds_ago in (("old", 100_000), ("new", 10)):
        entry = tmp_path / store.UNFINISHED / name
        entry.write_bytes(b"half")
        os.utime(entry, (time.time() - seconds_ago, time.time() - seconds_ago))
    assert store.remove_unfinished(tmp_path) == 1
    assert files_in(tmp_path) == [f"{SHA256[:2]}/{SHA256}", "unfinished/new"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO])
def test_disk_trouble_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fails(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(StorageFailure) as caught:
        store.put_bytes(tmp_path, TEXT)
    assert caught.value.text["nl"].startswith("Het opslaan is niet gelukt")
    assert files_in(tmp_path) == []


def test_disk_that_is_really_full_is_told() -> None:
    """/dev/full gives ENOSPC at every write: the real error, from the real system."""
    with pytest.raises(StorageFailure), store.disk_troubles(), Path("/dev/full").open("wb", buffering=0) as target:
        target.write(TEXT)


def test_other_errors_are_not_hidden(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("a file where the folder should be")
    with pytest.raises(NotADirectoryError):
        store.put_bytes(tmp_path / "root", TEXT)
