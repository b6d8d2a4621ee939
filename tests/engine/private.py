"""A place of its own for an engine: folder, mounts, process numbers; all of it goes when it ends.

The engine's processes run in new mount and process namespaces with an empty ``/run``. So they
find no other engine of the machine, every mount they make ends with them, and one signal ends
them all, also when this process is killed and can clean nothing up itself.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

__all__ = ["Place", "Unavailable", "command_environment", "inside"]

# Short: a socket's path may have 107 bytes.
_PREFIX = "mc-engine-"
_CGROUPS = Path("/sys/fs/cgroup")
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Unavailable(Exception):  # noqa: N818 (a fact about the machine, not an error)
    """No engine can be started here; the text says why."""


def _needs() -> None:
    """Raise Unavailable where namespaces and mounts are not permitted."""
    if os.geteuid() != 0:
        raise Unavailable("a private engine needs root")
    if not (shutil.which("unshare") and shutil.which("setpriv")):
        raise Unavailable("a private engine needs `unshare` and `setpriv` (package util-linux)")
    probe = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode:
        raise Unavailable(f"mounts are not permitted here: {probe.stderr.strip()}")


def command_environment(**more: str) -> dict[str, str]:
    """Return an environment that names no other engine: nothing of DOCKER_* and its like."""
    keep = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return keep | more


class Place:
    """A temporary folder, and the processes and mounts that belong to it.

    A folder whose maker was killed outright is removed by the next Place that is made: each is
    locked for as long as its maker lives.
    """

    def __init__(self) -> None:
        _needs()
        _sweep()
        # Not below TMPDIR, which may be too long a path for a socket.
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir="/tmp"))
        self._lock = _locked(self.path)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._closed = False
        self._former = {}
        # Only there may signals be handled.
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                # `nohup` has a terminal's end ignored.
                if signal.getsignal(number) is signal.SIG_IGN:
                    continue
                self._former[number] = signal.signal(number, self._on_signal)
        atexit.register(self.close)

    @property
    def cgroup(self) -> str:
        """The parent of the containers' control groups."""
        return f"/{self.path.name}"

    def start(self, command: Sequence[str], *, log: Path, env: Mapping[str, str]) -> None:
        """Start a long-running process in namespaces of its own."""
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [*_inside(), *command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=self.path,
                # Ctrl-C goes to the terminal's process group; this one is ended in order instead.
                start_new_session=True,
            )
        self._processes.append(process)

    def alive(self) -> bool:
        """Tell whether everything that was started still runs."""
        return all(process.poll() is None for process in self._processes)

    def close(self) -> None:
        """End the processes, and remove the folder and the control groups. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        for process in self._processes:
            _end(process)
        for number, former in self._former.items():
            if signal.getsignal(number) == self._on_signal:
                signal.signal(number, former)
        _remove_cgroups(self.path.name)
        _remove(self.path)
        self._lock.close()
        atexit.unregister(self.close)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        former = self._former[signal.Signals(number)]
        self.close()
        if callable(former):
            former(number, frame)
        elif former is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)


def inside(command: Sequence[str]) -> list[str]:
    """Return the command as run in namespaces of its own, with an empty /run."""
    return [*_inside(), *command]


def _inside() -> list[str]:
    script = 'mount -t tmpfs tmpfs /run && exec "$@"'
    return [
        # Whoever starts it may be killed outright: the signal goes down the whole chain.
        *("setpriv", "--pdeathsig", "KILL", "--"),
        *("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL"),
        *("sh", "-c", script, "sh"),
    ]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask politely first: unshare hands SIGTERM to nobody, so its child is asked itself."""
    if process.poll() is None:
        for child in _children(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            # The child dies with it (--kill-child), and with the child its whole namespace.
            process.kill()
            process.wait()


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _remove_cgroups(name: str) -> None:
    """Remove the control groups that containers were put into; they are empty by now."""
    for parent in (_CGROUPS, *_CGROUPS.glob("*")):
        group = parent / name
        if group.is_dir():
            for path, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    Path(path).rmdir()


def _remove(folder: Path) -> None:
    """Remove a folder; what a dying process still writes is waited for."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def _locked(folder: Path) -> IO[bytes]:
    lock = (folder / "lock").open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def _sweep() -> None:
    """Remove folders of earlier runs that were killed."""
    for folder in Path("/tmp").glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            # Without a lock file yet, it is being made right now.
            with (folder / "lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove_cgroups(folder.name)
                _remove(folder)
