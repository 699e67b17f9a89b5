"""Which Ray is meant, and whether anything answers there: Ray itself would ask a dead address for minutes."""

from __future__ import annotations

import os
import socket
import threading
from urllib.parse import urlsplit

PATIENCE_SECONDS = 8.0
"""How long an address may take to answer, its name's look-up included."""

_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""How gRPC, which Ray speaks, begins: HTTP/2's preface and a frame of settings, type 4; so does what answers."""


def cluster_address(address: str | None) -> str | None:
    """The cluster that is asked for, or else the one that this process is a job of; None is this machine alone."""
    given = (address or os.environ.get("RAY_ADDRESS") or "").strip()
    return None if given in ("", "local") else given


def why_unreachable(address: str) -> str:
    """What is wrong at `HOST:PORT` or `ray://HOST:PORT`; empty if nothing is, or if the address names no port."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""  # Ray says what is wrong with the address
    if host is None or port is None or parts.scheme not in ("", "ray"):
        return ""
    found: list[str] = []
    # a look-up of a name has no limit of its own
    asking = threading.Thread(target=lambda: found.append(_ask(host, port)), daemon=True)
    asking.start()
    asking.join(PATIENCE_SECONDS)
    return found[0] if found else f"no answer within {PATIENCE_SECONDS:.0f} s"


def _ask(host: str, port: int) -> str:
    try:
        with socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as connection:
            if os.environ.get("RAY_USE_TLS", "0") not in ("", "0"):
                return ""  # it speaks with those alone who have its certificate
            connection.sendall(_HELLO)
            answer = connection.makefile("rb").read(4)
    except OSError as error:
        return error.strerror or str(error)
    return "" if answer[3:] == b"\x04" else "what answers is no Ray"
