"""Whether a notebook can be run in a fork."""

from __future__ import annotations

import os
import socket
import sys
from functools import cache
from pathlib import Path

ENGINE_VARIABLE = "REDERIVE_ENGINE"
ORDINARY = "ordinary"


def available(kernel_name: str = "python3") -> bool:
    """Say whether notebooks of a kernel can be run in forks.

    Parameters
    ----------
    kernel_name : str
        Name of the kernel.

    Returns
    -------
    bool
        False where the operating system has no ``fork`` or no Unix sockets, where the kernel is
        not IPython in this interpreter, and where the variable ``REDERIVE_ENGINE`` is
        ``ordinary``.
    """
    if os.environ.get(ENGINE_VARIABLE) == ORDINARY:
        return False
    if not (hasattr(os, "fork") and hasattr(socket, "AF_UNIX") and hasattr(socket, "send_fds")):
        return False
    return _is_this_interpreter(kernel_name or "python3")


@cache
def _is_this_interpreter(kernel_name: str) -> bool:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        found = KernelSpecManager().get_kernel_spec(kernel_name)
    except NoSuchKernel:
        return False
    command = found.argv
    if found.language != "python" or found.env or "ipykernel_launcher" not in command[1:3]:
        return False
    # The client of Jupyter puts this interpreter in the place of these names.
    version = sys.version_info
    native = ("python", f"python{version[0]}", f"python{version[0]}.{version[1]}")
    return command[0] in native or Path(command[0]) == Path(sys.executable)
