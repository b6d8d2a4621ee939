"""The engine is private: nothing else of the machine is used, and nothing of it stays."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from .buildah import Buildah
from .docker import Docker
from .engine import Build, Engine
from .private import Place, Unavailable

pytestmark = pytest.mark.engine

_HOLD = """
import sys, time
from {package}.docker import Docker
engine = Docker()
print(engine.place.path, flush=True)
time.sleep(120)
"""
_TOP = Path(__file__).resolve()


def processes(place: str) -> list[str]:
    """List the processes that name this place on their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes()
        except OSError:
            continue
        if place.encode() in command:
            found.append(entry.parent.name)
    return found


def remains(place: str) -> list[str]:
    """List what is left of a place besides its folder."""
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if place in line]
    groups = [str(path) for path in Path("/sys/fs/cgroup").glob(f"*/{Path(place).name}")]
    return processes(place) + mounts + groups


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_it_ends_with_the_tests(docker: Engine, number: signal.Signals) -> None:
    assert isinstance(docker, Docker)
    package = __package__ or ""
    folder = _TOP.parents[package.count(".") + 1]
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD.format(package=package)],
        env=os.environ | {"PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert holder.stdout is not None
    with holder.stdout:
        place = holder.stdout.readline().strip()
    assert Path(place).is_dir()
    assert processes(place)

    holder.send_signal(number)
    assert holder.wait(timeout=60) != 0
    deadline = time.monotonic() + 10
    while processes(place) and time.monotonic() < deadline:
        time.sleep(0.05)
    if number == signal.SIGKILL:
        # Nobody was left to remove the folder; whoever comes next does it.
        assert Path(place).is_dir()
        Place().close()
    assert not Path(place).exists()
    assert remains(place) == []


def test_no_other_engine_is_asked(
    docker: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What DOCKER_HOST names is never called, neither at the start nor by a build."""
    assert isinstance(docker, Docker)
    called = []
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "s"))
        other.listen()

        def answer() -> None:
            try:
                connection, _ = other.accept()
            except OSError:
                return
            called.append(True)
            connection.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path / 's'}")
        monkeypatch.setenv("DOCKER_CONTEXT", "other")
        monkeypatch.setenv("CONTAINER_HOST", f"unix://{tmp_path / 's'}")
        (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
        mine = Docker()
        try:
            assert mine.build(Build(tmp_path)).ok
        finally:
            mine.close()
        other.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)
    assert called == []


def test_without_a_daemon_there_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def which(name: str, path: str | None = None) -> str | None:
        return None if path else f"/usr/bin/{name}"

    monkeypatch.setattr("shutil.which", which)
    with pytest.raises(Unavailable, match="no dockerd"):
        Docker()
    with pytest.raises(Unavailable, match="no buildah"):
        Buildah()
