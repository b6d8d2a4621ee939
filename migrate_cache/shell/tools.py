"""What is known of programs: their names, what they run, and what cannot be told of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrate_cache.shell.model import SHELLS, Command, options

if TYPE_CHECKING:
    from collections.abc import Iterable


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _each_to(programs: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {program: (name,) for name, text in programs.items() for program in text.split()}


# Other names of programs. A second word stands in front of the arguments.
_CANONICAL: dict[str, tuple[str, ...]] = {
    "npx": ("npm", "exec"),
    "pnpx": ("pnpm", "dlx"),
    "bunx": ("bun", "x"),
    "uvx": ("uv", "tool", "run"),
    **_each_to(
        {
            "cargo": "xx-cargo cross",
            "go": "xx-go gotip",
            "apt": "apt-get aptitude apt-fast xx-apt xx-apt-get",
            "apk": "xx-apk",
            "dnf": "yum microdnf dnf5",
            "mvn": "mvnw mvnd mvnw.cmd",
            "gradle": "gradlew gradlew.bat",
            "yarn": "yarnpkg",
            "mamba": "micromamba",
            "bundle": "bundler",
            "composer": "composer.phar",
            "coursier": "cs",
            "bazel": "bazelisk",
            "huggingface-cli": "hf",
            "cmake": "cmake3",
        }
    ),
}
_NUMBERED = re.compile(r"(pip|python|pypy|bundle|gem|ruby|php)[0-9][0-9.]*")

# Cargo's options before a subcommand that take a word.
_CARGO_OPTIONS = _words("--color --config -C -Z")
# Cargo's subcommands that run another one, and those that build for `--target`.
_CARGO_WRAPPERS = _words("auditable hack careful")
CARGO_BUILDS = _words("build b rustc run r test t chef zigbuild")


def canonical(command: Command) -> tuple[str, tuple[str, ...]]:
    """Return the one name of a program, and its arguments from the subcommand on.

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
        program = _without_version(program)
    if program == "cargo":
        at = 0
        while at < len(arguments) and arguments[at][:1] in ("+", "-"):
            at += 2 if arguments[at] in _CARGO_OPTIONS else 1
        at += 1 if arguments[at : at + 1] and arguments[at] in _CARGO_WRAPPERS else 0
        arguments = arguments[at:] if at < len(arguments) else arguments
    return program, arguments


def _without_version(program: str) -> str:
    numbered = _NUMBERED.fullmatch(program)
    return numbered[1] if numbered else program


def normalized(command: Command) -> Command:
    """See through ``python -m NAME``, and take ``cargo --target-dir`` for its variable."""
    program, arguments = canonical(command)[0], command.arguments
    if program == "cargo":
        folders = options(command, "--target-dir")
        if folders and folders[-1].startswith(("/", "$")):
            environment = (*command.environment, ("CARGO_TARGET_DIR", folders[-1]))
            return Command(command.program, arguments, environment, command.path)
    if program not in ("python", "pypy"):
        return command
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        word = arguments[at]
        if word == "-m" and at + 1 < len(arguments):
            module, rest = arguments[at + 1], arguments[at + 2 :]
            return Command(module, rest, command.environment, command.path)
        if word.startswith("-m") and len(word) > 2:
            return Command(word[2:], arguments[at + 1 :], command.environment, command.path)
        at += 2 if word in ("-W", "-X") else 1
    return command


# Programs that run the program named by their arguments.
_LAUNCHERS = frozenset(
    (
        "uv run", "uv tool run", "poetry run", "pipenv run", "pipx run", "pdm run", "bundle exec",
        "npm exec", "pnpm exec", "pnpm dlx", "yarn exec", "yarn dlx", "bun x", "corepack",
        "mise exec", "mise x", "asdf exec", "conda run", "mamba run", "rustup run", "sccache",
        "ccache",
    )
)  # fmt: skip
_LAUNCHER_OPTIONS = frozenset({"-n", "-p", "--name", "--prefix", "--with", "--from", "--package"})
_VERSIONED = _words("npm pnpm yarn bun uv corepack")  # they take NAME@VERSION
_MAX_LAUNCHERS = 6  # launchers that launch launchers


def launched(command: Command) -> Command | None:
    """Return what a launcher such as ``uv run`` or ``npx`` runs; None if it is none."""
    program, arguments = canonical(command)
    line = (program, *arguments)
    for length in (1, 2, 3):
        if " ".join(line[:length]) not in _LAUNCHERS:
            continue
        at = length + (program == "rustup")  # its first word is the toolchain
        while at < len(line) and line[at].startswith("-"):
            at += 2 if line[at] in _LAUNCHER_OPTIONS else 1
        if at >= len(line):
            return None
        path = line[at]
        name = path.rpartition("/")[2]
        if program in _VERSIONED:
            name = name.partition("@")[0]
        return normalized(Command(name, line[at + 1 :], command.environment, path))
    return None


def all_commands(commands: Iterable[Command]) -> tuple[Command, ...]:
    """Return `commands`, each followed by what it launches."""
    found: list[Command] = []
    for command in commands:
        inner: Command | None = command
        for _ in range(_MAX_LAUNCHERS):
            if inner is None:
                break
            found.append(inner)
            inner = launched(inner)
    return tuple(found)


# The tools that a program runs, beside the one of its own name.
_ALSO = _each_to(
    {
        "cargo": "trunk wasm-pack maturin tauri",
        "rustup": "rustc rustup-init",
        "go": "golangci-lint gotestsum goreleaser mage xcaddy ko",
        "pip": "pip-compile pip-sync pipenv pipx build pdm easy_install",
        "apt": "add-apt-repository",
        "dotnet": "nuget msbuild",
        "webpack": "react-scripts",
        "bundle": "gem rake rails",
        "mix": "iex elixir",
        "cmake": "ctest",
        "nix": "nix-build nix-shell nix-env",
        "huggingface-cli": "transformers-cli",
        "dart": "flutter",
        "coursier": "scala-cli sbt mill",
        "terraform": "tofu",
    }
)


def tools(commands: Iterable[Command]) -> frozenset[str]:
    """Return the canonical names of the programs that `commands` run, and of what these run.

    What a task runner or a script runs cannot be told, see `is_opaque`.
    """
    found: set[str] = set()
    for command in all_commands(commands):
        program, arguments = canonical(command)
        found.add(program)
        found.update(_ALSO.get(program, ()))
        if program == "yarn":
            found.update(arguments[:1])  # it runs the programs of packages by their names
    return frozenset(found)


_TASK_RUNNERS = _words(
    """
    make gmake bmake just task go-task mage ninja scons waf ant rake invoke inv nox tox poe moon
    please plz earthly dagger doit lerna gulp grunt cmake-js configure bake b2 tup
    """
)
# Subcommands that run what the project defines.
_SCRIPTED: dict[str, frozenset[str]] = {
    "npm": _words("run run-script start test t"),
    "pnpm": _words("run start test"),
    "yarn": _words("run start test build"),
    "bun": _words("run"),
    "composer": _words("run run-script"),
    "cargo": _words("make xtask run"),
    "go": _words("generate run"),
    "mise": _words("run r"),
    "deno": _words("run task"),
}
_INTERPRETERS = _words("python pypy node ruby perl php tsx ts-node")
# Modules of Python that are programs, not scripts of the project.
_MODULES = _words(
    """
    pip pipx pipenv poetry uv venv virtualenv ensurepip build compileall pytest mypy ruff pdm conda
    maturin
    """
)
_SCRIPT_SUFFIXES = (".sh", ".bash", ".py", ".js", ".mjs", ".ts", ".rb", ".pl", ".ps1")
_SYSTEM_FOLDER = re.compile(r"(?:/usr)?(?:/local)?/s?bin/|/opt/|.*/\.[a-z]+/(?:.*/)?bin/")


def is_opaque(command: Command, known: frozenset[str] = frozenset()) -> bool:
    """Return whether it cannot be told what `command` runs: a script or a task runner.

    `known` names tools that are themselves wherever they lie.
    """
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
    interpreter = _without_version(command.path.rpartition("/")[2])
    if interpreter in _INTERPRETERS:
        if program != interpreter:  # python -m NAME
            return program not in _MODULES
        return arguments[:1] not in (("--version",), ("-V",), ("-v",), ())
    if program in known or program in _ALSO:
        return False
    if program.endswith(_SCRIPT_SUFFIXES):
        return True
    return "/" in command.path and not _SYSTEM_FOLDER.match(command.path)
