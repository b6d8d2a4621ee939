"""GitHub workflows: the builds of ``docker/build-push-action``."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from migrate_cache.builds import Build, Builds, read_builds

if TYPE_CHECKING:
    from tests.builds.conftest import Steps

NAME = ".github/workflows/image.yml"


def builds_of(text: str, name: str = NAME, **others: str) -> Builds:
    data = {path: body.encode() for path, body in others.items()}
    data[name] = textwrap.dedent(text).encode()
    return read_builds(list(data), data.get)


def step(inputs: str, job: str = "") -> str:
    body = textwrap.indent(textwrap.dedent(inputs).strip(), " " * 10)
    return (
        "on: push\njobs:\n  image:\n"
        + textwrap.indent(textwrap.dedent(job).strip("\n"), " " * 4)
        + "\n    steps:\n      - uses: actions/checkout@v4\n"
        + "      - uses: docker/build-push-action@v6\n        with:\n"
        + body
        + "\n"
    )


def only(inputs: str, job: str = "") -> Build:
    result = builds_of(step(inputs, job))
    assert result.warnings == ()
    (build,) = result.builds
    return build


def test_a_step() -> None:
    result = builds_of("""
        name: image
        on: push
        jobs:
          image:
            runs-on: ubuntu-latest
            steps:
              - uses: actions/checkout@v4
              - name: Build
                uses: docker/build-push-action@0123456789abcdef # v6
                with:
                  context: .
                  file: docker/api.Dockerfile
                  target: runtime
                  platforms: linux/amd64, linux/arm64
                  push: true
                  build-args: |
                    SERVICE=api
                    # a remark
                    EMPTY=
                    EQUALS=a=b
    """)
    assert result.warnings == ()
    assert result.builds == (
        Build(
            name="image",
            origin=NAME,
            line=10,
            dockerfile="docker/api.Dockerfile",
            context=".",
            target="runtime",
            args=(("EMPTY", ""), ("EQUALS", "a=b"), ("SERVICE", "api")),
            platforms=("linux/amd64", "linux/arm64"),
            kind="workflow",
            project="",
        ),
    )


@pytest.mark.parametrize(
    ("inputs", "dockerfile", "context"),
    [
        ("push: true", "Dockerfile", "."),
        ("context: .", "Dockerfile", "."),
        ("context: ./services/api", "services/api/Dockerfile", "services/api"),
        ("file: api/Dockerfile", "api/Dockerfile", "."),
        ("{context: api, file: docker/x.Dockerfile}", "docker/x.Dockerfile", "api"),
        ("context: '{{defaultContext}}:api'", "api/Dockerfile", "api"),
        ("{context: '{{defaultContext}}:api', file: x.Dockerfile}", "api/x.Dockerfile", "api"),
        ("context: '{{defaultContext}}'", "Dockerfile", "."),
        ("context: https://example.org/x.git", "", ""),
        ("context: https://github.com/${{ github.repository }}.git", "", ""),
        ("context: ../..", "", ""),
        ("context: ${{ inputs.context }}", "", ""),
        ("{context: api, file: '${{ inputs.file }}'}", "", "api"),
        ("file: ${{ env.FILE }}", "", "."),
    ],
)
def test_paths(inputs: str, dockerfile: str, context: str) -> None:
    build = only(inputs)
    assert (build.dockerfile, build.context) == (dockerfile, context)


def test_paths_are_seen_from_the_folder_of_the_workflows() -> None:
    text = step("context: api")
    (build,) = builds_of(text, "project/.github/workflows/x.yml").builds
    assert build.dockerfile == "project/api/Dockerfile"


def test_the_lower_case_name_is_taken_where_it_exists() -> None:
    (build,) = builds_of(step("context: api"), **{"api/dockerfile": "FROM a"}).builds
    assert build.dockerfile == "api/dockerfile"


def test_a_matrix_makes_several_builds() -> None:
    result = builds_of(
        step(
            """
            file: ${{ matrix.service }}/Dockerfile
            platforms: ${{ matrix.platform }}
            build-args: |
              SERVICE=${{ matrix.service }}
            """,
            """
            strategy:
              matrix:
                service: [api, web]
                platform: [linux/amd64, linux/arm64]
                os: [one, two]
                exclude:
                  - service: web
                    platform: linux/arm64
            """,
        )
    )
    assert [(b.name, b.dockerfile, b.platforms, b.args) for b in result.builds] == [
        (
            "image-api-linux/amd64",
            "api/Dockerfile",
            ("linux/amd64",),
            (("SERVICE", "api"),),
        ),
        (
            "image-api-linux/arm64",
            "api/Dockerfile",
            ("linux/arm64",),
            (("SERVICE", "api"),),
        ),
        (
            "image-web-linux/amd64",
            "web/Dockerfile",
            ("linux/amd64",),
            (("SERVICE", "web"),),
        ),
    ]


def test_a_matrix_of_objects_and_includes() -> None:
    result = builds_of(
        step(
            "file: ${{ matrix.app.file || 'Dockerfile' }}\ntarget: ${{ matrix.stage }}",
            """
            strategy:
              matrix:
                app:
                  - {file: a.Dockerfile}
                  - {file: ''}
                include:
                  - stage: final
            """,
        )
    )
    assert [(b.dockerfile, b.target) for b in result.builds] == [
        ("a.Dockerfile", "final"),
        ("Dockerfile", "final"),
    ]
    result = builds_of(
        step(
            "file: ${{ matrix.file }}",
            "strategy: {matrix: {include: [{file: a.Dockerfile}, {file: b.Dockerfile}]}}",
        )
    )
    assert [b.dockerfile for b in result.builds] == ["a.Dockerfile", "b.Dockerfile"]


@pytest.mark.parametrize(
    "matrix",
    ["${{ fromJson(needs.x.outputs.matrix) }}", "{file: '${{ fromJson(needs.x.outputs.m) }}'}"],
)
def test_a_matrix_that_is_not_known_is_one_build(matrix: str) -> None:
    job = f"strategy:\n  matrix: {matrix}"
    build = only("file: ${{ matrix.file }}\nplatforms: ${{ matrix.platform }}", job)
    assert (build.name, build.dockerfile, build.platforms) == ("image", "", ("",))


def test_variables_and_unknown_expressions() -> None:
    build = only(
        """
        file: ${{ env.FILE }}
        target: ${{ github.ref_name }}
        platforms: |
          linux/amd64
          ${{ inputs.more }}
        build-args: |
          A=${{ env.A }}
          B=${{ secrets.B }}
          C=x-${{ github.sha }}
          D=${{ 'it''s' }}
          ${{ steps.x.outputs.args }}
        """,
        "env:\n  FILE: x.Dockerfile\n  A: 1",
    )
    assert build.dockerfile == "x.Dockerfile"
    assert build.target is None
    assert build.platforms == ("linux/amd64", "")
    assert build.args == (("", None), ("A", "1"), ("B", None), ("C", None), ("D", "it's"))


def test_other_actions_are_passed_over() -> None:
    assert builds_of("jobs: {a: {steps: [{uses: docker/bake-action@v5}, {run: make}]}}") == Builds(
        (), ()
    )


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("# build-push-action\njobs: [a", 3, "cannot be read as YAML"),
        ("# build-push-action\n- a", 2, "expected the file to be a mapping"),
        ("# build-push-action\njobs: [a]", 2, "expected jobs to be a mapping"),
        ("# build-push-action\njobs: {a: b}", 2, "expected the job 'a' to be a mapping"),
        ("# build-push-action\njobs: {a: {steps: b}}", 2, "expected steps to be a list"),
        ("# build-push-action\njobs: {a: {steps: [b]}}", 2, "expected a step to be a mapping"),
        (
            "jobs: {a: {steps: [{uses: docker/build-push-action@v6, with: [a]}]}}",
            1,
            "expected with to be a mapping",
        ),
        (
            "jobs: {a: {steps: [{uses: docker/build-push-action@v6, with: {file: [a]}}]}}",
            1,
            "expected file to be a text",
        ),
    ],
)
def test_malformed_files_are_warnings_with_their_place(text: str, line: int, words: str) -> None:
    (warning,) = builds_of(text).warnings
    assert words in warning.message
    assert (warning.path, warning.line) == (NAME, line)


def test_the_rest_of_a_malformed_file_still_counts() -> None:
    text = "  broken: [x]\n" + step("context: api").partition("jobs:\n")[2]
    result = builds_of("jobs:\n" + text)
    assert [build.name for build in result.builds] == ["image"]
    assert len(result.warnings) == 1


MANY = ", ".join(f"k{i}: [1, 2, 3, 4, 5, 6, 7, 8, 9]" for i in range(30))
OBJECTS = ", ".join("{" + ", ".join(f"k{j}: {i}" for j in range(20)) + "}" for i in range(900))
INCLUDES = ", ".join(f"{{z: {i}}}" for i in range(900))
ENTRIES = ", ".join("{" + ", ".join(f"k{j}: {i}" for j in range(20)) + "}" for i in range(200))
STEPS = ", ".join(["{uses: docker/build-push-action@v6, with: {file: '${{ matrix.a.k1 }}'}}"] * 500)
TOO_MUCH = "expands to too much; the rest of it was not read"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            f"jobs: {{a: {{strategy: {{matrix: {{{MANY}}}}}, steps: [{STEPS}]}}}}",
            "the matrix has more than 1000 combinations",
            id="axes",
        ),
        pytest.param(
            f"jobs: {{a: {{strategy: {{matrix: {{a: [{OBJECTS}], include: [{INCLUDES}]}}}},"
            f" steps: [{STEPS}]}}}}",
            TOO_MUCH,
            id="includes",
        ),
        pytest.param(
            f"jobs: {{a: {{strategy: {{matrix: {{a: [{INCLUDES}], exclude: [{ENTRIES}]}}}},"
            f" steps: [{STEPS}]}}}}",
            TOO_MUCH,
            id="excludes",
        ),
        pytest.param(
            f"x: &x {{{', '.join(f'k{i}: v' for i in range(1000))}}}\n"
            f"jobs: {{a: {{strategy: {{matrix: {{a: [{', '.join(['*x'] * 900)}]}}}},"
            f" steps: [{STEPS}]}}}}",
            TOO_MUCH,
            id="aliases",
        ),
        pytest.param(
            f"jobs: {{a: {{strategy: {{matrix: {{a: [{OBJECTS}]}}}}, steps: [{STEPS}]}}}}",
            TOO_MUCH,
            id="steps",
        ),
        pytest.param(
            "# build-push-action\n" + "[" * 4_000_000,
            "cannot be read as YAML: it is nested too deeply",
            id="brackets",
        ),
    ],
)
def test_hostile_files_are_given_up(text: str, message: str, steps: Steps) -> None:
    result = builds_of(text)
    assert [warning.message for warning in result.warnings] == [message]
    assert len(result.builds) < 5000
    assert steps.total <= 200_000


def test_hostile_expressions_are_unknown(steps: Steps) -> None:
    result = builds_of(
        "jobs: {a: {steps: [{uses: docker/build-push-action@v6, with: {file: '"
        + "${{" * 20_000
        + "', build-args: '"
        + "${{ a || " * 6000
        + "'}}]}}"
    )
    (build,) = result.builds
    assert (build.dockerfile, build.args) == ("", (("", None),))
    assert steps.total < 100
