"""Fixtures for tests of the whole server."""

from collections.abc import Iterator

import pytest

from kit.bystanders import Bystanders
from kit.people import People
from kit.wire import Client


@pytest.fixture
def ann(guests: People) -> Client:
    """Somebody who is online, in an account that is not new; as are Ben and Cat."""
    return guests.online()


@pytest.fixture
def ben(guests: People) -> Client:
    return guests.online()


@pytest.fixture
def cat(guests: People) -> Client:
    return guests.online()


@pytest.fixture
def bystanders(guests: People) -> Iterator[Bystanders]:
    """Two people whose messages arrive before the test, during it where it says so, and after it."""
    both = Bystanders(guests.online(), guests.online())
    both.talk()
    yield both
    both.talk()
