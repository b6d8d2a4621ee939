"""What compose, bake and workflow files declare about the builds of a stage."""

from __future__ import annotations

import json

import pytest

from migrate_cache.testing import migrated
from tests.services.runs import RUN, compose, decided, service, told


def bake(**targets: dict[str, object]) -> dict[str, str]:
    return {"docker-bake.json": json.dumps({"target": targets})}


# -- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ({"till": ""}, "till"),
        ({"Till": "A=1"}, "till"),
        ({"a_x": "", "b_x": ""}, "x"),
        ({"x_1": "", "x_2": ""}, "x"),
        ({"y_x_1": "", "y_x_2": ""}, "y-x"),
        ({"x_y": "", "y_x": ""}, "x-y"),
        ({"x_x_a": "", "x_b": ""}, "x"),
        ({"a_1": "", "b_1": ""}, "shop"),
        ({"a_dev": "", "b_dev": ""}, "shop"),
        ({"a_service": "", "b_service": ""}, "shop"),
        ({"a_shop": "", "b_shop": ""}, "shop"),
        ({"a_shop_x": "", "b_shop_x": ""}, "shop-x"),
        ({"a_x_dev": "", "b_x_dev": ""}, "x-dev"),
        ({"a": "", "b": ""}, "shop"),
        ({"base": "", "till": ""}, "till"),
        ({"base_template": "", "till": ""}, "till"),
        ({"base_till": ""}, "base_till"),
        ({"base": ""}, "base"),
        ({"1": ""}, "shop"),
    ],
)
def test_names_of_services_that_build_the_same(services: dict[str, str], expected: str) -> None:
    assert service("cargo build", compose=compose(**services), root_name="shop") == expected


def test_the_evidence_names_services_and_files() -> None:
    reason = decided("cargo build", compose=compose(till="")).reasons[0]
    assert "service till (service till of compose.yaml builds it)" in reason
    reason = decided("cargo build", compose=compose(a_x="", b_x="")).reasons[0]
    assert "service x (a_x and b_x of compose.yaml build the same)" in reason


def test_names_are_cleaned() -> None:
    text = "services: {'a,b\"': {build: .}}"
    assert service("cargo build", compose=text) == "a-b"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("till", "till"),
        ("_till", "shop"),
        ("default", "shop"),
        ("image", "shop"),
        ("image-dev", "shop"),
        ("image-till", "image-till"),
        ("release", "shop"),
    ],
)
def test_names_of_targets(name: str, expected: str) -> None:
    assert service("cargo build", build_files=bake(**{name: {}})) == expected
    assert service("cargo build", compose=compose(**{name.replace("-", "_"): ""})) != "shop"


@pytest.mark.parametrize(
    ("run", "path", "expected"),
    [
        ("cargo build --bin x", "Dockerfile", "till"),
        ("cargo build", "api/Dockerfile.web", "till"),
        ("cargo build --bin $SERVICE", "Dockerfile", "${SERVICE}"),
    ],
)
def test_the_place_of_this_evidence(run: str, path: str, expected: str) -> None:
    text = f"services: {{till: {{build: {{context: ., dockerfile: {path}}}}}}}"
    assert service(run, "ARG SERVICE", path=path, compose=text) == expected


WORKFLOW = """
jobs:
  till:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/build-push-action@v6
        with: {context: ., build-args: "A_VERSION=%s"}
"""


def test_a_workflow_names_no_service() -> None:
    files = {".github/workflows/x.yaml": WORKFLOW % "1"}
    assert service("cargo build", build_files=files) == "shop"
    assert service("cargo build", compose=compose(a=""), build_files=files) == "a"


def test_what_a_workflow_builds_may_be_any_of_the_others() -> None:
    run, before = "cargo build && echo $A_VERSION", "ARG A_VERSION"
    files = {".github/workflows/x.yaml": WORKFLOW % "1"}
    assert service(run, before, build_files=files, compose=compose(a="A_VERSION=2")) == "a"
    files[".github/workflows/y.yaml"] = (WORKFLOW % "2").replace("till", "stock")
    result = decided(run, before, build_files=files)
    assert result.codes == ["MC208"]
    assert "A_VERSION differs between till and stock" in result.reasons[0]


def test_a_folder_that_a_workflow_does_not_tell() -> None:
    text = WORKFLOW.replace("context: .", "context: %s, file: Dockerfile")
    files = {
        ".github/workflows/x.yaml": text % (".", "1"),
        ".github/workflows/y.yaml": (text % ("'${{ inputs.folder }}'", "1")).replace("till", "a"),
    }
    assert service("cargo build", build_files=files) == "shop"
    files[".github/workflows/y.yaml"] = (text % ("folder", "1")).replace("till", "a")
    result = decided("cargo build", build_files=files)
    assert "the folder that is built differs between till and a" in result.reasons[0]


# -- which builds run a stage ---------------------------------------------------------------------

STAGES = (
    "FROM rust AS base\nARG W\nFROM base AS builder\nWORKDIR /b\n"
    f"{RUN}cargo build --features $W\n"
    "FROM debian AS run\nCOPY --from=builder /x /x\nFROM debian AS docs\n"
)


def of_target(target: object, other: object = "builder") -> str:
    """Return the service where two builds with different arguments have these targets."""
    targets = {
        name: {"args": {"W": name}} | ({} if value is None else {"target": value})
        for name, value in (("till", target), ("stock", other))
    }
    return told(migrated(STAGES, build_files=bake(**targets), root_name="shop"))


@pytest.mark.parametrize(
    ("target", "counts"),
    [
        pytest.param("builder", True, id="the stage"),
        pytest.param("BUILDER", True, id="in any case"),
        pytest.param("run", True, id="one that copies from it"),
        pytest.param("docs", False, id="one that does not"),
        pytest.param("base", False, id="one that it is built FROM"),
        pytest.param("1", True, id="its number"),
        pytest.param("2", True, id="the number of one that copies from it"),
        pytest.param("0", False, id="the number of another one"),
        pytest.param("4", False, id="a number too many"),
        pytest.param("unknown", False, id="a stage that is not there"),
        pytest.param(None, False, id="the last one"),
    ],
)
def test_targets(target: str | None, counts: bool) -> None:
    assert of_target(target) == ("${W}" if counts else "stock")


def test_a_target_that_is_not_known_may_be_any() -> None:
    text = (
        "services:\n"
        "  till: {build: {context: ., target: $UNKNOWN, args: {W: '1'}}}\n"
        "  stock: {build: {context: ., target: builder, args: {W: '2'}}}\n"
    )
    result = migrated(STAGES, build_files={"compose.yaml": text}, root_name="shop")
    assert told(result) == "${W}"


def test_without_a_target_the_last_stage_is_built() -> None:
    text = "FROM debian AS docs\nFROM rust AS builder\nWORKDIR /b\n" + f"{RUN}cargo build\n"
    assert told(migrated(text, build_files=bake(till={}), root_name="shop")) == "till"
    text += "FROM debian\n"
    assert told(migrated(text, build_files=bake(till={}), root_name="shop")) == "shop"


def test_builds_of_another_file_do_not_count() -> None:
    files = bake(till={"dockerfile": "other/Dockerfile"})
    assert service("cargo build", build_files=files) == "shop"


# -- what differs between builds of one RUN -------------------------------------------------------


def builds(**services: str) -> str:
    """Return a compose file: of each service what stands in its ``build``."""
    return "services:\n" + "".join(
        f"  {name}: {{build: {{{text}}}}}\n" for name, text in services.items()
    )


@pytest.mark.parametrize(
    ("text", "services", "expected"),
    [
        pytest.param(
            f"FROM rust AS builder\nWORKDIR /b\n{RUN}cargo build\n",
            builds(a="context: a, dockerfile: ../Dockerfile", b="context: ."),
            "the folder that is built differs between a and b",
            id="the folder",
        ),
        pytest.param(
            f"ARG I=rust\nFROM $I AS builder\nWORKDIR /b\n{RUN}cargo build\n",
            builds(a="context: ., args: {I: rust:1}", b="context: ."),
            "the image of stage builder differs between a and b",
            id="the base image",
        ),
        pytest.param(
            f"ARG I=rust\nFROM $I\nWORKDIR /b\n{RUN}cargo build\n",
            builds(a="context: ., args: {I: rust:1}", b="context: ."),
            "the image of stage 0 differs",
            id="of a stage without a name",
        ),
        pytest.param(
            f"ARG I=rust\nFROM $I AS base\nFROM base AS builder\nWORKDIR /b\n{RUN}cargo build\n",
            builds(a="context: ., args: {I: rust:1}", b="context: ."),
            "the image of stage base differs",
            id="of the stage that it is built FROM",
        ),
        pytest.param(
            "FROM rust AS src\nARG W\nFROM rust AS builder\nWORKDIR /b\nCOPY --from=src /x /x\n"
            f"{RUN}cargo build\n",
            builds(a="context: ., args: {W: '1'}", b="context: ., args: {W: '2'}"),
            "W in stage src differs between a and b",
            id="an argument of a stage that is copied from",
        ),
        pytest.param(
            "FROM rust AS src\nARG V_VERSION\nFROM rust AS builder\nWORKDIR /b\n"
            f"COPY --from=src /x /x\n{RUN}cargo build\n",
            builds(a="context: ., args: {V_VERSION: x}", b="context: ., args: {V_VERSION: y}"),
            "",
            id="a version there",
        ),
        pytest.param(
            "FROM rust AS src\nARG TARGETOS\nFROM rust AS builder\nWORKDIR /b\n"
            f"COPY --from=src /x /x\n{RUN}cargo build\n",
            builds(a="context: ., args: {TARGETOS: x}", b="context: ., args: {TARGETOS: y}"),
            "",
            id="a platform there",
        ),
        pytest.param(
            f"FROM rust AS other\nARG W\nFROM rust AS builder\nWORKDIR /b\n{RUN}cargo build\n",
            builds(a="context: ., args: {W: '1'}", b="context: ., args: {W: '2'}"),
            "",
            id="an argument of a stage that is not needed",
        ),
        pytest.param(
            f"FROM rust AS builder\nWORKDIR /b\n{RUN}cargo build\n",
            builds(a="context: ., args: {W: '1'}", b="context: ., args: {W: '2'}"),
            "",
            id="an argument that no stage declares",
        ),
        pytest.param(
            f"FROM rust AS builder\nWORKDIR /b\n{RUN}cargo build\n",
            builds(a="context: $UNKNOWN, dockerfile: ../Dockerfile", b="context: ."),
            "",
            id="a folder that is not known",
        ),
    ],
)
def test_what_a_run_does_not_show(text: str, services: str, expected: str) -> None:
    result = migrated(text, build_files={"compose.yaml": services}, root_name="shop")
    assert result.codes == ["MC208" if expected else "MC102"]
    assert expected in result.reasons[0]


def test_builds_that_an_argument_tells_apart_may_differ() -> None:
    text = (
        "ARG I=rust\nFROM $I AS builder\nARG SERVICE\nWORKDIR /b\n"
        f"{RUN}cargo build --bin $SERVICE\n"
    )
    services = builds(
        a="context: ., args: {I: rust:1, SERVICE: a}", b="context: ., args: {SERVICE: b}"
    )
    assert told(migrated(text, build_files={"compose.yaml": services})) == "${SERVICE}"
    services = services.replace("SERVICE: b", "SERVICE: a")
    result = migrated(text, build_files={"compose.yaml": services})
    assert result.codes == ["MC208"]
    assert "the image of stage builder differs between a and b" in result.reasons[0]
    assert "${SERVICE} does not tell them apart" in result.reasons[0]


def test_services_of_one_name_are_told_apart_by_their_files() -> None:
    result = decided(
        "cargo build",
        compose="services: {app: {build: {context: ., dockerfile: Dockerfile}}}",
        build_files={
            "x/compose.yaml": "services: {app: {build: {context: ., dockerfile: ../Dockerfile}}}"
        },
    )
    assert result.codes == ["MC208"]
    assert "differs between app of compose.yaml and app of x/compose.yaml" in result.reasons[0]


def test_a_service_in_two_files_of_a_folder_is_one() -> None:
    result = decided(
        "cargo build --features $W",
        "ARG W",
        compose=compose(app="W=1"),
        build_files={"compose.ci.yaml": compose(app="W=2")},
    )
    assert told(result) == "app"
