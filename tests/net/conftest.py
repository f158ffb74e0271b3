"""A network without sockets, and servers on it that a common authority vouches for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kit.ca import Authority, Issued
from kit.servers_on_net import Net, Server


@pytest.fixture
def net() -> Net:
    return Net()


@pytest.fixture(scope="session")
def root() -> Authority:
    return Authority("Root")


@pytest.fixture(scope="session")
def certified(root: Authority) -> dict[str, Issued]:
    return {domain: root.issue(domain) for domain in ("a.example", "b.example")}


@pytest.fixture
def make(net: Net, root: Authority, certified: dict[str, Issued], tmp_path: Path) -> Callable[..., Server]:
    """Makes a server of one of these domains, with a certificate of its own if it is to have another one."""
    ca_file = root.write(tmp_path / "ca.pem")

    def make(domain: str, issued: Issued | None = None) -> Server:
        shown = issued or certified[domain]
        return net.add(Server(net, tmp_path / domain, shown, ca_file, domain, f"chat.{domain}"))

    return make
