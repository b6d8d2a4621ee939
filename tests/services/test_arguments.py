"""The build arguments that tell services apart."""

from __future__ import annotations

import pytest

from tests.services.runs import RUN, TWO, compose, decided, service, told

BIN = "cargo build --bin ${SERVICE}"


# -- what the RUN's text uses ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "before", "expected"),
    [
        # It selects what is built
        ("cargo build --bin x-${SERVICE}", "ARG SERVICE", "${SERVICE}"),
        ("cargo build --bin ${WHAT}", "ARG WHAT", "${WHAT}"),
        ("cargo build --bin $WHAT", "ARG WHAT=x", "${WHAT}"),
        ("cargo build --bin ${A}-${B}", "ARG A\nARG B", "${A}-${B}"),
        ("cargo build --bin ${B}-${A}", "ARG A\nARG B", "${B}-${A}"),
        ("cargo build --bin $A --bin $A", "ARG A", "${A}"),
        ("cargo build --bin $A --bin $B", "ARG A\nARG B", "${A}-${B}"),
        ("cargo build --bin ${BIN}", "ARG SERVICE\nENV BIN=x-${SERVICE}", "${BIN}"),
        ("cargo build --bin ${WHAT}", "ENV WHAT=x", "x"),
        ("cargo build --bin ${WHAT}", "", "shop"),
        ("cargo build --bin ${ARCH}", "ARG TARGETOS\nENV ARCH=x-${TARGETOS}", "shop"),
        ("cargo build --bin ${TARGETOS}", "ARG TARGETOS", "shop"),
        ("cargo build --bin ${REVISION}", "ARG REVISION", "shop"),
        ("cargo build --bin ${Service}", "ARG Service", "${Service}"),
        # It names a service
        ("cargo build && cp x /$SERVICE", "ARG SERVICE", "${SERVICE}"),
        ("cargo build && cp x /$WHAT", "ARG WHAT", "shop"),
        ("cargo build && cp x /$app_name", "ARG app_name", "${app_name}"),
        ("cargo build && cp $SERVICE /$WHAT", "ARG SERVICE\nARG WHAT", "${SERVICE}"),
        ("cargo build --features ${WHAT}", "ARG WHAT", "shop"),
        ("cargo build --bin till # ${SERVICE}", "ARG SERVICE", "till"),
        ("cargo build --bin $WHAT && cp x /$SERVICE", "ARG WHAT\nARG SERVICE", "${WHAT}"),
        # What the shell sets itself, or does not see
        ("SERVICE=x; cargo build --bin $SERVICE", "ARG SERVICE", "shop"),
        ("cargo build --bin '$SERVICE'", "ARG SERVICE", "shop"),
        ("cargo build --bin till && cp x /$SERVICE", "ARG SERVICE", "${SERVICE}"),
        # A mount's target counts as text
        (f"{RUN[4:].replace('/b/target', '/$SERVICE')}cargo build", "ARG SERVICE=x", "${SERVICE}"),
        (f"{RUN[4:].replace('/b/target', '/$WHAT')}cargo build", "ARG WHAT=x", "shop"),
    ],
)
def test_text(run: str, before: str, expected: str) -> None:
    result = decided(run, before)
    text = result["Dockerfile"]
    assert f"id=target-builder-{expected} " in text or f"id=target-builder-{expected}," in text


@pytest.mark.parametrize(
    ("run", "before", "expected"),
    [
        ('["cargo", "build", "--bin", "${SERVICE}"]', "ARG SERVICE=x", "shop"),
        ('["sh", "-c", "cargo build --bin ${SERVICE}"]', "ARG SERVICE=x", "${SERVICE}"),
        ('["/bin/bash", "-c", "cargo build --bin ${SERVICE}"]', "ARG SERVICE=x", "${SERVICE}"),
        ('["zsh", "-c", "cargo build --bin ${SERVICE}"]', "ARG SERVICE=x", "${SERVICE}"),
        ('["env", "cargo", "build ${SERVICE}"]', "ARG SERVICE=x", "shop"),
        ('["sh", "-c"]', "ARG SERVICE=x", "${SERVICE}"),
        (BIN, 'ARG SERVICE\nSHELL ["/bin/bash", "-c"]', "${SERVICE}"),
        (BIN, 'ARG SERVICE\nSHELL ["pwsh", "-c"]', "shop"),
        (BIN, 'ARG SERVICE\nSHELL ["PowerShell", "-Command"]', "shop"),
        (BIN, 'ARG SERVICE\nSHELL ["cmd", "/C"]', "shop"),
    ],
)
def test_shells(run: str, before: str, expected: str) -> None:
    assert service(run, before) == expected


def test_the_escape_character_of_windows() -> None:
    text = f"# escape=`\nFROM rust AS builder\nWORKDIR /b\nARG SERVICE\n{RUN}{BIN}\n"
    from migrate_cache.testing import migrated

    assert told(migrated(text, root_name="shop")) == "shop"


@pytest.mark.parametrize(
    ("run", "before", "why"),
    [
        ("cargo build --bin $A$B --bin $C", "ARG A\nARG B\nARG C", "A, B and C"),
        ("make ${APP} ${MODULE} && cargo build", "ARG APP\nARG MODULE", "APP and MODULE"),
        ("cp $APP $MODULE && cargo build", "ARG APP\nARG MODULE", "several build arguments"),
    ],
)
def test_several_arguments_are_no_answer(run: str, before: str, why: str) -> None:
    result = decided(run, before)
    assert result.codes == ["MC208"]
    assert why in result.reasons[0]


# -- what declared builds give --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "before", "services", "expected"),
    [
        pytest.param(
            "cargo build --features ${WHAT}",
            "ARG WHAT",
            compose(a="WHAT=1", b="WHAT=2"),
            "${WHAT}",
            id="an argument that differs",
        ),
        pytest.param(
            "cargo build --features ${WHAT}",
            "ARG WHAT",
            compose(a="WHAT=1", b="WHAT=1"),
            "shop",
            id="an argument that does not",
        ),
        pytest.param(
            "cargo build --features ${WHAT}",
            "ARG WHAT",
            compose(a="WHAT=1"),
            "a",
            id="an argument of one build",
        ),
        pytest.param(
            "cargo build --features ${WHAT}",
            "ARG WHAT=1",
            compose(a="", b="WHAT=2"),
            "${WHAT}",
            id="a default that differs",
        ),
        pytest.param(
            "cargo build --bin ${SERVICE} --features ${WHAT}",
            "ARG SERVICE\nARG WHAT",
            compose(a="WHAT=1", b="WHAT=2"),
            "${SERVICE}-${WHAT}",
            id="beside one that selects",
        ),
        pytest.param(
            "cargo build --bin ${SERVICE} --profile ${MODE}",
            "ARG SERVICE\nARG MODE",
            compose(a="SERVICE=a MODE=x", b="SERVICE=b MODE=y"),
            "${SERVICE}",
            id="where one tells the other",
        ),
        pytest.param(
            "cargo build --bin ${SERVICE} --features ${WHAT}",
            "ARG SERVICE\nARG WHAT",
            compose(a="SERVICE=a WHAT=1", b="SERVICE=a WHAT=2", c="SERVICE=b WHAT=1"),
            "${SERVICE}-${WHAT}",
            id="where only both tell all apart",
        ),
        pytest.param(
            "cargo build --features $X,$PACKAGE",
            "ARG X\nARG PACKAGE",
            compose(a="X=1 PACKAGE=p", b="X=2 PACKAGE=q"),
            "${PACKAGE}",
            id="the one that names a service goes first",
        ),
        pytest.param(
            "cargo build --features $PACKAGE,$SERVICE",
            "ARG PACKAGE\nARG SERVICE",
            compose(a="SERVICE=1 PACKAGE=p", b="SERVICE=2 PACKAGE=q"),
            "${SERVICE}",
            id="of two names the better one",
        ),
        pytest.param(
            "cargo build --features ${WHAT},${SAFE}",
            "ARG WHAT\nARG SAFE",
            compose(a="WHAT=x,y SAFE=1", b="WHAT=z SAFE=2"),
            "${SAFE}",
            id="one whose values cannot stand in an id",
        ),
        pytest.param(
            "cargo build --bin ${SERVICE}",
            "ARG SERVICE=x",
            compose(a="SERVICE=a/b", b="SERVICE=c.d_e:f@g+h-i"),
            "${SERVICE}",
            id="values that can",
        ),
    ],
)
def test_values(run: str, before: str, services: str, expected: str) -> None:
    assert service(run, before, compose=services) == expected


@pytest.mark.parametrize(
    ("run", "before", "services", "why"),
    [
        pytest.param(
            "cargo build --features ${WHAT}",
            "ARG WHAT",
            compose(a="WHAT=x,y", b="WHAT=z"),
            "build argument WHAT differs between a and b, with values that cannot stand in an id",
            id="it differs",
        ),
        pytest.param(
            "cargo build --features ${WHAT},$WHY",
            "ARG WHAT\nARG WHY",
            compose(a="WHAT=x,y WHY=a,b", b="WHAT=z WHY=c"),
            "build arguments WHAT and WHY differ",
            id="two differ",
        ),
        pytest.param(
            "cargo build --features ${E}",
            "ARG WHAT\nENV E=x${WHAT}",
            compose(a="WHAT=x,y", b="WHAT=z"),
            "variable E differs",
            id="a variable made of it",
        ),
        pytest.param(
            BIN,
            "ARG SERVICE",
            compose(a="SERVICE=$$x", b="SERVICE=z"),
            "cannot stand in an id",
            id="it selects",
        ),
        pytest.param(
            BIN,
            "ARG SERVICE",
            compose(a="SERVICE=$$x"),
            "SERVICE: its values cannot stand in an id",
            id="of one build",
        ),
        pytest.param(
            "V=${APP_VERSION} cargo build --bin x",
            "ARG APP_VERSION",
            compose(a="APP_VERSION=1", b="APP_VERSION=2"),
            "APP_VERSION differs between a and b, and no variable in scope tells them apart",
            id="a version",
        ),
        pytest.param(
            "cargo build --bin $SERVICE && echo ${APP_VERSION}",
            "ARG SERVICE\nARG APP_VERSION",
            compose(a="SERVICE=x APP_VERSION=1", b="SERVICE=x APP_VERSION=2"),
            "APP_VERSION differs between a and b, and ${SERVICE} does not tell them apart",
            id="a version beside a service",
        ),
    ],
)
def test_values_that_tell_nothing(run: str, before: str, services: str, why: str) -> None:
    result = decided(run, before, compose=services)
    assert result.codes == ["MC208"]
    assert why in result.reasons[0]


def test_the_evidence_names_who_differs() -> None:
    result = decided("cargo build --features $W", "ARG W", compose=compose(a="W=1", b="W=2"))
    assert "service ${W} (build argument W differs between a and b)" in result.reasons[0]
    result = decided(
        "cargo build --bin $SERVICE --profile $MODE",
        "ARG SERVICE\nARG MODE",
        compose=compose(a="SERVICE=a MODE=x", b="SERVICE=b MODE=y"),
    )
    assert "(build argument SERVICE differs between a and b)" in result.reasons[0]
    result = decided(
        "cargo build --bin $SERVICE --features $W",
        "ARG SERVICE\nARG W",
        compose=compose(a="W=1", b="W=2"),
    )
    assert "${SERVICE}-${W} (build argument W differs between a and b)" in result.reasons[0]


# -- what is in scope and not named ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "before", "services", "expected"),
    [
        pytest.param("cargo build", "ARG SERVICE", "", "shop", id="an argument alone"),
        pytest.param("cargo build", "ARG SERVICE", TWO, "${SERVICE}", id="that differs"),
        pytest.param("cargo build", "ARG WHAT", compose(a="WHAT=1", b="WHAT=2"), "${WHAT}", id="x"),
        pytest.param(
            "cargo build",
            "ARG PORT\nARG SERVICE",
            compose(a="SERVICE=a PORT=1", b="SERVICE=b PORT=2"),
            "${SERVICE}",
            id="the one that names a service",
        ),
        pytest.param("cargo build --workspace", "ARG SERVICE", TWO, "shop", id="a whole workspace"),
        pytest.param("cargo build --bin till", "ARG SERVICE", TWO, "till", id="a name outright"),
        pytest.param(
            "cargo build --bin $X", "ENV X=y\nARG SERVICE", TWO, "y", id="a name that ENV tells"
        ),
        pytest.param("SERVICE=x cargo build", "ARG SERVICE", TWO, "shop", id="the shell sets it"),
        pytest.param(
            "./build.sh && cargo build --workspace",
            "ARG SERVICE",
            TWO,
            "${SERVICE}",
            id="a script sees it",
        ),
        pytest.param(
            "./build.sh && cargo build", "ARG SERVICE", "", "${SERVICE}", id="a script takes it"
        ),
        pytest.param("./build.sh && cargo build", "ARG WHAT", "", "shop", id="not any argument"),
        pytest.param(
            "./build.sh && cargo build --bin x", "ARG SERVICE", "", "${SERVICE}", id="beside a name"
        ),
        # Other instructions select with it
        pytest.param(
            "cargo build", "ARG SERVICE\nWORKDIR ${SERVICE}", "", "${SERVICE}", id="WORKDIR"
        ),
        pytest.param("cargo build", "ARG SERVICE\nCOPY $SERVICE .", "", "${SERVICE}", id="COPY"),
        pytest.param("cargo build", "ARG SERVICE\nADD $SERVICE .", "", "${SERVICE}", id="ADD"),
        pytest.param("cargo build", "ARG SERVICE\nLABEL a=$SERVICE", "", "shop", id="LABEL"),
        pytest.param("cargo build", "ARG WHAT\nCOPY $WHAT .", "", "shop", id="it names no service"),
        pytest.param(
            "cargo build", "ARG WHAT\nRUN go build ./cmd/${WHAT}", "", "${WHAT}", id="a RUN"
        ),
        pytest.param(
            "cargo build", 'ARG WHAT\nRUN ["go", "build", "$WHAT"]', "", "shop", id="exec form"
        ),
        pytest.param(
            "cargo build", "ARG WHAT\nRUN echo ${WHAT}", "", "shop", id="a RUN that does not"
        ),
        pytest.param(
            "cargo build",
            "ARG WHAT\nARG SERVICE\nRUN go build ./$WHAT ./$SERVICE",
            "",
            "${SERVICE}",
            id="of two the one that names a service",
        ),
        pytest.param(
            "cargo build\nCOPY $SERVICE /x", "ARG SERVICE", "", "shop", id="below the RUN"
        ),
        pytest.param(
            "cargo build\nRUN go build ./$SERVICE",
            "ARG SERVICE",
            "",
            "${SERVICE}",
            id="a RUN below",
        ),
        pytest.param(
            "cargo build\nFROM rust\nARG SERVICE\nRUN go build ./$SERVICE",
            "ARG SERVICE",
            "",
            "${SERVICE}",
            id="a RUN of another stage",
        ),
        pytest.param(
            "cargo build\nFROM rust\nARG SERVICE\nCOPY $SERVICE /x",
            "ARG SERVICE",
            "",
            "shop",
            id="COPY of another stage",
        ),
    ],
)
def test_scope(run: str, before: str, services: str, expected: str) -> None:
    assert service(run, before, compose=services) == expected


def test_a_stage_that_is_built_from_one_that_copies() -> None:
    from migrate_cache.testing import migrated

    base = "FROM rust AS base\nARG SERVICE\n{}\n"
    text = f"{base}FROM base AS builder\nWORKDIR /b\n{RUN}cargo build\n"
    assert told(migrated(text.format("COPY $SERVICE /x"), root_name="shop")) == "${SERVICE}"
    assert told(migrated(text.format("COPY x /x"), root_name="shop")) == "shop"
    other = text.replace("FROM base AS builder", "FROM rust AS builder\nARG SERVICE")
    assert told(migrated(other.format("COPY $SERVICE /x"), root_name="shop")) == "shop"


@pytest.mark.parametrize(
    ("run", "before", "services", "why"),
    [
        pytest.param(
            "./build.sh && cargo build",
            "ARG APP\nARG SERVICE",
            "",
            "several build arguments could name it: APP and SERVICE",
            id="a script with two",
        ),
        pytest.param(
            "cargo build",
            "ARG A\nARG B\nRUN go build ./$A ./$B",
            "",
            "several build arguments could name it: A and B",
            id="a RUN with two",
        ),
        pytest.param(
            "cargo build",
            "ARG WHAT",
            compose(a="WHAT=x,y", b="WHAT=z"),
            "with values that cannot stand in an id",
            id="values that cannot stand in an id",
        ),
        pytest.param(
            "cargo build",
            "ARG WHAT_VERSION",
            compose(a="WHAT_VERSION=1", b="WHAT_VERSION=2"),
            "WHAT_VERSION differs",
            id="a version that differs",
        ),
    ],
)
def test_scope_that_tells_nothing(run: str, before: str, services: str, why: str) -> None:
    result = decided(run, before, compose=services)
    assert result.codes == ["MC208"]
    assert why in result.reasons[0]


@pytest.mark.parametrize(
    ("run", "before", "expected"),
    [
        pytest.param("cargo build --bin x", "ARG WHAT_VERSION", "shop", id="it is not used"),
        pytest.param("cargo build --workspace", "ARG WHAT_VERSION", "shop", id="nor here"),
    ],
)
def test_a_version_that_the_run_cannot_see(run: str, before: str, expected: str) -> None:
    services = compose(a="WHAT_VERSION=1", b="WHAT_VERSION=2")
    found = service(run, before, compose=services)
    assert found == ("x" if "--bin" in run else expected)


@pytest.mark.parametrize(
    "name",
    ["VERSION", "GIT_SHA", "build_date", "CACHEBUST", "NPM_TOKEN", "HTTP_PROXY", "GIT_BRANCH"],
)
def test_arguments_that_say_when_something_is_built(name: str) -> None:
    assert service(f"cargo build --bin ${name}", f"ARG {name}") == "shop"
    assert service(f"cargo build --bin ${name}S", f"ARG {name}S") == f"${{{name}S}}"


@pytest.mark.parametrize(
    "name",
    [
        *("SERVICE", "SERVICE_NAME", "APP", "APP_NAME", "APPLICATION", "COMPONENT"),
        *("BIN", "BIN_NAME", "BINARY", "BINARY_NAME", "CRATE", "CRATE_NAME", "PACKAGE"),
        *("PACKAGE_NAME", "PKG", "MODULE", "MODULE_NAME", "PROJECT", "PROJECT_NAME", "WORKSPACE"),
    ],
)
def test_names_of_arguments_that_name_a_service(name: str) -> None:
    assert service(f"cargo build && cp x /${name}", f"ARG {name}") == f"${{{name}}}"


def test_many_builds_of_one_file() -> None:
    services = "".join(
        f"  s{n}: {{build: {{context: ., args: {{SERVICE: s{n}}}}}}}\n" for n in range(300)
    )
    assert service(BIN, "ARG SERVICE", compose=f"services:\n{services}") == "${SERVICE}"
