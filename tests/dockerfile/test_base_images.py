from __future__ import annotations

import pytest

from migrate_cache.dockerfile.base_images import Image, known_image

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    "image",
    [
        "rust",
        "rust:1.90-slim-bookworm",
        "rust:${RUST_VERSION:-1.90}-slim",
        f"rust@{DIGEST}",
        f"rust:1@{DIGEST}",
        "library/rust:1",
        "docker.io/rust:1",
        "docker.io/library/rust:1",
        "index.docker.io/library/rust",
        "public.ecr.aws/docker/library/rust:1",
        "mirror.gcr.io/library/rust:alpine",
        "registry.example.com:5000/hub/library/rust:1",
        "arm64v8/rust",
        "rustlang/rust:nightly",
        "lukemathwalker/cargo-chef:latest-rust-1",
        "docker.io/lukemathwalker/cargo-chef:latest",
        "mcr.microsoft.com/devcontainers/rust:1",
    ],
)
def test_rust(image: str) -> None:
    known = known_image(image)
    assert known is not None
    assert known.environment["CARGO_HOME"] == "/usr/local/cargo"
    assert known.user == "root"


@pytest.mark.parametrize(
    ("image", "variable", "value"),
    [
        ("golang:1.25-alpine", "GOPATH", "/go"),
        ("golangci/golangci-lint:v2", "GOPATH", "/go"),
        ("ruby:3.4", "GEM_HOME", "/usr/local/bundle"),
        ("composer:2", "COMPOSER_HOME", "/tmp"),
        ("maven:3-eclipse-temurin-21", "MAVEN_CONFIG", "/root/.m2"),
        ("messense/rust-musl-cross:x86_64-musl", "CARGO_HOME", "/root/.cargo"),
        (
            "mcr.microsoft.com/playwright:v1.50.0-noble",
            "PLAYWRIGHT_BROWSERS_PATH",
            "/ms-playwright",
        ),
        ("mambaorg/micromamba:2", "MAMBA_ROOT_PREFIX", "/opt/conda"),
    ],
)
def test_environment(image: str, variable: str, value: str) -> None:
    known = known_image(image)
    assert known is not None
    assert known.environment[variable] == value


@pytest.mark.parametrize(
    "image",
    [
        "someone/rust",
        "ghcr.io/someone/rust:1",
        "registry.example.com/rust:1",
        "tonistiigi/xx",
        "rust-builder",
        "builder",
        "$RUST_IMAGE",
        "rust:${RUST_VERSION}-windowsservercore",
        "golang:1.25-nanoserver",
        "folder/library/rust",
        "",
    ],
)
def test_unknown_image(image: str) -> None:
    assert known_image(image) is None


@pytest.mark.parametrize(
    ("image", "user"),
    [
        ("node:22", "root"),
        ("debian:12", "root"),
        ("gradle:8", "root"),
        ("mambaorg/micromamba", "mambauser"),
        ("ekidd/rust-musl-builder", "rust"),
    ],
)
def test_user(image: str, user: str) -> None:
    known = known_image(image)
    assert known is not None
    assert known.user == user


def test_plain_images_are_known_to_set_nothing() -> None:
    assert known_image("python:3.13") == Image()


def test_values_are_absolute() -> None:
    for name in ("rust", "golang", "ruby", "composer", "gradle", "maven"):
        image = known_image(name)
        assert image is not None
        assert image.environment
        assert all(value.startswith("/") for value in image.environment.values())
