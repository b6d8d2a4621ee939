"""The variables that well-known base images set, and the users that their RUNs run as.

Only those that decide where tools keep their caches. BuildKit expands these variables in a
mount's target, and the tools that a RUN starts see them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Image(NamedTuple):
    """What is known of one image."""

    environment: Mapping[str, str] = {}
    user: str = "root"


# rust-lang/docker-rust, Dockerfile-debian.template and Dockerfile-alpine.template
_RUST = Image({"RUSTUP_HOME": "/usr/local/rustup", "CARGO_HOME": "/usr/local/cargo"})
_RUST_MUSL = Image({"RUSTUP_HOME": "/root/.rustup", "CARGO_HOME": "/root/.cargo"})
# docker-library/golang, Dockerfile-linux.template
_GO = Image({"GOPATH": "/go"})

_IMAGES: dict[str, Image] = {
    "rust": _RUST,
    # rust-lang/docker-rust-nightly: the same instructions
    "rustlang/rust": _RUST,
    # LukeMathWalker/cargo-chef, docker/Dockerfile: FROM rust
    "lukemathwalker/cargo-chef": _RUST,
    # devcontainers/images, src/rust: FROM rust
    "mcr.microsoft.com/devcontainers/rust": _RUST,
    # rust-cross/rust-musl-cross, Dockerfile
    "messense/rust-musl-cross": _RUST_MUSL,
    "ghcr.io/rust-cross/rust-musl-cross": _RUST_MUSL,
    # emk/rust-musl-builder, Dockerfile: rustup's defaults, in the home of its user
    "ekidd/rust-musl-builder": Image(user="rust"),
    "golang": _GO,
    # golangci/golangci-lint, build/buildx.Dockerfile: FROM golang
    "golangci/golangci-lint": _GO,
    # microsoft/go-images, src/microsoft: as docker-library's
    "mcr.microsoft.com/oss/go/microsoft/golang": _GO,
    # devcontainers/images, src/go: FROM golang
    "mcr.microsoft.com/devcontainers/go": _GO,
    # docker-library/ruby, Dockerfile.template
    "ruby": Image({"GEM_HOME": "/usr/local/bundle", "BUNDLE_APP_CONFIG": "/usr/local/bundle"}),
    # composer/docker, latest/Dockerfile
    "composer": Image({"COMPOSER_HOME": "/tmp"}),  # noqa: S108  the image says so
    # keeganwitt/docker-gradle: GRADLE_USER_HOME is not set; root's ~/.gradle is a link to it
    "gradle": Image({"GRADLE_HOME": "/opt/gradle"}),
    # carlossg/docker-maven, eclipse-temurin-17/Dockerfile
    "maven": Image({"MAVEN_CONFIG": "/root/.m2"}),
    # microsoft/playwright, utils/docker/Dockerfile.noble
    "mcr.microsoft.com/playwright": Image({"PLAYWRIGHT_BROWSERS_PATH": "/ms-playwright"}),
    # mamba-org/micromamba-docker, debian.Dockerfile
    "mambaorg/micromamba": Image({"MAMBA_ROOT_PREFIX": "/opt/conda"}, user="mambauser"),
}
# Official images that set none of these variables, and run as root: languages, then systems.
_PLAIN_IMAGES = """
    python mcr.microsoft.com/dotnet/sdk eclipse-temurin openjdk amazoncorretto php gcc node oven/bun
    debian ubuntu alpine fedora archlinux amazonlinux rockylinux almalinux busybox buildpack-deps
    scratch
"""
_IMAGES.update(dict.fromkeys(_PLAIN_IMAGES.split(), Image()))
# Addresses under which Docker Hub's official images are mirrored.
_MIRRORS = (
    "docker.io/library/",
    "index.docker.io/library/",
    "registry-1.docker.io/library/",
    "registry.hub.docker.com/library/",
    "public.ecr.aws/docker/library/",
    "mirror.gcr.io/library/",
    "mcr.microsoft.com/mirror/docker/library/",
    "docker.io/",
    "index.docker.io/",
    "mirror.gcr.io/",
    "library/",
)
# Docker Hub's folders of official images for one architecture.
_ARCHITECTURES = frozenset({"amd64", "arm64v8", "arm32v5", "arm32v6", "arm32v7", "i386"})
_ARCHITECTURES |= {"ppc64le", "s390x", "riscv64", "mips64le"}


def image_name(image: str) -> str:
    """Return the repository of `image` without tag, digest and the address of a mirror."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    name = (folder + slash + last.partition(":")[0]).lower()
    mirror = next((known for known in _MIRRORS if name.startswith(known)), "")
    name = name[len(mirror) :]
    folder, _, last = name.rpartition("/")
    return last if folder in _ARCHITECTURES else name


def known_image(image: str) -> Image | None:
    """Return what is known of `image`, a reference as in FROM; None if nothing is.

    A variable in the tag does not matter. A pull-through proxy of Docker Hub
    (``registry.example.com/dockerhub/library/rust``) counts as the Hub where the path
    says ``library``.
    """
    name = image_name(image)
    if "$" in name or "windows" in image or "nanoserver" in image:
        return None
    if name in _IMAGES:
        return _IMAGES[name]
    host, proxied, official = name.rpartition("/library/")
    if proxied and ("." in host or ":" in host):
        return _IMAGES.get(official)
    return None
