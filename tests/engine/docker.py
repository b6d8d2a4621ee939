"""A Docker engine, with the BuildKit that is built into it."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .engine import Build, Built, Cache, Engine, cache_mounts, release, wait_until
from .private import Unavailable

if TYPE_CHECKING:
    from .roots import Root

__all__ = ["Docker"]


class Docker(Engine):
    """``dockerd`` of a Debian root, of a folder or of PATH, started privately; or one that runs.

    That of a Debian root has the plug-ins buildx and compose.
    """

    name = "Docker"
    separating = frozenset({"uid", "gid", "mode"})
    relative_target = "one cache"
    knows_namespaces = True
    arguments_may_win = True
    forks_mixed_modes = True

    def __init__(
        self,
        folder: Path | None = None,
        running: Path | None = None,
        root: Root | None = None,
    ) -> None:
        super().__init__(root)
        try:
            self._open(folder, running)
        except BaseException:
            self.close()
            raise

    def _open(self, folder: Path | None, running: Path | None) -> None:
        path = self.place.path
        self.socket = running or path / "docker.sock"
        (path / "config").mkdir()
        self.client_environment = {
            "DOCKER_HOST": f"unix://{self.socket}",
            "DOCKER_CONFIG": str(path / "config"),
            "DOCKER_BUILDKIT": "1",
        }
        self._env = self.environment(folder, **self.client_environment)
        if running is None:
            self._start()
        told = self._api("GET", "/version")
        self.version = told["Version"]
        if self.root:
            plugins = ", ".join(f"{name} {self.root.versions[name]}" for name in _PLUGINS)
            self.about = f"of Debian {self.root.suite}, with {plugins}"
        # From 1.52 on, the list of caches has another form.
        versions = (told["MinAPIVersion"], told["ApiVersion"])
        lowest, highest = (tuple(map(int, version.split("."))) for version in versions)
        self._api_version = "v{}.{}".format(*max(lowest, min(highest, (1, 51))))
        self.expands_ids = release(self.version) >= (23, 0)
        self.key_leaves_out_mounts = release(self.version) >= (26, 0)
        self._client = self._find_client(folder)

    def another(self) -> Docker:
        """Start another engine of the same Debian root."""
        assert self.root is not None
        return Docker(root=self.root.share())

    def _start(self) -> None:
        path = self.place.path
        # Otherwise it reads the machine's own. Garbage collection measures the caches, and an
        # unlocked user that comes while its cache is being measured gets a new, empty one.
        (path / "daemon.json").write_text('{"builder": {"gc": {"enabled": false}}}')
        self.place.start(
            [
                self._daemon(),
                f"--config-file={path}/daemon.json",
                f"--data-root={path}/root",
                f"--exec-root={path}/exec",
                f"--pidfile={path}/pid",
                f"--host=unix://{self.socket}",
                f"--cgroup-parent={self.place.cgroup}",
                *("--exec-opt=native.cgroupdriver=cgroupfs", "--bridge=none"),
                *("--iptables=false", "--ip6tables=false", "--ip-masq=false"),
            ],
            data=path / "root",
            log=path / "dockerd.log",
            env=self._env,
        )
        wait_until(self._answers, self.place, path / "dockerd.log")

    def _daemon(self) -> str:
        if self.root:
            return "/usr/sbin/dockerd"
        daemon = shutil.which("dockerd", path=self._env["PATH"])
        if daemon is None:
            raise Unavailable("there is no dockerd (Debian package docker.io)")
        return daemon

    def _answers(self) -> bool:
        try:
            self._api("GET", "/version")
        except (OSError, http.client.HTTPException):
            return False
        return True

    def _api(self, method: str, path: str) -> Any:
        connection = _SocketConnection(self.socket)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise http.client.HTTPException(f"{method} {path}: {text.decode(errors='replace')}")
        return json.loads(text) if text else None

    def _find_client(self, folder: Path | None) -> str:
        """Find a client that this engine talks to, and that has what it needs for BuildKit."""
        context = self.place.path / "probe"
        context.mkdir()
        (context / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
        said = "there is no docker command"
        # Debian's own needs no plug-in, so it goes before the first one of PATH.
        clients = [str(folder / "docker")] if folder else []
        clients.append("/usr/bin/docker")
        if not self.root:
            clients += filter(None, [shutil.which("docker", path=self._env["PATH"])])
        for client in clients:
            if self.root or Path(client).exists():
                command = [client, "build", "--progress=plain", str(context)]
                built = self.place.run(command, env=self._env)
                if built.ok:
                    return client
                said = f"{client}: {built.log}"
        raise Unavailable(f"no client for this engine; {said}")

    def command(self, *words: str, folder: Path, **environment: str) -> Built:
        """Run any command of the client in a folder, `buildx bake` for example."""
        return self.place.run([self._client, *words], env=self._env | environment, cwd=folder)

    def build(self, build: Build) -> Built:
        command = ["build", "--progress=plain"]
        command.append(f"--network={'host' if build.loopback else 'none'}")
        command.append(f"--file={build.context / build.file}")
        command += [f"--build-arg={name}={value}" for name, value in build.args.items()]
        if build.target:
            command.append(f"--target={build.target}")
        if build.output:
            command.append(f"--output=type=local,dest={build.output}")
        return self.command(*command, ".", folder=build.context)

    def provide(self, name: str, context: Path) -> None:
        """Build an image that a FROM then finds under this name, instead of asking a registry."""
        built = self.command("build", "--network=none", f"--tag={name}", ".", folder=context)
        assert built.ok, built.log

    def caches(self) -> list[Cache]:
        records = self._api("GET", f"/{self._api_version}/system/df").get("BuildCache") or []
        return cache_mounts((record["Type"], record["Description"]) for record in records)

    def reset(self) -> None:
        # Images hold layers that a build would find again.
        self._api("POST", "/images/prune?filters=%7B%22dangling%22%3A%5B%22false%22%5D%7D")
        self._api("POST", "/build/prune?all=1")


_PLUGINS = ("buildx", "compose")


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("engine", timeout=300)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
