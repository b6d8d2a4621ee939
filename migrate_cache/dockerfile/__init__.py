"""Read a Dockerfile into a lossless tree, as BuildKit reads it; usable alone."""
