"""Results made by hand for the tests of the reports."""

from __future__ import annotations

from migrate_cache.plan.model import (
    CacheResult,
    CacheUser,
    ChangeResult,
    FileResult,
    MountResult,
    NoteResult,
    ProjectResult,
)
from migrate_cache.text.edit import Edit, apply_edits
from migrate_cache.text.errors import ParseError, SafetyError, Warn
from migrate_cache.text.source import Source, Span

HOSTILE = '-we ird\n\x1b[31m"q",`b`|<b>@me:%\udcff\u202e.Dockerfile'


def planned(
    path: str,
    before: str,
    *replacements: tuple[str, str, str],
    notes: tuple[NoteResult, ...] = (),
    reason: str = "it is safe with several users at once",
    evidence: tuple[str, ...] = (),
) -> FileResult:
    """Plan (old, new, rule) replacements, each at the next place where `old` stands."""
    source, changes, position = Source(before, path), [], 0
    for old, new, rule in replacements:
        start = before.index(old, position)
        # What is only added is planned as an insertion.
        kept = len(old) if new.endswith(old) else 0
        span = Span(start, start if kept else start + len(old))
        text = new[: len(new) - kept]
        place = source.place(start)
        changes.append(
            ChangeResult(rule, place.line, place.column, reason, (Edit(span, text),), evidence)
        )
        position = span.end
    after = apply_edits(before, [edit for change in changes for edit in change.edits])
    return FileResult(path, before, after, tuple(changes), notes)


API = """\
FROM rust:1.95 AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \\
    --mount=type=cache,target=/build/target,sharing=locked \\
    cargo build --release --bin api
"""
LINK = """\
# Cargo's package-cache lock lies in the shared registry mount
RUN ln -sf registry/.package-cache registry/.package-cache-mutate /usr/local/cargo/
"""
WEB = """\
FROM debian:13-slim
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt-get update
RUN --mount=type=cache,target=/opt/models,sharing=${MODE} fetch-models
"""
REGISTRY = "/usr/local/cargo/registry"
SERVICES = ("api", "worker", "mailer", "search")


def rust_file(service: str) -> FileResult:
    before = API.replace("--bin api", f"--bin {service}")
    return planned(
        f"services/{service}/Dockerfile",
        before,
        ("RUN --mount", LINK + "RUN --mount", "MC104"),
        ("sharing=locked", "sharing=shared", "MC101"),
        ("sharing=locked", f"id=target-builder-{service}", "MC102"),
        evidence=(f"the command says --bin {service}", "the stage is called builder"),
    )


def rust_outcomes(service: str) -> tuple[MountResult, ...]:
    path = f"services/{service}/Dockerfile"
    return (
        MountResult(
            path=path, line=4, column=5, stage="builder", target=REGISTRY, directory=REGISTRY,
            tool="Cargo registry", kind="cargo-subdir", id_before=REGISTRY, id_after=REGISTRY,
            sharing_before="locked", sharing_after="shared", rule="MC101",
            reason="it is safe with several users at once",
        ),
        MountResult(
            path=path, line=5, column=5, stage="builder", target="/build/target",
            directory="/build/target", tool="Cargo target directory", kind="output",
            id_before="/build/target", id_after=f"target-builder-{service}",
            sharing_before="locked", sharing_after="", rule="MC102",
            reason="it is safe with several users at once",
            evidence=(f"the command says --bin {service}",),
        ),
    )  # fmt: skip


def user(service: str, line: int, before: str, after: str, id_after: str) -> CacheUser:
    return CacheUser(
        f"services/{service}/Dockerfile", line, "builder", service, before, after, id_after
    )


WEB_FILE = FileResult(
    "web.Dockerfile",
    WEB,
    WEB,
    notes=(
        NoteResult("MC201", 2, 5, "apt fails where another apt holds its lock"),
        NoteResult("MC209", 3, 5, "sharing comes from ${MODE}, which a build argument sets"),
        NoteResult("MC206", 3, 5, "${MODE} needs frontend 1.3", ("there is no # syntax= line",)),
    ),
)
WEB_OUTCOMES = (
    MountResult(
        path="web.Dockerfile", line=2, column=5, stage="", target="/var/cache/apt",
        directory="/var/cache/apt", tool="apt", kind="exclusive", id_before="/var/cache/apt",
        id_after="/var/cache/apt", sharing_before="locked", sharing_after="locked", rule="MC201",
        reason="apt fails where another apt holds its lock", evidence=("apt-get runs here",),
    ),
    MountResult(
        path="web.Dockerfile", line=3, column=5, stage="", target="/opt/models",
        directory="/opt/models", tool="", kind="unknown", id_before="/opt/models",
        id_after="/opt/models", sharing_before="${MODE}", sharing_after="${MODE}", rule="MC209",
        reason="sharing comes from ${MODE}, which a build argument sets",
    ),
)  # fmt: skip
CACHES = (
    CacheResult(
        "/build/target", "output", "Cargo target directory", ("/build/target",),
        tuple(user(name, 5, "locked", "shared", f"target-builder-{name}") for name in SERVICES),
    ),
    CacheResult(
        "/opt/models", "unknown", "", ("/opt/models",),
        (
            CacheUser("web.Dockerfile", 3, "", "web", "locked", "locked", "/opt/models"),
            CacheUser("tools/Dockerfile", 9, "tools", "", "shared", "shared", "/opt/models"),
        ),
    ),
    CacheResult(
        REGISTRY, "cargo-subdir", "Cargo registry", (REGISTRY, "/home/app/.cargo/registry"),
        tuple(user(name, 4, "locked", "shared", REGISTRY) for name in SERVICES),
    ),
    CacheResult(
        "/var/cache/apt", "exclusive", "apt", ("/var/cache/apt",),
        (CacheUser("web.Dockerfile", 2, "", "web", "locked", "locked", "/var/cache/apt"),),
    ),
)  # fmt: skip

BROKEN = FileResult(
    "broken.Dockerfile",
    "",
    "",
    error=ParseError(
        "unterminated heredoc: no line with EOF alone ends it",
        path="broken.Dockerfile",
        line=2,
        column=7,
        source_line="RUN\tX <<EOF",
        hint="end the body with a line that holds only EOF",
    ),
)

PROJECT = ProjectResult(
    root="/home/me/shop",
    files=(BROKEN, *(rust_file(name) for name in sorted(SERVICES)), WEB_FILE),
    mounts=tuple(
        outcome for name in sorted(SERVICES) for outcome in rust_outcomes(name)
    ) + WEB_OUTCOMES,
    caches=CACHES,
    warnings=(Warn("compose.yaml", 3, 9, "the value of build is neither text nor a mapping"),),
)  # fmt: skip
NOTHING = ProjectResult("/home/me/shop", (WEB_FILE,), WEB_OUTCOMES, CACHES[3:])
EMPTY = ProjectResult("/home/me/shop", ())

HOSTILE_TEXT = (
    "# \x1b]0;title\x07 \udce9\n"
    "RUN --mount=type=cache,target=/c\x1b[2J,sharing=locked \u202e `x` <b> ::error::\n"
)
HOSTILE_FILE = planned(
    HOSTILE,
    HOSTILE_TEXT,
    ("sharing=locked", "sharing=shared", "MC101"),
    reason="100% safe: `x`\n::error::<b>\x1b[31m\udcff, @you",
    evidence=("\x1b[0m ev\nidence",),
    notes=(NoteResult("MC205", 2, 3, "note\r\n::warning::\x9b31m"),),
)
HOSTILE_PROJECT = ProjectResult(
    root="/tmp/ro\x1bot",
    files=(
        HOSTILE_FILE,
        FileResult(
            "b\x1bad",
            "",
            "",
            error=SafetyError(
                "refused \x1b[31m\nnow", path="b\x1bad", line=1, column=3, source_line="\x1b[A x"
            ),
        ),
    ),
    mounts=(
        MountResult(
            path=HOSTILE, line=2, column=5, stage="st\x1bage|`", target="/c\x1b[2J",
            directory="/c\x1b[2J", tool="to\x07ol|<i>", kind="shared", id_before="`a`|\x1b[2J",
            id_after="``b``\n|", sharing_before="locked", sharing_after="sha\x1bred", rule="MC101",
            reason="100% safe: `x`\n::error::<b>\x1b[31m\udcff, @you", evidence=("\x1b ev",),
        ),
    ),
    caches=(
        CacheResult(
            "id\x1b[2J", "out\x07put", "", ("/c\x1b[2J",),
            (CacheUser(HOSTILE, 2, "s\x1b", "sv\x1b\n", "locked", "shared", "n\x1bew"),),
        ),
    ),
    warnings=(Warn("comp\x1bose.yaml", 1, 1, "wa\x1brn\n::error::"),),
)  # fmt: skip
