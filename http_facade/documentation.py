"""``/openapi.json`` and ``/docs``: the reference to read and to try out, without any other server."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Final

import flask_openapi3_scalar  # type: ignore[import-untyped] # it ships no types
from flask import Blueprint, Response, send_from_directory
from flask_openapi3.openapi import OpenAPI

_SCRIPTS: Final = Path(flask_openapi3_scalar.__file__).parent / "templates" / "scalar" / "js"
_SCRIPT: Final = "scalar.standalone.js"
#: The page asks nobody but this facade, whatever its script would like to load.
_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_CONFIGURATION: Final = {"withDefaultFonts": False, "telemetry": False, "hideClientButton": True}
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<title>Tidegate HTTP</title>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
</head>
<body>
<script id="api-reference" data-url="/openapi.json" data-configuration='{configuration}'></script>
<script src="/docs/{script}"></script>
</body>
</html>
"""


def register(app: OpenAPI) -> None:
    """Serve the document of ``app``, and the page that shows it."""
    pages = Blueprint("documentation", __name__)
    page = _PAGE.format(configuration=json.dumps(_CONFIGURATION), script=_SCRIPT)

    @functools.cache
    def text() -> str:
        """The document, written once: whoever asks for it a thousand times costs no thousand writings."""
        return json.dumps(app.api_doc)

    @pages.get("/openapi.json")
    def document() -> Response:
        return Response(text(), content_type="application/json")

    @pages.get("/docs")
    def docs() -> Response:
        return Response(page, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _POLICY})

    @pages.get(f"/docs/{_SCRIPT}")
    def script() -> Response:
        return send_from_directory(_SCRIPTS, _SCRIPT, mimetype="text/javascript", max_age=86_400)

    app.register_blueprint(pages)
