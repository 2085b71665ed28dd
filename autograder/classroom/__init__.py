"""A class judged: in parallel, resumable, nothing twice."""
