"""Which tools commands run, and what cannot be told of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrate_cache.shell.launchers import CARGO_WRAPPERS, clean
from migrate_cache.shell.model import MAX_NESTING, NUMBERED, SHELLS, Command

if TYPE_CHECKING:
    from collections.abc import Iterable

# What a program is called here. A second word stands in front of its arguments.
_CANONICAL: dict[str, tuple[str, ...]] = {
    "xx-cargo": ("cargo",),
    "cross": ("cargo",),
    "xx-go": ("go",),
    "gotip": ("go",),
    "apt-get": ("apt",),
    "aptitude": ("apt",),
    "apt-fast": ("apt",),
    "xx-apt": ("apt",),
    "xx-apt-get": ("apt",),
    "xx-apk": ("apk",),
    "yum": ("dnf",),
    "microdnf": ("dnf",),
    "dnf5": ("dnf",),
    "mvnw": ("mvn",),
    "mvnd": ("mvn",),
    "mvnw.cmd": ("mvn",),
    "gradlew": ("gradle",),
    "gradlew.bat": ("gradle",),
    "yarnpkg": ("yarn",),
    "npx": ("npm", "exec"),
    "pnpx": ("pnpm", "dlx"),
    "bunx": ("bun", "x"),
    "uvx": ("uv", "tool", "run"),
    "micromamba": ("mamba",),
    "bundler": ("bundle",),
    "composer.phar": ("composer",),
    "cs": ("coursier",),
    "bazelisk": ("bazel",),
    "hf": ("huggingface-cli",),
    "cmake3": ("cmake",),
}
_CARGO_OPTIONS = frozenset({"--color", "--config", "-C", "-Z"})


def canonical(command: Command) -> tuple[str, tuple[str, ...]]:
    """Return the one name of the program and its arguments from the sub command on.

    ``./mvnw`` is ``mvn``, ``pip3.11`` is ``pip``, ``cargo-chef cook`` and
    ``cargo +nightly chef cook`` are ``cargo`` with ``("chef", "cook")``.
    """
    program, arguments = command.program, command.arguments
    if program in _CANONICAL:
        program, *front = _CANONICAL[program]
        arguments = (*front, *arguments)
    elif program.startswith("cargo-") and len(program) > 6:
        plugin = program[6:]  # cargo starts it with its own name as the first word
        program = "cargo"
        arguments = arguments if arguments[:1] == (plugin,) else (plugin, *arguments)
    else:
        numbered = NUMBERED.fullmatch(program)
        program = numbered[1] if numbered else program
    if program == "cargo":
        at = 0
        while at < len(arguments) and arguments[at][:1] in ("+", "-"):
            at += 2 if arguments[at] in _CARGO_OPTIONS else 1
        at += 1 if arguments[at : at + 1] and arguments[at] in CARGO_WRAPPERS else 0
        arguments = arguments[at:] if at < len(arguments) else arguments
    return program, arguments


# Programs that run the program named by their arguments, after these words of their own.
_LAUNCHERS: tuple[tuple[str, ...], ...] = (
    ("uv", "run"),
    ("uv", "tool", "run"),
    ("poetry", "run"),
    ("pipenv", "run"),
    ("pipx", "run"),
    ("pdm", "run"),
    ("bundle", "exec"),
    ("npm", "exec"),
    ("pnpm", "exec"),
    ("pnpm", "dlx"),
    ("yarn", "exec"),
    ("yarn", "dlx"),
    ("bun", "x"),
    ("corepack",),
    ("mise", "exec"),
    ("mise", "x"),
    ("asdf", "exec"),
    ("conda", "run"),
    ("mamba", "run"),
    ("rustup", "run", "*"),
    ("sccache",),
    ("ccache",),
)
_LAUNCHER_OPTIONS = frozenset({"-n", "-p", "--name", "--prefix", "--with", "--from", "--package"})


def launched(command: Command) -> Command | None:
    """Return what a launcher such as ``uv run`` or ``npx`` runs; None if it is none."""
    program, arguments = canonical(command)
    for launcher in _LAUNCHERS:
        own = launcher[1:]
        if launcher[0] != program or len(arguments) <= len(own):
            continue
        if all(want in ("*", word) for want, word in zip(own, arguments, strict=False)):
            rest = list(arguments[len(own) :])
            at = 0
            while at < len(rest) and rest[at].startswith("-"):
                at += 2 if rest[at] in _LAUNCHER_OPTIONS else 1
            if at >= len(rest):
                return None
            path = rest[at]
            name = path.rpartition("/")[2]
            if program in ("npm", "pnpm", "yarn", "bun", "uv", "corepack") and name[:1] != "@":
                name = name.partition("@")[0]  # a version: pnpm@9
            inner = Command(name, tuple(rest[at + 1 :]), command.environment, path)
            return clean(inner)
    return None


def all_commands(commands: Iterable[Command]) -> tuple[Command, ...]:
    """Return `commands`, each followed by what it launches."""
    found: list[Command] = []
    for command in commands:
        inner: Command | None = command
        for _ in range(MAX_NESTING):
            if inner is None:
                break
            found.append(inner)
            inner = launched(inner)
    return tuple(found)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Which tools of the catalogue a program runs, beyond the one that has its name.
_ALSO: dict[str, tuple[str, ...]] = {
    "trunk": ("cargo",),
    "wasm-pack": ("cargo",),
    "maturin": ("cargo",),
    "tauri": ("cargo",),
    "rustc": ("rustup",),
    "rustup-init": ("rustup",),
    "golangci-lint": ("go",),
    "gotestsum": ("go",),
    "goreleaser": ("go",),
    "mage": ("go",),
    "xcaddy": ("go",),
    "ko": ("go",),
    "pip-compile": ("pip",),
    "pip-sync": ("pip",),
    "pipenv": ("pip",),
    "pipx": ("pip",),
    "build": ("pip",),
    "pdm": ("pip",),
    "easy_install": ("pip",),
    "add-apt-repository": ("apt",),
    "apt-key": (),
    "nuget": ("dotnet",),
    "msbuild": ("dotnet",),
    "react-scripts": ("webpack",),
    "gem": ("bundle",),
    "rake": ("bundle",),
    "rails": ("bundle",),
    "iex": ("mix",),
    "elixir": ("mix",),
    "ctest": ("cmake",),
    "nix-build": ("nix",),
    "nix-shell": ("nix",),
    "nix-env": ("nix",),
    "transformers-cli": ("huggingface-cli",),
    "flutter": ("dart",),
    "scala-cli": ("coursier",),
    "sbt": ("coursier",),
    "mill": ("coursier",),
    "tofu": ("terraform",),
}
_NAMED = _words(
    """
    cargo rustup sccache ccache go golangci-lint npm yarn pnpm bun node-gyp next turbo nx vite
    webpack cypress playwright pip pipx uv poetry conda mamba mypy pytest ruff mvn gradle sbt
    coursier kotlinc dotnet composer bundle rails mix rebar3 swift bazel cabal stack zig elm dart
    flutter cmake meson ninja conan vcpkg apt dnf apk zypper pacman nix huggingface-cli terraform
    helm trivy grype
    """
)
TOOLS = _NAMED


def tools(commands: Iterable[Command]) -> frozenset[str]:
    """Return the catalogue's names of the tools that `commands` run.

    What a task runner or a script runs cannot be told, see `is_opaque`.
    """
    found: set[str] = set()
    for command in all_commands(commands):
        program, arguments = canonical(command)
        if program == "corepack" or (program == "command" and arguments[:1] in (("-v",), ("-V",))):
            continue
        if program in _NAMED:
            found.add(program)
        found.update(_ALSO.get(program, ()))
        if program == "yarn" and arguments and arguments[0] in _NAMED:
            found.add(arguments[0])  # yarn runs the programs of packages by their names
    return frozenset(found)


_TASK_RUNNERS = _words(
    """
    make gmake bmake just task go-task mage ninja scons waf ant rake invoke inv nox tox poe moon
    please plz earthly dagger doit lerna gulp grunt cmake-js configure bake b2 tup
    """
)
_SCRIPTED: dict[str, frozenset[str]] = {
    "npm": frozenset({"run", "run-script", "start", "test", "t"}),
    "pnpm": frozenset({"run", "start", "test"}),
    "yarn": frozenset({"run", "start", "test", "build"}),
    "bun": frozenset({"run"}),
    "composer": frozenset({"run", "run-script"}),
    "cargo": frozenset({"make", "xtask", "run"}),
    "go": frozenset({"generate", "run"}),
    "mise": frozenset({"run", "r"}),
    "deno": frozenset({"run", "task"}),
}
_INTERPRETERS = frozenset({"python", "pypy", "node", "ruby", "perl", "php", "tsx", "ts-node"})
_SCRIPT_SUFFIXES = (".sh", ".bash", ".py", ".js", ".mjs", ".ts", ".rb", ".pl", ".ps1")
_SYSTEM_FOLDER = re.compile(r"(?:/usr)?(?:/local)?/s?bin/|/opt/|.*/\.[a-z]+/(?:.*/)?bin/")
_MODULES = frozenset({"pip", "pipx", "pipenv", "poetry", "uv", "venv", "virtualenv", "ensurepip"})
_MODULES |= {"build", "compileall", "pytest", "mypy", "ruff", "pdm", "conda", "maturin"}


def is_opaque(command: Command) -> bool:
    """Return whether it cannot be told what `command` runs: a script or a task runner."""
    program, arguments = canonical(command)
    if program in _TASK_RUNNERS or program.startswith(("$", "`")):
        return True
    if program in (".", "source"):
        script = arguments[0] if arguments else ""
        return script.endswith(".sh") and not script.startswith(("/", "~", "$"))
    if program in SHELLS:
        return arguments[:1] not in (("--version",), ("-version",))
    if program in _SCRIPTED:
        first = next((word for word in arguments if not word.startswith("-")), "")
        return first in _SCRIPTED[program]
    interpreter = NUMBERED.sub(r"\1", command.path.rpartition("/")[2])
    if interpreter in _INTERPRETERS:
        if program != interpreter:  # python -m NAME
            return program not in _MODULES
        return arguments[:1] not in (("--version",), ("-V",), ("-v",), ())
    if program in _NAMED or program in _ALSO:
        return False
    if program.endswith(_SCRIPT_SUFFIXES):
        return True
    return "/" in command.path and not _SYSTEM_FOLDER.match(command.path)
