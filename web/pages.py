"""Pages: the page's own files, and the pictures.

The files of `static/` are read once when the app is made: nothing a request says becomes a path, and an ETag is a
digest of what is sent.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from protocol.api import ImageShown, ShowImage
from web.requests import desk_of, reader, remote_address

STATIC = Path(__file__).parent / "static"

#: By ending, not by what the machine's mime.types says. Anything else in the directory is not served.
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}

#: What a picture may be called; never what a browser would run.
IMAGE_TYPES = frozenset({"image/png", "image/webp", "image/jpeg", "image/gif"})

#: A picture never changes under its id, and is for its owner only.
IMAGE_CACHE = "private, max-age=31536000, immutable"
#: Static files keep their names when they change: ask each time, a 304 is cheap.
STATIC_CACHE = "no-cache"


class StaticFile(Struct, frozen=True):
    """One file as it is sent."""

    data: bytes
    media_type: str
    etag: str


def read_static(directory: Path = STATIC) -> dict[str, StaticFile]:
    """All files below `directory` that have a type, by their paths relative to it."""
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.suffix in TYPES and path.is_file():
            data = path.read_bytes()
            etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
            found[path.relative_to(directory).as_posix()] = StaticFile(data, TYPES[path.suffix], etag)
    return found


async def index(request: Request) -> Response:
    """GET /: the page."""
    return _serve(request, "index.html")


async def admin(request: Request) -> Response:
    """GET /admin: the admin page; what it shows needs a login, it itself is the same for everybody."""
    return _serve(request, "admin.html")


async def static(request: Request) -> Response:
    """GET /static/PATH."""
    return _serve(request, request.path_params["path"])


def _serve(request: Request, path: str) -> Response:
    file: StaticFile | None = request.app.state.static.get(path)
    if file is None:
        raise HTTPException(404)
    headers = {"ETag": file.etag, "Cache-Control": STATIC_CACHE}
    if file.etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(file.data, headers=headers, media_type=file.media_type)


async def image(request: Request) -> Response:
    """GET /images/{id}."""
    return await _picture(request, ShowImage(request.path_params["id"]))


async def thumb(request: Request) -> Response:
    """GET /images/{id}/thumb."""
    return await _picture(request, ShowImage(request.path_params["id"], thumb=True))


async def preview(request: Request) -> Response:
    """GET /images/{job}/preview: the newest one; another a second later, so nobody keeps it."""
    return await _picture(request, ShowImage(request.path_params["id"], preview=True))


async def _picture(request: Request, question: ShowImage) -> Response:
    shown = await desk_of(request).ask_for(ImageShown, remote_address(request), reader(request).key, question)
    known = shown.media_type in IMAGE_TYPES
    headers = {"Cache-Control": "no-store" if question.preview else IMAGE_CACHE}
    if not known:
        headers["Content-Disposition"] = "attachment"
    return Response(shown.data, headers=headers, media_type=shown.media_type if known else "application/octet-stream")


ROUTES = (
    Route("/", index, methods=["GET"]),
    Route("/admin", admin, methods=["GET"]),
    Route("/static/{path:path}", static, methods=["GET"]),
    Route("/images/{id}", image, methods=["GET"]),
    Route("/images/{id}/thumb", thumb, methods=["GET"]),
    Route("/images/{id}/preview", preview, methods=["GET"]),
)
