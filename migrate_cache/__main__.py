"""``python -m migrate_cache``, and the ``migrate-cache`` script."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command; its version, which scripts and hooks ask for, takes no command line."""
    if sys.argv[1:] == ["--version"]:
        from migrate_cache import __version__

        sys.stdout.write(f"migrate-cache {__version__}\n")
        return
    try:
        from migrate_cache.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
