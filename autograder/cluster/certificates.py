"""The certificate by which the parts of a cluster know each other, and encrypt what they say."""

import shutil
import subprocess
from pathlib import Path

from autograder.cluster.errors import ClusterError

CERTIFICATE, KEY = "cert.pem", "key.pem"
DAYS = 365


def make_certificates(folder: Path) -> tuple[Path, Path]:
    """Makes a certificate that vouches for itself, and its key; whoever has both belongs to the cluster.

    Raises:
        ClusterError: there are some already, or there is no openssl.
    """
    certificate, key = folder / CERTIFICATE, folder / KEY
    for path in (certificate, key):
        if path.exists():
            raise ClusterError(f"{path} is there already: remove it first, and start the cluster anew with a new one.")
    openssl = shutil.which("openssl")
    if openssl is None:
        raise ClusterError("The program openssl is not installed, which makes certificates.")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    command = [openssl, "req", "-x509", "-newkey", "rsa:3072", "-noenc", "-sha256", "-days", str(DAYS)]
    command += ["-subj", "/CN=autograder", "-keyout", str(key), "-out", str(certificate)]
    # The key is for its owner alone from the beginning.
    done = subprocess.run(command, umask=0o077, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"openssl made no certificate: {done.stderr.strip().splitlines()[-1]}")
    return certificate, key
