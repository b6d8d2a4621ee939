"""Compose files: which builds they declare, and what becomes of malformed ones."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from migrate_cache.builds import Build, Builds, is_build_file, read_builds
from migrate_cache.builds.compose.interpolate import InterpolationError, interpolate, parse_env


def builds_of(files: dict[str, str | bytes]) -> Builds:
    data = {
        name: text if isinstance(text, bytes) else textwrap.dedent(text).encode()
        for name, text in files.items()
    }
    return read_builds(Path("/nowhere"), list(data), data.get)


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


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", "1"),
        ("-7", "-7"),
        ("1.10", "1.1"),
        ("3.0", "3"),
        ("1e3", "1000"),
        ("0x1F", "31"),
        ("0o17", "15"),
        ("010", "8"),
        ("1_000", "1000"),
        ("'1.10'", "1.10"),
        ("true", "true"),
        ("True", "true"),
        ("yes", "yes"),
        ("off", "off"),
        ("1.2.3", "1.2.3"),
        ("12:30", "12:30"),
        ("2024-01-02", "2024-01-02"),
        ("!!str 1.10", "1.10"),
        ("~", None),
        ("'~'", "~"),
        ("1e999", "1e999"),
    ],
)
def test_arguments_as_compose_renders_them(written: str, value: str | None) -> None:
    build = only(f"services: {{a: {{build: {{context: ., args: {{X: {written}}}}}}}}}")
    assert build.args == (("X", value),)


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
    ("text", "offset"),
    [("${", 0), ("a${X", 1), ("$", 0), ("a $-", 2), ("${}", 2), ("${X!y}", 2), ("${1}", 2)],
)
def test_interpolation_that_is_none(text: str, offset: int) -> None:
    with pytest.raises(InterpolationError) as error:
        interpolate(text, {})
    assert error.value.offset == offset


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

    result = read_builds(Path("/nowhere"), ["sub/compose.yml"], read)
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
            (1, 27, "this key is there twice; the last one counts"),
        ),
        ("services: {[x]: y}", (1, 12, "expected a name as the key, found a list")),
        (
            "services: {a: {build: {context: '${X'}}}",
            (1, 33, "context cannot be read: expected '}' after '${'"),
        ),
        ("services: {a: *b}", (1, 15, "this alias has no anchor before it")),
        ("services: &s {a: *s}", (1, 18, "this alias has no anchor before it")),
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


def test_bytes_that_are_no_text() -> None:
    assert complaints({"compose.yml": b"a: 1\nb: \xff"}) == [
        ("compose.yml", 2, 4, "cannot be read as YAML: invalid leading UTF-8 octet")
    ]


def test_the_rest_of_a_malformed_file_still_counts() -> None:
    result = builds_of(
        {"compose.yml": "services: {a: [1], b: {build: b}, c: {build: {context: [c]}}}"}
    )
    assert [build.name for build in result.builds] == ["b", "c"]
    assert len(result.warnings) == 2


def test_a_file_that_cannot_be_read() -> None:
    result = read_builds(Path("/nowhere"), ["compose.yml"], lambda _: None)
    assert [w.message for w in result.warnings] == ["cannot be read"]


def test_warnings_are_not_endless() -> None:
    text = "services: {" + ",".join(f"s{i}: [x]" for i in range(500)) + "}"
    assert len(complaints({"compose.yml": text})) == 21
    long = complaints({"compose.yml": "services: {" + "x" * 100_000 + ": [1]}"})
    assert len(long[0][3]) < 400


def _laughs(count: int) -> str:
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{i}: &a{i} {{k{i}: v, <<: [*a{i - 1}, *a{i - 1}]}}" for i in range(1, count)]
    return "\n".join([*lines, f"services: {{s: {{build: {{<<: *a{count - 1}, context: .}}}}}}"])


WIDE = "a: &a {" + ",".join(f"k{i}: v" for i in range(15_000)) + "}\nservices:\n"


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"compose.yml": "[" * 4_000_000}, id="brackets"),
        pytest.param({"compose.yml": "- " * 2_000_000}, id="lists"),
        pytest.param({"compose.yml": "#" * 5_000_000}, id="large"),
        pytest.param({"compose.yml": _laughs(90)}, id="merges"),
        pytest.param(
            {
                "compose.yml": WIDE
                + "".join(f"  s{i}: {{build: {{args: {{<<: *a}}}}}}\n" for i in range(3000))
            },
            id="wide merges",
        ),
        pytest.param(
            {
                "compose.yml": WIDE
                + "".join(f"  s{i}: {{build: {{args: *a}}}}\n" for i in range(3000))
            },
            id="wide aliases",
        ),
        pytest.param(
            {
                "compose.yml": "services:\n"
                + "".join(f"  s{i}: {{extends: s{i + 1}}}\n" for i in range(5000))
            },
            id="extends",
        ),
        pytest.param(
            {"compose.yml": "services: {s: {build: '" + "${A:-" * 10_000 + "'}}"}, id="nested"
        ),
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
            {"compose.yml": "services: {s: {build: $A}}", ".env": 'A="\n' * 60_000}, id="quotes"
        ),
        pytest.param(
            {
                f"compose.{i}.yml": "include: [" + ",".join([f"compose.{i + 1}.yml"] * 50) + "]"
                for i in range(60)
            },
            id="includes",
        ),
    ],
)
def test_hostile_files_cost_little(files: dict[str, str | bytes]) -> None:
    start = time.perf_counter()
    result = builds_of(files)
    assert time.perf_counter() - start < 5
    assert len(result.builds) < 100


def test_without_the_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    yaml = pytest.importorskip("yaml")
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert only("services:\n  a: {build: {context: ., args: {X: 1.10}}}").args == (("X", "1.1"),)
    assert "larger than 512 KiB" in complaints({"compose.yml": "#" * 600_000})[0][3]
    assert (
        complaints({"compose.yml": "a: [" * 500})[0][3] == "is nested too deeply and was not read"
    )


def test_the_readers_are_imported_only_when_they_are_needed() -> None:
    code = (
        "import sys; from pathlib import Path; from migrate_cache.builds import read_builds;"
        "read_builds(Path('.'), ['compose.yml', 'README.md'], lambda _: None);"
        "assert not {'yaml', 'hcl2', 'lark'} & set(sys.modules), sys.modules"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env={**os.environ})
