"""The central database: SQLAlchemy Core over SQLite or PostgreSQL."""

from gateway.database.engine import open_engine, reading, upgrade, writing

__all__ = ["open_engine", "reading", "upgrade", "writing"]
