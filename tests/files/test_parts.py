"""Files that arrive in parts: however they are cut, and whatever is sent twice, too early or too late, the file is the same."""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InvalidInput, NotFound, TooLarge
from app.files import parts
from app.files.parts import Coming, WrongPlace


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "uploads" / "7"


def coming(data: bytes, name: str = "a.pdf") -> Coming:
    return Coming(name, len(data), 1_700_000_000_000)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=4000), st.lists(st.integers(1, 1500), max_size=12), st.data())
def test_any_cutting_of_the_bytes_with_parts_sent_again_gives_the_same_file(
    data: bytes, sizes: list[int], draw: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder) / "7"
        said = coming(data)
        at = parts.start(room, said)
        for size in [*sizes, *[1000] * 5]:
            if at == len(data):
                break
            if at and draw.draw(st.booleans()):  # the answer was lost: the sender says something old, and is told where to go on
                with pytest.raises(WrongPlace) as told:
                    parts.add(room, said.id, draw.draw(st.integers(0, at - 1)), data[:1])
                assert told.value.details == {"at": at}
            at = parts.add(room, said.id, at, data[at : at + size])
            assert parts.start(room, said) == at
        assert parts.whole(room, said.id, hashlib.sha256(data).hexdigest()).read_bytes() == data


def test_files_on_their_way_stay_within_the_room_and_quiet_ones_make_place(room: Path) -> None:
    one, two, three = (Coming(name, 400, 1) for name in ("een.pdf", "twee.pdf", "drie.pdf"))
    parts.start(room, one, most=1000)
    parts.add(room, one.id, 0, b"x" * 400)
    parts.start(room, two, most=1000)
    with pytest.raises(TooLarge):
        parts.start(room, three, most=1000)
    assert parts.start(room, one, most=1000) == 400  # gone on with: it counts once
    quiet = time.time() - parts.QUIET_SECONDS - 1
    for path in room.glob(f"{one.id}.*"):
        os.utime(path, (quiet, quiet))
    assert parts.start(room, three, most=1000) == 0
    assert {path.stem for path in room.glob("*.part")} == {two.id, three.id}
    parts.add(room, two.id, 0, b"x" * 400)
    parts.note_done(room, two.id, 1)  # in the folder now, where its bytes are counted
    assert parts.start(room, Coming("vier.pdf", 500, 1), most=1000) == 0


def test_a_part_that_is_half_written_is_gone_on_with(room: Path) -> None:
    data = os.urandom(3000)
    said = coming(data)
    parts.start(room, said)
    (room / f"{said.id}.part").write_bytes(data[:1234])  # the power went
    assert parts.start(room, said) == 1234
    parts.add(room, said.id, 1234, data[1234:])
    assert parts.whole(room, said.id).read_bytes() == data


@pytest.mark.parametrize(
    ("at", "data"),
    [(0, b""), (0, b"12345678901"), (10, b"1"), (0, b"x" * (parts.PART + 1))],
    ids=["empty", "long", "past", "big"],
)
def test_a_part_that_does_not_fit_is_refused_and_changes_nothing(room: Path, at: int, data: bytes) -> None:
    said = coming(b"1234567890")
    parts.start(room, said)
    with pytest.raises(InvalidInput):
        parts.add(room, said.id, at, data)
    assert parts.start(room, said) == 0


def test_a_file_that_is_not_whole_says_where_to_go_on(room: Path) -> None:
    said = coming(b"1234567890")
    parts.start(room, said)
    parts.add(room, said.id, 0, b"1234")
    with pytest.raises(WrongPlace) as told:
        parts.whole(room, said.id)
    assert told.value.details == {"at": 4}


def test_a_file_that_arrived_otherwise_than_it_was_sent_is_thrown_away(room: Path) -> None:
    said = coming(b"1234567890")
    parts.start(room, said)
    parts.add(room, said.id, 0, b"1234567899")
    with pytest.raises(InvalidInput, match=r"a\.pdf"):
        parts.whole(room, said.id, hashlib.sha256(b"1234567890").hexdigest())
    assert list(room.iterdir()) == []


def test_what_became_of_a_file_is_remembered_and_its_bytes_are_not_kept(room: Path) -> None:
    said = coming(b"12345")
    parts.start(room, said)
    parts.add(room, said.id, 0, b"12345")
    assert parts.done(room, said.id) is None
    parts.note_done(room, said.id, 41)
    assert parts.done(room, said.id) == 41
    assert [path.suffix for path in room.iterdir()] == [".json"]
    with pytest.raises(NotFound):
        parts.add(room, said.id, 0, b"12345")


ASK: dict[str, Callable[[Path, str], object]] = {
    "add": lambda room, upload_id: parts.add(room, upload_id, 0, b"1"),
    "whole": parts.whole,
    "find": parts.find,
}


@pytest.mark.parametrize("ask", ASK)
@pytest.mark.parametrize("upload_id", ["0" * 32, "../../keys/secret", "", "A" * 32])
def test_a_file_that_nobody_started_is_not_found(room: Path, ask: str, upload_id: str) -> None:
    room.mkdir(parents=True)
    with pytest.raises(NotFound):
        ASK[ask](room, upload_id)


def test_another_file_of_the_same_name_is_another_file(room: Path) -> None:
    one, other = Coming("a.pdf", 5, 1), Coming("a.pdf", 5, 2)
    parts.start(room, one)
    parts.add(room, one.id, 0, b"123")
    assert parts.start(room, other) == 0
    assert parts.start(room, one) == 3


def test_only_some_files_are_on_their_way_at_the_same_time_and_old_ones_are_forgotten(room: Path) -> None:
    started = [Coming(f"{number}.pdf", 5, 1) for number in range(parts.MOST + 2)]
    for age, said in enumerate(started):
        parts.start(room, said)
        for suffix in (".json", ".part"):
            os.utime(room / f"{said.id}{suffix}", (1000 + age, 1000 + age))
    assert {path.stem for path in room.glob("*.json")} == {said.id for said in started[2:]}
    parts.start(room, started[-1])  # somebody goes on with it
    assert parts.forget_old(room.parent) == parts.MOST - 1
    assert {path.stem for path in room.iterdir()} == {started[-1].id}
