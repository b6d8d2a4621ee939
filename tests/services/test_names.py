"""Names: what an id may hold, and what the names of files and folders say."""

from __future__ import annotations

import pytest

from migrate_cache.services.names import (
    clean_name,
    from_file_name,
    from_folder,
    listed,
    parts_of,
    service_name,
    without_flavours,
)
from tests.services.runs import service


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("Shop.API_v2", "shop.api_v2"),
        ('a,b"c\nd', "a-b-c-d"),
        ("a  b", "a-b"),
        ("${X}$(id)`id`", "x-id-id"),
        ("-._a_.-", "a"),
        ("ünïcode", "n-code"),
        ("склад", ""),
        ("a" * 5000, "a" * 80),
        ("a" * 79 + "-b", "a" * 79),
        ("-" * 999 + "a", "a"),
        ("-" * 1000 + "a", ""),
        ("", ""),
    ],
)
def test_names_are_reduced(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


@pytest.mark.parametrize(
    ("name", "cleaned"), [("Shop", "shop"), ("v2", "v2"), ("1.2", ""), ("2024_01-x", "2024_01-x")]
)
def test_a_service_has_a_letter_in_its_name(name: str, cleaned: str) -> None:
    assert service_name(name) == cleaned


def test_parts() -> None:
    assert parts_of("Shop-api.v2_x--y-") == ["shop", "api", "v2", "x", "y"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("api", "api"),
        ("api-debian", "api"),
        ("api.Dev.alpine", "api"),
        ("slim", ""),
        ("alpine-3.20", ""),
        ("v2", ""),
        ("api-v2", "api"),
        ("x2", "x2"),
        ("a_b", "a-b"),
    ],
)
def test_flavours_name_nothing(name: str, kept: str) -> None:
    assert without_flavours(name) == kept


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("a",), "a"),
        (("a", "b"), "a and b"),
        (("a", "b", "c"), "a, b and c"),
        (("a", "b", "c", "d"), "a, b, c and d"),
        (("a", "b", "c", "d", "e"), "a, b, c and 2 more"),
        (("a", "a", "b"), "a and b"),
    ],
)
def test_lists(names: tuple[str, ...], text: str) -> None:
    assert listed(names) == text


@pytest.mark.parametrize(
    ("path", "by_file", "by_folder"),
    [
        ("Dockerfile", "", ""),
        ("Dockerfile.api", "api", ""),
        ("dockerfile.API", "api", ""),
        ("docker/api.Dockerfile", "api", ""),
        ("Dockerfile-api", "api", ""),
        ("Dockerfile_api", "api", ""),
        ("api_dockerfile", "api", ""),
        ("api-containerfile", "api", ""),
        ("Containerfile.api", "api", ""),
        ("Dockerfile.", "", ""),
        ("Dockerfileapi", "", ""),
        ("Dockerfile.api.dev", "api", ""),
        ("Dockerfile.sensor.optimized", "sensor", ""),
        ("Dockerfile.alpine-3.20", "", ""),
        ("services/api/Dockerfile", "", "api"),
        ("services/api/Dockerfile.dev", "", "api"),
        ("api/docker/Dockerfile", "", "api"),
        ("api/Docker/Dockerfile", "", "api"),
        ("api/x/Dockerfile", "", "x"),
        ("api/v2/Dockerfile", "", "api"),
        ("cmd/x/Dockerfile", "", "x"),
        ("Shop API/Dockerfile", "", "shop-api"),
        (".devcontainer/Dockerfile", "", ""),
        ("v2/склад/Dockerfile", "", ""),
        ("api-debian/Dockerfile", "", "api"),
    ],
)
def test_names_of_files_and_folders(path: str, by_file: str, by_folder: str) -> None:
    found = [answer.text if answer else "" for answer in (from_file_name(path), from_folder(path))]
    assert found == [by_file, by_folder]


@pytest.mark.parametrize(
    ("path", "evidence"),
    [
        ("x/Dockerfile.api", "the file is called Dockerfile.api"),
        ("api/docker/Dockerfile", "the folder is called api"),
    ],
)
def test_the_evidence_names_what_is_called_so(path: str, evidence: str) -> None:
    answer = from_file_name(path) or from_folder(path)
    assert answer is not None
    assert answer.evidence == evidence


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Dockerfile.worker", "worker"),
        ("api/Dockerfile.worker", "worker"),
        ("api/Dockerfile", "api"),
        ("api/Dockerfile.dev", "api"),
        ("Dockerfile.dev", "shop"),
        ("docker/Dockerfile", "shop"),
    ],
)
def test_the_file_then_the_folder_then_the_project(path: str, name: str) -> None:
    assert service("cargo build", path=path) == name
