from __future__ import annotations

import pytest

from migrate_cache.plan.api import migrate
from migrate_cache.rules.new_ids import is_prescribed, render
from migrate_cache.settings import Override, Settings

LOCKED = "sharing=locked"


def run(
    command: str = "cargo build --release",
    *,
    id_: str = "",
    target: str = "/b/target",
    sharing: str = LOCKED,
) -> str:
    options = ",".join(filter(None, (f"target={target}", id_ and f"id={id_}", sharing)))
    return f"RUN --mount=type=cache,{options} {command}\n"


def stage(*runs: str, name: str = "builder", before: str = "") -> str:
    return f"FROM rust AS {name}\nWORKDIR /b\n{before}" + "".join(runs)


def ids(files: dict[str, str], settings: Settings | None = None, **build_files: str) -> list[str]:
    """Return the ids after the migration, in the order of paths and lines."""
    read = {f"{name}.yaml": text.encode() for name, text in build_files.items()}
    result = migrate(dict(files), settings, build_files=read, root_name="shop")
    assert not any(file.error for file in result.files), result.files
    again = migrate({f.path: f.after for f in result.files}, settings, build_files=read)
    assert not any(file.changed for file in again.files)
    return [outcome.id_after for outcome in result.outcomes]


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("{kind}-{stage}-{service}", "k s v p a", "k-s-v"),
        ("{kind}-{stage}-{service}", "k - v p a", "k-v"),
        ("{stage}-{service}-{arch}", "k - v p -", "v"),
        ("{arch}_{stage}.{kind}", "k - v p -", "k"),
        ("x-{arch}-{stage}-y", "k - v p -", "x-y"),
        ("{kind}--{service}", "k s v p a", "k--v"),
        ("{kind}{stage}{service}", "k - v p a", "kv"),
        ("{kind}/{stage}/{service}", "k - v p a", "k//v"),
        ("${kind}-{kind}-${X:-a_-_b}", "k s v p a", "${kind}-k-${X:-a_-_b}"),
        ("{service}", "k s ${X} p a", "${X}"),
        ("{service}-{arch}", "k s a--b p -", "a--b"),
    ],
)
def test_template(template: str, values: str, text: str) -> None:
    names = ("kind", "stage", "service", "project", "arch")
    parts = ["" if part == "-" else part for part in values.split()]
    assert render(template, **dict(zip(names, parts, strict=True))) == text  # type: ignore[arg-type]


def test_ids_of_hosting_platforms() -> None:
    assert is_prescribed("s/4b-target")
    assert not is_prescribed("services/target")


@pytest.mark.parametrize(
    ("before", "command", "suffix"),
    [
        ("", "cargo build", ""),
        ("ARG TARGETARCH\n", "cargo build", "-${TARGETARCH}"),
        ("ARG TARGETARCH TARGETPLATFORM\n", "cargo build", "-${TARGETPLATFORM}"),
        ("ARG TARGETARCH=amd64\n", "cargo build", ""),
        ("ENV TARGETARCH=amd64\n", "cargo build", ""),
        ("ARG BUILDPLATFORM\n", "cargo build", ""),
        ("ARG TARGETARCH\n", "cargo build --target x86_64-unknown-linux-gnu", "-${TARGETARCH}"),
        ("ARG TARGETARCH\n", "cargo build --target $(cat /triple)", ""),
        ("ARG TARGETARCH\n", "T=a; cargo build --target=$T", ""),
        ("ARG TARGETARCH\nENV T=x-$TARGETARCH\n", "cargo build --target=$T", ""),
        ("ARG TARGETARCH T=a\n", "cargo build --target=$T", "-${TARGETARCH}"),
        ("ARG TARGETARCH\n", "cargo build --target $(x) && cargo build", "-${TARGETARCH}"),
        ("ARG TARGETARCH\n", "cargo install x && cargo build --target $(x)", ""),
    ],
)
def test_platform(before: str, command: str, suffix: str) -> None:
    files = {"Dockerfile.till": stage(run(command), before=before)}
    assert ids(files) == [f"target-builder-till{suffix}"]


def test_platform_that_is_not_in_scope_at_every_run() -> None:
    text = stage(run("cargo fetch && cargo build"), "ARG TARGETARCH\n", run("cargo test"))
    assert ids({"Dockerfile.till": text}) == ["target-builder-till"] * 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("clotho-cargo-target", "clotho-cargo-target-{}"),
        ("cargo-target", "target-builder-{}"),
        ("rust-cache", "target-builder-{}"),
        ("target-builder", "target-builder-{}"),
        ("shop-target", "shop-target-{}"),
        ("shop-target-till", "shop-target-{}"),
        ("target-till-v2", "target-v2-{}"),
        ("acme/target", "target-builder-{}"),
        ("s/acme-target", "s/acme-target"),
        ("a" * 500, "target-builder-{}"),
    ],
)
def test_old_id_as_the_stem(old: str, new: str) -> None:
    files = {
        f"{name}/Dockerfile": stage(run(f"cargo build --bin {name}", id_=old))
        for name in ("stock", "till")
    }
    assert ids(files) == [new.format("stock"), new.format("till")]


def test_old_id_with_a_platform_is_a_stem_without_repeating_it() -> None:
    files = {
        f"{name}/Dockerfile": stage(
            run(f"cargo build --bin {name}", id_="acme-$TARGETARCH"), before="ARG TARGETARCH\n"
        )
        for name in ("stock", "till")
    }
    assert ids(files) == ["acme-$TARGETARCH-stock", "acme-$TARGETARCH-till"]


COMPOSE = """
services:
  till: {build: {context: ., args: {SERVICE: till}}}
  stock: {build: {context: ., args: {SERVICE: stock}}}
"""
BY_SERVICE = stage(run("cargo build --bin $SERVICE"), before="ARG SERVICE\n")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"Dockerfile": BY_SERVICE, "till/Dockerfile": stage(run())},
         ["target-builder-${SERVICE}", "target-builder-till-b"]),
        ({"Dockerfile": BY_SERVICE, "mail/Dockerfile": stage(run())},
         ["target-builder-${SERVICE}", "target-builder-mail"]),
        ({"Dockerfile": BY_SERVICE,
          "x/Dockerfile": stage(run("cargo build --bin x", id_="target-builder-till", sharing=""))},
         ["target-builder-${SERVICE}-b", "target-builder-till"]),
        ({"Dockerfile": BY_SERVICE,
          "x/Dockerfile": stage("RUN --mount=type=cache,target=/y,id=target-builder-till true\n")},
         ["target-builder-${SERVICE}-b", "target-builder-till"]),
        ({"Dockerfile": stage(run("cargo build --bin $SERVICE"), before="ARG SERVICE=x\n"),
          "x/Dockerfile": stage(run())},
         ["target-builder-${SERVICE}", "target-builder-x-b"]),
        ({"a/x/Dockerfile": stage(run()), "b/x/Dockerfile": stage(run())},
         ["target-builder-x", "target-builder-x-b"]),
        ({"x/Dockerfile": stage(run()), "x/Dockerfile.dev": stage(run("cargo build"))},
         ["target-builder-x", "target-builder-x-dev"]),
        ({"Dockerfile.x": stage(run(), run(target="/c/target"), run(target="/d/target"))},
         ["target-builder-x", "target-builder-x-c", "target-builder-x-d"]),
        ({"Dockerfile.x": stage(run(), run(target="/a/c/target"), run(target="/b/c/target"))},
         ["target-builder-x", "target-builder-x-c", "target-builder-x-c-2"]),
    ],
)  # fmt: skip
def test_no_two_ids_meet(files: dict[str, str], expected: list[str]) -> None:
    assert ids(files, compose=COMPOSE) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("", ""), ["target-0-x", "target-1-x"]),
        (("", "b"), ["target-x", "target-b-x"]),
        (("build2", "build.3_c-d"), ["target-build2-x", "target-build.3_c-d-x"]),
    ],
)
def test_stages(names: tuple[str, str], expected: list[str]) -> None:
    stages = [stage(run(f"cargo build --bin {n}"), name=name) for n, name in enumerate(names)]
    text = "".join(stages).replace(" AS \n", "\n")
    settings = Settings(overrides=(Override(("*",), service="x"),))
    assert ids({"Dockerfile": text}, settings) == expected


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (Override(("w/*",), id="one"), ["one", "one"]),
        (Override(("w/*",), id_template="one-{stage}"), ["one-builder", "one-builder"]),
        (Override(("w/*",), service="one"), ["target-builder-one", "target-builder-one"]),
        (Override(("w/*",), id_template="x-{service}"), ["x-a", "x-b"]),
        (Override(("w/*",), id="one-${X:-y}"), ["one-${X:-y}", "one-${X:-y}"]),
    ],
)
def test_the_configuration_shares_a_cache(override: Override, expected: list[str]) -> None:
    files = {f"w/Dockerfile.{name}": stage(run(f"cargo build --bin {name}")) for name in "ab"}
    assert ids(files, Settings(overrides=(override,))) == expected


def test_the_configuration_does_not_mix_what_differs() -> None:
    text = stage(
        run("cargo build").replace(
            "RUN ", "RUN --mount=type=cache,target=/b/tools/target,sharing=locked "
        )
    )
    settings = Settings(overrides=(Override(("*",), id="one"),))
    assert ids({"Dockerfile": text}, settings) == ["one", "one-b"]


def test_fresh_ids_are_not_met() -> None:
    text = stage("RUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci\n", run())
    settings = Settings(fresh_ids=True, id_template="npm-{project}")
    assert ids({"Dockerfile": text}, settings) == ["npm-shop", "npm-shop-b"]


def test_an_id_is_never_empty() -> None:
    settings = Settings(id_template="{arch}")
    assert ids({"Dockerfile.till": stage(run())}, settings) == ["target-builder-till"]
