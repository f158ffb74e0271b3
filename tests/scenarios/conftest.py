"""Two servers in memory that federate; a file that needs one of another kind makes it itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.federated import FederatedWorld, Universe


@pytest.fixture
def universe(tmp_path: Path) -> Iterator[Universe]:
    made = Universe(tmp_path)
    yield made
    made.close()


@pytest.fixture
def here(universe: Universe) -> FederatedWorld:
    return universe.server("a.example")


@pytest.fixture
def there(universe: Universe) -> FederatedWorld:
    return universe.server("b.example")
