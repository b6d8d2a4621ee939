"""Debian roots with newer engines than the machine's: made by debootstrap, kept between runs.

A root is a folder in the user's cache folder. It is made under another name and renamed when it
is whole, so a folder with its final name was finished once; that its programs still run is tried
each time. Nothing is mounted in it outside the namespaces of the processes that use it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from .private import Unavailable, check_permissions, isolated, remove

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Root", "open_root", "roots_folder", "suites"]

# Debian's unstable suite, then its stable one.
_SUITES = ("sid", "trixie")

# A file of the root: the script that made it.
_RECIPE = "install.sh"
# Without the user's own programs and plug-ins.
_PLAIN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent"}
_SECONDS = 600
_BROKEN_SECONDS = 24 * 3600
_PROGRAMS = {
    "docker": (("docker", "--version"), r"version (\S+?),"),
    "dockerd": (("dockerd", "--version"), r"version (\S+?),"),
    "buildx": (("docker", "buildx", "version"), r"buildx v?(\S+)"),
    "compose": (("docker", "compose", "version", "--short"), r"(\S+)"),
    "buildah": (("buildah", "--version"), r"version (\S+)"),
    "cargo": (("cargo", "--version"), r"cargo (\S+)"),
}
_NEEDED = ("docker", "dockerd", "buildx", "compose")

# Runs in the root. cargo alone is unpacked without its dependencies: they are a whole compiler.
_INSTALL = """\
set -e
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install --quiet --yes --no-install-recommends "$@"; }
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
apt-get update --quiet
install ca-certificates docker.io docker-cli docker-buildx docker-compose
install buildah netavark || echo "no buildah"
(
    set -e
    libraries=$(apt-cache depends --no-recommends --no-suggests cargo |
        sed -n 's/^ *Depends: \\(lib[^ ]*\\|zlib1g\\)$/\\1/p')
    install $libraries
    cd /tmp
    apt-get download --quiet cargo
    dpkg --fsys-tarfile cargo_*.deb | tar -x -C / ./usr/bin/cargo
) || echo "no cargo"
rm -rf /var/cache/apt /var/lib/apt /tmp/* /usr/share/doc /usr/share/man /usr/share/locale
"""


class Root:
    """A root that is in use: while it is open, nobody removes it."""

    def __init__(self, path: Path, versions: dict[str, str], lock: IO[bytes]) -> None:
        self.path = path
        self.suite = path.name
        self.versions = versions
        self._lock = lock

    def share(self) -> Root:
        """Return the same root for another user, who closes it, too."""
        lock = Path(self._lock.name).open("wb")  # noqa: SIM115 (it is open as long as the root)
        fcntl.flock(lock, fcntl.LOCK_SH)
        return Root(self.path, self.versions, lock)

    def report_broken(self, reason: str) -> None:
        """Note that the engine of this suite does not work: another one is preferred for a day."""
        _broken(self.suite).write_text(reason)

    def close(self) -> None:
        """Let others remove it."""
        self._lock.close()


def suites() -> list[str]:
    """Return the suites to try in order; one that was broken within the last day comes last."""
    return sorted(_SUITES, key=_was_broken)


def roots_folder() -> Path:
    """Return the folder that keeps the roots, in the user's cache folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # As the XDG specification has it: a relative path counts as none.
    return (cache if cache.is_absolute() else Path.home() / ".cache") / "migrate-cache" / "engines"


def open_root(suite: str, say: Callable[[str], None]) -> Root:
    """Return the root of a suite; make it where there is none, or where it is damaged.

    `say` is told what takes long. Raises Unavailable.
    """
    check_permissions()
    folder = roots_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / suite
    lock = (folder / f"{suite}.lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        versions = _versions(path)
        if versions is None:
            _lock_alone(lock, lambda: say(f"waiting for another run to make or leave {path}"))
            # Another run may have made it meanwhile.
            versions = _versions(path) or _make(path, say)
            fcntl.flock(lock, fcntl.LOCK_SH)
    except BaseException:
        lock.close()
        raise
    return Root(path, versions, lock)


def _lock_alone(lock: IO[bytes], wait: Callable[[], None]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        wait()
        fcntl.flock(lock, fcntl.LOCK_EX)


def _versions(path: Path) -> dict[str, str] | None:
    """Return what the programs of a root say of themselves; None where it is not whole.

    It is not whole where a needed program, or a library of it, is missing (somebody began to
    remove it), or where it was made in another way than roots are made now.
    """
    try:
        if (path / _RECIPE).read_text() != _INSTALL:
            return None
    except OSError:
        return None
    found = {}
    for name, (command, pattern) in _PROGRAMS.items():
        done = subprocess.run(
            isolated(command, path), env=_PLAIN, capture_output=True, text=True, check=False
        )
        version = re.search(pattern, done.stdout)
        if done.returncode == 0 and version:
            found[name] = version[1]
        elif name in _NEEDED:
            return None
    return found


def _broken(suite: str) -> Path:
    return roots_folder() / f"{suite}.broken"


def _was_broken(suite: str) -> bool:
    try:
        return time.time() - _broken(suite).stat().st_mtime < _BROKEN_SECONDS
    except FileNotFoundError:
        return False


def _make(path: Path, say: Callable[[str], None]) -> dict[str, str]:
    partial = path.with_suffix(".partial")
    say(f"making a root of Debian {path.name} in {path}, once; this takes about a minute")
    for left in (partial, path):
        remove(left)
    try:
        _install(partial, path.name, path.with_suffix(".log"))
        (partial / _RECIPE).write_text(_INSTALL)
        versions = _versions(partial)
        if versions is None:
            raise Unavailable(f"the engine of Debian {path.name} does not run")
    except Unavailable as reason:
        remove(partial)
        _broken(path.name).write_text(str(reason))
        raise
    except BaseException:
        remove(partial)
        raise
    partial.rename(path)
    _broken(path.name).unlink(missing_ok=True)
    return versions


def _install(partial: Path, suite: str, log: Path) -> None:
    """Make the root; raise Unavailable with the reason where that fails."""
    if shutil.which("debootstrap") is None:
        raise Unavailable("there is no debootstrap (Debian package debootstrap)")
    reasons = []
    for mirror in _mirrors():
        remove(partial)
        with log.open("wb") as sink:
            reason = _run(
                ["debootstrap", "--variant=minbase", suite, str(partial), mirror], sink
            ) or _install_engines(partial, sink)
        if reason is None:
            return
        reasons.append(f"{mirror}: {reason}")
    raise Unavailable(f"Debian {suite} cannot be installed ({'; '.join(reasons)}; see {log})")


def _install_engines(partial: Path, log: IO[bytes]) -> str | None:
    # apt inside the root reaches its mirror the way that the machine's apt does.
    told = subprocess.run(
        ["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=True
    ).stdout
    lines = [line for line in told.splitlines() if "::IndexTargets" not in line]
    settings = partial / "etc" / "apt" / "apt.conf.d" / "99machine"
    settings.touch(mode=0o600)
    settings.write_text("\n".join(lines) + "\n")
    script = 'mount -t proc proc "$0/proc" && exec chroot "$0" /bin/sh -c "$1"'
    failed = _run(["sh", "-c", script, str(partial), _INSTALL], log)
    # It may hold a proxy's password.
    settings.unlink()
    return failed


def _run(command: Sequence[str], log: IO[bytes]) -> str | None:
    """Run a command of the installation; return what it said last where it failed."""
    try:
        done = subprocess.run(
            isolated(command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(),
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"stopped after {_SECONDS} s"
    if done.returncode == 0:
        return None
    lines = Path(log.name).read_text(errors="replace").splitlines()
    errors = [line for line in lines if line.startswith(("E:", "W:"))]
    return (errors or lines or ["it said nothing"])[-1]


def _environment() -> dict[str, str]:
    """Return the environment with apt's proxy, which debootstrap does not know."""
    told = subprocess.run(
        ["apt-config", "shell", "proxy", "Acquire::http::Proxy"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.fullmatch(r"proxy='(.*)'\s*", told)
    environment = dict(os.environ) | {"LC_ALL": "C"}
    if found and found[1] not in ("", "DIRECT"):
        environment["http_proxy"] = found[1]
    return environment


def _mirrors() -> list[str]:
    """Return the addresses of Debian's archive that the machine's apt uses."""
    mirrors = _debian_sources()
    if not mirrors and shutil.which("apt-get"):
        # Without lists of packages, apt knows no source's origin.
        subprocess.run(["apt-get", "update"], capture_output=True, check=False)
        mirrors = _debian_sources()
    if not mirrors:
        raise Unavailable("apt of this machine knows no archive of Debian")
    return mirrors


def _debian_sources() -> list[str]:
    if shutil.which("apt-get") is None:
        return []
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    found = [line.split("|", 2) for line in told.splitlines()]
    return list(dict.fromkeys(row[2] for row in found if row[:2] == ["Debian", "Debian"]))
