"""`python tests/offline/cut.py COMMAND ...` runs a command, Python or not, where there is no network.

It needs Linux and `unshare`, not root: the command gets a network of its own, which is this machine's
loopback alone. Where that is not permitted the command runs as it is, and this says so; `sitecustomize.py`
beside it still refuses and writes down what Python's sockets try, if this folder is on PYTHONPATH.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys

ALONE = ["unshare", "--map-root-user", "--net"]
SIOCSIFFLAGS, UP_AND_RUNNING = 0x8914, 0x41


def possible() -> bool:
    """Whether this system lets this user cut the network."""
    try:
        return subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def loopback() -> None:
    """Switch on 127.0.0.1, which chapters and their kernels talk through."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", UP_AND_RUNNING))


def main(command: list[str]) -> None:
    if command[0] == "--inside":
        loopback()
        os.execvp(command[1], command[1:])
    if possible():
        os.execvp(ALONE[0], [*ALONE, sys.executable, __file__, "--inside", *command])
    print("the network cannot be cut here: only Python's sockets are watched", file=sys.stderr)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
