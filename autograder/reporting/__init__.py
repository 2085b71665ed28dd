"""What grading a class found, as a page for its instructor."""
