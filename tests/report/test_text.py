"""What people read on standard error."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrate_cache.plan.model import FileResult, ProjectResult
from migrate_cache.report import render
from migrate_cache.report.style import (
    count,
    enumerate_words,
    fit,
    paint,
    terminal_width,
    wrap,
)
from migrate_cache.report.text import error_text, report
from migrate_cache.text.errors import MigrateError, ParseError, SafetyError, WriteError
from migrate_cache.text.escape import cells
from tests.report_samples import (
    BROKEN,
    EMPTY,
    HOSTILE_PROJECT,
    NOTHING,
    PROJECT,
    WEB_FILE,
    planned,
    rust_file,
)


def of_file(file, **more):
    return report(ProjectResult("/r", (file,)), width=100, **more)


@pytest.mark.parametrize("mode", ["write", "dry-run", "check"])
def test_report(mode, snapshot):
    assert report(PROJECT, mode=mode, width=90) == snapshot


def test_verbose_report(snapshot):
    assert report(PROJECT, verbose=True, width=80) == snapshot


def test_verbose_says_every_outcome_even_outside_the_given_paths():
    project = replace(PROJECT, files=())
    shown = report(project, verbose=True, width=200)
    for outcome in PROJECT.outcomes:
        assert outcome.path in shown
        assert outcome.target in shown
        assert outcome.reason in shown
        assert all(fact in shown for fact in outcome.evidence)


def test_quiet_report_is_errors_only(snapshot):
    assert report(PROJECT, quiet=True) == snapshot
    assert report(NOTHING, quiet=True) == ""


def test_nothing_to_do(snapshot):
    assert report(NOTHING, width=90) == snapshot
    assert report(EMPTY) == "No Dockerfiles found.\n"


def test_colours(snapshot):
    project = ProjectResult("/r", (rust_file("api"), BROKEN), PROJECT.outcomes[:2])
    coloured = report(project, color=True, width=80)
    assert coloured == snapshot
    for code in ("0", "1", "2", "31", "32", "33", "36"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == report(project, width=80)


def test_hostile_names_and_texts_stay_on_their_lines(snapshot):
    shown = report(HOSTILE_PROJECT, verbose=True, width=100)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert shown == snapshot


def test_the_next_step_says_nothing_of_other_repositories_where_no_mode_changes():
    outcomes = tuple(replace(each, id_after="new") for each in PROJECT.outcomes[:2])
    shown = report(replace(PROJECT, outcomes=outcomes), width=200)
    assert "belongs to the builder" not in shown
    assert "belongs to the builder" in report(PROJECT, width=200)


def test_lines_are_those_of_the_file_as_it_is_now():
    file = rust_file("api")
    after = file.after.split("\n")
    written = of_file(file, mode="write")
    assert "line 4  MC104" in written
    assert "line 6  MC101" in written
    assert "registry,sharing=shared" in after[6 - 1]
    assert "line 7  MC102" in written
    assert "id=target-builder-api" in after[7 - 1]
    assert "line 5  MC102" in of_file(file, mode="check")


def test_equal_reasons_are_said_once():
    file = planned("d", "locked\n" * 6, *[("locked", "shared", "MC101")] * 3)
    assert "lines 1, 2, 3  MC101" in of_file(file)
    file = planned("d", "locked\n" * 6, *[("locked", "shared", "MC101")] * 6)
    assert "lines 1, 2, 3, 4…  MC101" in of_file(file)


def test_notes_are_left_out_unless_verbose():
    assert "MC201" not in of_file(WEB_FILE)
    assert "MC206" in of_file(WEB_FILE)
    assert "MC201" in of_file(WEB_FILE, verbose=True)
    assert of_file(FileResult("d", "", "")).startswith("Nothing to change in 1 file")


def test_words_agree_with_numbers():
    one = ProjectResult("/r", (planned("d", "locked", ("locked", "s", "MC101")),))
    assert "Changed 1 file: 0 of the project's 0 cache mounts." in report(one)
    assert "1 change\n" in report(one)
    assert count(0, "file") == "0 files"
    assert count(2, "file") == "2 files"
    assert enumerate_words([]) == ""
    assert enumerate_words(["a"]) == "a"
    assert enumerate_words(["a", "b"]) == "a and b"
    assert enumerate_words(["a", "b", "c"]) == "a, b and c"


def test_many_failed_files_are_counted():
    files = tuple(replace(BROKEN, path=f"{n}.Dockerfile") for n in range(7))
    shown = report(ProjectResult("/r", files), width=160)
    assert "7 files could not be read: 0.Dockerfile, 1.Dockerfile" in shown
    assert "and 2 more." in shown
    unwritten = ProjectResult("/r", (replace(BROKEN, error=WriteError("disk full", path="d")),))
    assert "1 file failed: broken.Dockerfile.\n" in report(unwritten)


def test_what_a_rewriting_rule_keeps_is_told_from_what_is_in_order():
    fine = replace(PROJECT.outcomes[0], sharing_before="shared", reason="is shared already")
    shown = report(ProjectResult("/r", (), (fine,)), width=100)
    assert "1 mount  in order already" in shown
    assert "sharing=locked" not in shown
    held = replace(fine, sharing_before="locked", sharing_after="locked")
    shown = report(ProjectResult("/r", (), (held,)), width=100)
    assert "MC101  1 mount  kept for a reason that `--verbose` gives" in shown


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (MigrateError("no"), "error: no"),
        (SafetyError("refused", path="a b"), "a b: refused"),
        (
            ParseError(
                "bad", path="d", line=3, column=4, source_line="RUN\t\x1b[1m é", hint="x\ny"
            ),
            "d:3:4: bad\n    RUN \\x1b[1m é\n       ^\n  hint: x\\ny",
        ),
        (
            ParseError("bad", path="d", line=3, column=7, source_line="RUN\t\x1b?é"),
            "d:3:7: bad\n    RUN \\x1b?é\n             ^",
        ),
        (
            ParseError("bad", path="d", line=3, column=3, source_line="日本é"),
            "d:3:3: bad\n    日本é\n        ^",
        ),
    ],
)
def test_errors(error, text):
    assert error_text(error) == text


def test_widths():
    assert cells("ab日e\u0301") == 5
    assert fit("abcdef", 6) == "abcdef"
    assert fit("abcdef", 4) == "abc…"
    assert fit("abcdef", 4, keep_end=True) == "…def"
    assert fit("日本日本", 4) == "日…"
    assert paint("", "red", True) == ""
    assert terminal_width(7) == 40
    assert terminal_width(500) == 160
    assert wrap("", 40, "- ") == "-"


def test_text_is_a_format_too():
    assert render("text", PROJECT, mode="check") == report(PROJECT, mode="check")
    assert render("text", PROJECT, quiet=True) == report(PROJECT, quiet=True)
    with pytest.raises(ValueError, match="unknown format"):
        render("xml", PROJECT)
