"""The ways into other tools: hooks, the action, the image, and the examples, each run."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from migrate_cache import __version__
from migrate_cache.builds import is_build_file
from migrate_cache.files.config_file import CONFIG_NAMES, read_config
from migrate_cache.files.discovery import is_dockerfile
from migrate_cache.files.tally import tally_warnings
from migrate_cache.settings import Settings, settings_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent.parent
EXAMPLES = HERE / "examples"
DEMO = HERE / "fixtures" / "demo"
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}|OWNER/migrate-cache@COMMIT")

if not (HERE / "action.yml").exists():
    pytest.skip("needs the checkout", allow_module_level=True)

pytestmark = [
    pytest.mark.checkout,
    pytest.mark.skipif(sys.platform == "win32", reason="runs shell scripts"),
]
needs_pre_commit = pytest.mark.skipif(
    util.find_spec("pre_commit") is None, reason="pre-commit is in the group integration"
)


def environment(**more: str) -> dict[str, str]:
    dropped = ("GIT_", "GITHUB_", "MIGRATE_CACHE", "PRE_COMMIT", "PYTHONPATH")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    people = {f"GIT_{who}_{what}": "x@example.com" for who in ("AUTHOR", "COMMITTER")
              for what in ("NAME", "EMAIL")}  # fmt: skip
    return kept | people | {"GIT_CONFIG_GLOBAL": os.devnull, "NO_COLOR": "1"} | more


def run(
    *command: str | Path, cwd: Path, stdin: bytes = b"", **more: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment(**more),
        input=stdin,
        capture_output=True,
        check=False,
        timeout=300,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def git(cwd: Path, *arguments: str) -> str:
    done = run("git", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


BEFORE, AFTER = contents(DEMO / "before"), contents(DEMO / "after")


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """A folder with the command in it, for the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program(folder / "migrate-cache", f'exec "{sys.executable}" -m migrate_cache "$@"')
    return folder


def program(path: Path, text: str) -> None:
    path.write_text(f'#!/bin/bash\nexport PYTHONPATH="{HERE}"\n{text}\n', "utf-8")
    path.chmod(0o755)


def with_path(command: Path) -> dict[str, str]:
    return {"PATH": f"{command}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The demo in a git repository, with one commit."""
    folder = tmp_path / "shop"
    shutil.copytree(DEMO / "before", folder)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=start")
    return folder


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


# pre-commit.

HOOKS = {hook["id"]: hook for hook in load(HERE / ".pre-commit-hooks.yaml")}
NAMES = [
    "Dockerfile", "dockerfile", "DOCKERFILE", "a/Dockerfile.api", "a/b/api.Dockerfile",
    "api.dockerfile", "Dockerfile-dev", "Containerfile", "x/containerfile.web", "web.Containerfile",
    "Dockerfile.a.b", "a b/Dockerfile", "é.Dockerfile", "Dockerfile.py", "Dockerfile.dev.j",
    "Dockerfile.dockerignore", ".dockerignore", "Dockerfile.j2", "Dockerfile.jinja2",
    "Dockerfile.tmpl", "x.Dockerfile.erb", "Dockerfile.in", "Dockerfile.bak", "Dockerfile~",
    "#Dockerfile#", ".#Dockerfile", "._Dockerfile", "Dockerfile.md", "dockerfile.lark",
    "Dockerfile.YML", "Dockerfile.yaml", "Dockerfile.json", "Dockerfile.orig", "Dockerfile.swp",
    "Dockerfiles", "Dockerfile/x", "Dockerfile.d/x", "MyDockerfile", "dockerfile.", ".Dockerfile",
    "docker-compose.yml", "compose.yaml", "a/compose.dev.yml", "compose-dev.yaml", "composer.yml",
    "docker-bake.hcl", "a/docker-bake.override.json", "docker-bake.tf", ".github/workflows/ci.yml",
    "a/.github/workflows/x.yaml", ".github/x.yml", "Docker-Compose.override.YAML",
    "migrate-cache.toml", ".migrate-cache.toml", "a/migrate-cache.toml", "x-migrate-cache.toml",
    "README.md", "src/main.rs",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_hooks_run_for_the_files_that_the_command_reads(name: str) -> None:
    last = name.rpartition("/")[2]
    # A pyproject.toml changes often, and rarely for this.
    wanted = is_dockerfile(last) or is_build_file(name) or last in set(CONFIG_NAMES[:2])
    for hook in HOOKS.values():
        assert bool(re.search(hook["files"], name)) == wanted


def test_hooks_take_the_project_as_a_whole() -> None:
    assert set(HOOKS) == {"migrate-cache", "migrate-cache-check"}
    for hook in HOOKS.values():
        assert (hook["pass_filenames"], hook["require_serial"]) == (False, True)
        assert hook["language"] == "python"


def hook_run(shop: Path, home: Path, config: object, *arguments: str, **more: str) -> Any:
    (shop / ".pre-commit-config.yaml").write_text(json.dumps(config), "utf-8")
    git(shop, "add", ".pre-commit-config.yaml")
    command = (sys.executable, "-m", "pre_commit", "run", "--color=never", *arguments)
    return run(*command, cwd=shop, PRE_COMMIT_HOME=str(home), **more)


@needs_pre_commit
def test_hooks_as_pre_commit_runs_them(shop: Path, command: Path, tmp_path: Path) -> None:
    """With the command of this environment in place of an installed one."""
    hooks = [{**hook, "language": "system"} for hook in HOOKS.values()]
    config = {"repos": [{"repo": "local", "hooks": hooks}]}
    home = tmp_path / "home"

    def hook(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = hook_run(shop, home, config, name, *arguments, **with_path(command))
        assert isinstance(done, subprocess.CompletedProcess)
        return done

    (shop / "notes.txt").write_text("x\n")
    git(shop, "add", "notes.txt")
    skipped = hook("migrate-cache")
    assert (skipped.returncode, "Skipped" in skipped.stdout) == (0, True)

    (shop / "Dockerfile.toolbox").write_bytes(BEFORE["Dockerfile.toolbox"] + b"# x\n")
    git(shop, "add", "Dockerfile.toolbox")
    checked = hook("migrate-cache-check")
    assert checked.returncode == 1
    assert "+RUN --mount=type=cache" in checked.stdout
    assert (shop / "Dockerfile").read_bytes() == BEFORE["Dockerfile"]

    written = hook("migrate-cache")
    assert written.returncode == 1
    assert "files were modified by this hook" in written.stdout
    changed = ("Dockerfile", "Dockerfile.pack-binaries", "Dockerfile.worker")
    assert [(shop / name).read_bytes() for name in changed] == [AFTER[name] for name in changed]

    git(shop, "add", "--all")
    assert hook("migrate-cache").returncode == 0
    assert hook("migrate-cache-check", "--all-files").returncode == 0


@pytest.mark.integration
@needs_pre_commit
def test_hooks_as_pre_commit_installs_them(shop: Path, tmp_path: Path) -> None:
    """The working tree as a repository of hooks; the package comes from it."""
    tool = tmp_path / "tool"
    tool.mkdir()
    listed = git(HERE, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    parts = ("migrate_cache/", "grammar/")
    for name in listed.split("\0"):
        whole = name.startswith(parts) or ("/" not in name and (HERE / name).is_file())
        if name and whole and (HERE / name).exists():
            (tool / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(HERE / name, tool / name)
    git(tool, "init", "--quiet")
    git(tool, "add", "--all")
    git(tool, "commit", "--quiet", "--message=all")
    revision = git(tool, "rev-parse", "HEAD").strip()
    hooks = [{"id": "migrate-cache", "args": ["--no-cargo-lock"]}]
    config = {"repos": [{"repo": str(tool), "rev": revision, "hooks": hooks}]}
    constrained = {"PIP_CONSTRAINT": str(HERE / "constraints.txt")}
    done = hook_run(shop, tmp_path / "home", config, "--all-files", **constrained)
    assert "files were modified by this hook" in done.stdout, done.stdout + done.stderr
    assert b"id=target-builder-${SERVICE}" in (shop / "Dockerfile").read_bytes()
    again = hook_run(shop, tmp_path / "home", config, "--all-files", **constrained)
    assert again.returncode == 0, again.stdout


# The action for GitHub.

ACTION = load(HERE / "action.yml")
STEPS = {step.get("id", step["name"]): step for step in ACTION["runs"]["steps"]}


def scripts() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every step with a script or an action, with where it stands."""
    for step in ACTION["runs"]["steps"]:
        yield "action.yml", step
    for path in sorted(EXAMPLES.glob("github-*.yml")):
        for job in load(path)["jobs"].values():
            for step in job["steps"]:
                yield path.name, step


def test_nothing_is_put_into_a_script() -> None:
    for where, step in scripts():
        assert "${{" not in step.get("run", ""), (where, step.get("name"))


def test_actions_are_pinned() -> None:
    used = [step["uses"] for _, step in scripts() if "uses" in step]
    assert used
    assert [name for name in used if not PINNED.fullmatch(name)] == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("github-*.yml")), ids=lambda path: path.name)
def test_workflows_get_no_more_rights_than_they_need(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert set(job["permissions"]) <= {"contents", "pull-requests"}
        assert job["timeout-minutes"] <= 10


def test_the_action_is_well_formed() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert {"name", "description", "inputs", "outputs", "runs"} <= set(ACTION)
    text = (HERE / "action.yml").read_text("utf-8")
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    for name, value in re.findall(r"steps\.(\w+)\.outputs\.([\w-]+)", text):
        assert re.search(rf'echo "{value}=', STEPS[name]["run"]), (name, value)
    for step in ACTION["runs"]["steps"]:
        assert step.get("shell", "bash") == "bash"
    assert STEPS["Upload the patch"]["with"]["path"] == ACTION["outputs"]["patch"]["value"]


class Runner:
    """As much of GitHub's runner as two steps need."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temp = folder / "runner temp"
        self.temp.mkdir()
        self.summary = folder / "summary"
        self.outputs: dict[str, dict[str, str]] = {}

    def step(self, name: str, workspace: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
        values = {key: entry.get("default", "") for key, entry in ACTION["inputs"].items()}
        values |= {key.replace("_", "-"): value for key, value in inputs.items()}
        step = STEPS[name]
        variables = {key: self.value(text, values) for key, text in step["env"].items()}
        at = workspace / self.value(step.get("working-directory", "."), values)
        output = self.folder / f"output-{name}"
        output.write_bytes(b"")
        script = self.folder / f"{name}.sh"
        script.write_text(step["run"], "utf-8")
        done = run(
            "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script, cwd=at,
            GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(self.summary),
            GITHUB_ACTION_PATH=str(HERE), RUNNER_TEMP=str(self.temp), **variables,
        )  # fmt: skip
        lines = output.read_text("utf-8").splitlines()
        self.outputs[name] = dict(line.split("=", 1) for line in lines)
        return done

    def value(self, text: str, inputs: Mapping[str, str]) -> str:
        def known(match: re.Match[str]) -> str:
            kind, _, rest = match[1].partition(".")
            if kind == "inputs":
                return inputs[rest]
            step, _, name = rest.partition(".outputs.")
            return self.outputs[step][name]

        return re.sub(r"\$\{\{ (.+?) \}\}", known, text)

    def check(self, workspace: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
        return self.step("run", workspace, **inputs)


@pytest.fixture
def runner(tmp_path: Path, command: Path) -> Runner:
    """A runner on which the command is installed already."""
    runner = Runner(tmp_path)
    folder = runner.temp / "installed"
    folder.mkdir()
    runner.outputs["install"] = {
        "command": str(command / "migrate-cache"), "folder": str(folder),
    }  # fmt: skip
    return runner


def test_the_action_checks_and_annotates(runner: Runner, shop: Path) -> None:
    done = runner.check(shop)
    assert done.returncode == 1
    assert re.search(
        r"^::warning file=Dockerfile,line=14,.*title=MC102 .*::", done.stdout, re.MULTILINE
    )
    outputs = runner.outputs["run"]
    assert (outputs["pending"], outputs["exit-code"]) == ("true", "1")
    assert "`target-builder-${SERVICE}`" in runner.summary.read_text("utf-8")
    assert contents(shop) == BEFORE
    git(shop, "apply", outputs["patch"])
    assert contents(shop) == AFTER
    git(shop, "commit", "--quiet", "--all", "--message=migrated")
    assert runner.check(shop).returncode == 0
    assert runner.outputs["run"] == {"pending": "false", "exit-code": "0", "patch": ""}


@pytest.mark.integration
def test_the_action_gives_a_patch_without_failing(runner: Runner, shop: Path) -> None:
    assert runner.check(shop, mode="patch").returncode == 0
    assert runner.outputs["run"]["pending"] == "true"
    assert Path(runner.outputs["run"]["patch"]).is_file()
    git(shop, "mv", "Dockerfile.worker", "Dockerfile.old")
    (shop / "Dockerfile.broken").write_text("FROM a\nRUN --mount=type=cache,target=/x <<EOF\n")
    assert runner.check(shop, mode="patch").returncode == 3
    assert runner.outputs["run"]["exit-code"] == "3"


@pytest.mark.integration
def test_the_inputs_of_the_action(runner: Runner, shop: Path) -> None:
    (shop / "a b").mkdir()
    shutil.copy(shop / "Dockerfile.pack-binaries", shop / "a b" / "Dockerfile")
    done = runner.check(shop, paths="\n  \na b\r\nDockerfile.toolbox\n".replace("  ", ""))
    assert "file=a b/Dockerfile" in done.stdout
    assert "::warning file=Dockerfile," not in done.stdout
    done = runner.check(shop, args="  --select MC102\n --keep-lock --format json ")
    assert "title=MC102" in done.stdout
    assert "title=MC101" not in done.stdout
    assert "sharing=locked" in Path(runner.outputs["run"]["patch"]).read_text("utf-8")
    done = runner.check(shop.parent, working_directory="shop")
    assert (done.returncode, runner.outputs["run"]["exit-code"]) == (1, "1")
    assert runner.check(shop, mode="write").returncode == 2
    done = runner.check(shop, args="--bogus")
    assert (done.returncode, runner.outputs["run"]["exit-code"]) == (2, "2")
    assert "No such option" in done.stdout
    assert contents(shop).items() >= BEFORE.items()


HOSTILE = "$(touch HURT) `touch HURT` ; touch HURT\n'; touch HURT #\n\"; touch HURT\n*\n--help"


@pytest.mark.integration
@pytest.mark.parametrize("name", ["mode", "paths", "args"])
def test_inputs_of_the_action_cannot_run_anything(runner: Runner, shop: Path, name: str) -> None:
    done = runner.check(shop, **{name: HOSTILE})
    assert "Usage:" not in done.stdout or name == "args"
    assert not list(shop.rglob("HURT"))
    assert set(runner.outputs["run"]) <= {"pending", "exit-code", "patch"}


@pytest.mark.parametrize(
    "version", ["0.1.0; touch HURT", "$(touch HURT)", "--help", "1 @ file:///x", "1\ntouch HURT"]
)
def test_the_version_is_a_version(runner: Runner, shop: Path, version: str) -> None:
    done = runner.step("install", shop, version=version)
    assert done.returncode == 2
    assert "not a version number" in done.stdout
    assert not list(runner.temp.glob("migrate-cache.*"))
    assert not list(shop.rglob("HURT"))


def test_files_cannot_speak_to_the_runner(runner: Runner, shop: Path) -> None:
    name = "::add-mask::a"
    (shop / name).mkdir()
    hurt = "::add-mask::secret\n"
    (shop / name / "Dockerfile").write_text(
        f"FROM a\nRUN --mount=type=cache,target=/x,shar\\\n{hurt}RUN <<EOF\n{hurt}"
    )
    (shop / "migrate-cache.toml").write_text(f"# {hurt}project = 'a'\n")
    done = runner.check(shop)
    token = re.search(r"^::stop-commands::([0-9a-f]{32})$", done.stdout, re.MULTILINE)
    assert token
    spoken, _, rest = done.stdout.partition(token[0])
    unheard, _, after = rest.partition(f"::{token[1]}::")
    assert after.strip() == ""
    for line in spoken.splitlines():
        assert line.startswith(("::warning ", "::notice ", "::error ")), line
    assert "\n::add-mask::a/Dockerfile:" in unheard
    assert token[1] not in unheard


@pytest.mark.integration
def test_the_action_installs_itself(tmp_path: Path, shop: Path) -> None:
    runner = Runner(tmp_path)
    done = runner.step("install", shop)
    assert done.returncode == 0, done.stdout + done.stderr
    assert runner.check(shop).returncode == 1


def test_the_action_says_that_it_needs_python(tmp_path: Path, shop: Path, runner: Runner) -> None:
    """With nothing but an old Python on the PATH."""
    old = tmp_path / "old"
    old.mkdir()
    (old / "python3").write_text("#!/bin/sh\nexit 1\n")
    (old / "python3").chmod(0o755)
    script = STEPS["install"]["run"]
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-c", script],
        cwd=shop,
        env={"PATH": str(old), "VERSION": "", "RUNNER_TEMP": str(runner.temp)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"Python 3.11 or newer is needed" in done.stdout


# The image.


def test_the_image_is_made_as_we_say() -> None:
    path = HERE / "Dockerfile"
    done = run(
        sys.executable, "-m", "migrate_cache", "--check", "Dockerfile",
        cwd=HERE, PYTHONPATH=str(HERE),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    text = path.read_text("utf-8")
    assert "sharing=shared" in text
    assert "@sha256" not in text
    users = re.findall(r"^USER (.+)$", text, re.MULTILINE)
    assert users
    assert not users[-1].startswith(("root", "0"))


def test_what_the_image_needs_is_in_its_context() -> None:
    allowed = {
        line[1:].rstrip("/")
        for line in (HERE / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    text = (HERE / "Dockerfile").read_text("utf-8")
    copied = {
        word
        for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
        for word in line.split()[:-1]
    }
    assert copied == allowed
    assert all((HERE / name).exists() for name in copied)


# The examples.


def test_the_examples_are_listed() -> None:
    text = (EXAMPLES / "README.md").read_text("utf-8")
    linked = set(re.findall(r"\]\(([^)]+)\)", text))
    assert linked == {
        path.name + ("/" if path.is_dir() else "")
        for path in EXAMPLES.iterdir()
        if path.name != "README.md"
    }


def test_the_examples_name_this_version() -> None:
    for path in EXAMPLES.rglob("*"):
        if path.is_file():
            found = re.findall(r"migrate-cache==([\w.]+)|rev: v([\w.]+)", path.read_text("utf-8"))
            assert {one or other for one, other in found} <= {__version__}, path


def test_the_configuration_has_every_key(tmp_path: Path) -> None:
    values = read_config(str(EXAMPLES / "migrate-cache.toml"))
    assert set(values) == {"overrides", "caches"}
    # What stands there as a comment is valid, too, and the default.
    text = (EXAMPLES / "migrate-cache.toml").read_text("utf-8")
    shown = re.sub(r"^# ([a-z-]+) = ", r"\1 = ", text, flags=re.MULTILINE)
    (tmp_path / "all.toml").write_text(shown, "utf-8")
    everything = read_config(str(tmp_path / "all.toml"))
    assert set(everything) == {field.name for field in dataclasses.fields(Settings)}
    assert settings_from(everything) == settings_from(values)


def test_two_lines_keep_tally_from_undoing_it(tmp_path: Path) -> None:
    (tmp_path / ".tally.toml").write_text("")
    assert len(list(tally_warnings(str(tmp_path), [".tally.toml"]))) == 1
    shutil.copy(EXAMPLES / "tally.toml", tmp_path / ".tally.toml")
    assert list(tally_warnings(str(tmp_path), [".tally.toml"])) == []
    lines = (EXAMPLES / "tally.toml").read_text("utf-8").splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) == 2


def test_the_pre_commit_example() -> None:
    (repository,) = load(EXAMPLES / "pre-commit-config.yaml")["repos"]
    assert {hook["id"] for hook in repository["hooks"]} <= set(HOOKS)


@pytest.mark.integration
def test_the_gitlab_example(shop: Path, command: Path) -> None:
    (job,) = load(EXAMPLES / "gitlab-ci.yml").values()
    script = "set -e\n" + "\n".join(job["script"])
    done = run("sh", "-c", script, cwd=shop, **with_path(command))
    assert done.returncode == 1
    assert job["artifacts"]["paths"] == ["migrate-cache.patch", "migrate-cache.md"]
    git(shop, "apply", "migrate-cache.patch")
    assert "would change" in (shop / "migrate-cache.md").read_text("utf-8")
    assert run("sh", "-c", script, cwd=shop, **with_path(command)).returncode == 0
    assert contents(shop).items() >= AFTER.items()


STUB = """
printf '%s\\n' "$*" >>"$CALLS"
while [ $# -gt 0 ]; do
  [ "$1" = --body-file ] && cat "$2" >"$CALLS.body"
  [ "$1" = list ] && cat "$CALLS.number" 2>/dev/null
  shift
done
true
"""


@pytest.mark.integration
def test_the_workflow_that_opens_a_pull_request(shop: Path, command: Path, tmp_path: Path) -> None:
    (job,) = load(EXAMPLES / "github-pull-request.yml")["jobs"].values()
    step = job["steps"][-1]
    program(command / "gh", STUB)
    origin, calls = tmp_path / "origin.git", tmp_path / "calls"
    git(tmp_path, "init", "--quiet", "--bare", str(origin))
    git(shop, "remote", "add", "origin", str(origin))
    variables = {key: value for key, value in step["env"].items() if "${{" not in value}
    variables |= {"BASE": "main", "CALLS": str(calls), "RUNNER_TEMP": str(tmp_path)}
    variables |= {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}

    def workflow() -> str:
        calls.write_text("")
        done = run("bash", "-e", "-c", step["run"], cwd=shop, **variables, **with_path(command))
        assert done.returncode == 0, done.stdout + done.stderr
        return calls.read_text("utf-8")

    assert "pr create --head migrate-cache --base main --title Let parallel" in workflow()
    body = (tmp_path / "calls.body").read_text("utf-8")
    assert "`target-builder-${SERVICE}`" in body
    assert "docker buildx prune" in body
    shown = git(origin, "show", "migrate-cache:Dockerfile")
    assert shown.encode() == AFTER["Dockerfile"]
    # Again, as a fresh checkout of main: the pull request that is open is brought up to date.
    git(shop, "switch", "--quiet", "main")
    (tmp_path / "calls.number").write_text("7\n")
    said = workflow()
    assert "pr edit 7 " in said
    assert "pr create" not in said
    # And once it is merged there is nothing to do.
    assert workflow() == ""


@pytest.mark.integration
def test_multi_gitter(shop: Path, command: Path, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    variables = {"MIGRATE_CACHE_REPORTS": str(reports), "REPOSITORY": "org/a__shop"}
    folder = EXAMPLES / "multi-gitter"
    for script in folder.glob("*.sh"):
        assert os.access(script, os.X_OK)
    done = run(folder / "migrate.sh", cwd=shop, **variables, **with_path(command))
    assert done.returncode == 0, done.stderr
    assert contents(shop) == AFTER
    assert [path.name for path in reports.iterdir()] == ["org__a__shop.md"]
    program(command / "gh", 'printf "%s\\n" "$*" >>"$CALLS"; cat >"$CALLS.body"')
    calls = tmp_path / "calls"
    more = {**variables, **with_path(command), "CALLS": str(calls)}
    assert run(folder / "set-bodies.sh", cwd=tmp_path, **more).returncode == 0
    assert calls.read_text() == "pr edit migrate-cache --repo org/a__shop --body-file -\n"
    assert "docker buildx prune" in (tmp_path / "calls.body").read_text("utf-8")
    # Nothing to do: no report. Options: split at blanks.
    git(shop, "commit", "--quiet", "--all", "--message=migrated")
    shutil.rmtree(reports)
    assert run(folder / "migrate.sh", cwd=shop, **variables, **with_path(command)).returncode == 0
    assert not reports.exists()
    bad = {"MIGRATE_CACHE_ARGS": "--select MC999"}
    assert run(folder / "migrate.sh", cwd=shop, **bad, **with_path(command)).returncode == 2


def test_multi_gitter_knows_its_configuration() -> None:
    values = load(EXAMPLES / "multi-gitter" / "multi-gitter.yaml")
    assert set(values) == {
        "org", "branch", "commit-message", "pr-title", "pr-body", "concurrent",
    }  # fmt: skip


def filtered(shop: Path, name: str) -> bytes:
    done = subprocess.run(
        [sys.executable, "-m", "migrate_cache", "-", "--quiet", "--stdin-filename", name],
        cwd=shop,
        env=environment(PYTHONPATH=str(HERE)),
        input=(shop / name).read_bytes(),
        capture_output=True,
        check=True,
    )
    return done.stdout


def test_an_editor_filters_one_file(shop: Path) -> None:
    """It does what can be done in one file: build output gets ids, shared locks stay."""
    after = filtered(shop, "Dockerfile")
    assert after.count(b"id=target-builder-${SERVICE}") == 2
    assert after.count(b"sharing=locked") == 6
    assert filtered(shop, "Dockerfile.toolbox") == BEFORE["Dockerfile.toolbox"]
    assert contents(shop) == BEFORE


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("vim") is None, reason="no vim here")
def test_vim_filters_a_buffer(shop: Path, command: Path) -> None:
    text = (EXAMPLES / "README.md").read_text("utf-8")
    script = re.search(r"```vim\n(.*?)```", text, re.DOTALL)
    assert script
    (shop / "script.vim").write_text(script[1], "utf-8")
    expected = filtered(shop, "Dockerfile")

    def vim(name: str) -> None:
        words = ("vim", "-Nu", "NONE", "-i", "NONE", "-n", "-es", "-S", "script.vim")
        done = run(*words, "-c", "MigrateCache", "-c", "wq", name, cwd=shop, **with_path(command))
        assert done.returncode == 0, done.stdout + done.stderr

    vim("Dockerfile")
    assert (shop / "Dockerfile").read_bytes() == expected
    broken = b"FROM a\nRUN --mount=type=cache,target=/x <<EOF\n"
    (shop / "Dockerfile.broken").write_bytes(broken)
    vim("Dockerfile.broken")
    assert (shop / "Dockerfile.broken").read_bytes() == broken
