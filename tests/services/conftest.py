"""Services are tried through the front door: a whole server in memory."""

import pytest

from kit.scripted_wires import Dialling, Resumable
from kit.standing import ann, ben
from kit.world import World, world, worlds

__all__ = ["ann", "ben", "dialling", "there", "world", "worlds"]


@pytest.fixture
def dialling(world: World) -> Dialling:
    """Another server, as far as a test answers for it."""
    return Dialling(world)


@pytest.fixture
def there(world: World, dialling: Dialling) -> Resumable:
    """The same, with streams that go on on other connections."""
    return Resumable(world, dialling)
