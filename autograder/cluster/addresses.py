"""Which addresses of a cluster may be told hidden checks: those to which the way is encrypted, or on this machine."""

from ipaddress import ip_address
from urllib.parse import urlsplit

ENCRYPTED = ("tls", "wss", "gateway")


def is_encrypted(address: str) -> bool:
    """Whether the way to an address is encrypted."""
    return address.partition("://")[0] in ENCRYPTED


def is_open(address: str) -> bool:
    """Whether others could read what goes to an address."""
    if is_encrypted(address):
        return False
    try:
        host = urlsplit(address).hostname or ""
        return host != "localhost" and not ip_address(host).is_loopback
    except ValueError:
        return True
