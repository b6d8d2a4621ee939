"""MC203: one cache has one sharing mode; who holds it back, and what is mixed."""

from __future__ import annotations

import pytest

from migrate_cache import migrate
from migrate_cache.plan.api import Input, plan
from migrate_cache.settings import Override
from migrate_cache.testing import migrated
from tests.rules.mounts import LOCKED, filled

NODE = "FROM node:24\n"
NPM = "RUN --mount=type=cache,target=/root/.npm<> npm ci\n"


# -- what holds a cache back ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "code", "holder"),
    [
        pytest.param(
            f"# migrate-cache: ignore[MC101] x\n{NPM}", "MC101", "3 stays locked", id="ignored"
        ),
        pytest.param(
            f"# migrate-cache: ignore\n{NPM}", "MC101", "3 stays locked", id="all ignored"
        ),
        pytest.param(f"ONBUILD {NPM}", "MC209", "2 stays locked", id="ONBUILD"),
        pytest.param(NPM.replace("<>", ",sharing=private"), "MC207", "private", id="private"),
        pytest.param(f"ARG M\n{NPM.replace('<>', ',sharing=$M')}", "MC209", "", id="a variable"),
        pytest.param(NPM.replace("<>", "<>,sharing=locked"), "MC209", "2 stays locked", id="twice"),
        pytest.param(NPM.replace("<>", "<>,x=y"), "MC210", "2 stays locked", id="rejected"),
    ],
)
def test_one_user_that_cannot_change_holds_back_the_others(
    other: str, code: str, holder: str
) -> None:
    files = filled({"a.Dockerfile": NODE + NPM, "b.Dockerfile": NODE + other}, LOCKED)
    result = migrated(files)
    assert result == files
    assert result.codes == ["MC203", code]
    assert result.reasons[0].startswith("stays locked: b.Dockerfile:")
    assert holder in result.reasons[0]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(f"# migrate-cache: ignore[MC102] x\n{NPM}", id="another rule is ignored"),
        pytest.param(f"# migrate-cache: ignore[MC203] x\n{NPM}", id="the warning is ignored"),
        pytest.param(NPM.replace("npm ci", "cp -r /root/.npm /x"), id="it only copies"),
        pytest.param(NPM.replace("npm ci", "npm run build"), id="it runs a script"),
    ],
)
def test_what_does_not_hold_back(other: str) -> None:
    files = {"a.Dockerfile": NODE + NPM, "b.Dockerfile": NODE + other}
    result = migrated(filled(files, LOCKED))
    assert result == filled(files, "sharing=shared")
    assert result.codes == ["MC101", "MC101"]


@pytest.mark.parametrize("mode", ["", "sharing=shared"])
@pytest.mark.parametrize("other", [f"# migrate-cache: ignore\n{NPM}", f"ONBUILD {NPM}"])
def test_a_user_that_is_shared_already_holds_nothing_back(other: str, mode: str) -> None:
    files = {"a.Dockerfile": NODE + NPM, "b.Dockerfile": NODE + other}
    result = migrated(filled(files, (LOCKED, mode)))
    assert result == filled(files, ("sharing=shared", mode))
    assert result.codes[0] == "MC101"


@pytest.mark.parametrize(
    ("broken", "holds"),
    [
        pytest.param("RUN --mount=type=cache,target=/root/.npm <<EOF\n", True, id="its target"),
        pytest.param("RUN --mount=type=cache,id=npm,target=/x <<EOF\n", False, id="another cache"),
        pytest.param(
            "# /root/.npm\nRUN --mount=type=cache,target=/x <<EOF\n", True, id="a comment"
        ),
        pytest.param("# /root/.npm\nRUN true <<EOF\n", False, id="a file without cache mounts"),
    ],
)
def test_a_file_that_cannot_be_read(broken: str, holds: bool) -> None:
    text = filled(NODE + NPM, LOCKED)
    result = migrate({"a.Dockerfile": text, "b.Dockerfile": NODE + broken})
    assert (result.files[0].after == text) is holds
    assert [outcome.rule for outcome in result.mounts] == ["MC203" if holds else "MC101"]
    assert ("b.Dockerfile cannot be read" in result.mounts[0].reason) is holds


def test_a_file_that_cannot_be_read_may_name_the_id() -> None:
    text = filled(NODE + NPM.replace("<>", ",id=pkgs<>"), LOCKED)
    broken = f"{NODE}RUN --mount=type=cache,id=pkgs,target=/x <<EOF\n"
    result = migrate({"a.Dockerfile": text, "b.Dockerfile": broken})
    assert [outcome.rule for outcome in result.mounts] == ["MC203"]


def test_a_change_that_the_user_declined_holds_back_the_others() -> None:
    texts = filled({"a": NODE + NPM, "b": NODE + NPM}, LOCKED)
    inputs = [Input(path, text.encode()) for path, text in texts.items()]
    result = plan(inputs, declined=frozenset({("b", 2, "MC101")}))
    assert {file.path: file.after for file in result.files} == texts
    assert [outcome.rule for outcome in result.mounts] == ["MC203", "MC101"]
    result = plan(inputs, declined=frozenset({("b", 3, "MC101"), ("b", 2, "MC102")}))
    assert all(file.changed for file in result.files)


def test_a_file_that_is_not_to_be_written_holds_back_the_others() -> None:
    texts = filled({"a": NODE + NPM, "b": NODE + NPM}, LOCKED)
    result = plan(
        [
            Input("a", texts["a"].encode()),
            Input("b", texts["b"].encode(), read_only="it is generated"),
        ]
    )
    assert [(file.path, file.changed) for file in result.files] == [("a", False)]
    assert "b:2 stays locked (it is generated)" in result.mounts[0].reason


def test_only_the_cache_that_is_held_back_stays() -> None:
    go = "RUN --mount=type=cache,target=/go/pkg/mod<> go build\n"
    files = {"a.Dockerfile": NODE + NPM + go, "b.Dockerfile": f"{NODE}ONBUILD {NPM}"}
    result = migrated(filled(files, LOCKED))
    assert result == filled(files, (LOCKED, "sharing=shared", LOCKED))
    assert result.codes == ["MC203", "MC101", "MC209"]


# -- which mounts use one cache -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        # The id, else the target
        ("", "", True),
        ("id=go", "id=go", True),
        ("id=go", "id=og", False),
        ("id=go", "", False),
        ("id=/go/pkg/mod", "", True),
        ("", "readonly=false", True),
        # The owner
        ("id=go,mode=0755", "id=go,mode=755", True),
        ("id=go,mode=0755", "id=go,mode=0700", False),
        ("id=go,mode=0755", "id=go,uid=0", True),
        ("id=go,mode=0700", "id=go,uid=0", False),
        ("id=go,mode=0700", "id=go,mode=0700,uid=0,gid=0", True),
        ("id=go,uid=0", "id=go,gid=0", True),
        ("id=go,uid=1", "id=go,gid=0", False),
        ("id=go,uid=0", "id=go,gid=1", False),
        ("id=go,uid=1", "id=go,uid=1,gid=0", True),
        ("id=go,gid=1", "id=go,uid=0,gid=1", True),
        ("id=go,uid=0", "id=go", False),
        ("id=go,uid=$ARCH", "id=go,uid=$ARCH", True),
        # What it begins with
        ("id=go", "id=go,from=seed", False),
        ("id=go,from=seed", "id=go,from=SEED", True),
        # Ids that meet for some value of their variables
        ("id=go-${ARCH}", "id=go-amd64", True),
        ("id=go-amd64", "id=go-${ARCH}", True),
        ("id=go-$ARCH", "id=go-amd64", True),
        ("id=go-${ARCH}-x", "id=go-amd64-x", True),
        ("id=go-${ARCH}-x", "id=go-amd64-y", False),
        ("id=go-${ARCH}", "id=go-", False),
        ("id=go-${ARCH}", "id=go-${PLATFORM}", True),
        ("id=go-${ARCH}", "id=go-${ARCH}", True),
        ("id=go-${ARCH}", "id=og-${PLATFORM}", False),
        ("id=go-${ARCH}", "id=modules", False),
        ("id=go.${ARCH}", "id=go-amd64", False),
        ("id=${ARCH}-go", "id=amd64-go", True),
        ("id=${ARCH}", "id=amd64", False),
        ("id=${ARCH}-", "id=amd64-", False),
        ("id=x${ARCH}", "id=xy", False),
        ("id=xy${ARCH}", "id=xyz", True),
        ("id=go-${ARCH},uid=1", "id=go-amd64", False),
        ("id=go-${KNOWN}", "id=go-here", True),
        ("id=go-${KNOWN}", "id=go-there", False),
    ],
)
def test_caches_that_may_be_one_change_together(first: str, second: str, together: bool) -> None:
    head = "FROM golang\nARG ARCH\nARG PLATFORM\nENV KNOWN=here\n"
    run = "RUN --mount=type=cache,target=/go/pkg/mod,sharing=locked<> go build\n"
    files = filled({"a.Dockerfile": head + run, "b.Dockerfile": head + run}, (first, second))
    result = migrated(files, overrides=(Override(("b.Dockerfile",), skip=True),))
    assert (result == files) is together
    assert result.codes == ["MC203" if together else "MC101", "MC101"]


def test_three_ids_that_meet_are_one_cache() -> None:
    run = "RUN --mount=type=cache,id=%s,target=/root/.npm,sharing=locked npm ci\n"
    text = f"{NODE}ARG A\nARG B\n" + run % "npm-x" + run % "npm-$A" + run % "npm-y" + run % "npm-$B"
    ignored = text + "# migrate-cache: ignore[MC101]\n" + run % "npm-z"
    assert migrated(text) == text.replace("locked", "shared")
    result = migrated(ignored)
    assert result == ignored
    assert result.codes == ["MC203"] * 4 + ["MC101"]


def test_ids_of_outputs_do_not_join_caches() -> None:
    run = "RUN --mount=type=cache,id={},target=/b/target,sharing={} cargo build --bin x\n"
    text = "FROM rust\nWORKDIR /b\nARG A\n" + run.format("t-$A", "locked")
    text += "# migrate-cache: ignore\n" + run.format("t-x", "locked")
    result = migrated(text)
    assert result.codes == ["MC103", "MC103"]
    assert "id=t-$A,target=/b/target cargo" in result["Dockerfile"]


def test_an_id_that_a_build_changes_meets_what_it_becomes() -> None:
    compose = "services: {web: {build: {context: ., args: {KIND: web}}}}"
    run = "RUN --mount=type=cache,id=%s,target=/go/pkg/mod,sharing=locked go build\n"
    files = {
        "Dockerfile": "FROM golang\nARG KIND=api\n" + run % "go-$KIND",
        "other.Dockerfile": "FROM golang\n" + run % "go-web",
    }
    held = (Override(("other.Dockerfile",), skip=True),)
    assert migrated(files, overrides=held).codes == ["MC101", "MC101"]
    assert migrated(files, overrides=held) != files
    assert migrated(files, overrides=held, build_files={"compose.yaml": compose}) == files
    elsewhere = compose.replace("context: .", "context: ., dockerfile: third.Dockerfile")
    assert migrated(files, overrides=held, build_files={"compose.yaml": elsewhere}) != files


def test_arguments_that_a_build_does_not_name_may_be_any() -> None:
    bake = 'target "web" { args = merge({}, UNKNOWN) }'
    run = "RUN --mount=type=cache,id=%s,target=/go/pkg/mod,sharing=locked go build\n"
    files = {
        "Dockerfile": "FROM golang\nARG KIND=api\n" + run % "go-$KIND",
        "other.Dockerfile": "FROM golang\n" + run % "go-web",
    }
    held = (Override(("other.Dockerfile",), skip=True),)
    assert migrated(files, overrides=held, build_files={"docker-bake.hcl": bake}) == files


# -- what is mixed after the plan -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("modes", "target", "warned"),
    [
        pytest.param(("", LOCKED), "/srv/x", 2, id="unknown, two modes"),
        pytest.param(("", "sharing=shared"), "/srv/x", 0, id="shared in two ways"),
        pytest.param((LOCKED, LOCKED), "/srv/x", 0, id="locked twice"),
        pytest.param(("", "sharing=private"), "/srv/x", 2, id="shared and private"),
        pytest.param(("", LOCKED), "/root/.npm", 0, id="both become shared"),
        pytest.param(("", LOCKED), "/var/cache/apt", 2, id="exclusive, two modes"),
    ],
)
def test_modes_of_one_cache(modes: tuple[str, str], target: str, warned: int) -> None:
    run = f"RUN --mount=type=cache,target={target}<> fetch-x\n"
    result = migrated(filled({"a": NODE + run, "b": NODE + run}, modes))
    assert result.notes == ["MC203"] * warned


def test_three_users_of_one_cache_are_told_the_modes() -> None:
    run = "RUN --mount=type=cache,target=/srv/x<> fetch-x\n"
    files = filled({"a": NODE + run, "b": NODE + run + run}, ("", LOCKED, LOCKED))
    result = migrate(files)
    reasons = {note.reason for file in result.files for note in file.notes if note.rule == "MC203"}
    assert len(reasons) == 1
    assert "cache /srv/x" in next(iter(reasons))
    assert "(locked at b:2, shared at a:2)" in next(iter(reasons))


def test_a_mount_that_says_already_who_holds_it_back_is_not_told_again() -> None:
    files = filled(
        {"a": NODE + NPM, "b": NODE + NPM.replace("<>", ",sharing=private"), "c": NODE + NPM},
        (LOCKED, ""),
    )
    result = migrated(files)
    assert result.codes == ["MC203", "MC207", "MC101"]
    assert result.notes == ["MC203", "MC203"]


def test_it_is_said_once_at_each_mount() -> None:
    files = {"a": NODE + NPM, "b": NODE + NPM.replace("<>", ",sharing=private")}
    result = migrate(filled(files, LOCKED))
    assert [[note.rule for note in file.notes] for file in result.files] == [
        ["MC203"],
        ["MC203", "MC207"],
    ]


def test_outputs_that_get_ids_of_their_own_are_mixed_no_more() -> None:
    run = "RUN --mount=type=cache,target=/b/target<> cargo build\n"
    files = {"a/Dockerfile": f"FROM rust\n{run}", "w/Dockerfile": f"FROM rust\n{run}"}
    result = migrated(filled(files, ("", LOCKED)))
    assert result == filled(files, ("id=target-a", "id=target-w"))
    assert result.notes == []


def test_an_output_that_keeps_one_of_its_locks_is_mixed() -> None:
    run = "RUN --mount=type=cache,target=/b/target<> cargo build\n"
    text = f"FROM rust\n{run}{run}"
    result = migrated(filled(text, ("", LOCKED)), keep_lock=True, root_name="shop")
    assert result == filled(text, ("id=target-shop", "id=target-shop,sharing=locked"))
    assert result.notes == ["MC203", "MC203"]


def test_owners_of_one_new_id_have_caches_of_their_own() -> None:
    run = "RUN --mount=type=cache,target=/b/target<> cargo build\n"
    text = f"FROM rust\n{run}{run}"
    result = migrated(filled(text, (LOCKED, "uid=1,sharing=locked")), root_name="shop")
    assert result.notes == []
