"""Judges one submission, and proves that the checks are strong."""
