"""Bake files in HCL and JSON: which builds they declare, and what becomes of malformed ones."""

from __future__ import annotations

import json
import textwrap
import time
from pathlib import Path

import pytest

from migrate_cache.builds import Build, Builds, read_builds


def builds_of(files: dict[str, str]) -> Builds:
    data = {name: textwrap.dedent(text).encode() for name, text in files.items()}
    return read_builds(Path("/nowhere"), list(data), data.get)


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
        function "loud" {
          params = [x]
          result = upper(x)
        }
        target "base" { dockerfile = "Dockerfile.base" }
        target "api" {
          inherits = ["base"]
          args = { TAG = "x-${TAG}", LOUD = "${loud("a")}", N = 1, Z = null, Q = "a\\"b" }
          platforms = ["linux/amd64"]
        }
        group "default" { targets = ["api"] }
    """
    data = {
        "variable": {"TAG": {"default": "v1"}},
        "function": {"loud": {"params": ["x"], "result": "${upper(x)}"}},
        "target": {
            "base": {"dockerfile": "Dockerfile.base"},
            "api": {
                "inherits": ["base"],
                "args": {"TAG": "x-${TAG}", "LOUD": '${loud("a")}', "N": 1, "Z": None, "Q": 'a"b'},
                "platforms": ["linux/amd64"],
            },
        },
        "group": {"default": {"targets": ["api"]}},
    }
    (first,) = builds_of({"docker-bake.hcl": hcl}).builds
    result = builds_of({"docker-bake.json": json.dumps(data, indent=2)})
    (second,) = result.builds
    assert result.warnings == ()
    assert first.args == (("LOUD", "A"), ("N", "1"), ("Q", 'a"b'), ("TAG", "x-v1"))
    assert (second.args, second.dockerfile) == (first.args, first.dockerfile)
    assert second.line == json.dumps(data, indent=2).partition('"api": {')[0].count("\n") + 1


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"text"', "text"),
        ('"a\\tb\\n\\"c\\" \\\\ \\u0041"', 'a\tb\n"c" \\ A'),
        ('"$${A} %%{B} $5"', "${A} %{B} $5"),
        ("12", "12"),
        ("1.5", "1.5"),
        ("-3", "-3"),
        ("true", "true"),
        ("V", "v"),
        ('"<${V}>"', "<v>"),
        ('"${V}"', "v"),
        ('"${"${V}!"}"', "v!"),
        ("EMPTY", ""),
        ("NONE", None),
        ('"a${NONE}"', None),
        ("NOWHERE", None),
        ("GLOBAL", "global"),
        ("LATER", "v2"),
        ('V == "v" ? "yes" : "no"', "yes"),
        ('V != "v" ? "yes" : "no"', "no"),
        ('NONE == "" ? "yes" : "no"', None),
        ('EMPTY != "" ? EMPTY : "d"', "d"),
        ('V == "v" && EMPTY == "" ? 1 : 2', "1"),
        ('V == "w" || EMPTY == "" ? 1 : 2', "1"),
        ('V == "w" && NONE == "" ? 1 : 2', "2"),
        ('!(V == "v") ? 1 : 2', "2"),
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3 - 4 / 2 % 3", "7"),
        ("7 / 2", "3.5"),
        ("1 / 0", None),
        ("1 < 2 ? 1 : 2", "1"),
        ("LIST[1]", "b"),
        ("LIST.1", "b"),
        ("LIST[9]", None),
        ("OBJECT.key", "value"),
        ('OBJECT["key"]', "value"),
        ("OBJECT.none", None),
        ("OBJECT.list[0]", "l"),
        ('join(",", OBJECTS[*].n)', "1,2"),
        ('join(",", OBJECTS.*.n)', "1,2"),
        ('join(",", [for x in LIST : upper(x)])', "A,B,C"),
        ('join(",", [for i, x in LIST : "${i}${x}" if x != "b"])', "0a,2c"),
        ('join(",", keys({for x in LIST : x => upper(x)}))', "a,b,c"),
        ('join(",", [for k, v in OBJECT2 : "${k}=${v}"])', "a=1,b=2"),
        ('"%{ if V == "v" }yes%{ else }no%{ endif }!"', "yes!"),
        ('"a%{ if V == "w" }b%{ if true }c%{ endif }%{ endif }d"', "ad"),
        ('"%{ for x in LIST }${x}%{ endfor }"', None),
        ("LIST", None),
        ('upper("aBc")', "ABC"),
        ('lower("aBc")', "abc"),
        ('replace("1.2.3", ".", "-")', "1-2-3"),
        ('regex_replace("v1.2+b", "[^a-z0-9]+", "-")', "v1-2-b"),
        ('regex_replace("ab", "(a)(b)", "$2$${1}")', "ba"),
        ('regex_replace("aaa", "(a+)+", "x")', None),
        ('regex("[0-9]+", "v12")', "12"),
        ('join("-", split(".", "1.2"))', "1-2"),
        ('join("", concat(["a"], LIST))', "aabc"),
        ('format("%s-%03d-%v%%", "a", 7, true)', "a-007-true%"),
        ('format("%x", 10)', None),
        ('coalesce(null, "", "a")', ""),
        ('equal(V, "v") ? 1 : 2', "1"),
        ('notequal(V, "v") ? 1 : 2', "2"),
        ("and(true, not(false)) ? 1 : 2", "1"),
        ('contains(LIST, "b") ? 1 : 2', "1"),
        ('lookup({a = "b"}, "a", "c")', "b"),
        ('lookup({a = "b"}, "z", "c")', "c"),
        ('merge({a = "1"}, {a = "2"}).a', "2"),
        ("element(LIST, 4)", "b"),
        ('join("", slice(LIST, 1, 3))', "bc"),
        ('join("", reverselist(LIST))', "cba"),
        ('join("", distinct(["a", "a", "b"]))', "ab"),
        ('join("", compact(["a", "", "b"]))', "ab"),
        ('join("", flatten([["a"], [["b"]]]))', "ab"),
        ('join("", sort(["b", "a"]))', "ab"),
        ('join(",", range(1, 4))', "1,2,3"),
        ("length(LIST)", "3"),
        ('strlen("abc")', "3"),
        ('substr("abcdef", 1, 2)', "bc"),
        ('trimprefix("v1", "v")', "1"),
        ('trimsuffix("a.b", ".b")', "a"),
        ('trimspace(" a ")', "a"),
        ('sanitize("a.b/c d")', "a_b_c_d"),
        ('basename("a/b.c")', "b.c"),
        ("add(1, 2)", "3"),
        ("max(1, 5, 3)", "5"),
        ('zipmap(["a"], ["b"]).a', "b"),
        ('try(V, "d")', "v"),
        ("timestamp()", None),
        ('nothing("a")', None),
        ("upper()", None),
        ("upper(NONE)", None),
        ("upper(LIST)", None),
        ('greet("x")', "hello x and "),
        ('greet("x", "y", "z")', "hello x and y,z"),
        ("greet()", None),
    ],
)
def test_expressions(expression: str, value: str | None) -> None:
    before = """
        variable "V" { default = "v" }
        variable "EMPTY" { default = "" }
        variable "NONE" {}
        variable "LIST" { default = ["a", "b", "c"] }
        variable "OBJECT" {
          type = object({ key = string })
          default = { key = "value", list = ["l"], none = NONE }
        }
        variable "OBJECT2" { default = { b = 2, a = 1 } }
        variable "OBJECTS" { default = [{ n = 1 }, { n = 2 }] }
        variable "LATER" { default = "${V}2" }
        GLOBAL = "global"
        function "greet" {
          params = [who]
          variadic_params = rest
          result = "hello ${who} and ${join(",", rest)}"
        }
    """
    assert value_of(expression, before) == value


def test_heredocs() -> None:
    found = named("""
        variable "V" { default = "v" }
        target "x" {
          args = {
            A = <<EOT
        one "${V}" $${V}
          two
        EOT
            B = <<-EOT
              one
                two ${upper("{x}")}
              EOT
          }
          dockerfile-inline = <<EOT
        FROM scratch
        EOT
        }
    """)
    assert found["x"].args == (
        ("A", 'one "v" ${V}\n  two\n'),
        ("B", "one\n  two {X}\n"),
    )
    assert found["x"].dockerfile == ""


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


def test_attributes_of_other_targets() -> None:
    found = named("""
        target "a" {
          dockerfile = "a.Dockerfile"
          args = { V = "1", SELF = target.b.args.SELF }
        }
        target "b" {
          dockerfile = target.a.dockerfile
          args = { V = target.a.args.V, SELF = target.a.args.SELF, NONE = target.c.context }
        }
    """)
    assert found["b"].dockerfile == "a.Dockerfile"
    assert dict(found["b"].args) == {"V": "1", "SELF": None, "NONE": None}


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
        ('target "x" {\n  args = ]\n}\n', 2, 10, "']' was not expected here"),
        ('target "x" {\n', 2, 1, "it ends too early"),
        ('a = "x\n', 1, 6, "was not expected here"),
        ("a = \0", 1, 5, "was not expected here"),
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


SIZE = 250_000


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a = " + "(" * SIZE, id="open"),
        pytest.param("a = " + "(" * 9000 + "1" + ")" * 9000, id="nested"),
        pytest.param("a = " + "+".join(["1"] * 9000), id="long"),
        pytest.param("a {\n" * (SIZE // 4), id="blocks"),
        pytest.param('a = "' + "${" * 9000, id="templates"),
        pytest.param('a = "' + "%{ if true }" * 3000 + '"', id="branches"),
        pytest.param("/*" * (SIZE // 2), id="comments"),
        pytest.param("a = <<E\n" + "\n" * SIZE, id="blanks"),
        pytest.param("a = <<E\n" + ("\n" * 390 + "x") * 600, id="blank runs"),
        pytest.param("#" * 300_000, id="large"),
        pytest.param(
            'v0 = "xxxxxxxx"\n'
            + "".join(f'v{i} = "${{v{i - 1}}}${{v{i - 1}}}"\n' for i in range(1, 25))
            + "a = v24",
            id="growing texts",
        ),
        pytest.param(
            "v0 = [1, 1]\n"
            + "".join(f"v{i} = [v{i - 1}, v{i - 1}]\n" for i in range(1, 25))
            + "a = v24 == v24",
            id="growing lists",
        ),
        pytest.param(
            "r = range(0, 1000)\na = [for a in r : [for b in r : [for c in r : c]]]",
            id="loops",
        ),
        pytest.param(
            'a = f("x")\nfunction "f" {\n params = [a]\n result = "${f(a)}${f(a)}"\n}', id="calls"
        ),
        pytest.param(
            'a = regex_replace("' + "a" * 200 + 'b", "' + "a?" * 90 + "a" * 90 + '", "")',
            id="regex",
        ),
        pytest.param('a = regex_replace("' + "a" * 100 + 'b", "(a|a)*c", "")', id="groups"),
        pytest.param(
            "a = [" + ",".join(['regex_replace("' + "a" * 90 + '", "a*a*b", "")'] * 900) + "]",
            id="many regexes",
        ),
        pytest.param('a = format("%999999999d", 1)', id="wide formats"),
        pytest.param("a = " + "9" * 5000, id="numbers"),
        pytest.param('a = replace("' + "x" * 9000 + '", "", "' + "y" * 9000 + '")', id="replace"),
        pytest.param(
            "".join(f'target "t{i}" {{ inherits = ["t{i + 1}"] }}\n' for i in range(1500)),
            id="inheritance",
        ),
    ],
)
def test_hostile_files_cost_little(text: str) -> None:
    start = time.perf_counter()
    result = builds_of({"docker-bake.hcl": text + '\ntarget "x" {\n args = { A = a }\n}\n'})
    assert time.perf_counter() - start < 10
    assert all(dict(build.args).get("A") is None for build in result.builds)


def test_a_hostile_matrix_costs_little() -> None:
    start = time.perf_counter()
    axes = ", ".join(f"a{i} = range(0, 100)" for i in range(9))
    result = builds_of(
        {"docker-bake.hcl": f'target "x" {{\n name = "x"\n matrix = {{ {axes} }}\n}}'}
    )
    assert time.perf_counter() - start < 5
    assert "more than 1000 combinations" in result.warnings[0].message
    assert len(result.builds) == 1


def test_hostile_json_costs_little() -> None:
    laughs = ",".join(f'"a{i}": &a{i} [*a{i - 1}, *a{i - 1}]' for i in range(1, 90))
    text = '{"a0": &a0 [1], ' + laughs + ', "target": {"x": {"args": {"A": "${a89}", "B": *a89}}}}'
    start = time.perf_counter()
    result = builds_of({"docker-bake.json": text})
    assert time.perf_counter() - start < 5
    assert len(result.builds) == 1
