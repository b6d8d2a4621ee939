"""Laws of the tree, on Dockerfiles made up from the grammar, valid and broken."""

from __future__ import annotations

import pickle

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrate_cache.dockerfile.parser import parse
from migrate_cache.dockerfile.tree import Dockerfile, Instruction, Mount
from migrate_cache.text.edit import apply_edits
from migrate_cache.text.errors import ParseError
from tests.reading import mounts_of, options_of, read, readings

FEW = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)

KEYWORDS = [
    "FROM",
    "RUN",
    "COPY",
    "ADD",
    "ARG",
    "ENV",
    "LABEL",
    "USER",
    "CMD",
    "EXPOSE",
    "WORKDIR",
    "HEALTHCHECK",
    "ONBUILD",
    "RUM",
]

# -- a file made up from the grammar -------------------------------------------------------

blanks = st.sampled_from([" ", "  ", "\t", " \\\n", " \\\n  ", " \\\n# c\n ", " \\\n\n", "\\\r\n "])
plain = st.text(st.sampled_from("abcxyz019/._-:$={}"), min_size=1, max_size=8)
quoted = st.builds(lambda quote, text: f"{quote}{text}{quote}", st.sampled_from("\"'"), plain)
broken = st.sampled_from(['"', "'", "\\", "`", "<<", "[", "#", "à", "\xa0", "\x1b", "\udcff", ","])
word = st.one_of(plain, quoted, plain, broken)
words = st.lists(word, max_size=4).map(" ".join)
option = st.one_of(
    st.sampled_from(
        ["type=cache", "target=/c", "sharing=locked", "SHARING=Shared", "id=a", "ro", "id="]
    ),
    st.builds("{}={}".format, plain, word),
    plain,
    st.sampled_from(
        ["", '"target=/a,b"', '"id=""x"""', "sharing=lo\\\ncked", "ty\\\n#c\n\npe=cache"]
    ),
)
mount = st.lists(option, max_size=4).map(lambda options: "--mount=" + ",".join(options))
flag = st.one_of(mount, mount, st.builds("--{}={}".format, plain, word), st.just("--"))
json = st.lists(plain.map('"{}"'.format), max_size=3).map(lambda items: f"[{', '.join(items)}]")
arguments = st.one_of(
    words, json, st.sampled_from(["<<EOF\nbody\nEOF", "<<-'E' a\n\tb\n\tE", "a << E\nE"])
)


@st.composite
def instruction(draw: st.DrawFn) -> str:
    parts = [draw(st.sampled_from(KEYWORDS))]
    if draw(st.booleans()):
        parts[0] = draw(st.sampled_from([parts[0].lower(), parts[0][:1] + "\\\n" + parts[0][1:]]))
    if parts[0] == "ONBUILD":
        parts.append(draw(st.sampled_from(KEYWORDS)))
    parts += draw(st.lists(flag, max_size=3))
    parts.append(draw(arguments))
    text = parts[0]
    for part in parts[1:]:
        text += draw(blanks) + part
    return text + "\n"


trivia = st.sampled_from(["", "\n", "# comment\n", "  \n", "\r\n", "#\n\n"])
top = st.sampled_from(["", "# syntax=x\n", "# escape=`\n", "\ufeff", "#!x\n# escape=`\n", "# c\n"])


@st.composite
def dockerfile(draw: st.DrawFn) -> str:
    text = draw(top)
    for _ in range(draw(st.integers(0, 5))):
        text += draw(trivia) + draw(instruction())
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return text[: draw(st.integers(0, len(text)))] if draw(st.integers(0, 3)) == 0 else text


@FEW
@given(dockerfile())
def test_the_law_of_the_tree_holds(text: str) -> None:
    tree = read(text)
    assert isinstance(tree, ParseError) or tree.text == text


@FEW
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read(b"FROM a\nRUN --mount=" + data)
    tree = read(data)
    if isinstance(tree, Dockerfile):
        assert tree.text.encode("utf-8", "surrogateescape") == data


@FEW
@given(st.text(st.characters(), max_size=100))
def test_any_text_is_read_or_refused(text: str) -> None:
    read(text)
    read(f"FROM a\nRUN --mount=type=cache,{text}\nENV {text}")


@FEW
@given(dockerfile())
def test_errors_survive_pickling(text: str) -> None:
    tree = read(text)
    errors = tree.errors if isinstance(tree, Dockerfile) else (tree,)
    for error in errors:
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


def facts(tree: Dockerfile, lines_above: int = 0) -> list[object]:
    found: list[object] = []
    for (keyword, flags, first, last), node in zip(readings(tree), tree.instructions, strict=True):
        place = (first - lines_above, last - lines_above)
        mounts = [options_of(mount) for mount in mounts_of(node)]
        bodies = [(h.name, h.body) for h in node.heredocs]
        error = node.error.message if node.error else None
        found.append((keyword, flags, place, node.line.text, mounts, bodies, node.words, error))
    return found


@FEW
@given(dockerfile(), dockerfile())
def test_files_one_after_the_other_are_read_as_each_alone(above: str, below: str) -> None:
    if not above.endswith("\n") or below.startswith("\ufeff"):
        return
    first = read(above)
    # Directives count at the top only: behind an instruction they are comments.
    second = read("#\n" + below)
    if isinstance(first, ParseError) or isinstance(second, ParseError) or first.escape != "\\":
        return
    last = first.instructions[-1]
    if last.line.heredocs == () and last.line.span.end == len(above):
        # The last line may go on: a continuation that nothing ends.
        ends = last.line.pieces[-1].end
        if above[ends : ends + 1] == "\\":
            return
    whole = parse(above + "#\n" + below)
    count = above.count("\n")
    assert facts(whole) == facts(first) + facts(second, -count)


# -- edits -----------------------------------------------------------------------------------


@st.composite
def written_mount(draw: st.DrawFn) -> tuple[str, str]:
    """Return a directive and a RUN whose mount is written in some way that BuildKit reads."""
    escape = draw(st.sampled_from("\\\\\\`"))
    options = ["type=cache", draw(st.sampled_from(["target=/c", "dst=/c", "target=/a b"]))]
    options += draw(
        st.sampled_from([["sharing=locked"], ["sharing=locked", "id=x"], ["Sharing=LOCKED", "ro"]])
    )
    options = draw(st.permutations(options))
    style = draw(st.integers(0, 5))
    if style == 0:
        options = [f'"{option}"' for option in options]
        written = f"'{','.join(options)}'"
    elif style == 1:
        written = f'"{",".join(options)}"'
    elif style == 2:
        written = ",".join(
            f"{o.split('=')[0]}='{o.partition('=')[2]}'" if "=" in o else o for o in options
        )
    elif style == 3:
        written = ",".join(f'"{option}"' for option in options)
    elif style == 4:
        written = ",".join(options[:-1]) + ',"' + options[-1] + '"'
    else:
        written = "".join(draw(st.sampled_from([c, c, c, escape + c])) for c in ",".join(options))
    if style == 5:
        written = written.replace(escape + " ", " ").replace(" ", escape + " ")
    elif style == 4:
        written = written.replace("=/a b", "=/a_b")
    cut = escape + draw(st.sampled_from(["\n", " \n", "\r\n", "\n# c\n", "\n\n  \n", "\n  #\n\n"]))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(written)))
        if written[at - 1 : at] != escape and written[at : at + 1] not in (" ", "\t", "#", ""):
            written = written[:at] + cut + written[at:]
    directive = "# escape=`\n" if escape == "`" else ""
    return (
        directive,
        f"FROM a\nRUN --mount={written} make{draw(st.sampled_from([' all', '']))}\nUSER b\n",
    )


def first_run(text: str) -> tuple[Dockerfile, Instruction, Mount]:
    tree = parse(text)
    run = tree.instructions[1]
    (found,) = mounts_of(run)
    return tree, run, found


@settings(FEW, max_examples=300)
@given(
    written_mount(),
    st.sampled_from(["set", "replace", "insert"]),
    st.sampled_from(["type", "target", "sharing"]),
)
def test_edits_are_read_as_planned_and_change_nothing_else(
    written: tuple[str, str], edit: str, name: str
) -> None:
    text = "".join(written)
    tree, run, old = first_run(text)
    if run.error is not None:
        return
    value = "target-b-${SERVICE:-x}"
    expected = [(o.key, o.value) for o in old.options]
    index = max(i for i, o in enumerate(old.options) if o.name == name)
    if edit == "set":
        edits = old.set(name, value)
        expected[index] = (expected[index][0], value)
    elif edit == "replace":
        edits = old.replace(name, "id", value)
        expected[index] = ("id", value)
    else:
        edits = old.insert_after(name, "id", value)
        expected.insert(index + 1, ("id", value))
    after, changed, new = first_run(apply_edits(text, edits))
    assert options_of(new) == expected
    assert readings(after)[2:] == readings(tree)[2:]
    assert (changed.arguments, changed.start_line, changed.end_line) == (
        run.arguments,
        run.start_line,
        run.end_line,
    )
    assert after.escape == tree.escape
    start, end = old.span
    assert all(start <= edit.span.start <= edit.span.end <= end for edit in edits)
