"""Begins an assignment: its released folder is found in what the instructor gives, and copied without loss of work."""
