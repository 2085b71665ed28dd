"""Recorded examples: what Hypothesis found when the course was built, replayed for every student."""
