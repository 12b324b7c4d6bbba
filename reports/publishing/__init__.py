"""Verify, redact, list and publish runs."""
