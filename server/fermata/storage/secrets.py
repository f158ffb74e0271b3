"""What the database remembers about itself, in `meta`: keys that the server made for itself once, and notes."""

import os

from sqlalchemy import Connection, insert, select

from .tables import meta


def secret(connection: Connection, name: str, size: int) -> bytes:
    """The secret of that name, made of `size` random bytes when it is asked for the first time."""
    key = f"secret {name}"
    kept = connection.scalar(select(meta.c.value).where(meta.c.key == key))
    if kept is None:
        kept = os.urandom(size).hex()
        connection.execute(insert(meta).values(key=key, value=kept))
    return bytes.fromhex(kept)


def noted(connection: Connection, key: str) -> str:
    """What a `MetaSaved` has left there; empty if none has."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == key)) or ""
