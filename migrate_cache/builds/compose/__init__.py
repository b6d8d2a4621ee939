"""Read the builds that compose files declare."""
