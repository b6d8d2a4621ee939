"""The variables that well-known base images set, and the homes of their users.

Only those that decide where tools keep their caches. BuildKit expands these variables in a
mount's target, and the tools that a RUN starts see them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Image:
    """What is known of one image; `user` is who its RUNs run as, "" for root."""

    environment: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    user: str = ""
    homes: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


_PLAIN = Image()
# rust-lang/docker-rust, Dockerfile-debian.template and Dockerfile-alpine.template
_RUST = Image({"RUSTUP_HOME": "/usr/local/rustup", "CARGO_HOME": "/usr/local/cargo"})
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
    "messense/rust-musl-cross": Image(
        {"RUSTUP_HOME": "/root/.rustup", "CARGO_HOME": "/root/.cargo"}
    ),
    "ghcr.io/rust-cross/rust-musl-cross": Image(
        {"RUSTUP_HOME": "/root/.rustup", "CARGO_HOME": "/root/.cargo"}
    ),
    # emk/rust-musl-builder, Dockerfile: rustup's defaults, in the home of its user
    "ekidd/rust-musl-builder": Image(user="rust", homes={"rust": "/home/rust"}),
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
    # nodejs/docker-node, Dockerfile-debian.template
    "node": Image(homes={"node": "/home/node"}),
    # oven-sh/bun, dockerhub/debian/Dockerfile
    "oven/bun": Image(homes={"bun": "/home/bun"}),
    # keeganwitt/docker-gradle: GRADLE_USER_HOME is not set; root's ~/.gradle is a link to it
    "gradle": Image({"GRADLE_HOME": "/opt/gradle"}, homes={"gradle": "/home/gradle"}),
    # carlossg/docker-maven, eclipse-temurin-17/Dockerfile
    "maven": Image({"MAVEN_CONFIG": "/root/.m2"}),
    # microsoft/playwright, utils/docker/Dockerfile.noble
    "mcr.microsoft.com/playwright": Image(
        {"PLAYWRIGHT_BROWSERS_PATH": "/ms-playwright"}, homes={"pwuser": "/home/pwuser"}
    ),
    # mamba-org/micromamba-docker, debian.Dockerfile
    "mambaorg/micromamba": Image(
        {"MAMBA_ROOT_PREFIX": "/opt/conda"},
        user="mambauser",
        homes={"mambauser": "/home/mambauser"},
    ),
    # Official images of languages that set none of these variables, and run as root.
    "python": _PLAIN,
    "mcr.microsoft.com/dotnet/sdk": _PLAIN,
    "eclipse-temurin": _PLAIN,
    "openjdk": _PLAIN,
    "amazoncorretto": _PLAIN,
    "php": _PLAIN,
    "gcc": _PLAIN,
    # Systems: no variables of tools at all.
    "debian": _PLAIN,
    "ubuntu": _PLAIN,
    "alpine": _PLAIN,
    "fedora": _PLAIN,
    "archlinux": _PLAIN,
    "amazonlinux": _PLAIN,
    "rockylinux": _PLAIN,
    "almalinux": _PLAIN,
    "busybox": _PLAIN,
    "buildpack-deps": _PLAIN,
    "scratch": _PLAIN,
}
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


def image_environment(image: str) -> Mapping[str, str]:
    """Return the variables of `image` that decide where caches are."""
    known = known_image(image)
    return known.environment if known else _NOTHING


def image_user(image: str) -> str | None:
    """Return the user that `image` runs as (``root`` for root), None if it is not known."""
    known = known_image(image)
    return (known.user or "root") if known else None


def image_user_home(image: str, user: str = "") -> str | None:
    """Return the home of `user` in `image`, None if it is not known.

    Without `user`, that of the user that the image runs as.
    """
    known = known_image(image)
    name = user.partition(":")[0]
    if not name:
        if known is None:
            return None
        name = known.user
    if name in ("", "root", "0"):
        return "/root"
    return known.homes.get(name) if known else None
