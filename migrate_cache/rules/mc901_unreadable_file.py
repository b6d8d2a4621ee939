"""MC901: report a file that cannot be read or parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.rules.rule import Example, rule

if TYPE_CHECKING:
    from migrate_cache.text.errors import ParseError

BEFORE = """\
FROM debian:13-slim
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked <<EOF
apt-get update
"""


@rule(
    code="MC901",
    name="unreadable-file",
    severity="error",
    ignorable=False,
    summary="the file cannot be read or parsed",
    explanation="""
The message names the place, shows the line, and says what was expected. The file stays as it is,
and so does every cache that it may use. All other files are done, and the exit code is 3. A file
that is no Dockerfile for BuildKit, such as a template, can be left out with `--exclude`.
""",
    sources=("https://docs.docker.com/reference/dockerfile/",),
    examples=(Example(BEFORE),),
)
def unreadable_file(error: ParseError) -> str:
    """Say why a file cannot be read or parsed."""
    return error.message
