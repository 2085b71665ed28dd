"""Where a student's code runs. Knows nothing of checks, references or points."""
