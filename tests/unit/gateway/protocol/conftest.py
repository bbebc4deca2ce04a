from __future__ import annotations

import os

from hypothesis import settings

# The examples share two cores with real brokers and databases, so how long one takes says nothing.
settings.register_profile(
    "shared-machine", max_examples=int(os.environ.get("TEST_EXAMPLES", "50")), deadline=None, print_blob=True
)
settings.load_profile("shared-machine")
