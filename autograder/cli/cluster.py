"""What a cluster needs before a class is graded on it."""

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.terminal import one_sentence

cluster = typer.Typer(no_args_is_help=True, help="Prepares a cluster for `autograder grade --cluster`.")


@cluster.callback()
def _group() -> None:
    """A group stays one also with a single command."""


@cluster.command()
def certificates(
    folder: Annotated[
        Path, typer.Argument(help="Folder to put them in; private/cluster is where they are looked for.")
    ],
) -> None:
    """Makes the certificate with which scheduler, workers and grader know each other and encrypt what they say.

    Example: `autograder cluster certificates private/cluster`
    """
    from autograder.cluster.certificates import make_certificates

    with one_sentence():
        certificate, key = make_certificates(folder)
        print(f"{certificate}\n{key}\nWhoever has both can read hidden checks: give them to the cluster alone.")
