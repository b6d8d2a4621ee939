"""MC102: a build output gets an id of its own."""

from __future__ import annotations

import pytest

from migrate_cache import migrate
from migrate_cache.settings import Override
from migrate_cache.testing import migrated
from tests.rules.mounts import LOCKED, filled

RUST = "FROM rust:1.95 AS builder\nWORKDIR /b\n"
MOUNT = "RUN --mount=type=cache,target=/b/target<> "
BUILD = f"{RUST}{MOUNT}cargo build --release"
API, WEB = f"{BUILD} --bin api\n", f"{BUILD} --bin web\n"
TWO = {"api/Dockerfile": f"{BUILD}\n", "web/Dockerfile": f"{BUILD}\n"}


# -- what is edited -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("sharing=locked", "id=target-builder-api", id="the id takes the lock's place"),
        pytest.param("sharing=LOCKED,uid=1", "id=target-builder-api,uid=1", id="in any case"),
        pytest.param(
            "id=cache,sharing=locked", "id=cache", id="an id that one service uses is kept"
        ),
        pytest.param("", "", id="nothing waits, so there is nothing to gain"),
    ],
)
def test_one_service(before: str, after: str) -> None:
    assert migrated(filled(API, before)) == filled(API, after)


def test_the_target_may_stand_behind_the_lock() -> None:
    text = f"{RUST}RUN --mount=type=cache,sharing=locked,target=/b/target cargo build --bin api\n"
    after = text.replace("sharing=locked", "id=target-builder-api")
    assert migrated(text) == after


def test_the_reason_names_service_and_evidence() -> None:
    (reason,) = migrated(filled(API, LOCKED)).reasons
    assert reason == "service api (the command builds api) gets a cache of its own"


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("", "kept: a single build uses the directory and does not lock it: nothing waits"),
        ("id=t", "kept: the id is used by one service, and nothing is locked"),
    ],
)
def test_the_reason_why_nothing_is_gained(option: str, reason: str) -> None:
    assert migrated(filled(API, option)).reasons == [reason]


# -- who needs an id ------------------------------------------------------------------------------

STAGES = API + API.replace("builder", "second").replace("FROM", "\nFROM").replace("api", "web")


@pytest.mark.parametrize(
    ("files", "before", "after", "codes"),
    [
        pytest.param(API, "", "", ["MC102"], id="a single build without a lock does not"),
        pytest.param(
            {"a/Dockerfile": API, "w/Dockerfile": WEB},
            "",
            ("id=target-builder-api", "id=target-builder-web"),
            ["MC102", "MC102"],
            id="two files without locks do",
        ),
        pytest.param(
            STAGES,
            "",
            ("id=target-builder-api", "id=target-second-web"),
            ["MC102", "MC102"],
            id="two stages without locks do",
        ),
        pytest.param(
            f"{RUST}ARG SERVICE\n{MOUNT}cargo build --bin $SERVICE\n",
            "",
            "id=target-builder-${SERVICE}",
            ["MC102"],
            id="a build argument that names the service does",
        ),
        pytest.param(
            f"{API}{MOUNT}cargo test --bin api\n",
            "",
            "",
            ["MC102", "MC102"],
            id="two mounts of one stage do not",
        ),
        pytest.param(
            f"{API}{MOUNT}cargo test --bin api\n",
            ("", LOCKED),
            ("id=target-builder-api", "id=target-builder-api"),
            ["MC102", "MC102"],
            id="two mounts of which one is locked do",
        ),
        pytest.param(
            {"a/Dockerfile": API, "w/Dockerfile": WEB},
            "id=cargo-target",
            ("id=target-builder-api", "id=target-builder-web"),
            ["MC102", "MC102"],
            id="an id that two services use does",
        ),
        pytest.param(
            {"a/Dockerfile": API, "b/Dockerfile": API},
            "id=t",
            "id=t",
            ["MC103", "MC103"],
            id="an id that one service uses in two files does not",
        ),
        pytest.param(
            {"a/Dockerfile": API, "b/Dockerfile": API},
            (f"id=/b/target,{LOCKED}", LOCKED),
            (f"id=/b/target,{LOCKED}", LOCKED),
            ["MC103", "MC103"],
            id="nor does an id that is the other one's target",
        ),
        pytest.param(
            {"a/Dockerfile": API, "w/Dockerfile": WEB},
            ("id=target-builder-api", "id=target-builder-api"),
            ("id=target-builder-api", "id=target-builder-web"),
            ["MC102", "MC102"],
            id="of two services one keeps the id that names it",
        ),
        pytest.param(
            {"a/Dockerfile": API, "w/Dockerfile": WEB},
            "id=target-builder-api,sharing=locked",
            ("id=target-builder-api", "id=target-builder-web"),
            ["MC103", "MC102"],
            id="which then loses its lock only",
        ),
    ],
)
def test_who_needs_an_id(
    files: str | dict[str, str], before: str, after: str, codes: list[str]
) -> None:
    result = migrated(filled(files, before))
    assert result == filled(files, after)
    assert result.codes == codes


@pytest.mark.parametrize(
    ("id_", "declared", "tells"),
    [
        pytest.param("t", "ARG SERVICE", False, id="nothing"),
        pytest.param("t-$SERVICE", "ARG SERVICE", True, id="the argument itself"),
        pytest.param("t-${SERVICE}", "ARG SERVICE=api", True, id="the argument with a default"),
        pytest.param("t-$BIN", "ARG SERVICE\nENV BIN=x-$SERVICE", True, id="an ENV made of it"),
        pytest.param("t-$BIN", "ARG SERVICE\nENV BIN=x", False, id="an ENV that is not"),
        pytest.param("t-$BIN", "ARG SERVICE\nARG BIN", False, id="another argument"),
    ],
)
def test_an_id_that_tells_the_services_apart_stays(id_: str, declared: str, tells: bool) -> None:
    text = f"{RUST}{declared}\n{MOUNT}cargo build --bin ${{SERVICE}}\n"
    result = migrated(filled(text, f"id={id_}"))
    assert (result == filled(text, f"id={id_}")) is tells
    assert result.codes == ["MC103" if tells else "MC102"]


def test_every_mount_of_the_cache_must_tell_the_services_apart() -> None:
    text = (
        f"{RUST}ARG SERVICE\nARG A\n{MOUNT}cargo build --bin $SERVICE\n"
        "RUN --mount=type=cache,target=/b/target,id=t-${A:-${SERVICE}} cargo build --bin $SERVICE\n"
    )
    result = migrated(filled(text, "id=t-${A:-${SERVICE}}"))
    assert result.codes == ["MC103", "MC103"]


# -- what keeps the id ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        pytest.param({"select": ("MC102",)}, True, id="selected"),
        pytest.param({"select": ("MC101", "MC103")}, False, id="not selected"),
        pytest.param({"ignore": ("MC102",)}, False, id="ignored"),
        pytest.param({"ignore": ("MC101",)}, True, id="another one ignored"),
        pytest.param(
            {"overrides": (Override(("Docker*",), skip=True),)}, False, id="skipped by the settings"
        ),
        pytest.param(
            {"overrides": (Override(("api/*",), skip=True),)}, True, id="another file is skipped"
        ),
    ],
)
def test_chosen_rules(settings: dict[str, object], changes: bool) -> None:
    result = migrated(filled(API, LOCKED), **settings)
    assert result == filled(API, "id=target-builder-api" if changes else LOCKED)
    assert result.codes == ["MC102"]
    assert ("cannot change" in result.reasons[0]) is not changes


@pytest.mark.parametrize(
    ("files", "mounts", "code", "reason"),
    [
        pytest.param(API, "id=s/1-target,sharing=locked", "MC102", "hosting platform", id="s/..."),
        pytest.param(
            API,
            "id=t-$SERVICE,sharing=locked",
            "MC205",
            "SERVICE in the id is not in scope at Dockerfile:3",
            id="a variable that is not in scope",
        ),
        pytest.param(
            f"{RUST}{MOUNT}cargo build --bin api --bin web\n",
            "id=t-${A}-${B},sharing=locked",
            "MC205",
            "A, B in the id",
            id="two of them",
        ),
        pytest.param(
            API.replace("RUN", "# migrate-cache: ignore[MC102] soon\nRUN"),
            LOCKED,
            "MC102",
            "Dockerfile:4 cannot change (ignored by the comment in line 3)",
            id="an ignore comment",
        ),
    ],
)
def test_what_keeps_the_id(files: str, mounts: str, code: str, reason: str) -> None:
    text = filled(files, mounts)
    result = migrated(text)
    assert result == text
    assert result.codes == [code]
    assert result.reasons[0].startswith("kept: ")
    assert reason in result.reasons[0]


def test_a_variable_of_a_private_mount_does_not_count() -> None:
    text = filled(API, "id=t-$SERVICE,sharing=private")
    result = migrated(text)
    assert result == text
    assert result.codes == ["MC207"]


def test_an_ignored_mount_holds_back_the_others_of_its_stage() -> None:
    text = f"{API}# migrate-cache: ignore[MC102]\n{MOUNT}cargo test\n"
    result = migrated(filled(text, LOCKED))
    assert result == filled(text, LOCKED)
    assert result.codes == ["MC102", "MC102"]


def test_an_ignored_file_does_not_hold_back_another_one() -> None:
    files = {"a/Dockerfile": "# migrate-cache: ignore-file\n" + API, "w/Dockerfile": WEB}
    result = migrated(filled(files, LOCKED))
    assert result == filled(files, (LOCKED, "id=target-builder-web"))
    assert result.codes == ["MC102", "MC102"]


@pytest.mark.parametrize(
    ("options", "decided"),
    [
        pytest.param("sharing=private", "MC207", id="private"),
        pytest.param("sharing=$MODE", "MC209", id="the mode is a variable"),
        pytest.param("sharing=locked,sharing=locked", "MC209", id="an option twice"),
    ],
)
def test_mounts_that_other_rules_decide_about(options: str, decided: str) -> None:
    text = f"{RUST}ARG MODE\n{MOUNT}cargo build\n{MOUNT}cargo test\n"
    result = migrated(filled(text, (LOCKED, options)), root_name="shop")
    assert result["Dockerfile"].endswith(f"/b/target,{options} cargo test\n")
    assert result.codes[1] == decided


@pytest.mark.parametrize("name", ["/b/target", "id=shop-out"])
def test_a_file_that_cannot_be_read_may_use_the_directory(name: str) -> None:
    text = filled(API, "id=shop-out,sharing=locked" if "=" in name else LOCKED)
    broken = f"FROM debian\nRUN --mount=type=cache,target={name} <<EOF\n"
    result = migrate({"a": text, "b": broken})
    assert result.files[0].after == text
    assert [outcome.rule for outcome in result.mounts] == ["MC102"]
    assert result.mounts[0].reason == "kept: b cannot be read and may use the same cache"


# -- one build in several places ------------------------------------------------------------------

WHOLE = f"{BUILD} --workspace\n"


@pytest.mark.parametrize(
    ("files", "shared"),
    [
        pytest.param({"api/Dockerfile": WHOLE, "web/Dockerfile": WHOLE}, True, id="--workspace"),
        pytest.param(
            {
                "api/Dockerfile": WHOLE.replace("--workspace", "--bins"),
                "web/Dockerfile": WHOLE.replace("--workspace", "--bins"),
            },
            True,
            id="--bins",
        ),
        pytest.param(
            {
                "api/Dockerfile": WHOLE.replace("--workspace", "--all"),
                "web/Dockerfile": WHOLE.replace("--workspace", "--all"),
            },
            True,
            id="--all",
        ),
        pytest.param(
            {
                "api/Dockerfile": WHOLE.replace("--workspace", "--all-targets"),
                "web/Dockerfile": WHOLE.replace("--workspace", "--all-targets"),
            },
            True,
            id="--all-targets",
        ),
        pytest.param(
            {"api/Dockerfile": WHOLE, "web/Dockerfile": WHOLE.replace("--release ", "")},
            False,
            id="different commands",
        ),
        pytest.param(TWO, False, id="the same command in two folders"),
        pytest.param(
            {"x/Dockerfile.api": f"{BUILD}\n", "x/Dockerfile.web": f"{BUILD}\n"},
            True,
            id="the same command in one folder",
        ),
        pytest.param(
            {
                "x/Dockerfile.api": f"{BUILD}\n",
                "x/Dockerfile.web": f"{BUILD}\n".replace("build", "fetch && cargo build"),
            },
            True,
            id="what is only fetched does not count",
        ),
        pytest.param(
            {
                "api/Dockerfile": f"{WHOLE}{MOUNT}cargo test\n",
                "web/Dockerfile": f"{WHOLE}{MOUNT}cargo test\n",
            },
            False,
            id="one of two RUNs builds the whole",
        ),
        pytest.param(
            {
                "api/Dockerfile": WHOLE.replace("--workspace", "--workspace && cargo doc"),
                "web/Dockerfile": WHOLE.replace("--workspace", "--workspace && cargo doc"),
            },
            True,
            id="one of two commands of a RUN does",
        ),
        pytest.param(
            {
                "api/Dockerfile": WHOLE.replace("--workspace", "--workspace && cp t/api /"),
                "web/Dockerfile": WHOLE.replace("--workspace", "--workspace && cp t/web /"),
            },
            True,
            id="what is copied does not count",
        ),
        pytest.param(
            {
                "x/Dockerfile.api": f"{WHOLE}{MOUNT}cargo test\n",
                "x/Dockerfile.web": WHOLE,
            },
            False,
            id="one file does more",
        ),
        pytest.param(
            {
                "api/Dockerfile": f"{RUST}ARG BIN\n{MOUNT}cargo build --bins --features $BIN\n",
                "web/Dockerfile": f"{RUST}ARG BIN\n{MOUNT}cargo build --bins --features $BIN\n",
            },
            False,
            id="a build argument tells them apart",
        ),
    ],
)
def test_the_same_build_in_several_files(files: dict[str, str], shared: bool) -> None:
    result = migrated(filled(files, LOCKED))
    assert (result == filled(files, LOCKED)) is shared
    assert set(result.codes) == {"MC102"}
    assert all(("on purpose" in reason) is shared for reason in result.reasons)


def test_one_file_that_builds_a_whole_workspace_gets_an_id() -> None:
    result = migrated({"api/Dockerfile": filled(WHOLE, LOCKED)})
    assert result == {"api/Dockerfile": filled(WHOLE, "id=target-builder-api")}


def test_a_build_of_the_project_in_two_files_is_not_the_same_for_all() -> None:
    files = {"Dockerfile": f"{BUILD}\n", "x/Dockerfile.api": f"{BUILD}\n"}
    result = migrated(filled(files, LOCKED), root_name="shop")
    assert result == filled(files, ("id=target-builder-shop", "id=target-builder-api"))


# -- which mounts see one directory ---------------------------------------------------------------

COOK = f"FROM rust:1.95 AS cook\nWORKDIR /b\n{MOUNT}cargo chef cook --recipe-path r.json\n"


@pytest.mark.parametrize(
    ("text", "stages"),
    [
        pytest.param(
            f"{COOK}FROM cook AS builder\n{MOUNT}cargo build\n",
            ["builder", "builder"],
            id="what is cooked belongs to the stage that is built on it",
        ),
        pytest.param(
            f"{COOK}{RUST}COPY --from=cook /x /x\n{MOUNT}cargo build\n",
            ["builder", "builder"],
            id="or to one that copies from it",
        ),
        pytest.param(
            f"{COOK}{MOUNT}cargo build\n", ["cook", "cook"], id="or to its own that compiles"
        ),
        pytest.param(
            f"{COOK}{RUST}{MOUNT}cargo build\n",
            ["cook", "builder"],
            id="not to one that does not need it",
        ),
        pytest.param(COOK, ["cook"], id="nobody else needs it"),
        pytest.param(
            f"{COOK}FROM cook AS builder\n{MOUNT}cargo build\nFROM debian AS ci\n"
            "COPY --from=builder /x /\n",
            ["builder", "builder"],
            id="a stage without the mount does not count",
        ),
    ],
)
def test_stages(text: str, stages: list[str]) -> None:
    result = migrated(filled(text, LOCKED), root_name="shop")
    assert result == filled(text, [f"id=target-{stage}-shop" for stage in stages])


@pytest.mark.parametrize(
    ("first", "second", "service"),
    [
        pytest.param("build --bin api", "test", "api", id="the first that compiles"),
        pytest.param("build", "test --bin api", "shop", id="the second does not count"),
        pytest.param("fetch", "build --bin api", "api", id="a fetch does not count"),
        pytest.param("build --bin api", "test --bin ${SERVICE}", "${SERVICE}", id="an argument"),
        pytest.param("build --bin ${SERVICE}", "test --bin api", "${SERVICE}", id="in the first"),
    ],
)
def test_the_mounts_of_a_stage_agree(first: str, second: str, service: str) -> None:
    text = f"{RUST}ARG SERVICE\n{MOUNT}cargo {first}\n{MOUNT}cargo {second}\n"
    result = migrated(filled(text, LOCKED), root_name="shop")
    assert result == filled(text, f"id=target-builder-{service}")


def test_an_argument_that_one_of_the_runs_does_not_see_is_no_service() -> None:
    text = f"{RUST}{MOUNT}cargo build --bin api\nARG SERVICE\n{MOUNT}cargo test --bin $SERVICE\n"
    result = migrated(filled(text, LOCKED))
    assert result == filled(text, "id=target-builder-api")


def test_an_argument_that_one_of_the_runs_does_not_see_tells_nothing() -> None:
    text = (
        f"{RUST}ARG A\nARG B\nARG C\n{MOUNT}cargo build --bin $A --bin $B --bin $C\n"
        "ARG SERVICE\n"
        f"{MOUNT}cargo test --bin $SERVICE\n"
    )
    result = migrated(filled(text, LOCKED), root_name="shop")
    assert result == filled(text, LOCKED)
    assert result.codes == ["MC208", "MC208"]
    assert "${SERVICE} is not in scope at every RUN" in result.reasons[0]
