"""``/console/``: the web console's files as ``make console`` built them, open to all, for they hold no secrets.

A path that is no file is one of the console's own pages, which ``index.html`` shows: so that a link to it, or a reload,
works.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from flask import Blueprint, Flask, Response, redirect, request, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as Answer

DIST: Final = Path(__file__).parent / "console" / "dist"
#: Everything comes from here; no script or style stands in a page, so none that was smuggled in runs.
POLICY: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; manifest-src 'self'; worker-src 'self'"
)
#: A name with a hash never means anything else, so it is kept for a year.
_FOR_EVER: Final = "public, max-age=31536000, immutable"
#: What has the same name after every build is asked for anew.
_ASK: Final = "no-cache"
_INDEX: Final = "index.html"
_HASHED: Final = re.compile(r"assets/.+-[\w-]{8}\.\w+")
_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
}
_NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<title>Tidegate</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<h1>The console is not built</h1>
<p>This facade serves the API, but its web console was not built. In the checkout, run</p>
<pre>make console</pre>
<p>and load this page again. It needs no restart. The API is described at <a href="/docs">/docs</a>.</p>
</html>
"""


def register(app: Flask, dist: Path = DIST) -> None:
    """Serve the files of ``dist``, and lead there from ``/``."""
    pages = Blueprint("console", __name__)

    @pages.get("/")
    @pages.get("/console")
    def home() -> Answer:
        return redirect("/console/")

    @pages.get("/console/")
    @pages.get("/console/<path:path>")
    def file(path: str = _INDEX) -> Response:
        return _secured(_file(dist, path))

    app.register_blueprint(pages)


def _file(dist: Path, path: str) -> Response:
    try:
        found = _sent(dist, path)
    except NotFound:
        if path == _INDEX:
            return Response(_NOT_BUILT, status=503, content_type="text/html; charset=utf-8")
        if path.startswith("assets/"):
            raise  # of an older build; a page in its place would not run
        return _file(dist, _INDEX)
    if path != _INDEX:  # a page that is kept would ask for files of a build that is gone
        found.headers["Cache-Control"] = _FOR_EVER if _HASHED.fullmatch(path) else _ASK
    else:
        found.headers["Cache-Control"] = "no-store"
    return found


def _sent(dist: Path, path: str) -> Response:
    kind = _TYPES.get(Path(path).suffix)
    if kind is None or not (dist / f"{path}.gz").is_file() or path.endswith(".gz"):
        return send_from_directory(dist, path, mimetype=kind)
    if request.accept_encodings.quality("gzip") > 0:
        found = send_from_directory(dist, f"{path}.gz", mimetype=kind)
        found.headers["Content-Encoding"] = "gzip"
    else:
        found = send_from_directory(dist, path, mimetype=kind)
    found.vary.add("Accept-Encoding")
    return found


def _secured(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    return response
