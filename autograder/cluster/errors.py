"""What is wrong with a cluster, in one sentence for the person who grades."""


class ClusterError(Exception):
    """Grading on a cluster cannot begin or go on; says why, and what to do."""
