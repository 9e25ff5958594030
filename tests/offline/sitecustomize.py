"""With this folder on PYTHONPATH, Python reaches nothing but this machine, and every attempt is written down.

Each refused address is a line in the file that TRANSFER_OFFLINE_LOG names: many libraries swallow the error
and go on, and would hide that they tried.
"""

import ipaddress
import os
import socket

_connect, _connect_ex, _sendto = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto
_getaddrinfo = socket.getaddrinfo


def _local(host):
    if host in (None, "", "localhost", b"localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _check(address):
    """Raise unless the address is a file's or this machine's."""
    if isinstance(address, tuple) and not _local(address[0]):
        if log := os.environ.get("TRANSFER_OFFLINE_LOG"):
            with open(log, "a") as stream:
                stream.write(f"{address[0]}:{address[1] if len(address) > 1 else ''} pid {os.getpid()}\n")
        raise ConnectionRefusedError(f"no network here: {address} is not this machine")


def _connecting(self, address):
    _check(address)
    return _connect(self, address)


def _connecting_ex(self, address):
    _check(address)
    return _connect_ex(self, address)


def _sending(self, data, *rest):
    _check(rest[-1])
    return _sendto(self, data, *rest)


def _resolving(host, port, *rest, **options):
    _check((host, port))
    return _getaddrinfo(host, port, *rest, **options)


socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto = _connecting, _connecting_ex, _sending
socket.getaddrinfo = _resolving
