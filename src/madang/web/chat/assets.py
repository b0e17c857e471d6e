"""The page's own files: read once, served under the hash of all of them, kept by browsers for good.

One hash for the whole folder, in the path: so the style sheet can name its pictures by relative URLs.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Assets:
    """Every file of `static/`, in memory; there is no path on a disk to escape from."""

    def __init__(self) -> None:
        folder = files("madang.web.chat") / "static"
        self._files = {
            entry.name: entry.read_bytes() for entry in folder.iterdir() if suffix(entry.name) in TYPES
        }
        digest = hashlib.sha256()
        for name in sorted(self._files):
            digest.update(name.encode() + b"\0" + self._files[name] + b"\0")
        self.version = digest.hexdigest()[:16]

    def url(self, name: str) -> str:
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"

    async def serve(self, request: Request) -> Response:
        name = request.path_params["name"]
        body = self._files.get(name) if request.path_params["version"] == self.version else None
        if body is None:
            return PlainTextResponse("Not found", status_code=404)
        kept = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(body, media_type=TYPES[suffix(name)], headers=kept)


def suffix(name: str) -> str:
    return "." + name.rpartition(".")[2]
