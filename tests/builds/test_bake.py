"""Bake files in HCL and JSON: which builds they declare, and what becomes of malformed ones."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import pytest

from migrate_cache.builds import Build, Builds, read_builds

if TYPE_CHECKING:
    from tests.builds.conftest import Steps


def builds_of(files: dict[str, str]) -> Builds:
    data = {name: textwrap.dedent(text).encode() for name, text in files.items()}
    return read_builds(list(data), data.get)


def named(text: str, **others: str) -> dict[str, Build]:
    result = builds_of({"docker-bake.hcl": text, **others})
    assert result.warnings == ()
    return {build.name: build for build in result.builds}


def value_of(expression: str, before: str = "") -> str | None:
    found = named(f'{before}\ntarget "x" {{\n  args = {{ X = {expression} }}\n}}\n')
    return dict(found["x"].args).get("X", "unset")


def test_a_target() -> None:
    found = named("""
        # all there is
        target "api" {
          context = "services"
          dockerfile = "api/Dockerfile"
          target = "runtime"
          platforms = ["linux/amd64", "linux/arm64"]
          args = {
            SERVICE = "api"
            JOBS    = 4
            DEBUG   = false
            UNSET   = null
          }
          contexts = { base = "target:base" }
        }
    """)
    assert found == {
        "api": Build(
            name="api",
            origin="docker-bake.hcl",
            line=3,
            dockerfile="services/api/Dockerfile",
            context="services",
            target="runtime",
            args=(("DEBUG", "false"), ("JOBS", "4"), ("SERVICE", "api")),
            platforms=("linux/amd64", "linux/arm64"),
            kind="bake",
            project="",
        )
    }


def test_json_says_the_same() -> None:
    hcl = """
        variable "TAG" { default = "v1" }
        target "base" { dockerfile = "Dockerfile.base" }
        target "api" {
          inherits = ["base"]
          args = { TAG = "x-${TAG}", N = 1, Z = null, Q = "a'b" }
          platforms = ["linux/amd64"]
        }
        group "default" { targets = ["api"] }
    """
    data = {
        "variable": {"TAG": {"default": "v1"}},
        "target": {
            "base": {"dockerfile": "Dockerfile.base"},
            "api": {
                "inherits": ["base"],
                "args": {"TAG": "x-${TAG}", "N": 1, "Z": None, "Q": "a'b"},
                "platforms": ["linux/amd64"],
            },
        },
        "group": {"default": {"targets": ["api"]}},
    }
    (first,) = builds_of({"docker-bake.hcl": hcl}).builds
    result = builds_of({"docker-bake.json": json.dumps(data, indent=2)})
    (second,) = result.builds
    assert result.warnings == ()
    assert first.args == (("N", "1"), ("Q", "a'b"), ("TAG", "x-v1"))
    assert (second.args, second.dockerfile) == (first.args, first.dockerfile)
    assert second.line == json.dumps(data, indent=2).partition('"api": {')[0].count("\n") + 1


BEFORE = """
    variable "V" { default = "v" }
    variable "EMPTY" { default = "" }
    variable "NONE" {}
    variable "NULL" { default = null }
    variable "ON" { default = "true" }
    variable "LIST" { default = ["a", "b", "c"] }
    variable "OBJECT" {
      type = object({ key = string })
      default = { key = "value", list = ["l"], none = NONE, if = 1 }
    }
    variable "LATER" { default = "${V}2" }
    variable "ROUND" { default = ROUND }
    GLOBAL = "global"
    function "greet" {
      params = [who]
      result = "hello ${who}"
    }
    function "lower" {
      params = [text]
      result = "no"
    }
"""


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"text"', "text"),
        ('"$5 100%"', "$5 100%"),
        ("12", "12"),
        ("true", "true"),
        ("V", "v"),
        ('"<${V}>"', "<v>"),
        ('"${V}"', "v"),
        ('"${"${V}!"}"', "v!"),
        ("(V)", "v"),
        ("EMPTY", ""),
        ("GLOBAL", "global"),
        ("LATER", "v2"),
        ('V == "v" ? "yes" : "no"', "yes"),
        ('V != "v" ? "yes" : "no"', "no"),
        ('EMPTY != "" ? EMPTY : "d"', "d"),
        ('NULL != null ? "set" : "unset"', "unset"),
        ('1 == "1" ? 1 : 2', "2"),
        ("1 == true ? 1 : 2", "2"),
        ("ON ? 1 : 2", "1"),
        ('V == "v" && EMPTY == "" ? 1 : 2', "1"),
        ('V == "w" || EMPTY == "" ? 1 : 2', "1"),
        ('V == "w" || EMPTY == "x" ? 1 : 2', "2"),
        ('V == "w" && NONE == "" ? 1 : 2', "2"),
        ('V == "v" || NONE == "" ? 1 : 2', "1"),
        ('!(V == "v") ? 1 : 2', "2"),
        ("LIST[1]", "b"),
        ("LIST.1", "b"),
        ("OBJECT.key", "value"),
        ('OBJECT["key"]', "value"),
        ("OBJECT.list[0]", "l"),
        ("{ (V) = 1, if = 2 }.v", "1"),
        ('join("-", split(".", "1.2"))', "1-2"),
        ('join(",", LIST)', "a,b,c"),
        ('join("", split("", "ab"))', "ab"),
        ('replace("1.2.3", ".", "-")', "1-2-3"),
        ('equal(V, "v") ? 1 : 2', "1"),
        ('notequal(V, "v") ? 1 : 2', "2"),
        ('md5("Dockerfile")', "3254677a7917c6c01f55212f86c57fbf"),
    ],
)
def test_expressions(expression: str, value: str) -> None:
    assert value_of(expression, BEFORE) == value


@pytest.mark.parametrize(
    "expression",
    [
        "NONE",
        "NOWHERE",
        "ROUND",
        '"a${NONE}"',
        '"${NULL}!"',
        'NONE == "" ? "yes" : "no"',
        'V == "v" && NONE == "" ? 1 : 2',
        'V == "w" || NONE == "" ? 1 : 2',
        "!NONE ? 1 : 2",
        "V ? 1 : 2",
        "LIST",
        "LIST == LIST ? 1 : 2",
        "LIST[9]",
        "LIST[true]",
        'LIST["a"]',
        "OBJECT.none",
        "OBJECT.other",
        "V.key",
        "{ (NONE) = 1 }.v",
    ],
)
def test_values_that_the_file_does_not_say_are_unknown(expression: str) -> None:
    assert value_of(expression, BEFORE) is None


UNSUPPORTED = [
    pytest.param(expression, id=expression)
    for expression in (
        '"a\\tb"',
        '"$${A}"',
        '"%%{A}"',
        "1.5",
        "-1",
        "9999999999999999999",
        "1 + 2",
        "7 / 2",
        "1 < 2 ? 1 : 2",
        "LIST[*]",
        "LIST.*",
        'join(",", [for x in LIST : x])',
        "{for x in LIST : x => x}.a",
        '"%{ if true }yes%{ else }no%{ endif }"',
        '"%{ for x in LIST }${x}%{ endfor }"',
        "target.other.args.A",
        'upper("a")',
        'lower("a")',  # the file has its own
        'greet("a")',
        'format("%s", "a")',
        'regex_replace("a", "a", "b")',
        'coalesce(null, "a")',
        "try(V)",
        "timestamp()",
        'core::lower::x("a")',
        "join()",
        'join(",", "a")',
        'join(",", LIST...)',
        'join(",", [LIST])',
        'join(",", ["a", NONE])',
        'replace("a", "a")',
        "replace(NONE, 1, 2)",
        'split(",", LIST)',
        "md5(LIST)",
        "equal(V)",
    )
]


@pytest.mark.parametrize("expression", UNSUPPORTED)
def test_what_is_not_supported_is_unknown_wherever_it_stands(expression: str) -> None:
    found = named(f"""
        {BEFORE}
        target "other" {{ args = {{ A = "a" }} }}
        target "x" {{
          dockerfile = "Dockerfile.x"
          args = {{ X = {expression}, Y = "known" }}
          platforms = ["linux/amd64", {expression}]
        }}
        target "all" {{
          context = {expression}
          dockerfile = {expression}
          target = {expression}
        }}
        target "name" {{
          name = {expression}
          matrix = {{ v = ["1", "2"] }}
          target = v
        }}
        target "child" {{ inherits = [{expression}] }}
    """)
    assert found["x"].dockerfile == "Dockerfile.x"
    assert found["x"].args == (("X", None), ("Y", "known"))
    assert found["x"].platforms == ("linux/amd64", "")
    assert (found["all"].context, found["all"].dockerfile) == ("", "")
    assert (found["all"].target, found["child"].target) == (None, None)
    assert [found[name].target for name in ("name-1", "name-2")] == ["1", "2"]


def test_heredocs_are_unknown() -> None:
    found = named("""
        target "x" {
          dockerfile = "Dockerfile.x"
          args = {
            A = <<EOT
        one
        EOT
            B = <<-EOT
              one
              EOT
            C = "c"
          }
        }
        target "y" {
          dockerfile-inline = <<EOT
        FROM scratch
        EOT
        }
    """)
    assert found["x"].args == (("A", None), ("B", None), ("C", "c"))
    assert (found["x"].dockerfile, found["y"].dockerfile) == ("Dockerfile.x", "")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("text", "text"),
        ("${V}", "v"),
        ("a-${V}/${V}", "a-v/v"),
        ("${O.key}", "value"),
        ("${EMPTY}${EMPTY}", ""),
        ("${NONE}", None),
        ("${O.other}", None),
        ("$${V}", None),
        ("%{ if V }${V}%{ endif }", None),
        ('${lower("V")}', None),
        (7, "7"),
        (1.5, None),
        (True, "true"),
        (["a"], None),
    ],
)
def test_values_in_json(written: object, value: str | None) -> None:
    data = {
        "variable": {
            "V": {"default": "v"},
            "O": {"default": {"key": "value"}},
            "EMPTY": {"default": ""},
        },
        "target": {"x": {"args": {"X": written}}},
    }
    (build,) = builds_of({"docker-bake.json": json.dumps(data)}).builds
    assert build.args == (("X", value),)


def test_a_matrix_in_json() -> None:
    data = {
        "LETTERS": ["a", "b"],
        "target": {"x": {"name": "x-${l}", "matrix": {"l": "${LETTERS}"}, "target": "${l}"}},
    }
    found = builds_of({"docker-bake.json": json.dumps(data)}).builds
    assert [(build.name, build.target) for build in found] == [("x-a", "a"), ("x-b", "b")]


def test_the_environment_of_the_process_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("V", "outside")
    assert value_of("V", 'variable "V" { default = "inside" }') == "inside"
    assert value_of("V", 'variable "V" {}') is None


def test_inheritance_takes_the_last_and_merges_arguments() -> None:
    found = named("""
        target "one" {
          dockerfile = "Dockerfile.one"
          target = "one"
          platforms = ["linux/amd64", "linux/arm64"]
          args = { A = "one", B = "one", C = "one" }
        }
        target "two" {
          target = "two"
          args = { B = "two", C = null }
        }
        target "x" {
          inherits = ["one", "two"]
          platforms = ["linux/s390x"]
          args = { D = "x" }
          tags = ["x"]
        }
    """)
    assert sorted(found) == ["x"]
    assert found["x"].dockerfile == "Dockerfile.one"
    assert found["x"].target == "two"
    assert found["x"].platforms == ("linux/s390x",)
    assert dict(found["x"].args) == {"A": "one", "B": "two", "C": "one", "D": "x"}


def test_inheritance_in_a_circle_ends() -> None:
    found = named("""
        target "a" {
          inherits = ["b"]
          args = { A = "a" }
        }
        target "b" {
          inherits = ["a"]
          dockerfile = "b.Dockerfile"
        }
        group "default" { targets = ["a", "b"] }
    """)
    assert found["a"].dockerfile == "b.Dockerfile"
    assert found["a"].args == (("A", "a"),)


def test_what_an_unknown_parent_may_set_is_not_known() -> None:
    (build,) = named('target "x" {\n inherits = ["elsewhere"]\n dockerfile = "D"\n}').values()
    assert (build.dockerfile, build.context, build.target) == ("", "", None)
    (build,) = named('target "x" {\n inherits = ["docker-metadata-action"]\n}').values()
    assert (build.dockerfile, build.context, build.target) == ("Dockerfile", ".", "")


def test_targets_that_only_others_inherit_from_are_no_builds() -> None:
    found = named("""
        group "default" { targets = ["apps"] }
        group "apps" { targets = ["api", "web"] }
        target "docker-metadata-action" { tags = ["x:local"] }
        target "_common" {
          dockerfile = "Dockerfile"
          output = ["type=image"]
        }
        target "app" {
          inherits = ["_common"]
          dockerfile = "Dockerfile.app"
        }
        target "api" {
          inherits = ["app", "docker-metadata-action"]
          args = { SERVICE = "api" }
        }
        target "web" {
          inherits = ["app"]
          args = { SERVICE = "web" }
        }
        target "lonely" { dockerfile = "Dockerfile.lonely" }
        target "binary" {
          target = "binary"
          output = ["out"]
        }
        target "cross" {
          inherits = ["binary"]
          platforms = ["linux/amd64", "linux/arm64"]
        }
    """)
    assert sorted(found) == ["api", "binary", "cross", "lonely", "web"]
    assert found["web"].dockerfile == "Dockerfile.app"


def test_a_matrix_makes_several_builds() -> None:
    found = named("""
        variable "SERVICES" { default = ["api", "web"] }
        target "app" {
          name = "${svc}-${replace(v.tag, ".", "-")}"
          matrix = {
            svc = SERVICES
            v = [{ tag = "1.2", n = 1 }, { tag = "2.0", n = 2 }]
          }
          dockerfile = "services/${svc}/Dockerfile"
          args = { N = v.n, SERVICE = svc }
        }
        target "one" {
          inherits = ["api-1-2"]
          target = "one"
        }
        group "default" { targets = ["app", "one"] }
    """)
    assert sorted(found) == ["api-1-2", "api-2-0", "one", "web-1-2", "web-2-0"]
    assert found["web-2-0"].dockerfile == "services/web/Dockerfile"
    assert found["web-2-0"].args == (("N", "2"), ("SERVICE", "web"))
    assert found["one"].args == (("N", "1"), ("SERVICE", "api"))


def test_a_matrix_that_is_not_known_is_one_build() -> None:
    (build,) = named("""
        target "app" {
          name = "app-${x}"
          matrix = { x = UNKNOWN }
          dockerfile = "Dockerfile.${x}"
        }
    """).values()
    assert (build.name, build.dockerfile) == ("app", "")


def test_paths_are_seen_from_the_files_folder_or_the_root() -> None:
    text = """
        target "here" { dockerfile = "Dockerfile.here" }
        target "there" { dockerfile = "docker/Dockerfile.there" }
        target "up" {
          context = ".."
          dockerfile = "up/Dockerfile"
        }
        target "nowhere" { dockerfile = "Dockerfile.nowhere" }
        target "inline" {
          context = "{}"
        }
    """
    files = {
        "docker/docker-bake.hcl": text,
        "docker/Dockerfile.here": "FROM a",
        "docker/Dockerfile.there": "FROM a",
        "up/Dockerfile": "FROM a",
    }
    found = {build.name: build for build in builds_of(files).builds}
    assert (found["here"].dockerfile, found["here"].context) == ("docker/Dockerfile.here", "docker")
    assert (found["there"].dockerfile, found["there"].context) == ("docker/Dockerfile.there", ".")
    assert (found["up"].dockerfile, found["up"].context) == ("up/Dockerfile", ".")
    assert found["nowhere"].dockerfile == "docker/Dockerfile.nowhere"


@pytest.mark.parametrize(
    "context",
    ["https://example.org/x.git", "../..", "/srv", "target:base", "docker-image://a", "${NOPE}"],
)
def test_contexts_that_are_not_in_the_repository(context: str) -> None:
    (build,) = named(f'target "x" {{\n context = "{context}"\n}}').values()
    assert (build.dockerfile, build.context) == ("", "")


def test_default_files_of_a_folder_are_one_declaration() -> None:
    result = builds_of(
        {
            "docker-bake.hcl": """
                variable "V" { default = "hcl" }
                target "api" {
                  dockerfile = "Dockerfile.api"
                  args = { V = V, W = "hcl" }
                }
            """,
            "docker-bake.json": '{"target": {"web": {"dockerfile": "Dockerfile.web"}}}',
            "docker-bake.override.hcl": """
                variable "V" { default = "override" }
                target "api" { args = { W = "override" } }
            """,
        }
    )
    api, web = result.builds
    assert (api.name, api.dockerfile) == ("api", "Dockerfile.api")
    assert api.args == (("V", "override"), ("W", "override"))
    assert (web.name, web.origin) == ("web", "docker-bake.json")


def test_other_bake_files_are_declarations_of_their_own() -> None:
    base = 'target "base" {\n dockerfile = "Dockerfile.base"\n}\ntarget "x" {\n target = "x"\n}'
    result = builds_of(
        {
            "docker-bake.hcl": base,
            "docker-bake-ci.hcl": 'target "x" {\n args = { CI = "1" }\n}',
            "docker-bake-more.hcl": 'target "y" {\n inherits = ["base"]\n}',
        }
    )
    found = {(build.origin, build.name): build for build in result.builds}
    assert found["docker-bake-ci.hcl", "x"].target == ""
    assert found["docker-bake-more.hcl", "y"].dockerfile == "Dockerfile.base"
    assert len(found) == 4


def test_a_target_adds_to_the_compose_service_of_its_name() -> None:
    result = builds_of(
        {
            "sub/compose.yml": "services: {api: {build: {context: api, args: [A=1]}}}",
            "sub/docker-bake.hcl": 'target "api" {\n platforms = ["linux/amd64", "linux/arm64"]\n}',
        }
    )
    compose, bake = result.builds
    assert (compose.kind, bake.kind) == ("compose", "bake")
    assert (bake.dockerfile, bake.context) == ("sub/api/Dockerfile", "sub/api")
    assert bake.args == (("A", "1"),)
    assert bake.platforms == ("linux/amd64", "linux/arm64")


def test_arguments_that_are_not_known() -> None:
    found = named("""
        variable "V" {}
        target "one" { args = { A = V, B = "b" } }
        target "all" { args = merge({ A = "a" }, V) }
    """)
    assert found["one"].args == (("A", None), ("B", "b"))
    assert found["all"].args == (("", None),)


def test_platforms_that_are_not_known() -> None:
    found = named("""
        variable "P" {}
        target "list" { platforms = split(",", P) }
        target "entry" { platforms = ["linux/amd64", P] }
    """)
    assert found["list"].platforms == ("",)
    assert found["entry"].platforms == ("linux/amd64", "")


def test_windows_line_endings_and_a_byte_order_mark() -> None:
    text = '\ufefftarget "x" {\n  args = {\n    A = "1"\n  }\n}\n'.replace("\n", "\r\n")
    assert named(text)["x"].args == (("A", "1"),)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('target "x" {\n  args = ]\n}\n', 2, 10, "cannot be read as HCL from here on"),
        ('target "x" {\n', 2, 1, "cannot be read as HCL"),
        ('a = "x\n', 1, 6, "cannot be read as HCL"),
        ("a = \0", 1, 5, "cannot be read as HCL"),
        ('\ntarget "x" { args = [1] }', 2, 1, "expected 'args' of the target 'x' to be a mapping"),
        ('target "x" { context = [] }', 1, 1, "expected 'context' of the target 'x' to be a text"),
        ('target "x" { platforms = 1 }', 1, 1, "expected 'platforms' of the target 'x'"),
        ('target "x" { inherits = "y" }', 1, 1, "expected 'inherits' of the target 'x'"),
        ('group "x" { targets = "y" }\ntarget "y" {}', 1, 1, "expected 'targets' of the group"),
    ],
)
def test_malformed_files_are_warnings_with_their_place(
    text: str, line: int, column: int, words: str
) -> None:
    (warning,) = builds_of({"docker-bake.hcl": text}).warnings
    assert words in warning.message
    assert (warning.path, warning.line, warning.column) == ("docker-bake.hcl", line, column)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "expected the file to be a mapping"),
        ("{", "cannot be read as YAML"),
        ('{"target": []}', ""),
        ('{"target": 3}', "expected target to be a mapping"),
        ('{"target": {"x": 3}}', "expected target 'x' to be a mapping"),
        ('{"target": {"x": {"args": 3}}}', "expected 'args' of the target 'x' to be a mapping"),
        ('{"group": {"x": {"targets": 3}}, "target": {"y": {}}}', "to be a list"),
    ],
)
def test_malformed_json(text: str, words: str) -> None:
    result = builds_of({"docker-bake.json": text})
    assert [words in warning.message for warning in result.warnings] == [True] * bool(words)


def test_the_rest_of_a_malformed_file_still_counts() -> None:
    result = builds_of(
        {
            "docker-bake.hcl": """
                target "a" { args = [1] }
                target "b" {
                  dockerfile = "Dockerfile.b"
                  args = { X = f("x") }
                }
                target "one" "two" {}
                target {}
                nonsense "x" {}
                function "f" {
                  params = [x]
                  result = f("${x}${x}")
                }
            """
        }
    )
    a, b = result.builds
    assert (a.name, b.name) == ("a", "b")
    assert (b.dockerfile, b.args) == ("Dockerfile.b", (("X", None),))


HOSTILE = 'target "x" {\n args = { A = a }\n}\n'
TOO_DEEP = "has expressions that are nested too deeply; some values are unknown"
TOO_MUCH = "expands to too much; some values are unknown"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a = " + "(" * 9000, "cannot be read as HCL from here on", id="open"),
        pytest.param("a = " + "(" * 9000 + "1" + ")" * 9000, TOO_DEEP, id="nested"),
        pytest.param("a = " + " && ".join(["true"] * 900), TOO_DEEP, id="long"),
        pytest.param("/*" * 9000, "cannot be read as HCL from here on", id="comments"),
        pytest.param("a = <<E\n" + "\n" * 250_000, "has too many blanks in a row", id="blanks"),
        pytest.param("#" * 300_000, "is larger than 256 KiB and was not read", id="large"),
        pytest.param(
            "".join(f'target "t{i}" {{ inherits = ["t{i + 1}"] }}\n' for i in range(99)),
            "has targets that inherit too deeply; the rest of it was not read",
            id="inheritance",
        ),
        pytest.param(
            f"""
            v = "{"x" * 60_000}"
            target "y" {{
              name = "y${{i}}"
              matrix = {{ i = split("", "{"0123456789" * 90}") }}
              args = {{ {", ".join(f'A{i} = "${{v}}${{i}}"' for i in range(99))} }}
            }}
            """,
            TOO_MUCH,
            id="large texts in a matrix",
        ),
        pytest.param(
            f"""
            v = split("", "{"x" * 9_000}")
            a = {"[" + ", ".join(['join("", v)'] * 300) + "]"}
            """,
            TOO_MUCH,
            id="large lists",
        ),
    ],
)
def test_hostile_files_are_given_up(text: str, message: str, steps: Steps) -> None:
    result = builds_of({"docker-bake.hcl": text + "\n" + HOSTILE})
    assert [warning.message for warning in result.warnings] == [message]
    assert all(dict(build.args).get("A") is None for build in result.builds)
    assert steps.total <= 500_000


@pytest.mark.parametrize(
    ("text", "most"),
    [
        pytest.param(
            'v0 = "xxxxxxxx"\n'
            + "".join(f'v{i} = "${{v{i - 1}}}${{v{i - 1}}}"\n' for i in range(1, 20))
            + "a = v19",
            150_000,
            id="growing texts",
        ),
        pytest.param(
            "v0 = [1, 1]\n"
            + "".join(f"v{i} = [v{i - 1}, v{i - 1}]\n" for i in range(1, 25))
            + "a = v24 == v24",
            300,
            id="growing lists",
        ),
        pytest.param('a = "' + "%{ if true }" * 3000 + '"', 9000, id="branches"),
        pytest.param("a = " + "9" * 5000, 100, id="numbers"),
        pytest.param(
            'a = replace("' + "x" * 9000 + '", "", "' + "y" * 9000 + '")', 4000, id="replace"
        ),
        pytest.param(
            'a = join("' + "y" * 9000 + '", split("", "' + "x" * 9000 + '"))', 6000, id="join"
        ),
    ],
)
def test_hostile_values_are_unknown(text: str, most: int, steps: Steps) -> None:
    result = builds_of({"docker-bake.hcl": text + "\n" + HOSTILE})
    assert result.warnings == ()
    assert [build.args for build in result.builds] == [(("A", None),)]
    assert steps.total < most


def test_a_matrix_that_is_too_large_is_one_build(steps: Steps) -> None:
    axes = ", ".join(f"a{i} = [1, 2, 3, 4, 5, 6, 7, 8, 9]" for i in range(9))
    result = builds_of(
        {"docker-bake.hcl": f'target "x" {{\n name = "x"\n matrix = {{ {axes} }}\n}}'}
    )
    (warning,) = result.warnings
    assert warning.message == "the matrix has more than 1000 combinations"
    assert len(result.builds) == 1
    assert steps.total < 1000


def test_aliases_in_json_are_not_expanded_without_end(steps: Steps) -> None:
    laughs = ",".join(f'"a{i}": &a{i} [*a{i - 1}, *a{i - 1}]' for i in range(1, 90))
    text = '{"a0": &a0 [1], ' + laughs + ', "target": {"x": {"args": {"A": "${a89}"}}}}'
    result = builds_of({"docker-bake.json": text})
    assert [build.args for build in result.builds] == [(("", None),)]
    assert [warning.message for warning in result.warnings] == [TOO_MUCH]
    assert steps.total <= 510_000


def test_aliases_of_targets_in_json_are_not_expanded_without_end(steps: Steps) -> None:
    targets = ", ".join(f'"t{i}": {{}}' for i in range(1000))
    text = f'{{"x": &a {{{targets}}}, "target": [{", ".join(["*a"] * 1000)}]}}'
    result = builds_of({"docker-bake.json": text})
    (warning,) = result.warnings
    assert warning.message == "expands to too much; the rest of it was not read"
    assert result.builds == ()
    assert steps.total <= 200_000
