"""A BuildKit daemon without Docker around it."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from .engine import Build, Built, Cache, Engine, cache_mounts, release, wait_until
from .private import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Buildkit"]

_VERSION = re.compile(r"^BuildKit:\s+\S+\s+(v?\d\S*)", re.MULTILINE)
_RECORD = re.compile(r"^(?=ID:\s)", re.MULTILINE)
_TYPE = re.compile(r"^Type:\s*(\S+)", re.MULTILINE)
# A description takes over the RUN's line breaks.
_DESCRIPTION = re.compile(
    r"^Description:\s*(.*?)\s*(?=^Usage count:|^Last used:|^Type:|\Z)", re.MULTILINE | re.DOTALL
)


class Buildkit(Engine):
    """``buildkitd`` and ``buildctl`` of a folder or of PATH; or a daemon behind a socket."""

    name = "BuildKit"
    separating = frozenset({"uid", "gid", "mode"})
    masks_modes = False
    relative_target = "one cache"
    knows_namespaces = True
    arguments_may_win = True
    forks_mixed_modes = True

    def __init__(self, folder: Path | None = None, running: Path | None = None) -> None:
        super().__init__()
        try:
            self._open(folder, running)
        except BaseException:
            self.close()
            raise

    def _open(self, folder: Path | None, running: Path | None) -> None:
        path = self.place.path
        self._env = self.environment(folder)
        self._socket = running or path / "buildkitd.sock"
        self._client = self._program("buildctl")
        if running is None:
            (path / "buildkitd.toml").write_text(
                f'[worker.oci]\ndefaultCgroupParent = "{self.place.cgroup}"\n'
            )
            self.place.start(
                [
                    self._program("buildkitd"),
                    f"--config={path}/buildkitd.toml",
                    f"--addr=unix://{self._socket}",
                    f"--root={path}/root",
                    *("--containerd-worker=false", "--oci-worker=true", "--oci-worker-net=host"),
                    "--allow-insecure-entitlement=network.host",
                ],
                data=path / "root",
                log=path / "buildkitd.log",
                env=self._env,
            )
            wait_until(
                lambda: self._control("debug", "workers").ok, self.place, path / "buildkitd.log"
            )
        told = self._control("debug", "info")
        found = _VERSION.search(told.log)
        if found is None:
            raise Unavailable(f"buildctl cannot ask this engine: {told.log}")
        self.version = found[1]
        self.expands_ids = release(self.version) >= (0, 9)
        self.key_leaves_out_mounts = release(self.version) >= (0, 13)

    def _program(self, name: str) -> str:
        found = shutil.which(name, path=self._env["PATH"])
        if found is None:
            raise Unavailable(f"there is no {name}")
        return found

    def _control(self, *words: str) -> Built:
        command = [self._client, f"--addr=unix://{self._socket}", *words]
        return self.place.run(command, env=self._env)

    def build(self, build: Build) -> Built:
        command = ["build", "--progress=plain", "--frontend=dockerfile.v0"]
        command += [f"--local=context={build.context}", f"--local=dockerfile={build.context}"]
        command.append(f"--opt=filename={build.file}")
        command += [f"--opt=build-arg:{name}={value}" for name, value in build.args.items()]
        if build.loopback:
            command += ["--allow=network.host", "--opt=force-network-mode=host"]
        else:
            command.append("--opt=force-network-mode=none")
        if build.target:
            command.append(f"--opt=target={build.target}")
        if build.output:
            command.append(f"--output=type=local,dest={build.output}")
        return self._control(*command)

    def caches(self) -> list[Cache]:
        listed = self._control("du", "--verbose")
        assert listed.ok, listed.log
        records = []
        for record in _RECORD.split(listed.log):
            kind, description = _TYPE.search(record), _DESCRIPTION.search(record)
            if kind and description:
                records.append((kind[1], description[1]))
        return cache_mounts(records)

    def reset(self) -> None:
        done = self._control("prune", "--all")
        assert done.ok, done.log
