"""``python -m gateway``: the ``tidegate`` command without its script, for supervisors and containers."""

from gateway.cli import main

main()
