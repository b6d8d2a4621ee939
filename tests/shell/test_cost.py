"""The cost of a script is linear in its length, however hostile it is."""

from __future__ import annotations

import pytest

from migrate_cache.shell import read_script
from tests.steps import assert_linear


@pytest.mark.parametrize(
    "piece", ["'a' $x ", "$(", "`", "a=1;", '"$a" ', "cat <<E\n$a\nE\n", "\\", "read a ", "#", "("]
)
def test_a_long_script_takes_linear_time(piece: str) -> None:
    assert_linear(lambda size: lambda: read_script(piece * size + "$x"), 1000)
