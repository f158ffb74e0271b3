"""Programs that the tests here drive."""

import pytest

from interop.peers import Peer, PeerError, unpack


@pytest.fixture(scope="session")
def profanity() -> Peer:
    """Profanity, a client for the terminal."""
    try:
        return unpack("profanity")
    except PeerError as reason:
        pytest.skip(str(reason))
