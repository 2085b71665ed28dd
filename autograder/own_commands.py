"""Commands of this environment that others start by name."""

import os
import sys
from pathlib import Path


def find_own_commands() -> None:
    """Puts the folder of this Python first on the ``PATH`` of child processes.

    nbgrader starts `alembic` by name, also where the virtual environment is not activated.
    """
    own = str(Path(sys.executable).parent)
    others = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder != own]
    os.environ["PATH"] = os.pathsep.join([own, *others])
