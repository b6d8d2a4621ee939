"""Compose files: which builds they declare, and what becomes of malformed ones."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrate_cache.builds import Build, Builds, is_build_file, read_builds
from migrate_cache.builds.compose.interpolate import InterpolationError, interpolate, parse_env

if TYPE_CHECKING:
    from tests.builds.conftest import Steps


def builds_of(files: dict[str, str | bytes]) -> Builds:
    data = {
        name: text if isinstance(text, bytes) else textwrap.dedent(text).encode()
        for name, text in files.items()
    }
    return read_builds(list(data), data.get)


def named(files: dict[str, str | bytes]) -> dict[str, Build]:
    result = builds_of(files)
    assert result.warnings == ()
    return {build.name: build for build in result.builds}


def only(text: str) -> Build:
    found = list(named({"compose.yml": text}).values())
    assert len(found) == 1
    return found[0]


def complaints(files: dict[str, str | bytes]) -> list[tuple[str, int, int, str]]:
    return [(w.path, w.line, w.column, w.message) for w in builds_of(files).warnings]


@pytest.mark.parametrize(
    "name",
    [
        "compose.yml",
        "compose.yaml",
        "compose.prod.yml",
        "deploy/compose-dev.yaml",
        "docker-compose.yml",
        "a/b/docker-compose.override.yaml",
        "docker-composeTest.yml",
        "docker-bake.hcl",
        "docker-bake.json",
        "docker-bake.override.hcl",
        "x/docker-bake-ci.hcl",
        ".github/workflows/ci.yml",
        "sub/.github/workflows/image.yaml",
    ],
)
def test_files_that_are_read(name: str) -> None:
    assert is_build_file(name)


@pytest.mark.parametrize(
    "name",
    [
        "composer.yml",
        "compose.yml.j2",
        "my-compose.txt",
        "bake.txt",
        "docker-bake.hcl.bak",
        ".github/ci.yml",
        ".github/workflows/deep/ci.yml",
        "workflows/ci.yml",
    ],
)
def test_files_that_are_not_read(name: str) -> None:
    assert not is_build_file(name)


def test_build_as_text() -> None:
    build = only("services:\n  api:\n    build: ./services/api\n")
    assert build == Build(
        name="api",
        origin="compose.yml",
        line=2,
        dockerfile="services/api/Dockerfile",
        context="services/api",
        target="",
        args=(),
        platforms=(),
        kind="compose",
        project="",
    )


def test_build_as_mapping() -> None:
    build = only("""
        name: shop
        services:
          api:
            image: shop/api
            build:
              context: .
              dockerfile: docker/api.Dockerfile
              target: runtime
              platforms: [linux/amd64, linux/arm64]
              args:
                SERVICE: api
              additional_contexts:
                base: service:base
    """)
    assert build.dockerfile == "docker/api.Dockerfile"
    assert build.context == "."
    assert build.target == "runtime"
    assert build.args == (("SERVICE", "api"),)
    assert build.platforms == ("linux/amd64", "linux/arm64")
    assert build.project == "shop"


def test_services_without_a_build_are_none() -> None:
    assert named({"compose.yml": "services:\n  db:\n    image: postgres\n  x:\n    build:\n"}) == {}


def test_paths_are_seen_from_the_files_folder() -> None:
    found = named(
        {
            "deploy/compose.yml": """
                services:
                  a: {build: ..}
                  b: {build: {context: .., dockerfile: deploy/b.Dockerfile}}
                  c: {build: {context: ../lib/, dockerfile: ../c.Dockerfile}}
                  d: {build: '.\\win\\api'}
            """
        }
    )
    assert [found[name].dockerfile for name in "abcd"] == [
        "Dockerfile",
        "deploy/b.Dockerfile",
        "c.Dockerfile",
        "deploy/win/api/Dockerfile",
    ]
    assert [found[name].context for name in "abcd"] == [".", ".", "lib", "deploy/win/api"]


@pytest.mark.parametrize(
    "build",
    [
        "https://example.org/repo.git#main:docker",
        "git@example.org:repo.git",
        "github.com/owner/repo",
        "../elsewhere",
        "/srv/app",
        "~/app",
        "C:/app",
        "{context: ., dockerfile: ../../Dockerfile}",
        "{context: ., dockerfile: /Dockerfile}",
        "{context: ., dockerfile_inline: FROM scratch}",
        "{context: '${SOMEWHERE}'}",
        "{context: ., dockerfile: '${FILE}'}",
    ],
)
def test_dockerfiles_that_are_not_in_the_repository(build: str) -> None:
    assert only(f"services:\n  a:\n    build: {build}\n").dockerfile == ""


def test_the_default_name_that_exists_is_taken() -> None:
    text = "services: {a: {build: a}, b: {build: b}, c: {build: c}}"
    others: dict[str, str | bytes] = {"b/dockerfile": "FROM b", "c/Containerfile": "FROM c"}
    found = named({"compose.yml": text, **others})
    assert found["a"].dockerfile == "a/Dockerfile"
    assert found["b"].dockerfile == "b/dockerfile"
    assert found["c"].dockerfile == "c/Containerfile"


def test_arguments_as_list_and_as_mapping() -> None:
    found = named(
        {
            "compose.yml": """
                services:
                  list:
                    build:
                      context: .
                      args: [A=1, B=two=2, C=, D, 'E=${X:-x}']
                  mapping:
                    build:
                      context: .
                      args: {A: 1, B: two=2, C: '', D: , E: '${X:-x}'}
            """
        }
    )
    expected = (("A", "1"), ("B", "two=2"), ("C", ""), ("D", None), ("E", "x"))
    assert found["list"].args == found["mapping"].args == expected


def test_arguments_as_compose_renders_them() -> None:
    build = only(
        "services: {a: {build: {context: ., args: {A: 1.10, B: True, C: '1.10', D: 1e3}}}}"
    )
    assert build.args == (("A", "1.1"), ("B", "true"), ("C", "1.10"), ("D", None))


def test_anchors_and_merges() -> None:
    found = named(
        {
            "compose.yml": """
                x-args: &args {A: base, B: base}
                x-more: &more {B: more, C: more}
                x-build: &build
                  context: .
                  dockerfile: Dockerfile.app
                  args: *args
                services:
                  one: {build: *build}
                  two:
                    build:
                      <<: *build
                      target: two
                  three:
                    build:
                      <<: [*build, {target: other, context: sub}]
                      args:
                        <<: [*more, *args]
                        A: own
            """
        }
    )
    assert found["one"].args == (("A", "base"), ("B", "base"))
    assert found["two"].target == "two"
    assert found["two"].dockerfile == "Dockerfile.app"
    assert found["three"].target == "other"
    assert found["three"].context == "."
    assert found["three"].args == (("A", "own"), ("B", "more"), ("C", "more"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("$SET", "set"),
        ("${SET}", "set"),
        ("a${SET}b$SET", "asetbset"),
        ("${UNSET}", None),
        ("a${UNSET}b", None),
        ("$UNSET", None),
        ("${UNSET:-d}", "d"),
        ("${UNSET-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${EMPTY}", ""),
        ("${SET:-d}", "set"),
        ("${SET-d}", "set"),
        ("${UNSET:-}", ""),
        ("${SET:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${UNSET:+x}", ""),
        ("${SET:?must be set}", "set"),
        ("${UNSET:?must be set}", None),
        ("${EMPTY:?must be set}", None),
        ("${EMPTY?must be set}", ""),
        ("${UNSET?must be set}", None),
        ("$$SET", "$SET"),
        ("$${SET}", "${SET}"),
        ("${UNSET:-${SET}}", "set"),
        ("${UNSET:-${OTHER:-a-${SET}}}/x", "a-set/x"),
        ("${SET:-${UNSET}}", "set"),
        ("${UNSET:-a b/c:d}", "a b/c:d"),
        ("${HIDDEN}", None),
        ("${HIDDEN:-d}", None),
    ],
)
def test_interpolation(text: str, value: str | None) -> None:
    env = {"SET": "set", "EMPTY": "", "HIDDEN": None}
    assert interpolate(text, env) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${", "expected '}' after '${'"),
        ("a${X", "expected '}' after '${'"),
        ("$", "expected a variable after '$'"),
        ("a $-", "expected a variable after '$'"),
        ("${}", "expected the name of a variable after '${'"),
        ("${X!y}", "expected the name of a variable after '${'"),
        ("${1}", "expected the name of a variable after '${'"),
        ("${A:-" * 25 + "}" * 25, "the variables are nested too deeply"),
    ],
)
def test_interpolation_that_is_none(text: str, words: str) -> None:
    with pytest.raises(InterpolationError) as error:
        interpolate(text, {})
    assert words in str(error.value)


def test_environment_files() -> None:
    text = r"""
        # a comment
        A=plain
        export B = spaced out # comment
        C='single $A \n'
        D="double $A\n\"x\" \$A"
        E=${A}-$B
        F=${NOPE}
        G=${NOPE:-default}
        H
        I=
        J="two
        lines"
        K=a#b
        not a setting
        L: colon
    """
    found = parse_env(textwrap.dedent(text).encode(), {"A": "outer"})
    assert found == {
        "A": "plain",
        "B": "spaced out",
        "C": r"single $A \n",
        "D": 'double outer\n"x" $A',
        "E": "outer-spaced out",
        "F": None,
        "G": "default",
        "H": None,
        "I": "",
        "J": "two\nlines",
        "K": "a#b",
        "L": "colon",
    }


def test_the_environment_file_beside_the_compose_file_counts() -> None:
    found = named(
        {
            "a/compose.yml": "services: {x: {build: {context: ., args: {V: $V}}}}",
            "a/.env": "V=from a\n",
            ".env": "V=from the root\n",
        }
    )
    assert found["x"].args == (("V", "from a"),)


def test_the_environment_of_the_process_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("V", "outside")
    build = only("services: {x: {build: {context: ., args: [V, 'W=$V', 'X=${V:-d}']}}}")
    assert build.args == (("V", None), ("W", None), ("X", "d"))


def test_extends_in_the_same_file() -> None:
    found = named(
        {
            "compose.yml": """
                services:
                  base:
                    build:
                      context: app
                      dockerfile: Dockerfile.app
                      args: {A: base, B: base}
                  worker:
                    extends: base
                    build:
                      args: {B: worker}
                  other:
                    extends: {service: worker}
                    build: {target: other}
            """
        }
    )
    assert found["worker"].dockerfile == "app/Dockerfile.app"
    assert found["worker"].args == (("A", "base"), ("B", "worker"))
    assert found["worker"].line == 8
    assert (found["other"].target, found["other"].args) == ("other", found["worker"].args)


def test_extends_from_another_file_sees_paths_from_there() -> None:
    found = named(
        {
            "compose.yml": """
                services:
                  api:
                    extends: {file: common/services.yml, service: base}
                    build: {args: {SERVICE: api}}
            """,
            "common/services.yml": "services: {base: {build: {context: ./app, args: [X=1]}}}",
        }
    )
    assert found["api"].dockerfile == "common/app/Dockerfile"
    assert found["api"].args == (("SERVICE", "api"), ("X", "1"))
    assert (found["api"].origin, found["api"].line) == ("compose.yml", 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("services: {a: {extends: a, build: .}}", "in a circle"),
        ("services: {a: {extends: b, build: .}, b: {extends: a}}", "in a circle"),
        ("services: {a: {extends: nope, build: .}}", "not declared"),
        ("services: {a: {extends: {file: x.yml, service: b}, build: .}}", "is not there: x.yml"),
        ("services: {a: {extends: [b], build: .}}", "expected extends to be a text"),
    ],
)
def test_extends_that_leads_nowhere(text: str, words: str) -> None:
    result = builds_of({"compose.yml": text})
    assert result.builds[0].dockerfile == "Dockerfile"
    assert [words in warning.message for warning in result.warnings] == [True]
    assert all(warning.line == 1 and warning.column > 1 for warning in result.warnings)


def test_the_override_file_is_laid_on_top() -> None:
    found = named(
        {
            "docker-compose.yml": """
                services:
                  api:
                    build:
                      context: .
                      dockerfile: Dockerfile.api
                      args: {A: base, B: base}
                      platforms: [linux/amd64]
                  web: {build: web}
            """,
            "docker-compose.override.yml": """
                services:
                  api:
                    build:
                      target: dev
                      args: [B=override]
                      platforms: [linux/amd64, linux/arm64]
                  web: {environment: [X=1]}
                  extra: {build: extra}
            """,
        }
    )
    assert sorted(found) == ["api", "extra", "web"]
    assert found["api"].dockerfile == "Dockerfile.api"
    assert found["api"].target == "dev"
    assert found["api"].args == (("A", "base"), ("B", "override"))
    assert found["api"].platforms == ("linux/amd64", "linux/arm64")
    assert (found["web"].origin, found["web"].line) == ("docker-compose.yml", 9)


def test_reset_and_override_tags() -> None:
    found = named(
        {
            "compose.yml": """
                services:
                  a: {build: {context: ., target: x, args: {A: '1', B: '2'}}}
                  b: {build: .}
                  c: {build: {context: c, target: x}}
            """,
            "compose.override.yml": """
                services:
                  a: {build: {target: !reset null, args: !override {C: '3'}}}
                  b: {build: !reset null}
                  c: {build: !override {context: d}}
            """,
        }
    )
    assert sorted(found) == ["a", "c"]
    assert (found["a"].target, found["a"].args) == ("", (("C", "3"),))
    assert (found["c"].context, found["c"].target) == ("d", "")


def test_other_compose_files_are_declarations_of_their_own() -> None:
    result = builds_of(
        {
            "compose.yml": "services: {api: {build: api}, db: {image: x}}",
            "compose.prod.yml": "services: {api: {image: api}, db: {build: db}}",
            "compose.test.yml": "services: {api: {build: api}}",
        }
    )
    assert [(b.name, b.origin, b.dockerfile) for b in result.builds] == [
        ("db", "compose.prod.yml", "db/Dockerfile"),
        ("api", "compose.test.yml", "api/Dockerfile"),
        ("api", "compose.yml", "api/Dockerfile"),
    ]


def test_a_file_that_only_adds_to_a_build_adds_to_the_one_beside_it() -> None:
    result = builds_of(
        {
            "compose.yml": "services: {api: {build: {context: api, args: [A=1]}}}",
            "compose.dev.yml": "services: {api: {build: {target: dev, args: [B=2]}}}",
        }
    )
    first, _ = result.builds
    assert (first.origin, first.context, first.target) == ("compose.dev.yml", "api", "dev")
    assert first.args == (("A", "1"), ("B", "2"))


def test_includes_belong_to_the_file_that_includes_them() -> None:
    files: dict[str, str | bytes] = {
        "compose.yml": """
            name: shop
            include:
              - billing/compose.yml
              - path: [web/compose.yml, web/extra.yml]
                project_directory: .
                env_file: web/values.env
            services:
              api: {build: api}
        """,
        "billing/compose.yml": """
            name: billing
            services: {bill: {build: {context: ., args: {V: '$V'}}}}
        """,
        "billing/.env": "V=billing",
        "web/compose.yml": "services: {web: {build: {context: web, args: {V: '$V'}}}}",
        "web/extra.yml": "services: {web: {build: {target: extra}}}",
        "web/values.env": "V=web",
    }
    found = named(files)
    assert sorted(found) == ["api", "bill", "web"]
    assert found["bill"].dockerfile == "billing/Dockerfile"
    assert found["bill"].args == (("V", "billing"),)
    assert found["web"].dockerfile == "web/Dockerfile"
    assert (found["web"].args, found["web"].target) == ((("V", "web"),), "extra")
    assert {build.project for build in found.values()} == {"shop"}


def test_includes_in_a_circle_end() -> None:
    result = builds_of(
        {
            "compose.yml": "include: [docker-compose.yml]\nservices: {a: {build: .}}",
            "docker-compose.yml": "include: [compose.yml]\nservices: {b: {build: .}}",
        }
    )
    assert sorted(build.name for build in result.builds) == ["a", "b"]
    assert "in a circle" in result.warnings[0].message


def test_nothing_outside_the_root_is_asked_for() -> None:
    asked: list[str] = []
    text = b"""
        include: [../../other/compose.yml, /etc/compose.yml, oci://example.org/x]
        services:
          a: {extends: {file: ../../../x.yml, service: y}, build: {context: ../../..}}
          b: {build: {context: ., dockerfile: ../../../../etc/passwd}}
    """

    def read(path: str) -> bytes | None:
        asked.append(path)
        return text if path == "sub/compose.yml" else None

    result = read_builds(["sub/compose.yml"], read)
    assert set(asked) == {"sub/compose.yml", "sub/.env"}
    assert [build.dockerfile for build in result.builds] == ["", ""]


def test_a_platform_of_the_service_is_that_of_its_build() -> None:
    assert only("services: {a: {build: ., platform: linux/arm64}}").platforms == ("linux/arm64",)


def test_platforms_for_bake_count() -> None:
    build = only("""
        services:
          a:
            build: {context: ., platforms: [linux/amd64], x-bake: {platforms: [linux/arm64]}}
    """)
    assert build.platforms == ("linux/amd64", "linux/arm64")


def test_what_is_not_known_is_not_guessed() -> None:
    build = only("""
        services:
          a:
            build: {context: ., target: '${T}', platforms: ['${P}', linux/amd64], args: ['X=$Y']}
    """)
    assert (build.target, build.platforms, build.args) == (
        None,
        ("", "linux/amd64"),
        (("X", None),),
    )


def test_the_namespace_of_caches_is_seen() -> None:
    result = builds_of(
        {
            "compose.yml": """
                services:
                  a: {build: {context: ., args: {BUILDKIT_CACHE_MOUNT_NS: shop}}}
                  b: {build: {context: ., args: [BUILDKIT_CACHE_MOUNT_NS]}}
                  c: {build: .}
            """
        }
    )
    assert result.namespaces() == ("shop", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a", (1, 1, "expected the file to be a mapping, found a list")),
        ("services: [a]", (1, 11, "expected services to be a mapping, found a list")),
        ("services: {a: text}", (1, 15, "expected the service 'a' to be a mapping, found a text")),
        (
            "services:\n  a:\n    build: [x]",
            (3, 12, "expected build to be a mapping, found a list"),
        ),
        (
            "services: {a: {build: {context: [x]}}}",
            (1, 33, "expected context to be a text, found a list"),
        ),
        (
            "services: {a: {build: {context: ., args: x}}}",
            (1, 42, "expected args to be a list, found a text"),
        ),
        (
            "services: {a: {build: {context: ., platforms: x}}}",
            (1, 47, "expected platforms to be a list, found a text"),
        ),
        (
            "services: {a: {build: {<<: x, context: .}}}",
            (1, 28, "expected a mapping to merge, found a text"),
        ),
        (
            "services: {a: {build: x}, a: {build: y}}",
            (1, 27, "this key is given twice; the last one counts"),
        ),
        ("services: {[x]: y}", (1, 12, "expected a name as the key, found a list")),
        (
            "services: {a: {build: {context: '${X'}}}",
            (1, 33, "context cannot be read: expected '}' after '${'"),
        ),
        ("services: {a: *b}", (1, 15, "cannot be read as YAML: found undefined alias 'b'")),
        ("include: {a: b}", (1, 10, "expected include to be a list, found a mapping")),
        ("include: [nope.yml]", (1, 11, "the path of include is not there: nope.yml")),
        (
            "services:\n\ta: b",
            (2, 1, "cannot be read as YAML: found character that cannot start any token"),
        ),
        ("a: \0", (1, 4, "cannot be read as YAML: control characters are not allowed")),
    ],
)
def test_malformed_files_are_warnings_with_their_place(
    text: str, expected: tuple[int, int, str]
) -> None:
    assert complaints({"compose.yml": text}) == [("compose.yml", *expected)]


def test_the_rest_of_a_malformed_file_still_counts() -> None:
    result = builds_of(
        {"compose.yml": "services: {a: [1], b: {build: b}, c: {build: {context: [c]}}}"}
    )
    assert [build.name for build in result.builds] == ["b", "c"]
    assert len(result.warnings) == 2


def test_a_file_that_cannot_be_read() -> None:
    result = read_builds(["compose.yml"], lambda _: None)
    assert [w.message for w in result.warnings] == ["cannot be read"]


def test_warnings_are_not_endless() -> None:
    text = "services: {" + ",".join(f"s{i}: [x]" for i in range(500)) + "}"
    assert len(complaints({"compose.yml": text})) == 21
    long = complaints({"compose.yml": "services: {" + "x" * 100_000 + ": [1]}"})
    assert len(long[0][3]) < 400


WIDE = "a: &a {" + ",".join(f"k{i}: v" for i in range(15_000)) + "}\nservices:\n"
TOO_MUCH = "expands to too much; the rest of it was not read"
NOT_ALL_SHOWN = "has more problems, which are not shown"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param(
            {"compose.yml": "[" * 4_000_000},
            "cannot be read as YAML: it is nested too deeply",
            id="brackets",
        ),
        pytest.param(
            {"compose.yml": "#" * 5_000_000},
            "is larger than 4096 KiB and was not read",
            id="large",
        ),
        pytest.param(
            {
                "compose.yml": WIDE
                + "".join(f"  s{i}: {{build: {{args: {{<<: *a}}}}}}\n" for i in range(30))
            },
            TOO_MUCH,
            id="wide merges",
        ),
        pytest.param(
            {
                "compose.yml": WIDE
                + "".join(f"  s{i}: {{build: {{args: *a}}}}\n" for i in range(30))
            },
            TOO_MUCH,
            id="wide aliases",
        ),
        pytest.param(
            {"compose.yml": "services:\n" + "".join(f"  s{i}: {{}}\n" for i in range(5001))},
            TOO_MUCH,
            id="services",
        ),
        pytest.param(
            {
                "compose.yml": "services:\n"
                + "".join(f"  s{i}: {{extends: s{i + 1}}}\n" for i in range(1000))
            },
            NOT_ALL_SHOWN,
            id="extends",
        ),
        pytest.param(
            {"compose.yml": "services: {s: {build: '" + "${A:-" * 10_000 + "'}}"},
            "context cannot be read: expected '}' after '${'",
            id="nested",
        ),
        pytest.param(
            {
                f"compose.{i}.yml": "include: [" + ",".join([f"compose.{i + 1}.yml"] * 50) + "]"
                for i in range(60)
            },
            NOT_ALL_SHOWN,
            id="includes",
        ),
    ],
)
def test_hostile_files_are_given_up(
    files: dict[str, str | bytes], message: str, steps: Steps
) -> None:
    result = builds_of(files)
    assert message in [warning.message for warning in result.warnings]
    assert len(result.builds) < 20
    assert steps.total <= 200_000


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(
            {
                "compose.yml": "services: {s: {build: '" + "$A" * 20_000 + "'}}",
                ".env": "A=" + "x" * 60_000,
            },
            id="large values",
        ),
        pytest.param(
            {
                "compose.yml": "services: {s: {build: $A5000}}",
                ".env": "A0=xxxx\n" + "".join(f"A{i}=$A{i - 1}$A{i - 1}\n" for i in range(1, 9000)),
            },
            id="growing values",
        ),
        pytest.param(
            {"compose.yml": "services: {s: {build: $A}}", ".env": 'A="\n' * 60_001}, id="quotes"
        ),
    ],
)
def test_hostile_values_are_unknown(files: dict[str, str | bytes], steps: Steps) -> None:
    (build,) = named(files).values()
    assert (build.context, build.dockerfile) == ("", "")
    assert steps.total < 100


def test_libraries_are_imported_only_when_they_are_needed() -> None:
    code = """
import sys
from migrate_cache.builds import read_builds
files = {".github/workflows/ci.yml": b"jobs: {}", "docker-bake.hcl": b'target "x" {}', "a.txt": b""}
read_builds([".github/workflows/ci.yml", "a.txt"], files.get)
assert not {"yaml", "hcl2", "lark"} & sys.modules.keys()
assert len(read_builds(["docker-bake.hcl"], files.get).builds) == 1
assert "yaml" not in sys.modules
"""
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env={**os.environ})
