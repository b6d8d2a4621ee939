"""Run a command on a private modern Docker: ``python -m tests.engine docker buildx bake ...``.

The command finds the engine's programs (docker with buildx and compose, buildah) before the
machine's, and the engine by DOCKER_HOST. When it ends, the engine and all it has built end, too.
"""

from __future__ import annotations

import os
import subprocess
import sys

from .modern import start_modern_docker
from .private import Unavailable, isolated


def main(command: list[str]) -> int | str:
    """Start the engine, run the command in the present folder, and return its exit status."""
    try:
        engine = start_modern_docker(lambda text: print(text, file=sys.stderr))  # noqa: T201
    except Unavailable as reason:
        return f"no modern engine can be started here: {reason}"
    try:
        environment = os.environ | engine.client_environment
        done = subprocess.run(
            isolated(command or ["bash"], engine.place.root), env=environment, check=False
        )
        return done.returncode
    except KeyboardInterrupt:
        return 130
    finally:
        engine.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
