"""The server behind ``sandbox.run``: forks, for each call, a keeper that watches one limited child.

The *server* only forks. The *keeper* keeps the time, hears when the caller dies, collects answer and stderr, and kills
whatever the child left behind. The *child* sets its limits before it touches the payload. It starts with:
``python -m app.files.sandbox_server FD``, where FD is a socket over which callers' connections arrive.
"""

import contextlib
import ctypes
import errno
import faulthandler
import gc
import importlib
import json
import os
import platform
import resource
import select
import signal
import socket
import struct
import sys
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from app.errors import DomainError

PRELOADED = (
    "PIL.Image",
    "PIL.ImageCms",
    "PIL.ImageOps",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "PIL.WebPImagePlugin",
    "app.documents.typesetting",  # what children run, where loading it would take as long as the work itself
    "app.texts",
    "docx",
    "lxml.etree",
    "pikepdf",
    "pillow_heif",
    "pypdfium2",
    "typst",
)
STDERR_TAIL = 8_000
MAX_OPEN_FILES = 512
MIB = 1 << 20
OUT_OF_MEMORY_WORDS = (b"bad_alloc", b"memory allocation of", b"Out of memory", b"out of memory")

PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER, PR_SET_SECCOMP = 38, 36, 22
SECCOMP_MODE_FILTER = 2
# By machine: its audit architecture, the number of socket(), and those of the calls that lead round a ban on
# sockets: io_uring_setup, pidfd_getfd, ptrace, process_vm_readv and process_vm_writev. From the kernel's tables.
SYSTEM_CALLS = {
    "x86_64": (0xC000003E, 41, (425, 438, 101, 310, 311)),
    "aarch64": (0xC00000B7, 198, (425, 438, 117, 270, 271)),
}


def serve(control: socket.socket) -> None:
    """Forks a keeper for each connection that arrives; ends when the caller's side is closed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers leave no zombies
    for name in PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()
    while True:
        message, descriptors, _flags, _address = socket.recv_fds(control, 1, 1)
        if not message:
            return
        with contextlib.suppress(OSError):  # no room for a process: the caller sees its connection close
            if os.fork() == 0:
                control.close()
                _keep(descriptors[0])
        for descriptor in descriptors:
            os.close(descriptor)


def _keep(descriptor: int) -> NoReturn:
    """Runs one call and reports. Never returns: this is a forked copy of the server."""
    with contextlib.suppress(BaseException):
        os.set_inheritable(descriptor, False)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        connection: Connection[Any, Any] = Connection(descriptor)
        request = json.loads(connection.recv_bytes())
        connection.send_bytes(json.dumps(_watch(connection, request)).encode())
    os._exit(0)


def _watch(connection: "Connection[Any, Any]", request: dict[str, Any]) -> dict[str, Any]:
    answer_end, answer_start = os.pipe()
    stderr_end, stderr_start = os.pipe()
    child = os.fork()
    if child == 0:
        connection.close()
        _work(request, answer_start, stderr_start)
    os.close(answer_start)
    os.close(stderr_start)
    answer, stderr, timed_out = _listen(connection, answer_end, stderr_end, request)
    for kill in (os.kill, os.killpg):  # the group is there once the child has called setsid()
        with contextlib.suppress(OSError):
            kill(child, signal.SIGKILL)
    _, wait_status, usage = os.wait4(child, 0)
    _end_stragglers()
    status = os.waitstatus_to_exitcode(wait_status)
    return {
        "answer": _parsed(answer) if status == 0 else None,
        "timed_out": timed_out or status == -signal.SIGXCPU,
        "ended": _how_it_ended(status, stderr),
        "status": status,
        "stderr": stderr.decode(errors="replace"),
        "peak_mib": round(usage.ru_maxrss / 1024, 1),
    }


def _listen(
    connection: "Connection[Any, Any]", answer_end: int, stderr_end: int, request: dict[str, Any]
) -> tuple[bytes, bytes, bool]:
    """Collects the answer and the tail of stderr, until the child ends, its time is up, or nobody waits any more."""
    deadline = time.monotonic() + request["limits"]["wall"]
    answer, stderr = bytearray(), b""
    poller = select.poll()
    poller.register(answer_end, select.POLLIN)
    poller.register(stderr_end, select.POLLIN)
    poller.register(connection.fileno(), select.POLLIN)  # the caller sends nothing more: readable means closed
    while (remaining := deadline - time.monotonic()) > 0:
        ready = {descriptor for descriptor, _event in poller.poll(remaining * 1000)}
        if stderr_end in ready:
            chunk = os.read(stderr_end, 65536)
            stderr = (stderr + chunk)[-STDERR_TAIL:]
            if not chunk:
                poller.unregister(stderr_end)
        if answer_end in ready:
            chunk = os.read(answer_end, 65536)
            answer += chunk
            if not chunk or len(answer) > request["max_answer"]:
                os.set_blocking(stderr_end, False)
                with contextlib.suppress(BlockingIOError):
                    stderr = (stderr + os.read(stderr_end, 65536))[-STDERR_TAIL:]
                return bytes(answer), stderr, False
        if connection.fileno() in ready:
            return b"", stderr, False
    return b"", stderr, True


def _parsed(answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except ValueError:
        return None


def _how_it_ended(status: int, stderr: bytes) -> str:
    if status == -signal.SIGKILL:
        return "killed"
    return "memory" if any(words in stderr for words in OUT_OF_MEMORY_WORDS) else "crashed"


def _end_stragglers() -> None:
    """Kills what left the child's process group: it became ours, as the nearest subreaper."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while children.exists() and (pids := children.read_text().split()):
        for pid in pids:
            os.kill(int(pid), signal.SIGKILL)
        os.waitpid(-1, 0)


def _work(request: dict[str, Any], answer_start: int, stderr_start: int) -> NoReturn:
    """The child itself: limits first, then the function. Never returns."""
    try:
        os.dup2(stderr_start, 1)
        os.dup2(stderr_start, 2)
        os.setsid()
        faulthandler.enable(2)
        _set_limits(request["limits"])
        network_blocked = _block_network()
        sys.path[:] = request["path"]
        answer = _answer(request, network_blocked)
        with os.fdopen(answer_start, "wb", closefd=False) as pipe:  # its end means that this process ended
            pipe.write(answer)
        os._exit(0)
    except BaseException:
        with contextlib.suppress(BaseException):
            traceback.print_exc()
        os._exit(1)


def _answer(request: dict[str, Any], network_blocked: bool) -> bytes:
    try:
        module, _, name = request["function"].partition(":")
        value = getattr(importlib.import_module(module), name)(**request["payload"])
        answer = json.dumps({"value": value, "network_blocked": network_blocked}).encode()
        if len(answer) > request["max_answer"]:
            raise ValueError(f"an answer of {len(answer)} bytes")
    except DomainError as refusal:
        parts = {"refused": type(refusal).__name__, "text": refusal.text, "details": refusal.details}
        return json.dumps(parts, default=str).encode()
    except Exception as problem:
        return json.dumps(
            {
                "raised": "".join(traceback.format_exception(problem))[-STDERR_TAIL:],
                "memory": isinstance(problem, MemoryError),
                "errno": problem.errno if isinstance(problem, OSError) else None,
            }
        ).encode()
    return answer


def _set_limits(limits: dict[str, Any]) -> None:
    pages_in_use = int(Path("/proc/self/statm").read_text().split()[0])
    memory = pages_in_use * resource.getpagesize() + limits["memory"] * MIB
    for what, soft, hard in (
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_CPU, limits["cpu"], limits["cpu"] + 1),
        (resource.RLIMIT_FSIZE, limits["file"] * MIB, limits["file"] * MIB),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES, MAX_OPEN_FILES),
    ):
        _, highest = resource.getrlimit(what)
        if highest != resource.RLIM_INFINITY:
            soft, hard = min(soft, highest), min(hard, highest)
        resource.setrlimit(what, (soft, hard))


def _block_network() -> bool:
    """Denies sockets other than AF_UNIX to this process and all that it starts. False where the system cannot."""
    if platform.machine() not in SYSTEM_CALLS:
        return False
    program = _filter_program(*SYSTEM_CALLS[platform.machine()])
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of instructions and a pointer to them
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
    return _prctl(PR_SET_NO_NEW_PRIVS, 1) == 0 and _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(header)) == 0


def _filter_program(architecture: int, socket_call: int, ways_round: tuple[int, ...]) -> bytes:
    """BPF over ``struct seccomp_data``: number at 0, architecture at 4, first argument at 16."""
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    foreign_numbering = 0x40000000  # the x32 calls of x86_64
    denied, allowed = 0x00050000 | errno.EACCES, 0x7FFF0000
    rest = len(ways_round) + 3  # instructions between the last general check and "denied"
    program = [
        (load, 0, 0, 4),
        (equal, 0, rest + 2, architecture),
        (load, 0, 0, 0),
        (at_least, rest, 0, foreign_numbering),
    ]
    program += [(equal, rest - 1 - index, 0, call) for index, call in enumerate(ways_round)]
    program += [
        (equal, 0, 3, socket_call),
        (load, 0, 0, 16),
        (equal, 1, 0, socket.AF_UNIX),
        (give, 0, 0, denied),
        (give, 0, 0, allowed),
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)


def _prctl(*arguments: int) -> int:
    padded = [*arguments, *[0] * (5 - len(arguments))]
    result: int = ctypes.CDLL(None).prctl(padded[0], *[ctypes.c_ulong(value) for value in padded[1:]])
    return result


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
