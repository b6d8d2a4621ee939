"""buildah: no daemon, a reading of --mount of its own, plain directories as caches."""

from __future__ import annotations

import itertools
import shutil

from .engine import Build, Built, Cache, Engine, release, run, search_path
from .private import Place, Unavailable, command_environment, inside

__all__ = ["Buildah"]


class Buildah(Engine):
    """``buildah`` of PATH, with storage and caches in a folder of its own."""

    name = "buildah"
    expands_ids = True
    forks_mixed_modes = False
    hides_global_arguments = False
    lists_caches = False
    # Of 1.28; later ones were not tried.
    frees_locks = False
    keeps_mount_points = False
    key_leaves_out_mounts = False

    def __init__(self) -> None:
        search = search_path(None)
        program = shutil.which("buildah", path=search)
        if program is None:
            raise Unavailable("there is no buildah (Debian package buildah)")
        self._program = program
        self._builds = itertools.count()
        self._place = Place()
        path = self._place.path
        self._temporary = path / "tmp"
        # Caches lie below TMPDIR.
        self._env = command_environment(PATH=search, HOME=str(path), TMPDIR=str(self._temporary))
        self._env["CONTAINERS_STORAGE_CONF"] = str(path / "storage.conf")
        (path / "storage.conf").write_text('[storage]\ndriver = "overlay"\n')
        (path / ".config" / "containers").mkdir(parents=True)
        (path / ".config" / "containers" / "policy.json").write_text(
            '{"default": [{"type": "insecureAcceptAnything"}]}'
        )
        self.version = ".".join(map(str, release(run([program, "--version"], self._env).log)))
        self.reset()

    def build(self, build: Build) -> Built:
        path = self._place.path
        command = [self._program, f"--root={path}/root", f"--runroot={path}/runroot"]
        command += ["--storage-driver=overlay", "bud", "--layers", "--isolation=oci"]
        command.append(f"--network={'host' if build.loopback else 'none'}")
        # One each: buildah removes it after every RUN, and waits where another one is in it.
        command.append(f"--cgroup-parent={self._place.cgroup}/{next(self._builds)}")
        command.append(f"--file={build.context / build.file}")
        command += [f"--build-arg={name}={value}" for name, value in build.args.items()]
        if build.target:
            command.append(f"--target={build.target}")
        if build.output:
            command.append(f"--output=type=local,dest={build.output}")
        return run(inside([*command, str(build.context)]), self._env)

    def caches(self) -> list[Cache]:
        """Refuse: buildah keeps no record of its caches beside the directories themselves."""
        raise NotImplementedError

    def reset(self) -> None:
        for name in ("root", "runroot", "tmp"):
            shutil.rmtree(self._place.path / name, ignore_errors=True)
        self._temporary.mkdir()

    def close(self) -> None:
        self._place.close()
