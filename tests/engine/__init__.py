"""Builds on a real engine: what the rewrites promise, shown by the order of events."""
