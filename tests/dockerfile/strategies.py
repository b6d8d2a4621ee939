"""Dockerfiles and mounts made up from the grammar, valid and broken, for Hypothesis."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

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
