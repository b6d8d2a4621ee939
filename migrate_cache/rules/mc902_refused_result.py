"""MC902: report a result that the safety net refused."""

from __future__ import annotations

from migrate_cache.rules.rule import rule


@rule(
    code="MC902",
    name="refused-result",
    severity="error",
    ignorable=False,
    summary="the safety net refused the result, which is a bug here: the file is untouched",
    explanation="""
Before anything is written, the new text is read again and compared with the old one: the same
instructions but for the planned changes, and nothing left to change in a second run. This file
did not pass. It was not written; please report it with the file.
""",
)
def refused_result(reason: str) -> str:
    """Say what the safety net found."""
    return f"the safety net refused the result: {reason}"
