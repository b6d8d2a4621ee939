"""Infer which service a RUN builds for."""
