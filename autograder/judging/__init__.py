"""One submission judged: its cells run, its exercises judged by their checks, its points."""
