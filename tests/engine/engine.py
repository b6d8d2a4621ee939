"""What a test asks of an engine, and what its versions are known to do."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from .private import Place, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Build", "Built", "Cache", "Engine", "cache_mounts", "release", "run", "wait_until"]

_START_SECONDS = 60
_BUILD_SECONDS = 300
_VERSION = re.compile(r"(\d+)\.(\d+)")
# Greedy: what the RUN's own text says comes before what the engine adds at the end.
_CACHE_MOUNT = re.compile(r"cached mount (?P<target>\S+) from .*", re.DOTALL)
_CACHE_ID = re.compile(r' with id "(?P<id>[^"]*)"\Z')


@dataclasses.dataclass(frozen=True)
class Build:
    """What to build: a folder, a file in it, and what is said on the command line."""

    context: Path
    file: str = "Dockerfile"
    args: Mapping[str, str] = dataclasses.field(default_factory=dict)
    target: str | None = None
    #: The files of the last stage are put here.
    output: Path | None = None
    #: The RUNs see the machine's loopback; else they have no network at all.
    loopback: bool = False


@dataclasses.dataclass(frozen=True)
class Built:
    """How it went."""

    ok: bool
    log: str


@dataclasses.dataclass(frozen=True)
class Cache:
    """A cache mount as the engine lists it; old engines do not tell the id."""

    target: str
    id: str | None


class Engine(ABC):
    """One engine. Its version says what to expect of it; the tests show that it is so."""

    name: str
    version: str
    #: A variable in an id is expanded (Dockerfile frontend 1.3); else its text is the id.
    expands_ids: bool
    #: An ARG before the first FROM is not in scope in a stage that does not repeat it.
    hides_global_arguments: bool = True
    #: It can be asked which caches exist.
    lists_caches: bool = True
    #: A RUN's locks are freed when it ends. Else, where it has several, all but the last one are
    #: kept until the build ends, and a second such RUN waits for its own build for ever.
    frees_locks: bool = True
    #: A folder of the image on which a RUN mounts something is there again after it.
    keeps_mount_points: bool = True
    #: A user in another mode than the present one gets a second, empty directory.
    forks_mixed_modes: bool
    #: Neither id nor mode is part of a RUN's key in the layer cache (BuildKit 0.13).
    key_leaves_out_mounts: bool

    @abstractmethod
    def build(self, build: Build) -> Built:
        """Build, and wait for the end."""

    @abstractmethod
    def caches(self) -> list[Cache]:
        """List the cache mounts that exist, also several of one id."""

    @abstractmethod
    def reset(self) -> None:
        """Forget every cache mount and every layer."""

    @abstractmethod
    def close(self) -> None:
        """Stop it and clean up."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def build_all(self, builds: Sequence[Build]) -> list[Built]:
        """Build side by side, as `docker compose build` does."""
        with ThreadPoolExecutor(max_workers=len(builds)) as pool:
            return list(pool.map(self.build, builds))


def run(command: Sequence[str], env: Mapping[str, str]) -> Built:
    """Run a build command to its end; both its streams are the log."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(env),
            timeout=_BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        said = (late.stdout or b"").decode(errors="replace")
        return Built(False, f"{said}\nstopped after {_BUILD_SECONDS} s")
    return Built(done.returncode == 0, done.stdout.decode(errors="replace"))


def release(version: str) -> tuple[int, int]:
    """Return the first two numbers of a version."""
    found = _VERSION.search(version)
    if found is None:
        raise Unavailable(f"an engine of unknown version: {version!r}")
    return int(found[1]), int(found[2])


def search_path(folder: Path | None) -> str:
    """Return a PATH with the folder first: engines start runc and containerd by name."""
    path = os.environ.get("PATH", os.defpath)
    # PATH may lack these, where Debian keeps dockerd and runc.
    path += ":/usr/local/sbin:/usr/sbin:/sbin"
    return f"{folder}:{path}" if folder else path


def wait_until(answers: Callable[[], bool], place: Place, log: Path) -> None:
    """Wait for a started engine, or raise Unavailable with the end of its log."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and place.alive():
        if answers():
            return
        time.sleep(0.05)
    end = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    raise Unavailable(f"the engine did not start; its log ends:\n{end}")


def cache_mounts(records: Iterable[tuple[str, str]]) -> list[Cache]:
    """Pick the cache mounts out of an engine's (type, description) records."""
    found = []
    for kind, description in records:
        if kind == "exec.cachemount":
            said = _CACHE_MOUNT.fullmatch(description)
            assert said is not None, f"a cache mount described as {description!r}"
            identity = _CACHE_ID.search(description)
            # An id is told as namespace, slash, id; no namespace is used here.
            told = identity["id"].removeprefix("/") if identity else None
            found.append(Cache(said["target"], told))
    return sorted(found, key=lambda cache: (cache.target, cache.id or ""))
