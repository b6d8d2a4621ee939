"""The table of caches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrate_cache.plan.model import CacheInfo, CacheUser, ProjectResult
from migrate_cache.report.inventory import table
from migrate_cache.report.queues import queue_after, queue_before
from migrate_cache.text.escape import cells
from tests.report_samples import CACHES, EMPTY, HOSTILE_PROJECT, PROJECT, user


@pytest.mark.parametrize("width", [60, 100, 160])
def test_table(width, snapshot):
    shown = table(PROJECT, width=width)
    assert shown == snapshot
    assert max(map(cells, shown.split("\n"))) <= width


def test_colours_change_nothing_else():
    shown = table(PROJECT, color=True, width=100)
    assert "\x1b[1m/build/target" in shown
    for code in ("0", "1", "2"):
        shown = shown.replace(f"\x1b[{code}m", "")
    assert [line.rstrip() for line in shown.split("\n")] == table(PROJECT, width=100).split("\n")


def test_what_hurts_most_comes_first():
    names = [
        line.split()[0] for line in table(PROJECT, width=100).split("\n")[1:] if line[:1] == "/"
    ]
    assert names == ["/build/target", "/usr/local/cargo/registry", "/opt/models", "/var/cache/apt"]
    again = replace(PROJECT, caches=tuple(reversed(CACHES)))
    assert table(again, width=100) == table(PROJECT, width=100)


def test_hostile_names(snapshot):
    shown = table(HOSTILE_PROJECT, width=100)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert shown == snapshot


def test_many_users_are_counted_unless_verbose():
    users = tuple(user(f"s{n:02}", 1, "locked", "shared", "x") for n in range(40))
    project = ProjectResult("/r", (), caches=(CacheInfo("x", "shared", "t", ("/x",), users),))
    assert "and 33 more (--verbose lists them)" in table(project)
    assert table(project).count("services/") == 7
    assert "40 services queue" in table(project)
    assert table(project, verbose=True).count("services/") == 40


def test_no_caches():
    assert table(EMPTY) == "No cache mounts.\n"


def cache(*users: tuple[str, str, str, str]) -> CacheInfo:
    made = (
        CacheUser("Dockerfile", 1, "", service, before, after, id_after)
        for service, before, after, id_after in users
    )
    return CacheInfo("c", "output", "", (), tuple(made))


@pytest.mark.parametrize(
    ("found", "before", "after"),
    [
        (cache(), "nobody waits", "nobody waits"),
        (cache(("a", "locked", "locked", "c")), "nobody waits", "nobody waits"),
        (
            cache(("a", "locked", "shared", "c"), ("a", "locked", "shared", "c")),
            "nobody waits",
            "nobody waits",
        ),
        (
            cache(("a", "locked", "locked", "c-a"), ("b", "locked", "locked", "c-b")),
            "2 services queue",
            "nobody waits",
        ),
        (
            cache(("a", "locked", "locked", "c"), ("b", "shared", "locked", "c")),
            "forks (modes differ)",
            "2 services queue",
        ),
        (
            cache(
                ("a", "locked", "shared", "c"),
                ("b", "locked", "shared", "c"),
                ("d", "shared", "shared", "c"),
            ),
            "2 services queue, forks",
            "nobody waits",
        ),
        (
            cache(("${SERVICE}", "locked", "locked", "c-${SERVICE}")),
            "every ${SERVICE} queues",
            "nobody waits",
        ),
    ],
)
def test_who_waits(found, before, after):
    assert str(queue_before(found)) == before
    assert str(queue_after(found)) == after


def test_every_value_of_a_variable_counts_as_more_than_one():
    found = cache(("${SERVICE}", "locked", "locked", "c-${SERVICE}"))
    assert queue_before(found).size == 2
    assert queue_after(found).size == 0
