"""The byte scan misses no cache mount."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_cache.dockerfile.prefilter import has_cache_mount
from migrate_cache.text.source import encode
from tests.dockerfile.strategies import FEW, dockerfile, written_mount
from tests.reading import CACHE, read, tree_of


@pytest.mark.parametrize(
    "mount",
    [
        CACHE,
        "--mount=target=/c,TYPE=Cache",
        '--mount="type=cache,target=/c"',
        "--mount=ty'pe=ca'che,target=/c",
        "--mount=type=c\\ache,target=/c",
        "--mo\\\nunt=type=ca\\\r\n  # c\n\n\xa0# d\nche,target=/c",
        "--mount=type=$KIND,target=/c",
        "--mount=id=x,type=${KIND:-cache},target=/c",
    ],
)
def test_a_cache_mount_is_seen(mount: str) -> None:
    (found,) = tree_of(f"FROM a\nRUN {mount} x\n").mounts()
    assert found.type == "cache" or "$" in found.type
    assert has_cache_mount(f"FROM a\nRUN {mount} x\n".encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "FROM a\nRUN make\n",
        "FROM a\nRUN --mount=type=bind,target=/c x\n",
        "FROM a\nRUN --mount=type=secret,id=cache x\n",
        "FROM a\nRUN --network=none cache --mount\n",
        "FROM a\nRUN x type=cache\n",
    ],
)
def test_a_file_without_one_is_passed_over(text: str) -> None:
    assert not has_cache_mount(text.encode())


@FEW
@given(st.one_of(dockerfile(), written_mount().map("".join)))
def test_no_cache_mount_is_missed(text: str) -> None:
    tree = read(text)
    mounts = () if isinstance(tree, Exception) else tree.mounts()
    if any(mount.type == "cache" or "$" in mount.type for mount in mounts):
        assert has_cache_mount(encode(text))
