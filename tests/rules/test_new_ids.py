"""New ids: how they look, and that no two of them ever meet."""

from __future__ import annotations

import pytest

from migrate_cache.settings import Override
from migrate_cache.testing import migrated

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
    named = f" AS {name}" if name else ""
    return f"FROM rust{named}\nWORKDIR /b\n{before}" + "".join(runs)


def ids(files: dict[str, str], compose: str = "", **settings: object) -> list[str]:
    """Return the ids of all mounts after the migration, in the order of paths and places."""
    build_files = {"compose.yaml": compose} if compose else {}
    settings.setdefault("root_name", "shop")
    result = migrated(files, build_files=build_files, **settings)
    return [
        next((o[3:] for o in word.split(",") if o[:3] == "id="), "")
        for path in sorted(result)
        for word in result[path].split()
        if word.startswith("--mount=")
    ]


# -- the template ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "name", "new_id"),
    [
        ("{kind}-{stage}-{service}", "builder", "target-builder-till"),
        ("{kind}-{stage}-{service}", "", "target-till"),
        ("{stage}-{service}-{arch}", "", "till"),
        ("{service}-{arch}", "", "till"),
        ("{service}_{arch}.x", "", "till.x"),
        ("{arch}_{stage}.{kind}", "", "target"),
        ("{arch}{stage}.{kind}", "", "target"),
        ("{arch}/{kind}", "", "/target"),
        ("x-{arch}-{stage}-y", "", "x-y"),
        ("x{arch}-{stage}y", "", "xy"),
        ("{kind}--{service}", "", "target--till"),
        ("{kind}{stage}{service}", "", "targettill"),
        ("{kind}/{stage}/{service}", "", "target//till"),
        ("{kind}:{stage}", "", "target:"),
        ("{project}-{kind}", "", "shop-target"),
        ("{stage}{stage}", "x", "xx"),
        ("own", "", "own"),
        ("{arch}", "builder", "target-builder-till"),
        ("{stage}", "", "target-till"),
    ],
)
def test_template(template: str, name: str, new_id: str) -> None:
    files = {"Dockerfile.till": stage(run(), name=name)}
    assert ids(files, id_template=template) == [new_id]


@pytest.mark.parametrize(
    ("template", "new_id"),
    [
        ("{kind}-${X:-a_-_b}", "target-${X:-a_-_b}"),
        ("${kind}-{kind}", "${kind}-target"),
        ("{service}-${kind}", "till-${kind}"),
    ],
)
def test_template_with_variables(template: str, new_id: str) -> None:
    files = {"Dockerfile.till": stage(run(), before="ARG kind\n")}
    assert ids(files, id_template=template) == [new_id]


def test_template_without_a_project() -> None:
    files = {"Dockerfile.till": stage(run())}
    assert ids(files, id_template="{kind}-{project}", root_name="") == ["target"]
    assert ids(files, id_template="{kind}-{project}", root_name="Shop It") == ["target-shop-it"]


def test_template_of_one_file() -> None:
    files = {"a/Dockerfile": stage(run()), "w/Dockerfile": stage(run("cargo b"))}
    overrides = (Override(("a/*",), id_template="own-{service}"),)
    assert ids(files, overrides=overrides, id_template="x-{service}") == ["own-a", "x-w"]


def test_the_last_override_of_a_file_counts() -> None:
    files = {"a/Dockerfile": stage(run())}
    overrides = (
        Override(("*",), id="first"),
        Override(("a/*",), id="second"),
        Override(("w/*",), id="third"),
    )
    assert ids(files, overrides=overrides) == ["second"]


@pytest.mark.parametrize("id_", ["s/4b-target", "s/x"])
def test_ids_of_hosting_platforms_stay(id_: str) -> None:
    files = {f"{name}/Dockerfile": stage(run(id_=id_)) for name in ("a", "w")}
    assert ids(files) == [id_, id_]


def test_other_ids_with_a_slash_do_not() -> None:
    files = {f"{name}/Dockerfile": stage(run(id_="services/target")) for name in ("a", "w")}
    assert ids(files) == ["target-builder-a", "target-builder-w"]


# -- platforms ------------------------------------------------------------------------------------

TRIPLE = "--target x86_64-unknown-linux-gnu"


@pytest.mark.parametrize(
    ("before", "command", "suffix"),
    [
        ("", "cargo build", ""),
        ("ARG TARGETARCH\n", "cargo build", "-${TARGETARCH}"),
        ("ARG TARGETPLATFORM\n", "cargo build", "-${TARGETPLATFORM}"),
        ("ARG TARGETARCH TARGETPLATFORM\n", "cargo build", "-${TARGETPLATFORM}"),
        ("ARG TARGETARCH=amd64\n", "cargo build", ""),
        ("ENV TARGETARCH=amd64\n", "cargo build", ""),
        ("ARG X\nENV TARGETARCH=$X\n", "cargo build", ""),
        ("ARG BUILDPLATFORM\n", "cargo build", ""),
        ("ARG TARGETOS\n", "cargo build", ""),
        # The command's own --target
        ("ARG TARGETARCH\n", f"cargo build {TRIPLE}", "-${TARGETARCH}"),
        ("ARG TARGETARCH\n", "cargo build --target $(cat /triple)", ""),
        ("ARG TARGETARCH\n", "cargo build --target `cat /triple`", ""),
        ("ARG TARGETARCH\n", "cargo build --target=$(cat /triple)", ""),
        ("ARG TARGETARCH\n", "T=a; cargo build --target=$T", ""),
        ("ARG TARGETARCH\n", "cargo build --target=$T", ""),
        ("ARG TARGETARCH\nENV T=x-$TARGETARCH\n", "cargo build --target=$T", ""),
        ("ARG TARGETARCH\nENV T=x\n", "cargo build --target=$T", "-${TARGETARCH}"),
        ("ARG TARGETARCH T=a\n", "cargo build --target=$T", "-${TARGETARCH}"),
        ("ARG TARGETARCH T=a\n", "T=b; cargo build --target=$T", ""),
        ("ARG TARGETARCH\n", f"cargo build {TRIPLE} --target $(x)", "-${TARGETARCH}"),
        ("ARG TARGETARCH\n", "cargo build --target $(x) && cargo build", "-${TARGETARCH}"),
        ("ARG TARGETARCH\n", "cargo build && cargo build --target $(x)", "-${TARGETARCH}"),
        ("ARG TARGETARCH\n", "cargo install x && cargo build --target $(x)", ""),
        ("ARG TARGETARCH\n", "cargo && cargo build --target $(x)", ""),
        ("ARG TARGETARCH\n", "make && cargo build --target $(x)", ""),
        ("ARG TARGETARCH\n", "cargo chef prepare && cargo build --target $(x)", ""),
        ("ARG TARGETARCH\n", "cargo chef cook && cargo build --target $(x)", "-${TARGETARCH}"),
        ("ARG TARGETARCH\n", "cargo fetch --target $(x)", "-${TARGETARCH}"),
        ("ARG TARGETARCH\n", "make --target $(x)", "-${TARGETARCH}"),
        *(
            ("ARG TARGETARCH\n", f"cargo {step} --target $(x)", "")
            for step in ("build", "b", "rustc", "zigbuild", "run", "r", "test", "t")
        ),
    ],
)
def test_platform(before: str, command: str, suffix: str) -> None:
    files = {"Dockerfile.till": stage(run(command), before=before)}
    assert ids(files) == [f"target-builder-till{suffix}"]


@pytest.mark.parametrize(
    ("runs", "suffix"),
    [
        pytest.param(
            (run("cargo fetch && cargo build"), "ARG TARGETARCH\n", run("cargo test")),
            "",
            id="in scope at the second RUN only",
        ),
        pytest.param(
            ("ARG TARGETARCH\n", run(), "ARG TARGETPLATFORM\n", run("cargo test")),
            "-${TARGETARCH}",
            id="the platform at the second RUN only",
        ),
        pytest.param(
            ("ARG TARGETARCH\n", run("cargo b --target $(x)"), run("cargo fetch")),
            "",
            id="what does not compile needs no --target",
        ),
        pytest.param(
            ("ARG TARGETARCH\n", run("cargo b --target $(x)"), run("cargo test")),
            "-${TARGETARCH}",
            id="one of two compiles without it",
        ),
    ],
)
def test_platform_of_several_runs(runs: tuple[str, ...], suffix: str) -> None:
    files = {"Dockerfile.till": stage(*runs)}
    assert set(ids(files)) == {f"target-builder-till{suffix}"}


@pytest.mark.parametrize(
    ("template", "new_id"),
    [
        ("{arch}-{service}", "${TARGETARCH}-till"),
        ("{service}{arch}", "till${TARGETARCH}"),
        ("{service}", "till-${TARGETARCH}"),
        ("{service}-${TARGETARCH}", "till-${TARGETARCH}"),
        ("{service}-${TARGETARCH:-x}", "till-${TARGETARCH:-x}"),
    ],
)
def test_platform_in_a_template(template: str, new_id: str) -> None:
    files = {"Dockerfile.till": stage(run(), before="ARG TARGETARCH\n")}
    assert ids(files, id_template=template) == [new_id]


def test_platform_in_an_id_of_the_configuration() -> None:
    files = {"Dockerfile.till": stage(run(), before="ARG TARGETARCH\n")}
    assert ids(files, overrides=(Override(("*",), id="own"),)) == ["own"]


# -- the old id as the stem -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("clotho-cargo-target", "clotho-cargo-target-{}"),
        ("rust-cache", "target-builder-{}"),
        ("cargo-target-build-builder-output-out", "target-builder-{}"),
        ("release-debug-app-src-id-docker", "target-builder-{}"),
        ("target-builder", "target-builder-{}"),
        ("Target-Builder", "target-builder-{}"),
        ("shop-target", "shop-target-{}"),
        ("shop-target-till", "shop-target-{}"),
        ("shop.till_target", "shop_target-{}"),
        ("till-shop", "shop-{}"),
        ("shop-tillage", "shop-tillage-{}"),
        ("stock-till", "target-builder-{}"),
        ("target-till-v2", "target-v2-{}"),
        ("acme/target", "target-builder-{}"),
        ("s/acme-target", "s/acme-target"),
        ("a" * 120, "a" * 120 + "-{}"),
        ("a" * 121, "target-builder-{}"),
    ],
)
def test_old_id_as_the_stem(old: str, new: str) -> None:
    files = {
        f"{name}/Dockerfile": stage(run(f"cargo build --bin {name}", id_=old))
        for name in ("stock", "till")
    }
    assert ids(files) == [new.format("stock"), new.format("till")]


def test_the_name_of_an_argument_may_stand_in_the_stem() -> None:
    text = stage(run("cargo build --bin $ACME", id_="acme-target"), before="ARG ACME\n")
    assert ids({"Dockerfile": text}) == ["acme-target-${ACME}"]


def test_parts_of_the_services_names_are_no_stem() -> None:
    files = {
        f"{name}/Dockerfile": stage(run(f"cargo build --bin shop-{name}", id_="shop-target"))
        for name in ("stock", "till")
    }
    assert ids(files) == ["target-builder-shop-stock", "target-builder-shop-till"]


def test_what_arguments_are_known_to_become_is_no_stem() -> None:
    compose = (
        "services: {a: {build: {context: ., args: {SERVICE: till}}},"
        " b: {build: {context: ., args: {SERVICE: stock}}}}"
    )
    files = {
        "Dockerfile": stage(run("cargo build --bin $SERVICE", id_="stock"), before="ARG SERVICE\n")
    }
    assert ids(files, compose=compose) == ["target-builder-${SERVICE}"]


@pytest.mark.parametrize(
    ("second", "new"),
    [
        pytest.param("", "acme-till-${A}-${B}", id="one of two values is empty"),
        pytest.param(", B: x", "acme-till-${A}-${B}", id="both are there"),
        pytest.param(", B: x, C: till", "acme-till-${A}-${B}", id="another argument"),
    ],
)
def test_values_of_two_arguments(second: str, new: str) -> None:
    compose = f"services: {{a: {{build: {{context: ., args: {{A: till{second}}}}}}}}}"
    text = stage(run("cargo b --bin $A --bin $B", id_="acme-till"), before="ARG A\nARG B\n")
    assert ids({"Dockerfile": text}, compose=compose) == [new]


def test_both_values_together_are_no_stem() -> None:
    compose = "services: {a: {build: {context: ., args: {A: till, B: x}}}}"
    text = stage(run("cargo b --bin $A --bin $B", id_="till-x-acme"), before="ARG A\nARG B\n")
    assert ids({"Dockerfile": text}, compose=compose) == ["acme-${A}-${B}"]


@pytest.mark.parametrize(
    ("old", "before", "new"),
    [
        ("acme-$TARGETARCH", "ARG TARGETARCH\n", "acme-$TARGETARCH-<>"),
        ("acme-${TARGETARCH}", "ARG TARGETARCH\n", "acme-${TARGETARCH}-<>"),
        ("acme", "ARG TARGETARCH\n", "acme-<>-${TARGETARCH}"),
        ("$ACME", "ENV ACME=x\n", "target-builder-<>"),
    ],
)
def test_old_id_with_variables_as_the_stem(old: str, before: str, new: str) -> None:
    files = {
        f"{name}/Dockerfile": stage(run(f"cargo build --bin {name}", id_=old), before=before)
        for name in ("stock", "till")
    }
    assert ids(files) == [new.replace("<>", name) for name in ("stock", "till")]


def test_a_template_of_ones_own_takes_no_stem() -> None:
    files = {
        f"{name}/Dockerfile": stage(run(f"cargo build --bin {name}", id_="acme"))
        for name in ("stock", "till")
    }
    assert ids(files, id_template="x-{service}") == ["x-stock", "x-till"]
    overrides = (Override(("stock/*",), id_template="x-{service}"),)
    assert ids(files, overrides=overrides) == ["x-stock", "acme-till"]


def test_a_stem_that_is_taken_takes_the_stage() -> None:
    stages = {"a": "api", "b": "web", "c": "api"}
    text = "".join(stage(run(f"cargo b --bin {n}", id_="acme"), name=s) for s, n in stages.items())
    assert ids({"Dockerfile": text}) == ["acme-api", "acme-web", "acme-c-api"]
    text = "".join(stage(run(f"cargo b --bin {n}", id_="acme"), name="") for n in stages.values())
    assert ids({"Dockerfile": text}) == ["acme-api", "acme-web", "acme-api-b"]


@pytest.mark.parametrize(
    ("old", "is_stem"),
    [
        pytest.param("rebar3-cache", False, id="a tool"),
        pytest.param("mix", False, id="the kind"),
        pytest.param("acme-mix", True, id="something else"),
    ],
)
def test_what_tool_and_kind_are_called_is_no_stem(old: str, is_stem: bool) -> None:
    files = {
        f"{name}/Dockerfile": "FROM elixir AS builder\nWORKDIR /b\n"
        + run("mix compile", id_=old, target="/b/_build")
        for name in ("stock", "till")
    }
    stem = old if is_stem else "mix-build-builder"
    assert ids(files) == [f"{stem}-stock", f"{stem}-till"]


# -- ids that meet --------------------------------------------------------------------------------

COMPOSE = """
services:
  till: {build: {context: ., args: {SERVICE: till}}}
  stock: {build: {context: ., args: {SERVICE: stock}}}
"""
BY_SERVICE = stage(run("cargo build --bin $SERVICE"), before="ARG SERVICE\n")
OTHER = "RUN --mount=type=cache,target=/y,id={} true\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"Dockerfile": BY_SERVICE, "till/Dockerfile": stage(run())},
            ["target-builder-${SERVICE}", "target-builder-till-b"],
            id="a value of an argument",
        ),
        pytest.param(
            {"Dockerfile": BY_SERVICE, "mail/Dockerfile": stage(run())},
            ["target-builder-${SERVICE}", "target-builder-mail"],
            id="no value of the argument",
        ),
        pytest.param(
            {
                "Dockerfile": BY_SERVICE,
                "x/Dockerfile": stage(
                    run("cargo build --bin x", id_="target-builder-till", sharing="")
                ),
            },
            ["target-builder-${SERVICE}-b", "target-builder-till"],
            id="an id that stays",
        ),
        pytest.param(
            {"Dockerfile": BY_SERVICE, "x/Dockerfile": stage(OTHER.format("target-builder-till"))},
            ["target-builder-${SERVICE}-b", "target-builder-till"],
            id="an id of another kind",
        ),
        pytest.param(
            {
                "Dockerfile": stage(run("cargo build --bin $SERVICE"), before="ARG SERVICE=x\n"),
                "x/Dockerfile": stage(run()),
            },
            ["target-builder-${SERVICE}", "target-builder-x-b"],
            id="a default",
        ),
        pytest.param(
            {
                "Dockerfile": stage(
                    OTHER.format("target-builder-$SERVICE"), before="ARG SERVICE\n"
                ),
                "till/Dockerfile": stage(run()),
            },
            ["target-builder-$SERVICE", "target-builder-till-b"],
            id="a value of an id that stays",
        ),
        pytest.param(
            {"a/x/Dockerfile": stage(run()), "b/x/Dockerfile": stage(run())},
            ["target-builder-x", "target-builder-x-b"],
            id="two folders of one name",
        ),
        pytest.param(
            {"x/Dockerfile": stage(run()), "x/Dockerfile.dev": stage(run("cargo build"))},
            ["target-builder-x", "target-builder-x-dev"],
            id="two flavours",
        ),
        pytest.param(
            {"x/Dockerfile": stage(run()), "x/dev.Dockerfile": stage(run("cargo build"))},
            ["target-builder-x", "target-builder-x-dev"],
            id="a flavour in front",
        ),
        pytest.param(
            {"x/Containerfile": stage(run()), "x/Containerfile.dev": stage(run("cargo build"))},
            ["target-builder-x", "target-builder-x-dev"],
            id="of a Containerfile",
        ),
        pytest.param(
            {"x/Containerfile": stage(run()), "x/dev_Containerfile": stage(run("cargo build"))},
            ["target-builder-x", "target-builder-x-dev"],
            id="in front of one",
        ),
        pytest.param(
            {"Dockerfile.x": stage(run(), run(target="/c/target"), run(target="/d/target"))},
            ["target-builder-x", "target-builder-x-c", "target-builder-x-d"],
            id="two directories of one file",
        ),
        pytest.param(
            {"Dockerfile.x": stage(run(), run(target="/a/c/target"), run(target="/b/c/target"))},
            ["target-builder-x", "target-builder-x-c", "target-builder-x-c-2"],
            id="whose folders have one name",
        ),
        pytest.param(
            {
                "Dockerfile.x": stage(
                    run(),
                    run(target="/a/c/target"),
                    run(target="/d/c/target"),
                    run(target="/e/c/target"),
                )
            },
            [f"target-builder-x{end}" for end in ("", "-c", "-c-2", "-c-3")],
            id="three of them",
        ),
        pytest.param(
            {
                "p/x/Dockerfile": stage(run(target="/c/target")),
                "q/x/Dockerfile": stage(run(target="/d/target")),
            },
            ["target-builder-x", "target-builder-x-d"],
            id="another folder tells more than the path",
        ),
        pytest.param(
            {
                f"{name}/x/Dockerfile": stage(run(target="/c/target"), run(target="/d/target"))
                for name in "pqr"
            },
            [
                *("target-builder-x", "target-builder-x-d"),
                *("target-builder-x-q", "target-builder-x-d-q"),
                *("target-builder-x-r", "target-builder-x-d-r"),
            ],
            id="folder and path",
        ),
    ],
)
def test_no_two_ids_meet(files: dict[str, str], expected: list[str]) -> None:
    assert ids(files, compose=COMPOSE) == expected


def test_an_id_that_an_earlier_run_gave_stays() -> None:
    files = {
        "x/Dockerfile.dev": stage(run("cargo build --bin x", id_="target-x-dev")),
        "y/Dockerfile": stage(run("cargo build --bin y", id_="target-x-dev")),
    }
    assert ids(files, id_template="{kind}-{service}") == ["target-x-dev", "target-y"]


def test_new_ids_do_not_take_the_old_one_of_their_cache() -> None:
    files = {
        "x/Dockerfile": stage(run("cargo build --bin y", id_="target-builder-x")),
        "y/Dockerfile": stage(run("cargo build --bin x", id_="target-builder-x")),
    }
    assert ids(files) == ["target-builder-y", "target-builder-x"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("", ""), ["target-0-x", "target-1-x"]),
        (("", "b"), ["target-x", "target-b-x"]),
        (("b", ""), ["target-b-x", "target-x"]),
        (("build2", "build.3_c-d"), ["target-build2-x", "target-build.3_c-d-x"]),
    ],
)
def test_stages(names: tuple[str, str], expected: list[str]) -> None:
    stages = [stage(run(f"cargo build --bin {n}"), name=name) for n, name in enumerate(names)]
    assert ids({"Dockerfile": "".join(stages)}, service="x") == expected


def test_unnamed_stages_of_two_files_need_no_number() -> None:
    files = {f"{n}/Dockerfile": "FROM debian\n" + stage(run(), name="") for n in ("a", "w")}
    assert ids(files) == ["target-a", "target-w"]


# -- ids that are to meet -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (Override(("w/*",), id="one"), ["one", "one"]),
        (Override(("w/*",), id_template="one-{stage}"), ["one-builder", "one-builder"]),
        (Override(("w/*",), service="one"), ["target-builder-one", "target-builder-one"]),
        (Override(("w/*",), id_template="x-{service}"), ["x-a", "x-b"]),
        (Override(("w/*",), id="one-${X:-y}"), ["one-${X:-y}", "one-${X:-y}"]),
        (Override(("w/*",), id_template="x-{service}", service="one"), ["x-one", "x-one"]),
    ],
)
def test_the_configuration_shares_a_cache(override: Override, expected: list[str]) -> None:
    files = {f"w/Dockerfile.{name}": stage(run(f"cargo build --bin {name}")) for name in "ab"}
    assert ids(files, overrides=(override,)) == expected


def test_two_tables_do_not_share_a_cache() -> None:
    files = {f"w/Dockerfile.{name}": stage(run(f"cargo build --bin {name}")) for name in "ab"}
    overrides = tuple(Override((f"w/*.{name}",), service="one") for name in "ab")
    assert ids(files, overrides=overrides) == ["target-builder-one", "target-builder-one-b"]


def test_services_of_different_caches_do_not_share_one() -> None:
    files = {f"w/Dockerfile.{name}": stage(run(target=f"/{name}/target")) for name in ("p", "q")}
    overrides = (Override(("w/*",), service="one"),)
    assert ids(files, overrides=overrides) == ["target-builder-one", "target-builder-one-q"]


def test_the_configuration_does_not_mix_what_differs() -> None:
    text = stage(
        run("cargo build").replace(
            "RUN ", "RUN --mount=type=cache,target=/b/tools/target,sharing=locked "
        )
    )
    assert ids({"Dockerfile": text}, overrides=(Override(("*",), id="one"),)) == ["one", "one-b"]


def test_the_configuration_does_not_mix_kinds() -> None:
    files = {
        "a": stage(run("cargo build")),
        "b": "FROM maven\nWORKDIR /b\n" + run("mvn package", target="/c/target"),
    }
    assert ids(files, overrides=(Override(("*",), id="one"),)) == ["one", "one-c"]


def test_an_id_of_the_configuration_that_is_there_already() -> None:
    files = {
        "w/Dockerfile.a": stage(run("cargo build --bin a", id_="one", sharing="")),
        "w/Dockerfile.b": stage(run("cargo build --bin b")),
    }
    assert ids(files, overrides=(Override(("w/*",), id="one"),)) == ["one", "one"]
    assert ids(files, overrides=(Override(("w/*.b",), id="one"),)) == ["one", "one-b"]


# -- fresh ids ------------------------------------------------------------------------------------


def test_fresh_ids_are_not_met() -> None:
    text = stage("RUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci\n", run())
    found = ids({"Dockerfile": text}, fresh_ids=True, id_template="npm-{project}")
    assert found == ["npm-shop", "npm-shop-b"]
