"""Read the builds that bake files declare."""
