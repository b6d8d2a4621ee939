"""What the tests ask of an engine, and the facts that its version is expected to show."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from .private import Built, Place, Unavailable, command_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from .roots import Root

__all__ = [
    "BUILDAHS",
    "DOCKERS",
    "ENGINES",
    "Build",
    "Built",
    "Cache",
    "Engine",
    "cache_mounts",
    "release",
    "wait_until",
]

#: The fixtures that are engines, in the order of the table's columns.
DOCKERS = ("docker", "modern_docker")
BUILDAHS = ("buildah", "modern_buildah")
ENGINES = (*DOCKERS, *BUILDAHS)

_START_SECONDS = 60
_VERSION = re.compile(r"(\d+)\.(\d+)")
# Greedy: the RUN's own text may look like what the engine adds at the end.
_CACHE_MOUNT = re.compile(r"cached mount (?P<target>\S+) from .*", re.DOTALL)
_CACHE_ID = re.compile(r' with id "(?P<id>[^"]*)"\Z')


@dataclasses.dataclass(frozen=True)
class Build:
    """One build: a context, a file in it, and the options of the command line."""

    context: Path
    file: str = "Dockerfile"
    args: Mapping[str, str] = dataclasses.field(default_factory=dict)
    target: str | None = None
    #: The files of the last stage are copied here.
    output: Path | None = None
    #: RUNs see the machine's loopback; otherwise they have no network at all.
    loopback: bool = False


@dataclasses.dataclass(frozen=True)
class Cache:
    """A cache mount as the engine lists it; old engines do not tell the id."""

    target: str
    id: str | None


class Engine(ABC):
    """An engine of one version; each fact below is shown by a test."""

    name: str
    version: str
    #: More about it than name and version, for people.
    about: str = ""
    #: A variable in an id is expanded (Dockerfile frontend 1.3); otherwise its text is the id.
    expands_ids: bool
    #: An ARG before the first FROM is not in scope in a stage that does not repeat it.
    hides_global_arguments: bool = True
    #: The engine can list its cache mounts.
    lists_caches: bool = True
    #: A RUN's locks are released when it ends. Otherwise, where it has several, all but the last
    #: are held until the build ends, and a second such RUN waits for its own build for ever.
    frees_locks: bool = True
    #: A folder of the image that a RUN mounts something on is there again after the RUN.
    keeps_mount_points: bool = True
    #: By these a mount has another cache than one with the same id, or the same target.
    separating: frozenset[str]
    #: The umask of the daemon is taken off a mount's mode.
    masks_modes: bool = True
    #: What the same relative target means below two WORKDIRs: "one cache", "two caches", "refused".
    relative_target: str
    #: Builds with different BUILDKIT_CACHE_MOUNT_NS have different caches.
    knows_namespaces: bool
    #: An ARG below an ENV of the same name wins in its own stage. (In a child stage ENV wins.)
    arguments_may_win: bool
    #: A stage knows the ARGs of the stage that it is built FROM.
    inherits_arguments: bool = True
    #: A user in another mode than the present one gets a second, empty directory.
    forks_mixed_modes: bool
    #: Neither id nor mode is part of a RUN's key in the layer cache (BuildKit 0.13).
    key_leaves_out_mounts: bool

    def __init__(self, root: Root | None = None) -> None:
        self.root = root
        try:
            self.place = Place(root.path if root else None)
        except BaseException:
            if root:
                root.close()
            raise

    @abstractmethod
    def build(self, build: Build) -> Built:
        """Build, and wait for the end."""

    @abstractmethod
    def caches(self) -> list[Cache]:
        """List the cache mounts that exist; one id may have several."""

    @abstractmethod
    def reset(self) -> None:
        """Remove every cache mount and every layer."""

    def close(self) -> None:
        """Stop the engine and remove all that belongs to it."""
        self.place.close()
        if self.root:
            self.root.close()

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def short_name(self) -> str:
        """Name and release, without what packagers add to a version."""
        return f"{self.name} {'.'.join(map(str, release(self.version)))}"

    def build_all(self, builds: Sequence[Build]) -> list[Built]:
        """Build side by side, as `docker compose build` does."""
        with self.threads(len(builds)) as pool:
            return list(pool.map(self.build, builds))

    @contextlib.contextmanager
    def threads(self, count: int) -> Iterator[ThreadPoolExecutor]:
        """Yield threads for builds; when the test fails or is interrupted, its builds end, too."""
        with ThreadPoolExecutor(max_workers=count) as pool:
            try:
                yield pool
            except BaseException:
                self.place.kill_commands()
                raise

    def environment(self, folder: Path | None = None, **more: str) -> dict[str, str]:
        """Return the environment of the engine's programs; `folder` goes first in its PATH."""
        path = os.environ.get("PATH", os.defpath)
        # PATH may lack the folders in which Debian keeps dockerd and runc.
        path += ":/usr/local/sbin:/usr/sbin:/sbin"
        if self.root:
            path = "/usr/sbin:/usr/bin:/sbin:/bin"
        if folder:
            path = f"{folder}:{path}"
        return command_environment(PATH=path, HOME=str(self.place.path), **more)


def release(version: str) -> tuple[int, int]:
    """Return the first two numbers of a version."""
    found = _VERSION.search(version)
    if found is None:
        raise Unavailable(f"an engine of unknown version: {version!r}")
    return int(found[1]), int(found[2])


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
    found: list[tuple[str, str | None]] = []
    for kind, description in records:
        if kind == "exec.cachemount":
            said = _CACHE_MOUNT.fullmatch(description)
            assert said is not None, f"a cache mount described as {description!r}"
            identity = _CACHE_ID.search(description)
            # Namespace, slash, id; no namespace is used where caches are listed.
            found.append((said["target"], identity["id"].removeprefix("/") if identity else None))
    # An engine that tells ids leaves out the one that, with its slash, equals the target.
    tells = any(told is not None for _, told in found)
    caches = [
        Cache(target, target.removeprefix("/") if told is None and tells else told)
        for target, told in found
    ]
    return sorted(caches, key=lambda cache: (cache.target, cache.id or ""))
