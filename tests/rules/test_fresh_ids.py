"""``--fresh-ids``: each cache whose mode changes gets an id of its own (MC101)."""

from __future__ import annotations

import pytest

from migrate_cache.settings import Override
from migrate_cache.testing import migrated

GO = "RUN --mount=type=cache,target=/go/pkg/mod,"
LOCK = "sharing=locked"


def fresh(text: str, **settings: object) -> list[str]:
    """Return the ids of all mounts after the migration, ``""`` for none."""
    settings.setdefault("root_name", "shop")
    result = migrated(text, fresh_ids=True, **settings)
    assert f",{LOCK}" not in result["Dockerfile"]
    words = result["Dockerfile"].split()
    mounts = [word.split(",") for word in words if word.startswith("--mount=")]
    return [next((o[3:] for o in mount if o[:3] == "id="), "") for mount in mounts]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (["id=m,sharing=locked go mod download"], ["m-shop"]),
        (["sharing=locked go mod download"], ["go-mod-shop"]),
        (["id=shop-m,sharing=locked go mod download"], ["shop-m"]),
        (["id=my-shop,sharing=locked go mod download"], ["my-shop"]),
        (["id=m go mod download"], ["m"]),
        (["sharing=shared go mod download"], [""]),
        (["id=s/1-m,sharing=locked go mod download"], ["s/1-m"]),
        (["id=m,sharing=locked go mod download", "id=m go build"], ["m-shop", "m-shop"]),
        (["id=m go mod download", "id=m,sharing=locked go build"], ["m-shop", "m-shop"]),
        (["id=m,sharing=locked go vet", "id=n,sharing=locked go vet"], ["m-shop", "n-shop"]),
        (["sharing=locked go vet", "sharing=locked go vet"], ["go-mod-shop", "go-mod-shop"]),
        (
            ["id=m,sharing=locked go vet", "id=m,uid=1,sharing=locked go vet"],
            ["m-shop", "m-shop-2"],
        ),
        (
            ["id=m-$A,sharing=locked go build", "id=m-x,sharing=locked go build"],
            ["m-$A-shop", "m-x-shop"],
        ),
        (["id=m-shop go vet", "id=m,sharing=locked go vet"], ["m-shop", "m-shop-2"]),
        (
            ["id=m-shop go vet", "id=m-shop-2 go vet", "id=m,sharing=locked go vet"],
            ["m-shop", "m-shop-2", "m-shop-3"],
        ),
    ],
)
def test_ids(runs: list[str], expected: list[str]) -> None:
    lines = "".join(f"{GO}{run}\n" for run in runs)
    assert fresh(f"FROM golang\nARG A\n{lines}") == expected


@pytest.mark.parametrize("option", ['"id=a b"', "id='a b'", "id=a\\ b"])
def test_an_id_that_is_written_in_an_unusual_way_stays(option: str) -> None:
    text = f"FROM golang\n{GO}{option},{LOCK} go vet\n"
    result = migrated(text, fresh_ids=True, root_name="shop")
    assert result == text.replace("locked", "shared")
    assert "unusual way" in result.reasons[0]


def test_without_the_option_ids_stay() -> None:
    text = f"FROM golang\n{GO}id=m,{LOCK} go vet\n"
    assert migrated(text, root_name="shop") == text.replace("locked", "shared")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"project": "My.Cart"}, "go-mod-my.cart"),
        ({"root_name": ""}, "go-mod-project"),
        ({"root_name": "Shop"}, "go-mod-shop"),
    ],
)
def test_the_projects_name(settings: dict[str, str], expected: str) -> None:
    assert fresh(f"FROM golang\n{GO}{LOCK} go vet\n", **settings) == [expected]


def test_a_copy_of_an_unknown_directory_follows() -> None:
    text = (
        f"FROM golang\n{GO}id=m,{LOCK} go vet\n"
        "RUN --mount=type=cache,id=m,target=/x,sharing=locked rm -rf /x/old\n"
    )
    result = migrated(text, fresh_ids=True, root_name="shop")
    assert result == text.replace("locked", "shared")
    assert "Dockerfile:3 needs what another RUN put into it" in result.reasons[0]


@pytest.mark.parametrize(
    ("second", "reads"),
    [
        ("id=m,ro cp -r /go/pkg/mod /x", True),
        ("id=m cp -r /go/pkg/mod /x", True),
        ("id=m,readonly go build", True),
        ("id=m --network=none go build", True),
        ("id=m --network=host go build", False),
        ("id=m GOPROXY=off go build", True),
        ("id=m export GOPROXY=off && go build", True),
        ("id=m GOPROXY=direct go build", False),
        ("id=m go build -o off", False),
        ("id=m tool --offline", True),
        ("id=m pip install --no-index x", True),
        ("id=m docker run --network=none x", True),
        ("id=m cargo build --frozen", True),
        ("id=m cargo build --locked", False),
        ("id=m npm ci --frozen", False),
        ("id=m mvn -o package", True),
        ("id=m go build -o package", False),
        ("id=m CARGO_NET_OFFLINE=true cargo build", True),
        ("id=m UV_OFFLINE=1 uv sync", True),
        ("id=m npm_config_offline=true npm ci", True),
        ("id=m OFFLINE=1 make", False),
        ("id=m go version && go build", False),
        ("id=m go version && tool --offline", True),
    ],
)
def test_a_run_that_cannot_do_without_the_cache(second: str, reads: bool) -> None:
    text = f"FROM golang\n{GO}id=m,{LOCK} go mod download\n{GO}{second}\n"
    assert fresh(text) == (["m", "m"] if reads else ["m-shop", "m-shop"])


@pytest.mark.parametrize("variable", ["GOPROXY=off", "CARGO_NET_OFFLINE=true"])
def test_a_stage_without_network(variable: str) -> None:
    run = f"{GO}id=m,{LOCK} go build\n"
    assert fresh(f"FROM golang\n{run}ENV {variable}\n{run}") == ["m", "m"]


def test_a_single_run_that_reads_has_nothing_to_lose() -> None:
    assert fresh(f"FROM golang\n{GO}id=m,{LOCK} GOPROXY=off go build\n") == ["m-shop"]


def test_a_mount_that_cannot_change_keeps_the_ids_of_the_others() -> None:
    text = f"FROM golang\n{GO}id=m,{LOCK} go vet\n# migrate-cache: ignore\n{GO}id=m go build\n"
    result = migrated(text, fresh_ids=True, root_name="shop")
    assert result == text.replace("sharing=locked", "sharing=shared")
    assert "it keeps its id: Dockerfile:4 cannot change" in result.reasons[0]


def test_a_cache_that_is_held_back_says_nothing_of_ids() -> None:
    run = f"{GO}id=m,{LOCK} go vet\n"
    text = f"FROM golang\n{run}# migrate-cache: ignore\n{run}{GO}id=m go build\n"
    result = migrated(text, fresh_ids=True, root_name="shop")
    assert result == text
    assert result.codes == ["MC203", "MC101", "MC101"]
    assert not any("keeps its id" in reason for reason in result.reasons)


def test_files_of_one_cache_get_one_id() -> None:
    text = f"FROM golang\n{GO}id=m,{LOCK} go vet\n"
    result = migrated({"a": text, "b": text}, fresh_ids=True, root_name="shop")
    after = text.replace("id=m,sharing=locked", "id=m-shop,sharing=shared")
    assert result == {"a": after, "b": after}
    held = (Override(("b",), skip=True),)
    result = migrated({"a": text, "b": text}, fresh_ids=True, root_name="shop", overrides=held)
    assert result == {"a": text, "b": text}


def test_exclusive_caches_and_outputs_get_none() -> None:
    text = (
        "FROM debian\nRUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt update\n"
        "RUN --mount=type=cache,target=/srv/x,sharing=locked fetch-x\n"
    )
    assert migrated(text, fresh_ids=True, root_name="shop") == text
