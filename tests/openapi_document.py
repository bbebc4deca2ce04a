"""``python -m tests.openapi_document FILE``: the facade's OpenAPI document, without starting anything."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from http_facade.app import create_app
from tests.fake_parts import FakeParts, settings


def write(file: Path) -> None:
    """Write it, a line for each thing."""
    with tempfile.TemporaryDirectory() as home:
        app = create_app(settings(Path(home)), FakeParts().services())
        text = json.dumps(app.api_doc, indent=1)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
