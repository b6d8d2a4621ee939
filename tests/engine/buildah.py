"""buildah: no daemon, a reading of --mount of its own, plain directories as caches."""

from __future__ import annotations

import itertools
import re
import resource
import shutil
from typing import TYPE_CHECKING

from .engine import Build, Built, Cache, Engine, release
from .private import Unavailable

if TYPE_CHECKING:
    from .roots import Root

__all__ = ["Buildah"]


class Buildah(Engine):
    """``buildah`` of PATH or of a Debian root, with storage and caches in a folder of its own."""

    name = "buildah"
    expands_ids = True
    forks_mixed_modes = False
    lists_caches = False
    knows_namespaces = False
    arguments_may_win = False
    key_leaves_out_mounts = False

    def __init__(self, root: Root | None = None) -> None:
        super().__init__(root)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        self._builds = itertools.count()
        path = self.place.path
        self._temporary = path / "tmp"
        # Caches lie below TMPDIR.
        self._env = self.environment(TMPDIR=str(self._temporary))
        self._env["CONTAINERS_STORAGE_CONF"] = str(path / "storage.conf")
        self._program = self._find()
        (path / "storage.conf").write_text('[storage]\ndriver = "overlay"\n')
        (path / ".config" / "containers").mkdir(parents=True)
        (path / ".config" / "containers" / "policy.json").write_text(
            '{"default": [{"type": "insecureAcceptAnything"}]}'
        )
        told = self.place.run([self._program, "--version"], env=self._env).log
        found = re.search(r"version (\S+)", told)
        self.version = found[1] if found else told.strip()
        # Tried: 1.28, 1.39 and 1.43.
        recent = release(self.version) >= (1, 39)
        self.hides_global_arguments = self.frees_locks = self.keeps_mount_points = recent
        self.inherits_arguments = recent
        self.separating = frozenset({"uid", "gid", "slash"} if recent else ())
        self.relative_target = "two caches" if recent else "refused"
        if self.root:
            self.about = f"of Debian {self.root.suite}"
        self.reset()

    def _find(self) -> str:
        if self.root:
            if "buildah" not in self.root.versions:
                raise Unavailable(f"Debian {self.root.suite} has no buildah that can be installed")
            return "/usr/bin/buildah"
        program = shutil.which("buildah", path=self._env["PATH"])
        if program is None:
            raise Unavailable("there is no buildah (Debian package buildah)")
        return program

    def build(self, build: Build) -> Built:
        path = self.place.path
        command = [self._program, f"--root={path}/root", f"--runroot={path}/runroot"]
        command += ["--storage-driver=overlay", "bud", "--layers", "--isolation=oci"]
        command += [f"--ulimit={limit}" for limit in _limits()]
        command.append(f"--network={'host' if build.loopback else 'none'}")
        # One each: buildah removes it after every RUN, and waits where another one is in it.
        command.append(f"--cgroup-parent={self.place.cgroup}/{next(self._builds)}")
        command.append(f"--file={build.context / build.file}")
        command += [f"--build-arg={name}={value}" for name, value in build.args.items()]
        if build.target:
            command.append(f"--target={build.target}")
        if build.output:
            command.append(f"--output=type=local,dest={build.output}")
        return self.place.run([*command, str(build.context)], env=self._env, empty_run=True)

    def caches(self) -> list[Cache]:
        """Refuse: buildah keeps no record of its caches beside the directories themselves."""
        raise NotImplementedError

    def reset(self) -> None:
        for name in ("root", "runroot", "tmp"):
            shutil.rmtree(self.place.path / name, ignore_errors=True)
        self._temporary.mkdir()


def _limits() -> list[str]:
    """Return this process's own limits: newer versions ask for more than a machine may allow."""
    numbers = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
    return ["{}={}:{}".format(name, *resource.getrlimit(of)) for name, of in numbers.items()]
