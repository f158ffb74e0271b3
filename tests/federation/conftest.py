"""The servers that federate. Each program runs once for all the tests that need no special one."""

from collections.abc import Iterator

import pytest

from federation.ejabberd import Ejabberd
from federation.fermata import Fermata
from federation.internet import Internet, internet
from federation.place import Terms
from federation.prosody import Prosody
from federation.site import Site
from interop.peers import PeerError

# Proves the tests themselves: what these two do not agree on, nobody can be asked for.
CONTROL = [("prosody", "ejabberd"), ("ejabberd", "prosody")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "pair" in metafunc.fixturenames:
        pairs = CONTROL
        metafunc.parametrize("pair", pairs, indirect=True, ids="-".join)


@pytest.fixture(scope="session")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    with internet(tmp_path_factory.mktemp("internet")) as net:
        yield net


def _running(net: Internet, kind: type[Fermata] | type[Prosody] | type[Ejabberd], domain: str) -> Iterator[Site]:
    place = net.place(domain)
    try:
        site: Site = kind(place, Terms())
    except PeerError as reason:
        pytest.skip(str(reason))
    net.publish(place)
    site.start()
    yield site
    site.kill()


@pytest.fixture(scope="session")
def fermata(net: Internet) -> Iterator[Site]:
    yield from _running(net, Fermata, "fermata.example")


@pytest.fixture(scope="session")
def second_fermata(net: Internet) -> Iterator[Site]:
    yield from _running(net, Fermata, "second.example")


@pytest.fixture(scope="session")
def third_fermata(net: Internet) -> Iterator[Site]:
    yield from _running(net, Fermata, "third.example")


@pytest.fixture(scope="session")
def prosody(net: Internet) -> Iterator[Site]:
    yield from _running(net, Prosody, "prosody.example")


@pytest.fixture(scope="session")
def ejabberd(net: Internet) -> Iterator[Site]:
    yield from _running(net, Ejabberd, "ejabberd.example")


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Site, Site]]:
    """Two servers. Where it makes a difference, the first is the host and the second the guest."""
    near, far = (request.getfixturevalue(name) for name in request.param)
    yield near, far
    for site in (near, far):
        site.part()


@pytest.fixture
def near(pair: tuple[Site, Site]) -> Site:
    return pair[0]


@pytest.fixture
def far(pair: tuple[Site, Site]) -> Site:
    return pair[1]
