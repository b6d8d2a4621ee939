"""Bytes and text, places in them, errors and edits."""
