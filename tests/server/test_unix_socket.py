"""Clients that connect through a socket in the file system, as a proxy on this machine does."""

from collections.abc import Callable
from pathlib import Path

from kit.links import TLSLink, UnixLink
from kit.people import PASSWORD, Accounts
from kit.server import Server, Settings
from kit.wire import Client


def test_a_client_connects_through_a_file(launch: Callable[[Settings], Server], tmp_path: Path) -> None:
    path = tmp_path / "c2s.sock"
    launch({"c2s": {"listen_direct_tls": [f"unix:{path}"]}})
    client = Client(TLSLink(UnixLink(path)))
    client.open()
    client.authenticate(Accounts().shared[0], PASSWORD)
    client.bind()
    client.sync()
    client.close()
