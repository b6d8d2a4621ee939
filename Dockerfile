# syntax=docker/dockerfile:1

# migrate-cache in an image, for machines without Python:
#
#   docker build -t migrate-cache .
#   docker run --rm -v "$PWD:/repo" --user "$(id -u):$(id -g)" migrate-cache --dry-run

ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim AS build
WORKDIR /src
COPY constraints.txt ./
RUN pip install --no-cache-dir --constraint constraints.txt uv
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
COPY pyproject.toml README.md LICENSE ./
COPY grammar grammar
COPY migrate_cache migrate_cache
# uv's cache is made for several users at once, so images that use it build side by side.
RUN --mount=type=cache,target=/root/.cache/uv,sharing=shared \
    uv venv /opt/migrate-cache && \
    uv pip install --python /opt/migrate-cache --compile-bytecode \
        --constraint constraints.txt --build-constraint constraints.txt .

FROM python:${PYTHON_VERSION}-slim
COPY --from=build /opt/migrate-cache /opt/migrate-cache
ENV PATH=/opt/migrate-cache/bin:$PATH
# Nobody in particular; --user gives the owner of the files that are to be written.
USER 65532:65532
WORKDIR /repo
ENTRYPOINT ["migrate-cache"]
