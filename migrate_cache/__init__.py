"""Move Dockerfiles from locked BuildKit cache mounts to shared caches and service-specific ids."""

__version__ = "0.1.0"
