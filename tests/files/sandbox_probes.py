"""What the sandbox tests run inside the child: one way of misbehaving each."""

import ctypes
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from app.errors import FileRefused
from app.texts import both


def echo(**payload: Any) -> dict[str, Any]:
    return {"echo": payload, "pid": os.getpid(), "main": sys.modules["__main__"].__spec__.name}


def environment() -> dict[str, Any]:
    return {"names": sorted(os.environ)}


def hog(mib: int) -> dict[str, Any]:
    return {"size": len(bytearray(b"x") * (mib << 20))}


def loop_for_ever() -> dict[str, Any]:
    while True:
        pass


def sleep_with_grandchild(pid_file: str, new_session: bool) -> dict[str, Any]:
    grandchild = subprocess.Popen(["sleep", "600"], start_new_session=new_session)
    Path(pid_file).write_text(f"{os.getpid()} {grandchild.pid}")
    time.sleep(600)
    return {}


def leave_grandchild(pid_file: str) -> dict[str, Any]:
    Path(pid_file).write_text(str(subprocess.Popen(["sleep", "600"], start_new_session=True).pid))
    return {}


def abort() -> dict[str, Any]:
    os.abort()


def segfault() -> dict[str, Any]:
    ctypes.string_at(0)
    return {}


def kill_itself() -> dict[str, Any]:
    os.kill(os.getpid(), 9)
    return {}


def raise_value_error() -> dict[str, Any]:
    print("words on stderr", file=sys.stderr, flush=True)
    raise ValueError("no good")


def refuse(file_name: str) -> dict[str, Any]:
    raise FileRefused(both("“%(name)s” is niets.", name=file_name), reason="test")


def disk_full() -> dict[str, Any]:
    raise OSError(28, "No space left on device")


def write(target: str, mib: int) -> dict[str, Any]:
    Path(target).write_bytes(bytes(mib << 20))
    return {}


def answer_much(size: int) -> dict[str, Any]:
    return {"x": "x" * size}


def open_sockets(port: int) -> dict[str, Any]:
    """What happens on each kind of socket, here and in a process that the child starts."""
    found: dict[str, Any] = {}
    for name, family in (("inet", socket.AF_INET), ("inet6", socket.AF_INET6), ("netlink", 16), ("unix", socket.AF_UNIX)):
        try:
            socket.socket(family, socket.SOCK_STREAM if family != 16 else socket.SOCK_RAW).close()
            found[name] = "opened"
        except OSError as problem:
            found[name] = type(problem).__name__
    command = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
    grandchild = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=False)
    found["grandchild"] = grandchild.stderr.strip().splitlines()[-1]
    found["io_uring"] = ctypes.CDLL(None, use_errno=True).syscall(425, 1, 0)
    found["errno"] = ctypes.get_errno()
    return found
