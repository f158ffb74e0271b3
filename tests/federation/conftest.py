"""The servers that federate. Each runs once, for all tests that ask for one like it."""

from collections.abc import Iterator

import pytest

from federation.internet import Internet, internet
from federation.scene import Scene
from federation.site import Site
from federation.sites import Sites
from interop.coroutines import pytest_pyfunc_call, runner
from interop.peers import PeerError

__all__ = ["pytest_pyfunc_call", "runner"]

PAIRS = [
    ("fermata", "fermata-usual-second"),
    ("fermata", "prosody"),
    ("prosody", "fermata"),
    ("fermata", "ejabberd"),
    ("ejabberd", "fermata"),
]
# A server that something bad happens to, and one whose people watch.
WITNESSES = [("fermata", "prosody")]
# Proves the tests themselves: what these two do not agree on, nobody can be asked for.
CONTROL = [("prosody", "ejabberd"), ("ejabberd", "prosody")]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--control", action="store_true", help="let Prosody and ejabberd talk, and not Fermata")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    is_marked = any(mark.args[0] == "pair" for mark in metafunc.definition.iter_markers("parametrize"))
    if "pair" in metafunc.fixturenames and not is_marked:
        pairs = WITNESSES if "scene" in metafunc.fixturenames else PAIRS
        pairs = CONTROL if metafunc.config.getoption("control", False) else pairs
        metafunc.parametrize("pair", pairs, indirect=True, ids="-".join)


@pytest.fixture(scope="session")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    with internet(tmp_path_factory.mktemp("internet")) as net:
        yield net


@pytest.fixture(scope="session")
def sites(net: Internet) -> Iterator[Sites]:
    sites = Sites(net)
    yield sites
    sites.kill()


@pytest.fixture
def pair(sites: Sites, request: pytest.FixtureRequest) -> Iterator[tuple[Site, Site]]:
    """Two servers. Where it makes a difference, the first is the host and the second the guest."""
    try:
        near, far = map(sites.site, request.param)
    except PeerError as reason:
        pytest.skip(str(reason))
    yield near, far
    sites.part()


@pytest.fixture
def near(pair: tuple[Site, Site]) -> Site:
    return pair[0]


@pytest.fixture
def far(pair: tuple[Site, Site]) -> Site:
    return pair[1]


@pytest.fixture
def scene(net: Internet, near: Site, far: Site) -> Iterator[Scene]:
    """Something bad happens to the first server; its people and those of the second talk on."""
    scene = Scene(net, near, far)
    with scene.calm:
        yield scene
        scene.leave()
