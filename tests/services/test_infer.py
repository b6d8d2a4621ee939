"""Which service a RUN builds for: the order of the evidence, and the configuration."""

from __future__ import annotations

import pytest

from migrate_cache.settings import Override
from migrate_cache.testing import migrated
from tests.services.runs import TWO, compose, decided, dockerfile, service

BIN = "cargo build --bin ${SERVICE}"


# -- the configuration ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "new_id"),
    [
        pytest.param({"service": "x"}, "target-builder-x", id="a service"),
        pytest.param(
            {"overrides": (Override(("Dockerfile",), service="x"),)}, "target-builder-x", id="of it"
        ),
        pytest.param(
            {"service": "y", "overrides": (Override(("Dockerfile",), service="x"),)},
            "target-builder-x",
            id="the file's own goes first",
        ),
        pytest.param(
            {"service": "y", "overrides": (Override(("other/*",), service="x"),)},
            "target-builder-y",
            id="another file's",
        ),
        pytest.param(
            {"overrides": (Override(("Dockerfile",), id="a-${SERVICE}"),)},
            "a-${SERVICE}",
            id="an id",
        ),
        pytest.param({"overrides": (Override(("Dockerfile",), id="a-${NO}"),)}, "", id="no scope"),
        pytest.param({"overrides": (Override(("Dockerfile",), service="${NO}"),)}, "", id="none"),
        pytest.param({"service": "${NO}"}, "", id="a service that is not in scope"),
        pytest.param({"service": "${NO:-x}"}, "target-builder-${NO:-x}", id="with a default"),
        pytest.param({"id_template": "{kind}-${NO}"}, "", id="a template that is not in scope"),
        pytest.param(
            {"id_template": "${NO}", "overrides": (Override(("*",), id_template="{kind}"),)},
            "target",
            id="a template that is not the file's",
        ),
        pytest.param(
            {"overrides": (Override(("other/*",), id="x"),)},
            "target-builder-${SERVICE}",
            id="other",
        ),
        pytest.param(
            {"service": "x", "overrides": (Override(("Dockerfile",), id="y"),)},
            "y",
            id="the id wins",
        ),
    ],
)
def test_the_configuration_comes_first(settings: dict[str, object], new_id: str) -> None:
    before = dockerfile(BIN, "ARG SERVICE")
    result = migrated(before, root_name="shop", **settings)
    after = before.replace("sharing=locked", f"id={new_id}") if new_id else before
    assert result == after
    assert result.codes == ["MC102" if new_id else "MC208"]
    assert ("is not in scope here" in result.reasons[0]) is not new_id


def test_the_configuration_says_so() -> None:
    assert "(the configuration says so)" in decided("cargo build", service="x").reasons[0]


@pytest.mark.parametrize("root_name", ["shop", ""])
def test_an_id_of_the_configuration_needs_no_service(root_name: str) -> None:
    run = "cargo b --bin $A --bin $B --bin $C"
    overrides = (Override(("*",), id="x"),)
    result = decided(run, "ARG A\nARG B\nARG C", overrides=overrides, root_name=root_name)
    assert result["Dockerfile"].count("id=x ") == 1
    assert "(the configuration names the id)" in result.reasons[0]
    assert f"service {root_name or 'service'} " in result.reasons[0]


# -- the order of the rest ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "path", "services", "root_name", "expected"),
    [
        pytest.param(BIN, "w/Dockerfile.api", TWO, "shop", "${SERVICE}", id="an argument"),
        pytest.param(
            "cargo b --bin x", "w/Dockerfile.api", compose(till=""), "shop", "x", id="the command"
        ),
        pytest.param(
            "cargo b --bin x", "Dockerfile", compose(till=""), "shop", "till", id="compose"
        ),
        pytest.param("cargo build", "w/Dockerfile.api", "", "shop", "api", id="the file"),
        pytest.param("cargo build", "w/Dockerfile", "", "shop", "w", id="the folder"),
        pytest.param("cargo build", "Dockerfile", "", "shop", "shop", id="the project"),
        pytest.param("cargo build", "Dockerfile", "", "", "", id="nothing"),
        pytest.param("cargo b --bin x --bin y", "w/Dockerfile", "", "shop", "w", id="no command"),
        pytest.param(
            "cargo b --bin x --bin y", "Dockerfile", "", "shop", "shop", id="the project's"
        ),
    ],
)
def test_order(run: str, path: str, services: str, root_name: str, expected: str) -> None:
    found = service(run, "ARG SERVICE", path=path, compose=services, root_name=root_name)
    assert found == expected


def test_what_was_considered_in_vain() -> None:
    (reason,) = decided("cargo b --bin x --bin y", root_name="").reasons
    assert "the command builds several things: x and y" in reason
    (reason,) = decided("cargo b", root_name="").reasons
    assert "neither build arguments nor names tell it" in reason


# -- the project's name ---------------------------------------------------------------------------


def named(name: str) -> str:
    return f"name: {name}\nservices: {{web: {{build: .}}}}\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, "root", id="the root folder"),
        pytest.param({"compose.yaml": named("shop")}, "shop", id="a compose file"),
        pytest.param({"compose.yaml": named("Shop.X")}, "shop.x", id="is cleaned"),
        pytest.param({"compose.yaml": TWO}, "root", id="one without a name"),
        pytest.param({"a/compose.yaml": named("shop")}, "shop", id="in a folder"),
        pytest.param(
            {"compose.yaml": named("shop"), "a/compose.yaml": named("other")},
            "shop",
            id="the nearest",
        ),
        pytest.param(
            {"a/compose.yaml": named("other"), "compose.yaml": named("shop")},
            "shop",
            id="in any order",
        ),
        pytest.param(
            {"compose.yaml": named("shop"), "compose.b.yaml": named("shop")},
            "shop",
            id="two that agree",
        ),
        pytest.param(
            {"compose.yaml": named("shop"), "compose.b.yaml": named("other")},
            "root",
            id="two that do not",
        ),
        pytest.param(
            {"a/compose.yaml": named("shop"), "b/c/compose.yaml": named("other")},
            "shop",
            id="a folder and a deeper one",
        ),
    ],
)
def test_the_projects_name(files: dict[str, str], expected: str) -> None:
    text = dockerfile("cargo build")
    result = migrated(text, build_files=files, root_name="root", id_template="x-{project}")
    assert result == text.replace("sharing=locked", f"id=x-{expected}")


def test_the_configured_project() -> None:
    text = dockerfile("cargo build")
    files = {"compose.yaml": named("shop")}
    result = migrated(
        text, build_files=files, root_name="root", project="my", id_template="{project}"
    )
    assert result == text.replace("sharing=locked", "id=my")
