import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from together import together

from app.errors import FileRefused, StorageFailure
from app.files import sandbox

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _probes_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


def probe(name: str, wall: float = 20, memory: int = 300, cpu: int = 20, file: int = 10, **payload: object) -> sandbox.Outcome:
    return sandbox.run(f"sandbox_probes:{name}", payload, wall_seconds=wall, memory_mb=memory, cpu_seconds=cpu, file_mb=file)


def failure(name: str, **arguments: object) -> sandbox.SandboxFailure:
    with pytest.raises(sandbox.SandboxFailure) as caught:
        probe(name, **arguments)  # type: ignore[arg-type]
    return caught.value


def gone(pid: int) -> bool:
    """Whether this process has ended; waits a moment for it."""
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.02)
    return False


def test_run_gives_back_the_value_with_time_and_memory() -> None:
    outcome = probe("echo", text="é", number=3)
    assert outcome.value["echo"] == {"text": "é", "number": 3}
    assert outcome.value["pid"] != os.getpid()
    assert outcome.value["main"] == "app.files.sandbox_server"
    assert 0 < outcome.seconds < 20
    assert 5 < outcome.peak_mib < 500


def test_run_is_quick_once_the_server_runs() -> None:
    probe("echo")
    assert min(probe("echo").seconds for _ in range(5)) < 0.2


def test_run_works_from_several_threads() -> None:
    assert len(set(together(*[lambda: probe("echo").value["pid"]] * 8))) == 8


def test_run_passes_no_settings_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPBAAN_SECRET_KEY_FILE", "/x")
    names = set(probe("environment").value["names"])
    assert names <= {*sandbox.PASSED_ON, "PYTHONPATH", "MALLOC_ARENA_MAX"}


def test_memory_hog_is_stopped() -> None:
    assert failure("hog", mib=2000).kind == "memory"
    assert probe("hog", mib=100).value == {"size": 100 << 20}


def test_peak_memory_is_measured() -> None:
    assert probe("hog", mib=200).peak_mib > 200


def test_endless_loop_is_stopped_by_wall_time() -> None:
    started = time.monotonic()
    assert failure("loop_for_ever", wall=0.5).kind == "timeout"
    assert time.monotonic() - started < 5


def test_endless_loop_is_stopped_by_cpu_time() -> None:
    assert failure("loop_for_ever", cpu=1).kind == "timeout"


@pytest.mark.parametrize("new_session", [False, True])
def test_timeout_ends_grandchildren_too(tmp_path: Path, new_session: bool) -> None:
    pids = tmp_path / "pids"
    assert failure("sleep_with_grandchild", wall=2, pid_file=str(pids), new_session=new_session).kind == "timeout"
    assert [gone(int(pid)) for pid in pids.read_text().split()] == [True, True]


def test_grandchild_that_is_left_behind_is_ended(tmp_path: Path) -> None:
    probe("leave_grandchild", pid_file=str(tmp_path / "pid"))
    assert gone(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("name", ["abort", "segfault"])
def test_crash_is_told_with_a_traceback(name: str) -> None:
    problem = failure(name)
    assert problem.kind == "crashed"
    assert f"in {name}" in problem.detail


def test_child_that_is_killed_from_outside_may_be_tried_again() -> None:
    assert failure("kill_itself").kind == "killed"


def test_exception_in_the_child_is_told_with_stderr() -> None:
    problem = failure("raise_value_error")
    assert problem.kind == "raised"
    assert "ValueError: no good" in problem.detail
    assert "words on stderr" in problem.detail


def test_unknown_function_is_told() -> None:
    assert "has no attribute 'nothing'" in failure("nothing").detail


def test_refusal_in_the_child_comes_out_as_itself() -> None:
    with pytest.raises(FileRefused) as caught:
        probe("refuse", file_name="a.pdf")
    assert caught.value.text["nl"] == "“a.pdf” is niets."
    assert caught.value.details == {"reason": "test"}


def test_full_disk_in_the_child_is_a_storage_failure() -> None:
    with pytest.raises(StorageFailure):
        probe("disk_full")


def test_file_size_is_limited(tmp_path: Path) -> None:
    assert "File too large" in failure("write", file=1, target=str(tmp_path / "big"), mib=3).detail
    assert (tmp_path / "big").stat().st_size <= 1 << 20


def test_answer_size_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MAX_ANSWER_BYTES", 100_000)
    assert failure("answer_much", size=200_000).kind == "raised"
    assert len(probe("answer_much", size=90_000).value["x"]) == 90_000


def test_network_is_blocked_for_child_and_grandchild() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = probe("open_sockets", port=server.getsockname()[1]).value
    assert found == {
        "inet": "PermissionError",
        "inet6": "PermissionError",
        "netlink": "PermissionError",
        "unix": "opened",
        "grandchild": "PermissionError: [Errno 13] Permission denied",
        "io_uring": -1,
        "errno": 13,
    }


def test_server_that_died_is_started_again() -> None:
    probe("echo")
    process = sandbox._server._process
    assert process is not None
    process.kill()
    process.wait(20)
    assert probe("echo").value["echo"] == {}


def test_server_that_stands_still_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    probe("echo")
    process = sandbox._server._process
    assert process is not None
    monkeypatch.setattr(sandbox, "GRACE_SECONDS", 0.5)
    process.send_signal(signal.SIGSTOP)
    try:
        kinds = [failure("echo", wall=0.5, text="a" * size).kind for size in (0, 4_000_000)]  # the second fills the connection
    finally:
        process.send_signal(signal.SIGCONT)
    assert kinds == ["killed", "killed"]


def test_forked_copy_of_the_program_gets_its_own_server() -> None:
    probe("echo")
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # it ends then, whatever it waits for
        try:
            os._exit(0 if probe("echo").value["echo"] == {} else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert probe("echo").value["echo"] == {}


def test_child_ends_when_the_caller_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program = (
        "import sys; from app.files import sandbox; "
        "sandbox.run('sandbox_probes:sleep_with_grandchild', {'pid_file': sys.argv[1], 'new_session': True}, "
        "wall_seconds=300, memory_mb=300, cpu_seconds=300, file_mb=1)"
    )
    path = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    caller = subprocess.Popen([sys.executable, "-c", program, str(pids)], env={**os.environ, "PYTHONPATH": path})
    deadline = time.monotonic() + 20
    while not (pids.exists() and len(pids.read_text().split()) == 2) and time.monotonic() < deadline:
        time.sleep(0.05)
    caller.kill()
    caller.wait(20)
    assert [gone(int(pid)) for pid in pids.read_text().split()] == [True, True]


def test_program_without_a_main_guard_is_not_run_again_in_the_child(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(
        "from app.files import sandbox\n"
        "print('main runs', flush=True)\n"
        "limits = dict(wall_seconds=20, memory_mb=300, cpu_seconds=20, file_mb=1)\n"
        "print(sandbox.run('sandbox_probes:echo', {'a': 1}, **limits).value['echo'])\n"
    )
    path = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "main runs\n{'a': 1}\n"
    assert done.stderr == ""
