from __future__ import annotations

import pytest

from migrate_cache.dockerfile.parser import parse
from migrate_cache.dockerfile.scope import Resolved, Scope, resolve

HERE = "RUN here"


def resolved(text: str) -> Resolved:
    return resolve(parse(text.replace("|", "\n"), "Dockerfile"))


def scope_at(text: str, given: dict[str, str | None] | None = None) -> Scope:
    """Return what is in force at the RUN called here."""
    found = resolved(text)
    tree = found.tree
    (run,) = (item for item in tree.instructions if item.arguments == "here")
    if given is not None:
        found = found.under(tuple(sorted(given.items())))
    return found.scopes[run.start]


def value(text: str, name: str = "X", given: dict[str, str | None] | None = None) -> str:
    """Return a variable's value, ``?`` for one not known, ``-`` for one not in scope."""
    variable = scope_at(text, given).variables.get(name)
    return "-" if variable is None else "?" if variable.value is None else variable.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a|ARG X=1|RUN here", "1"),
        ("FROM a|ARG X|RUN here", "?"),
        ("FROM a|RUN here|ARG X=1", "-"),
        ("ARG X=1|FROM a|RUN here", "-"),
        ("ARG X=1|FROM a|ARG X|RUN here", "1"),
        ("ARG X=1|FROM a|ARG X=2|RUN here", "2"),
        ("ARG X|FROM a|ARG X|RUN here", "?"),
        ("ARG Y=1 X=$Y|FROM a|ARG X|RUN here", "1"),
        ("FROM a AS b|ARG X=1|FROM b|RUN here", "1"),
        ("FROM a AS b|ARG X=1|FROM a|RUN here", "-"),
        ("FROM a AS b|ARG X=1|FROM b|ARG X|RUN here", "1"),
        ("FROM a AS B|ARG X=1|FROM b AS c|FROM C|RUN here", "1"),
        ("ARG S=b|FROM a AS b|ARG X=1|FROM ${S}|RUN here", "1"),
        ("FROM a|ENV X=1|RUN here", "1"),
        ("FROM a|ENV X 1 2|RUN here", "1 2"),
        ("FROM a|ENV X='1 $Y' Z=\"2\"|RUN here", "1 $Y"),
        ("FROM a|ENV X=0|ENV X=1 Y=$X|ENV X=$Y|RUN here", "0"),
        ("FROM a|ARG X=1|ENV X=2|RUN here", "2"),
        ("FROM a|ENV X=2|ARG X=1|RUN here", "2"),
        ("FROM a|ARG Y=1|ENV X=$Y-${Z:-d}-${Y:+s}|RUN here", "1-d-s"),
        ("FROM a|ARG Y|ENV X=$Y|RUN here", "?"),
        ("FROM a|ARG TARGETARCH|ENV X=$TARGETARCH|RUN here", "?"),
        ("FROM a AS b|ENV X=1|FROM c|COPY --from=b / /|RUN here", "-"),
        ("FROM a AS b|ONBUILD ENV X=1|FROM b|RUN here", "1"),
        ("FROM a AS b|ONBUILD ENV X=1|RUN here", "-"),
        ("FROM a AS b|ONBUILD ENV X=1|FROM b AS c|FROM c|RUN here", "1"),
        ("FROM a|RUN here|ENV X=1", "-"),
    ],
)
def test_what_a_variable_is(text: str, expected: str) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("FROM a|ARG X=1|RUN here", {"X": "2"}, "2"),
        ("FROM a|ARG X=1|RUN here", {}, "1"),
        ("FROM a|ARG X|RUN here", {}, ""),
        ("FROM a|ARG X|RUN here", {"X": None}, "?"),
        ("FROM a|ARG X=1|RUN here", {"": None}, "?"),
        ("FROM a|ARG X=1|RUN here", {"": None, "X": "2"}, "2"),
        ("FROM a|RUN here", {"X": "2"}, "-"),
        ("ARG X=1|FROM a|ARG X|RUN here", {"X": "2"}, "2"),
        ("FROM a|ARG Y|ENV X=x-${Y:-d}|RUN here", {"Y": "2"}, "x-2"),
        ("FROM a|ARG Y|ENV X=x-${Y:-d}|RUN here", {}, "x-d"),
        ("FROM a|ARG TARGETARCH|ENV X=$TARGETARCH|RUN here", {}, "?"),
        ("ARG S=b|FROM a AS b|ENV X=1|FROM a AS c|ENV X=2|FROM $S|RUN here", {"S": "c"}, "2"),
    ],
)
def test_what_a_build_makes_of_it(text: str, given: dict[str, str | None], expected: str) -> None:
    assert value(text, given=given) == expected


@pytest.mark.parametrize(
    ("text", "depends"),
    [
        ("FROM a|ARG X=1|RUN here", "X"),
        ("FROM a|ARG Y|ARG X=$Y|RUN here", "X Y"),
        ("FROM a|ARG Y|ENV Z=$Y|ENV X=$Z|RUN here", "Y"),
        ("FROM a|ENV X=1|RUN here", ""),
        ("FROM a|ARG X|ENV X=1|RUN here", ""),
    ],
)
def test_which_arguments_decide(text: str, depends: str) -> None:
    assert " ".join(sorted(scope_at(text).variables["X"].depends)) == depends


@pytest.mark.parametrize(
    ("word", "text", "undeclared", "open_names"),
    [
        ("/x", "/x", "", ""),
        ("$E/${E}", "/e//e", "", ""),
        ("$A", None, "", "A"),
        ("$D", "d", "", ""),
        ("$N/x", "/x", "N", ""),
        ("${N:-n}", "n", "", ""),
        ("${N:-n}$N", "n", "N", ""),
        ("${N:+n}", "", "", ""),
        ("${A:-n}", None, "", "A"),
        ("'$N'\"$E\"\\$N", "$N/e$N", "", ""),
        ("${E%x}", None, "", "E"),
        ("$*/$?$$", "/", "* ? $", ""),
    ],
)
def test_expansion(word: str, text: str | None, undeclared: str, open_names: str) -> None:
    found = scope_at("FROM a|ENV E=/e|ARG A|ARG D=d|RUN here").expand(word)
    assert found.text == text
    assert (found.undeclared, found.open) == (set(undeclared.split()), set(open_names.split()))


def test_a_default_that_a_build_overrides_is_open() -> None:
    scope = scope_at("FROM a|ARG D=d|ENV E=$D|RUN here")
    assert scope.expand("$D $E").text == "d d"
    found = scope.expand("$D $E", frozenset(("D",)))
    assert (found.text, found.pattern, found.open) == (None, "${D} ${E}", {"D", "E"})


@pytest.mark.parametrize(
    ("text", "workdir", "user", "home"),
    [
        ("FROM a|RUN here", "/", "", "/root"),
        ("FROM a|WORKDIR x|WORKDIR y/..|RUN here", "/x", "", "/root"),
        ("FROM a|ENV X=/v|WORKDIR $X/y|RUN here", "/v/y", "", "/root"),
        ("FROM a|USER app:x|RUN here", "/", "app:x", "/home/app"),
        ("FROM a|USER 1000|RUN here", "/", "1000", None),
        ("FROM a|USER app|ENV HOME=/h|RUN here", "/", "app", "/h"),
        ("FROM a AS b|USER app|WORKDIR /w|FROM b|RUN here", "/w", "app", "/home/app"),
    ],
)
def test_place_and_user(text: str, workdir: str, user: str, home: str | None) -> None:
    scope = scope_at(text)
    assert (scope.workdir, scope.user, scope.home) == (workdir, user, home)


@pytest.mark.parametrize(
    ("image", "name", "expected"),
    [
        ("rust:1.90", "CARGO_HOME", "/usr/local/cargo"),
        ("golang:1.25-alpine", "GOPATH", "/go"),
        ("docker.io/library/rust:${V}", "CARGO_HOME", "/usr/local/cargo"),
        ("example.com/rust", "CARGO_HOME", "-"),
    ],
)
def test_variables_of_base_images(image: str, name: str, expected: str) -> None:
    assert value(f"FROM {image}|RUN here", name) == expected


@pytest.mark.parametrize(
    ("shell", "posix"),
    [
        ("", True),
        ('SHELL ["/bin/bash", "-o", "pipefail", "-c"]', True),
        ('SHELL ["powershell", "-Command"]', False),
    ],
)
def test_shell(shell: str, posix: bool) -> None:
    assert scope_at(f"FROM a|{shell}|RUN here").is_posix_shell is posix


def test_stages_and_what_they_need() -> None:
    found = resolved(
        "FROM a AS x|FROM x AS y|FROM b AS z|COPY --from=y /a /a|RUN --mount=from=0 true|FROM z"
    )
    assert found.chain(3) == (3, 2)
    assert found.needed(3) == {0, 1, 2, 3}
    assert found.needed(1) == {0, 1}
    assert dict(found.images) == {0: "a", 2: "b"}


@pytest.mark.parametrize(
    "text",
    ["COPY --from=² a b", "COPY --from=" + "1" * 5_000 + " a b", "ENV \x1c", "ENV X=$*${?}"],
)
def test_any_text_has_a_scope(text: str) -> None:
    found = resolved(f"FROM a|{text}|RUN here")
    assert found.needed(0) == {0}
