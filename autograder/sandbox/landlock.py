"""Let a process read what it is given and reach nothing else: files, TCP ports, other processes."""

import ctypes
import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress

from autograder.sandbox.namespaces import PR_SET_NO_NEW_PRIVS, libc_call, prctl, refuse_threads

# The system calls have these numbers on every architecture.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG = 1
RULE_PATH_BENEATH = 1

# <linux/landlock.h>: rights on files, and the ABI that brought them
WRITE_FILE = 1 << 1
READ_FILE = 1 << 2
READ_DIR = 1 << 3
FIRST_RIGHTS = (1 << 13) - 1  # execute, write, read, list, remove and make
REFER = 1 << 13  # ABI 2
TRUNCATE = 1 << 14  # ABI 3
IOCTL_DEV = 1 << 15  # ABI 5
BIND_TCP_CONNECT_TCP = 3  # ABI 4
SCOPE_ABSTRACT_SOCKET_SIGNAL = 3  # ABI 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def landlock_abi() -> int:
    """The version of Landlock that this kernel has.

    Raises:
        OSError: it has none.
    """
    try:
        return libc_call("syscall", CREATE_RULESET, None, ctypes.c_size_t(0), VERSION_FLAG)
    except OSError as error:
        reason = {
            errno.ENOSYS: "this kernel has no Landlock (Linux 5.13 brought it)",
            errno.EOPNOTSUPP: "Landlock is not among the kernel's boot parameter lsm=",
        }
        raise OSError(error.errno, reason.get(error.errno or 0, error.strerror)) from None


def restrict(readable: Iterable[str], devices: Iterable[str]) -> None:
    """From now on this process reads only what stands at or below ``readable`` and writes only ``devices``.

    Paths that do not exist are passed over. Depending on the kernel (see `landlock_abi`) it loses TCP as well,
    and signals and abstract Unix sockets of other processes.

    Raises:
        OSError: the kernel refuses, or this process has threads that would stay free.
    """
    refuse_threads()
    with suppress(OSError):
        prctl(PR_SET_NO_NEW_PRIVS, 1)  # without it only root may restrict itself
    abi = landlock_abi()
    files = FIRST_RIGHTS | REFER * (abi >= 2) | TRUNCATE * (abi >= 3) | IOCTL_DEV * (abi >= 5)
    rules = _Ruleset(files, BIND_TCP_CONNECT_TCP * (abi >= 4), SCOPE_ABSTRACT_SOCKET_SIGNAL * (abi >= 6))
    ruleset = libc_call("syscall", CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(ctypes.sizeof(rules)), 0)
    try:
        for path in readable:
            _allow(ruleset, path, READ_FILE | READ_DIR)
        for path in devices:
            _allow(ruleset, path, (READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | IOCTL_DEV) & files)
        libc_call("syscall", RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= ~READ_DIR
        rule = _PathBeneath(rights, place)
        libc_call("syscall", ADD_RULE, ruleset, RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(place)
