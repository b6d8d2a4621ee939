from __future__ import annotations

import pytest

from migrate_cache.dockerfile.base_images import (
    image_environment,
    image_user,
    image_user_home,
    known_image,
)

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
    assert image_environment(image)["CARGO_HOME"] == "/usr/local/cargo"
    assert image_user_home(image) == "/root"


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
    assert image_environment(image)[variable] == value


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
    assert not image_environment(image)
    assert image_user(image) is None
    assert image_user_home(image) is None


@pytest.mark.parametrize(
    ("image", "user", "home"),
    [
        ("node:22", "", "/root"),
        ("node:22", "node", "/home/node"),
        ("node:22", "node:node", "/home/node"),
        ("node:22", "someone", None),
        ("oven/bun:1", "bun", "/home/bun"),
        ("gradle:8", "gradle", "/home/gradle"),
        ("mambaorg/micromamba", "", "/home/mambauser"),
        ("ekidd/rust-musl-builder", "", "/home/rust"),
        ("unknown", "root", "/root"),
        ("unknown", "0", "/root"),
        ("unknown", "app", None),
        ("debian:12", "", "/root"),
    ],
)
def test_home(image: str, user: str, home: str | None) -> None:
    assert image_user_home(image, user) == home


def test_plain_images_are_known_to_set_nothing() -> None:
    assert known_image("python:3.13") is not None
    assert not image_environment("python:3.13")
    assert image_user("python:3.13") == "root"
    assert image_user("mambaorg/micromamba") == "mambauser"


def test_values_are_absolute() -> None:
    for image in ("rust", "golang", "ruby", "composer", "gradle", "maven"):
        assert all(value.startswith("/") for value in image_environment(image).values())
