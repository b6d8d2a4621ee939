"""A private place for an engine: a folder, and namespaces for every process that works in it.

Processes run in new mount and process namespaces with an empty ``/run``: they find no other
engine of the machine, and each mount they make ends with them. Each is killed by the kernel when
the process that started it dies, so a run of the tests that is killed outright leaves a folder
behind and nothing else; the next run removes it.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

__all__ = [
    "Built",
    "Place",
    "Unavailable",
    "check_permissions",
    "command_environment",
    "isolated",
    "kill_all",
    "lock_folder",
    "remove",
    "unmount_below",
]

# Short: the path of a socket has at most 107 bytes.
_PREFIX = "mc-engine-"
_PLACES = Path("/tmp")
_CGROUPS = Path("/sys/fs/cgroup")
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
_SECONDS = 300
#: In bytes. A tmpfs takes at most half of the memory, and the suite less than two gigabytes.
_PLENTY = 8 << 30

_EMPTY_RUN = "mount -t tmpfs tmpfs /run"
# The machine's programs, libraries and configuration are replaced by those of the root; every
# other path stays what it is, so build contexts and outputs need no translation. /usr comes last:
# it hides the machine's `mount`. (/bin and /lib are links into it, as everywhere since 2023.)
_USE_ROOT = 'mount -o bind,ro "$0/etc" /etc && mount -o bind,ro "$0/usr" /usr'


class Unavailable(Exception):  # noqa: N818 (a fact about the machine, not an error)
    """No engine can be started here; the text says why."""


class Built(NamedTuple):
    """The outcome of a command: whether it succeeded, and both its streams."""

    ok: bool
    log: str


def command_environment(**more: str) -> dict[str, str]:
    """Return an environment that names no other engine: no DOCKER_HOST and the like."""
    keep = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return keep | more


def isolated(
    command: Sequence[str],
    root: Path | None = None,
    *,
    empty_run: bool = False,
    in_memory: Path | None = None,
) -> list[str]:
    """Return a command line that runs the command in namespaces of its own.

    With `root`, a Debian root, the programs are taken from there. An empty /run hides the sockets
    of the machine's engines. The contents of the folder `in_memory` are never written to disk.
    """
    steps = [_EMPTY_RUN] * empty_run + [_USE_ROOT] * (root is not None) + ['exec "$@"']
    if in_memory:
        steps.insert(0, f"mount -t tmpfs tmpfs {shlex.quote(str(in_memory))}")
    return [
        # The signal goes down the whole chain when the caller dies.
        *("setpriv", "--pdeathsig", "KILL", "--"),
        *("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL"),
        *("sh", "-c", " && ".join(steps), str(root), *command),
    ]


class Place:
    """A temporary folder, and the processes, mounts and control groups that belong to it.

    The folder is locked while its owner lives. A new Place removes the folders of dead owners.
    """

    def __init__(self, root: Path | None = None) -> None:
        check_permissions()
        _sweep()
        self.root = root
        self.path, self._lock = _new_folder()
        self._services: list[subprocess.Popen[bytes]] = []
        self._commands: set[subprocess.Popen[bytes]] = set()
        self._closed = False
        self._former = {}
        # Python handles signals in the main thread only.
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                # `nohup` makes its children ignore the end of the terminal.
                if signal.getsignal(number) is signal.SIG_IGN:
                    continue
                self._former[number] = signal.signal(number, self._on_signal)
        atexit.register(self.close)

    @property
    def cgroup(self) -> str:
        """The parent of the containers' control groups."""
        return f"/{self.path.name}"

    def start(
        self, command: Sequence[str], *, data: Path, log: Path, env: Mapping[str, str]
    ) -> None:
        """Start a process that runs until the place is closed.

        Its `data` stay in memory where there is plenty: they end with it, and need no syncing.
        """
        data.mkdir()
        with log.open("wb") as sink:
            process = subprocess.Popen(
                isolated(
                    command,
                    self.root,
                    empty_run=True,
                    in_memory=data if _free_memory() >= _PLENTY else None,
                ),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=self.path,
                # Ctrl-C signals the terminal's whole process group; `close` ends this one later.
                start_new_session=True,
            )
        self._services.append(process)

    def run(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        empty_run: bool = False,
    ) -> Built:
        """Run a command to its end, for at most five minutes."""
        process = subprocess.Popen(
            isolated(command, self.root, empty_run=empty_run),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
        )
        self._commands.add(process)
        late = ""
        try:
            with process:
                try:
                    output, _ = process.communicate(timeout=_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    output, _ = process.communicate()
                    late = f"\nstopped after {_SECONDS} s"
                except BaseException:
                    process.kill()
                    raise
        finally:
            self._commands.discard(process)
        return Built(process.returncode == 0, output.decode(errors="replace") + late)

    def alive(self) -> bool:
        """Tell whether everything that was started still runs."""
        return all(process.poll() is None for process in self._services)

    def kill_commands(self) -> None:
        """Kill the commands that run now."""
        for process in tuple(self._commands):
            process.kill()

    def close(self) -> None:
        """End the processes, and remove the folder and the control groups. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self.kill_commands()
        for process in self._services:
            _end(process)
        for number, former in self._former.items():
            if signal.getsignal(number) == self._on_signal:
                signal.signal(number, former)
        _remove_cgroups(self.path.name)
        remove(self.path)
        os.close(self._lock)
        atexit.unregister(self.close)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        former = self._former[signal.Signals(number)]
        self.close()
        if callable(former):
            former(number, frame)
        elif former is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)


def lock_folder(folder: Path) -> int | None:
    """Lock a folder; return its descriptor, or None where somebody else holds it or it is gone."""
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(opened), folder.stat()):
            return opened
    except OSError:
        pass
    os.close(opened)
    return None


def remove(folder: Path) -> None:
    """Remove a folder, once nothing is mounted in it; wait for what a dying process still writes.

    Raises OSError where something stays mounted: a mounted folder of the machine is not emptied.
    """
    unmount_below(folder)
    for _ in range(50):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def unmount_below(folder: Path) -> None:
    """Take down every mount at or below a folder, the innermost first."""
    for point in reversed(list(_mounts_below(folder))):
        subprocess.run(["umount", "-l", point], capture_output=True, check=False)
    if left := list(_mounts_below(folder)):
        raise OSError(f"cannot unmount {', '.join(left)}")


def kill_all(name: str) -> None:
    """Kill processes in other mount namespaces with a place's name on their command line."""
    here = Path("/proc/self/ns/mnt").readlink()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            named = name.encode() in (process / "cmdline").read_bytes()
            if named and (process / "ns" / "mnt").readlink() != here:
                os.kill(int(process.name), signal.SIGKILL)


def check_permissions() -> None:
    """Raise Unavailable where namespaces and mounts are not permitted."""
    if os.geteuid() != 0:
        raise Unavailable("a private engine needs root")
    if not (shutil.which("unshare") and shutil.which("setpriv")):
        raise Unavailable("a private engine needs `unshare` and `setpriv` (package util-linux)")
    probe = subprocess.run(
        isolated(["true"], empty_run=True), capture_output=True, text=True, check=False
    )
    if probe.returncode:
        raise Unavailable(f"mounts are not permitted here: {probe.stderr.strip()}")


def _new_folder() -> tuple[Path, int]:
    while True:
        # Not below TMPDIR, which may be too long a path for a socket.
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_PLACES))
        lock = lock_folder(folder)
        # Before it was locked, another run may have taken it for a dead owner's.
        if lock is not None:
            return folder, lock


def _sweep() -> None:
    """Remove what killed runs left behind: processes, mounts, control groups, folders."""
    for folder in _PLACES.glob(f"{_PREFIX}*"):
        lock = lock_folder(folder)
        if lock is None:
            continue
        try:
            if os.fstat(lock).st_uid == os.geteuid():
                kill_all(folder.name)
                _remove_cgroups(folder.name)
                remove(folder)
        finally:
            os.close(lock)


def _mounts_below(folder: Path) -> Iterator[str]:
    top = os.path.realpath(folder)
    for line in Path("/proc/self/mounts").read_text(errors="surrogateescape").splitlines():
        point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), line.split(" ")[1])
        if point == top or point.startswith(f"{top}/"):
            yield point


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask politely first: unshare passes SIGTERM on to nobody, so its child is asked itself."""
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


def _free_memory() -> int:
    found = re.search(r"^MemAvailable: *(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


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
