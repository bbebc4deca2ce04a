"""For tests of what must hold on both kinds of database."""

from __future__ import annotations

import pytest

each_database = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
