"""Take a process out of the machine's networks and IPC, and take its privileges away."""

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import resource

# <linux/sched.h>
CLONE_THREAD = 0x00010000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
NAMESPACES = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS

# <linux/prctl.h> and <linux/capability.h>
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
SIGKILL = 9
# "nobody": whose threads the kernel counts, where it exempts root's.
UNPRIVILEGED = 65534
CAPABILITY_VERSION_3 = 0x20080522

# Where a machine's administrator forbids user namespaces, and the value that does so.
FORBIDDEN_BY = {
    "kernel.apparmor_restrict_unprivileged_userns": "1",
    "kernel.unprivileged_userns_clone": "0",
    "user.max_user_namespaces": "0",
}


def libc_call(function: str, *arguments: object) -> int:
    """Calls a function of the C library that Python has no name for.

    Raises:
        OSError: it returned -1.
    """
    result: int = getattr(ctypes.CDLL(None, use_errno=True), function)(*arguments)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), function)
    return result


def prctl(option: int, value: int) -> int:
    """Sets or asks for a property of this process.

    Raises:
        OSError: the kernel refuses.
    """
    # Each argument as wide as the kernel reads it.
    return libc_call("prctl", option, *(ctypes.c_ulong(word) for word in (value, 0, 0, 0)))


def enter_namespaces(threads: int) -> None:
    """Moves this process into namespaces of its own: a network without interfaces, no shared IPC.

    There threads are counted for this process alone, so a limit on them disturbs nobody.

    Raises:
        OSError: the kernel refuses, or this process has threads that would stay outside.
    """
    refuse_threads()
    if os.getuid() == 0:
        # Threads are counted for the real user; which files may be read goes by the effective one, which stays.
        with suppress(OSError):
            os.setresuid(UNPRIVILEGED, 0, 0)
    try:
        enter_user_namespace(NAMESPACES)
    except OSError:
        if os.geteuid() != 0:
            raise
        libc_call("unshare", NAMESPACES)  # root needs no user namespace to make the others
        return
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    limit = threads if hard == resource.RLIM_INFINITY else min(threads, hard)
    resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))


def enter_user_namespace(others: int) -> None:
    """Moves this process into a user namespace and ``others`` that belong to it. This user and all others are nobody.

    Raises:
        OSError: the kernel refuses.
    """
    user, group = os.geteuid(), os.getegid()  # as they are called outside
    try:
        libc_call("unshare", CLONE_NEWUSER | others)
    except OSError as error:
        raise OSError(error.errno, error.strerror, f"unshare{_forbidden_by()}") from None
    # A name is needed to make files in a root of its own, and for nothing else.
    with suppress(OSError):
        prctl(PR_SET_DUMPABLE, 1)  # or a process that has changed its user may not open these files
        Path("/proc/self/setgroups").write_text("deny", encoding="utf-8")
        Path("/proc/self/uid_map").write_text(f"{UNPRIVILEGED} {user} 1", encoding="utf-8")
        Path("/proc/self/gid_map").write_text(f"{UNPRIVILEGED} {group} 1", encoding="utf-8")


def drop_privileges() -> None:
    """Gives up every capability for good, leaves no core file, and dies with the process that started this one.

    Raises:
        OSError: the kernel refuses, or this process has threads that would keep their privileges.
    """
    refuse_threads()
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    libc_call("capset", ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))
    prctl(PR_SET_DUMPABLE, 0)  # a core file written through a pipe does not heed RLIMIT_CORE
    prctl(PR_SET_PDEATHSIG, SIGKILL)  # last: a change of credentials can clear it


def has_privileges() -> bool:
    """Whether this process has a capability, or could get one by running a program."""
    header, sets = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    libc_call("capget", ctypes.byref(header), ctypes.byref(sets))
    return any(sets) or prctl(PR_GET_NO_NEW_PRIVS, 0) != 1


def refuse_threads() -> None:
    """Raises `OSError` where this process has more than one thread: Linux restricts only the calling one."""
    try:
        threads = len(os.listdir("/proc/self/task"))
    except FileNotFoundError:  # in a root of its own
        libc_call("unshare", CLONE_THREAD)  # changes nothing, but is refused to a process with threads
        return
    if threads > 1:
        raise OSError(f"this process already has {threads} threads")


def _forbidden_by() -> str:
    for name, value in FORBIDDEN_BY.items():
        file = Path("/proc/sys", *name.split("."))
        if file.exists() and file.read_text(encoding="utf-8").strip() == value:
            return f"; sysctl {name} is {value}"
    return ""
