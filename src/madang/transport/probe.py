"""Whether an Ollama answers, found out without holding up the start.

The standard library alone: this runs once, before there is an event loop or a connection pool.
"""

from __future__ import annotations

import json
import socket
import threading
from urllib.parse import SplitResult, urlsplit

LIMIT_SECONDS = 0.3


def probe_ollama(base_url: str, limit: float = LIMIT_SECONDS) -> bool:
    """Whether an Ollama answers at `base_url` within `limit` seconds.

    In a thread that is left behind when it is late: no timeout of a socket covers the
    resolver, and a host name nobody knows can keep it busy for many seconds.
    """
    answers = threading.Event()

    def ask() -> None:
        if _asked(base_url, limit):
            answers.set()

    thread = threading.Thread(target=ask, name="ollama-probe", daemon=True)
    thread.start()
    thread.join(limit)
    return answers.is_set()


def _asked(base_url: str, limit: float) -> bool:
    """Ask for the version, as only Ollama answers it; any failure is a no."""
    try:
        parts = urlsplit(base_url)
        # Connect first: where nothing listens, as on most machines, the HTTP client is never imported.
        with socket.create_connection((parts.hostname or "", _port(parts)), timeout=limit):
            pass
        return _has_version(parts, limit)
    except (OSError, ValueError):
        return False


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _has_version(parts: SplitResult, limit: float) -> bool:
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", _port(parts), timeout=limit)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/api/version")
        reply = connection.getresponse()
        said = json.loads(reply.read(1000))
        return reply.status == 200 and isinstance(said, dict) and "version" in said
    except HTTPException:
        return False
    finally:
        connection.close()
