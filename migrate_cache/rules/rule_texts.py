"""What is said about each rule. Data: texts for users, and examples that the tests run.

In an explanation, a blank line starts a paragraph, and a paragraph that begins with ``* ``
is a list of such items. The examples are whole Dockerfiles that need nothing beside them:
`before`, migrated alone as `example_path`, gives `after`, and brings up the rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["TEXTS", "Kind", "Rule"]

Kind = Literal["rewrite", "note", "warning", "error"]

_REFERENCE = "https://docs.docker.com/reference/dockerfile/#run---mounttypecache"
_SCOPES = "https://docs.docker.com/build/building/variables/#scoping"
_CARGO_LOCK = "https://github.com/rust-lang/cargo/blob/master/src/cargo/util/cache_lock.rs"
_CARGO_RACE = "https://github.com/rust-lang/cargo/issues/11376"
_DOCKER_GUIDE = "https://github.com/docker/docs/pull/25616"
_FLIP_BROKE = "https://github.com/0xMiden/node/pull/2386"
_API = "services/api/Dockerfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; `after` need not be given where nothing is rewritten."""

    code: str
    name: str
    kind: Kind
    summary: str
    explanation: str
    before: str
    after: str = ""
    example_path: str = _API
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Make `after` what `before` is, where it is not given."""
        object.__setattr__(self, "after", self.after or self.before)

    @property
    def ignorable(self) -> bool:
        """Whether an ignore comment for it makes sense."""
        return self.kind != "error" and self.code != "MC214"


_BUILDERS = """
Ids are the builder's, not the repository's. Where several repositories build on one builder,
another one that still uses the same ids decides with you. There are three ways out:

* migrate those repositories together
* give each repository a namespace of its own with
`--build-arg BUILDKIT_CACHE_MOUNT_NS=NAME`, which needs no change in any Dockerfile
* run `migrate-cache --fresh-ids`, which also gives every cache whose mode changes an id of its
own, at the price of one cold start
"""

TEXTS: tuple[Rule, ...] = (
    Rule(
        code="MC101",
        name="share-cache",
        kind="rewrite",
        summary="`sharing=locked` on a cache that tolerates concurrent users becomes "
        "`sharing=shared`",
        explanation="""
A locked cache is held for a whole RUN, compilation included, and every other build that uses
it waits. Many package managers lock or rename inside their cache directory themselves, so that
several containers can use it at once: for them the lock only costs time.

All users of an id change together or not at all, because BuildKit forks a cache that is used in
different modes (MC203). So the mode stays where one of the users cannot change: it is ignored,
lies outside the given paths, is generated or cannot be read. It also stays where a tool that
needs exclusive access uses the same id.
""",
        before="""\
FROM golang:1.26
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod,sharing=locked \\
    --mount=type=cache,target=/root/.cache/go-build,sharing=locked \\
    go build -o /usr/local/bin/api ./cmd/api
""",
        after="""\
FROM golang:1.26
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod,sharing=shared \\
    --mount=type=cache,target=/root/.cache/go-build,sharing=shared \\
    go build -o /usr/local/bin/api ./cmd/api
""",
        sources=(_REFERENCE, "https://github.com/golang/go/issues/26677"),
    ),
    Rule(
        code="MC102",
        name="own-output-cache",
        kind="rewrite",
        summary="a build output that several services, or nobody in particular, use gets an id "
        "of its own",
        explanation="""
Without an id, a cache is known by its target: every service that mounts `/build/target` uses
the same directory on the builder. They wait for each other, and they overwrite each other's
files. With an id that names the stage and the service, each has its own. A new id starts empty:
the first build afterwards compiles from scratch, once.

What about the lock? With an id of its own it no longer makes services wait for each other; it
only orders builds of one service. So `sharing=locked` goes where the tool locks inside the
directory itself, as Cargo does, and nothing shows that one service is built twice at the same
time. It stays, beside the new id, where the tool has no lock of its own there; where the
service is built for several platforms at once and the id does not carry the platform, since
both builds would write the same files and one could copy out the other's; where it cannot be
told which tool fills the directory; and where you say so with `--keep-lock`, for builders on
which several checkouts of one service are built at the same time.

The id stays as it is where a RUN only reads the directory, or may: after a rename the compile
RUN can come from the layer cache while the new cache is still empty, and the copy fails. It
also stays where one service alone uses an id already, and where several files run the same
build of the whole workspace and share its cache on purpose. `--service`, `--id-template` and
`[[overrides]]` in the configuration name things differently.
""",
        before="""\
FROM rust:1.95 AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/build/target,sharing=locked \\
    cargo build --release --bin api && \\
    cp target/release/api /usr/local/bin/api
""",
        after="""\
FROM rust:1.95 AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/build/target,id=target-builder-api \\
    cargo build --release --bin api && \\
    cp target/release/api /usr/local/bin/api
""",
        sources=(
            _REFERENCE,
            "https://github.com/moby/buildkit/issues/2598",
            "https://github.com/siderolabs/kres/pull/501",
        ),
    ),
    Rule(
        code="MC103",
        name="unlock-own-output",
        kind="rewrite",
        summary="a build output that already has an id that only one service uses loses a "
        "`sharing=locked` that protects nothing",
        explanation="""
The id is good: only one service uses it. The lock then only orders builds of that one service,
and the tool locks inside the directory itself, so nothing is lost without it. The id stays as
it is, and so does what the cache holds.

The lock stays for the reasons that `--explain MC102` gives: the tool has no lock of its own
inside the directory, the service is built for several platforms at once, a variable in the id
is not in scope, or `--keep-lock` is on.
""",
        before="""\
FROM rust:1.95 AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,id=api-target,target=/build/target,sharing=locked \\
    cargo build --release --bin api && \\
    cp target/release/api /usr/local/bin/api
""",
        after="""\
FROM rust:1.95 AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,id=api-target,target=/build/target \\
    cargo build --release --bin api && \\
    cp target/release/api /usr/local/bin/api
""",
        sources=(_REFERENCE,),
    ),
    Rule(
        code="MC104",
        name="link-cargo-lock",
        kind="rewrite",
        summary="Cargo's package-cache lock is linked into the shared registry mount",
        explanation="""
Cargo keeps several builds apart with two lock files in CARGO_HOME. A cache mount of
`CARGO_HOME/registry` does not contain them, so containers that share only that mount lock two
different files, which is no lock at all: cold builds side by side fail with `File exists (os
error 17)`. Two links put the lock files into the mount. Measured with six builds at once from a
cold cache: without the links 15 of 18 failed, with them none.

One instruction is inserted above the first RUN that mounts the registry, in the stage nearest
the root. It is left out where the links are there already, and where CARGO_HOME itself lies in
a cache mount. Where the links cannot be made safely, the mounts stay locked (MC211).
`--no-cargo-lock` leaves the links out altogether and reports the hazard.
"""
        + _BUILDERS
        + """
The link protects only those who have it: another project on the same builder that shares
`/usr/local/cargo/registry` without it still races, also with you.

It is made for BuildKit. buildah 1.28 deletes the folder of a mount from the image after each RUN:
there the links lead nowhere in a later RUN that runs cargo without the mount. Use
`--no-cargo-lock` where such a buildah builds.
""",
        before="""\
FROM rust:1.95
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \\
    cargo fetch --locked
""",
        after="""\
FROM rust:1.95
WORKDIR /build
COPY . .
# Put Cargo's package lock into the shared registry cache, for builds that run side by side
RUN mkdir -p -m 777 /usr/local/cargo/registry && ln -sf registry/.package-cache \
registry/.package-cache-mutate /usr/local/cargo/
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=shared \\
    cargo fetch --locked
""",
        sources=(_CARGO_LOCK, _CARGO_RACE, _DOCKER_GUIDE, _FLIP_BROKE),
    ),
    Rule(
        code="MC201",
        name="needs-exclusive-access",
        kind="note",
        summary="stays locked: this tool needs exclusive access",
        explanation="""
Some tools do not expect anybody else in their cache, or keep their lock somewhere else than in
the directory that is mounted, where other containers do not see it. They fail, or damage the
cache, when two builds use it at once. `sharing=locked` is right for them, and the note says
why.

One such mount keeps its whole RUN serial, whatever the other mounts of the RUN do: it can be
worth a RUN of its own. If you know better about a directory, teach it with `[[caches]]` in the
configuration.
""",
        before="""\
FROM debian:13-slim
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \\
    --mount=type=cache,target=/var/lib/apt,sharing=locked \\
    apt-get update && apt-get install -y --no-install-recommends ca-certificates
""",
        sources=(_REFERENCE, "https://github.com/moby/buildkit/issues/1662"),
    ),
    Rule(
        code="MC202",
        name="unknown-cache",
        kind="note",
        summary="an unknown cache directory is left alone",
        explanation="""
Nothing is known about what writes this directory, so nothing can be said about several builds
writing it at once. To teach it, add a table to the configuration: `[[caches]]` with `target`
(the directory, `*` allowed), `kind` (`shared`, `output` or `exclusive`), `slug` (its name in
new ids) and `reason`.
""",
        before="""\
FROM debian:13-slim
COPY fetch-models /usr/local/bin/
RUN --mount=type=cache,target=/opt/models,sharing=locked \\
    fetch-models --into /opt/models
""",
    ),
    Rule(
        code="MC203",
        name="mixed-sharing",
        kind="warning",
        summary="one id is used with different sharing modes: BuildKit forks such a cache",
        explanation="""
When one RUN holds a cache locked and another asks for the same id in shared mode, BuildKit does
not make the second one wait. It silently gives it a new, empty directory, and afterwards two
caches go by that id: builds are cold for no visible reason, and two locked users can even run
at the same time. Every use of one id needs the same mode.

Uses are looked for in all Dockerfiles under the project's root. Where one of them cannot
change, the others stay as they are, and the warning names the one that holds them back.
"""
        + _BUILDERS,
        before="""\
FROM debian:13-slim AS base
COPY fetch-models /usr/local/bin/

FROM base AS small
RUN --mount=type=cache,id=models,target=/opt/models,sharing=locked \\
    fetch-models --into /opt/models small

FROM base AS large
RUN --mount=type=cache,id=models,target=/opt/models,sharing=shared \\
    fetch-models --into /opt/models large
""",
        sources=(_REFERENCE, "https://github.com/moby/buildkit/issues/2459"),
    ),
    Rule(
        code="MC204",
        name="output-shared-by-services",
        kind="warning",
        summary="one build-output id is used by different services",
        explanation="""
Services that compile into one directory overwrite each other's files, and one can copy out what
another has just written. Usually each gets an id of its own (MC102). The warning says that it
could not be done here, and why: the id is prescribed by a hosting platform (`s/...`), a RUN only
reads the directory, the place is ignored, or the services cannot be told apart.
""",
        before="""\
FROM rust:1.95 AS source
WORKDIR /build
COPY . .

FROM source AS api
# migrate-cache: ignore[MC102] until the next release
RUN --mount=type=cache,id=shop-target,target=/build/target \\
    cargo build --release --bin api && cp target/release/api /usr/local/bin/

FROM source AS worker
# migrate-cache: ignore[MC102] until the next release
RUN --mount=type=cache,id=shop-target,target=/build/target \\
    cargo build --release --bin worker && cp target/release/worker /usr/local/bin/
""",
        example_path="Dockerfile",
        sources=("https://github.com/0xMiden/node/pull/2365", _FLIP_BROKE),
    ),
    Rule(
        code="MC205",
        name="variable-out-of-scope",
        kind="warning",
        summary="a variable in an id or target is not in scope at this RUN: it expands to nothing",
        explanation="""
An ARG above the first FROM is not in scope in a stage until the stage repeats it (`ARG SERVICE`),
and one that is declared below the RUN is not in scope yet. BuildKit then puts nothing in its
place, without an error: `id=target-${SERVICE}` becomes `target-`, and all services meet in one
cache. TARGETARCH and its like have to be repeated too.

The id and its lock stay as they are until the variable is declared.
""",
        before="""\
# syntax=docker/dockerfile:1
ARG SERVICE
FROM rust:1.95 AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,id=target-${SERVICE},target=/build/target,sharing=locked \\
    cargo build --release --bin api && cp target/release/api /usr/local/bin/
""",
        sources=(
            _SCOPES,
            "https://docs.docker.com/reference/build-checks/undefined-var/",
            "https://github.com/moby/buildkit/issues/2016",
        ),
    ),
    Rule(
        code="MC206",
        name="old-frontend",
        kind="warning",
        summary="a variable in an id needs Dockerfile frontend 1.3, and the file has no "
        "`# syntax=` line",
        explanation="""
Docker 20.10 and BuildKit before 0.9 use `${SERVICE}` in an id as it is written, so that all
services share one cache by that name. Engines since then expand it. A first line `#
syntax=docker/dockerfile:1` makes every engine use a frontend that does.

It is only a warning, because most engines are newer, and because the line makes builds fetch
the frontend from a registry. Nothing adds it for you.
""",
        before="""\
FROM rust:1.95 AS builder
ARG SERVICE
WORKDIR /build
COPY . .
RUN --mount=type=cache,id=target-builder-${SERVICE},target=/build/target \\
    cargo build --release --bin ${SERVICE} && cp target/release/${SERVICE} /usr/local/bin/
""",
        sources=(
            "https://github.com/moby/buildkit/pull/2089",
            "https://github.com/moby/buildkit/issues/1154",
            "https://docs.docker.com/reference/dockerfile/#syntax",
        ),
    ),
    Rule(
        code="MC207",
        name="private-copies",
        kind="note",
        summary="`sharing=private` makes a copy per build",
        explanation="""
Builds at the same time each get a directory of their own, so nobody waits and nothing breaks,
but later builds pick up any one of the copies, and the builder keeps them all. Podman and
buildah refuse the mode. Nothing is changed: somebody chose it on purpose.
""",
        before="""\
FROM golang:1.26
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod,sharing=private \\
    go build -o /usr/local/bin/api ./cmd/api
""",
        sources=(_REFERENCE, "https://github.com/containers/podman/issues/27188"),
    ),
    Rule(
        code="MC208",
        name="unknown-service",
        kind="note",
        summary="the service cannot be told, so no id is made up",
        explanation="""
An id has to tell apart the builds whose output differs, and nothing else. The service is taken
from the configuration, from build arguments that the RUN uses, from compose and bake files,
from the command, and from the names of the file and its folder, in this order. Two equally good
answers are none: a wrong guess would mix two services or split one. The note lists what was
considered.

To decide, use `--service NAME`, or `[[overrides]]` with `files` and `service` or `id` in the
configuration.
""",
        before="""\
# syntax=docker/dockerfile:1
FROM rust:1.95 AS builder
ARG SERVER
ARG WORKER
ARG CLI
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/build/target,sharing=locked \\
    cargo build --release --bin ${SERVER} --bin ${WORKER} --bin ${CLI} && \\
    cp target/release/${SERVER} target/release/${WORKER} target/release/${CLI} /usr/local/bin/
""",
        example_path="Dockerfile",
    ),
    Rule(
        code="MC209",
        name="variable-mount",
        kind="note",
        summary="type, sharing or target comes from a variable of unknown value: left alone",
        explanation="""
What the mount is depends on a build argument, so that different builds of the same file can get
different caches or modes. A variable that only ENV sets, or a target whose variables are known,
is no obstacle.
""",
        before="""\
FROM golang:1.26
ARG CACHE_MODE
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod,sharing=${CACHE_MODE} \\
    go build -o /usr/local/bin/api ./cmd/api
""",
        sources=(_SCOPES,),
    ),
    Rule(
        code="MC210",
        name="rejected-mount",
        kind="warning",
        summary="a mount that BuildKit would reject, in its words: left alone",
        explanation="""
The build fails at this mount: an option or a value that does not exist, a missing target, an
option that this type of mount does not take. It is left as it is, because nobody can know what
it should have been.
""",
        before="""\
FROM golang:1.26
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod,sharing=exclusive \\
    go build -o /usr/local/bin/api ./cmd/api
""",
        sources=(_REFERENCE,),
    ),
    Rule(
        code="MC211",
        name="cargo-lock-not-linked",
        kind="warning",
        summary="Cargo's lock cannot be linked into this cache: it stays locked, or is shared at "
        "a risk",
        explanation="""
Cargo's registry and git directories may only be shared with the lock in the same mount (MC104).
That can be arranged only where the file shows that it works:

* the mounts are those of the CARGO_HOME in force in the stage
* the user at the RUN may write CARGO_HOME
* the stage has a POSIX shell, and the RUN is no ONBUILD trigger
* the lock comes to lie in one and the same cache for every user of the ids concerned
* every user of these ids in the project can have it

If one of these fails, all of them stay locked, which is slow and safe, and the warning says which
one it was. Where a registry is shared already without the lock, or `--no-cargo-lock` is on,
cold builds side by side can fail with `File exists (os error 17)`. Another way is a cache mount
of a whole CARGO_HOME of its own (`/var/cache/cargo` with `CARGO_HOME=/var/cache/cargo`), which
contains the lock.
""",
        before="""\
FROM rust:1.95
WORKDIR /build
COPY . .
USER 1000
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked,uid=1000 \\
    cargo fetch --locked
""",
        sources=(_CARGO_RACE, _DOCKER_GUIDE),
    ),
    Rule(
        code="MC212",
        name="output-read-elsewhere",
        kind="warning",
        summary="a build output is read by a later stage that does not mount it",
        explanation="""
What a RUN writes into a cache mount is not part of the image: a `COPY --from` of such a path, or
a later RUN that reads it without the mount, finds nothing, or an old file. Copy the result out
of the cache in the same RUN that makes it.
""",
        before="""\
FROM rust:1.95 AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/build/target \\
    cargo build --release --bin api

FROM debian:13-slim
COPY --from=builder /build/target/release/api /usr/local/bin/api
""",
        sources=(_REFERENCE,),
    ),
    Rule(
        code="MC213",
        name="exclusive-cache-not-locked",
        kind="warning",
        summary="a cache that needs exclusive access is not locked: parallel builds can fail",
        explanation="""
The tool does not expect anybody else in this directory (MC201), but the mount names no mode, or
`shared`. Builds at the same time can fail or damage the cache. The usual repair is
`sharing=locked` for every user of the id. It is not made for you: it would make builds wait that
do not wait today.
""",
        before="""\
FROM debian:13-slim
RUN --mount=type=cache,target=/var/cache/apt \\
    apt-get update && apt-get install -y --no-install-recommends ca-certificates
""",
        sources=(_REFERENCE, "https://github.com/moby/buildkit/issues/1662"),
    ),
    Rule(
        code="MC214",
        name="unused-ignore",
        kind="note",
        summary="an ignore comment that no longer does anything",
        explanation="""
No rule that the comment names would say or do anything here any more, so the comment can go. One
that stays around would hide the next finding at the same place, and nobody would know that it
was never looked at.
""",
        before="""\
FROM golang:1.26
WORKDIR /src
COPY . .
# migrate-cache: ignore[MC101] waits for the next release
RUN --mount=type=cache,target=/go/pkg/mod,sharing=shared \\
    go build -o /usr/local/bin/api ./cmd/api
""",
    ),
    Rule(
        code="MC901",
        name="unreadable-file",
        kind="error",
        summary="the file cannot be read or parsed",
        explanation="""
The message names the place, shows the line, and says what was expected. The file stays as it is,
and so does every cache that it may use. All other files are done, and the exit code is 3. A file
that is no Dockerfile for BuildKit, such as a template, can be left out with `--exclude`.
""",
        before="""\
FROM debian:13-slim
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked <<EOF
apt-get update
""",
        sources=("https://docs.docker.com/reference/dockerfile/",),
    ),
    Rule(
        code="MC902",
        name="refused-result",
        kind="error",
        summary="the safety net refused the result, which is a bug here: the file is untouched",
        explanation="""
Before anything is written, the new text is read again and compared with the old one: the same
instructions but for the planned changes, and nothing left to change in a second run. This file
did not pass. It was not written; please report it with the file.
""",
        before="",
    ),
)
