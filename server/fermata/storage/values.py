"""Small things of small extensions: a text for each owner, space and key."""

from sqlalchemy import bindparam, select

from .reader import Reader
from .tables import value

_OF_SPACE = value.c.owner == bindparam("owner"), value.c.space == bindparam("space")
_VALUE = select(value.c.value).where(*_OF_SPACE, value.c.key == bindparam("key"))
_VALUES = select(value.c.key, value.c.value).where(*_OF_SPACE)
_KEYS = select(value.c.key).where(*_OF_SPACE)


class SQLValues:
    """Values, which need no table of their own."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def value(self, owner: int, space: str, key: str) -> str | None:
        """One value, if it is there."""
        for (text,) in await self._reader.rows(_VALUE, owner=owner, space=space, key=key):
            return str(text)
        return None

    async def values(self, owner: int, space: str) -> dict[str, str]:
        """All values of one extension for one owner."""
        return dict(await self._reader.rows(_VALUES, owner=owner, space=space))

    async def keys(self, owner: int, space: str) -> list[str]:
        """Under which keys one extension has values for one owner."""
        return [str(key) for (key,) in await self._reader.rows(_KEYS, owner=owner, space=space)]
