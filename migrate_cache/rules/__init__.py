"""Decisions: one rule, one module."""
