"""Tidegate: change what a site's PLCs do from far away, and know what really happened."""

__version__ = "0.1.0"
