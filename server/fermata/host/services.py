"""What services have to offer to extensions: each by its class, so that `Host` need not name all of them."""

from typing import TypeVar

T = TypeVar("T")


class Services:
    """The one object of each class of service that this server has."""

    def __init__(self) -> None:
        self._offered: dict[type, object] = {}

    def offer(self, service: object) -> None:
        """From now on this one is found under its class. Raises ValueError if there is one already."""
        kind = type(service)
        if kind in self._offered:
            raise ValueError(f"two services of the class {kind.__name__}")
        self._offered[kind] = service

    def __getitem__(self, kind: type[T]) -> T:
        """The service of that class. Raises KeyError if there is none."""
        found = self._offered[kind]
        assert isinstance(found, kind)
        return found
