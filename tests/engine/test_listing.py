"""How engines tell their caches: the forms that the engine at hand may not have."""

from __future__ import annotations

from .engine import Cache, cache_mounts

RUN = "cached mount /build/target from exec /bin/sh -c cargo build"


def test_an_old_engine_tells_no_id() -> None:
    assert cache_mounts([("exec.cachemount", RUN)]) == [Cache("/build/target", None)]


def test_a_new_engine_tells_the_id_at_the_end() -> None:
    records = [
        ("exec.cachemount", RUN + ' with id "/target-builder-api"'),
        ("exec.cachemount", RUN + ' with id "//build/target"'),
        ("exec.cachemount", RUN + ' && echo " with id "x"" \\\n  && true with id "/two"'),
        ("regular", "mount / from exec /bin/sh -c cargo build"),
    ]
    assert cache_mounts(records) == [
        Cache("/build/target", "/build/target"),
        Cache("/build/target", "target-builder-api"),
        Cache("/build/target", "two"),
    ]
