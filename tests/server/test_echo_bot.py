"""The bot in docs/extensions.md, as it stands there, in a real server."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit import ns
from kit.people import PASSWORD, People
from kit.server import Server
from kit.stanzas import find, find_all
from kit.wire import Client

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extensions.md"


def block(language: str) -> str:
    """The first code block in that language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def echo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory, bots = tmp_path_factory.mktemp("echo"), tmp_path_factory.mktemp("bots")
    (bots / "echo_bot.py").write_text(block("python"))
    server = Server(directory)
    with server.configuration.open("a") as configuration:
        configuration.write(block("toml"))
    server.add_accounts([("romeo@localhost", PASSWORD)])
    server.launch(PYTHONPATH=str(bots))
    server.wait_until_it_listens()
    yield server
    server.stop()
    assert not server.failures()


@pytest.fixture
def romeo(echo_server: Server) -> Iterator[Client]:
    people = People(echo_server, iter(["romeo"]))
    yield people.online()
    people.go()


def test_it_says_everything_back(romeo: Client) -> None:
    romeo.send("<message to='anybody@echo.localhost' type='chat'><body>Hail &amp; well met</body></message>")
    echo = romeo.expect("message", from_="anybody@echo.localhost", to=romeo.jid, type="chat")
    assert echo.findtext("body") == "You said: Hail & well met"


def test_it_can_be_found_and_asked(romeo: Client) -> None:
    items = romeo.get(f"<query xmlns='{ns.DISCO_ITEMS}'/>", "localhost")
    assert "echo.localhost" in {item.get("jid") for item in find_all(items, "items:query/items:item")}
    info = romeo.get(f"<query xmlns='{ns.DISCO_INFO}'/>", "echo.localhost")
    identity = find(info, "info:query/info:identity")
    assert identity is not None
    assert identity.get("name") == "Echo"
    assert ns.PING in {feature.get("var") for feature in find_all(info, "info:query/info:feature")}
    romeo.sync("echo.localhost")
    version = romeo.get(f"<query xmlns='{ns.VERSION}'/>", "echo.localhost")
    assert version.findtext("version:query/version:name", None, ns.PREFIXES) == "Echo"


def test_it_becomes_a_contact(romeo: Client) -> None:
    romeo.get(f"<query xmlns='{ns.ROSTER}'/>")
    romeo.send("<presence type='subscribe' to='echo.localhost'/>")
    romeo.wait_for(lambda stanza: stanza.tag == "presence" and stanza.get("type") == "subscribed")
    romeo.wait_for(lambda stanza: stanza.tag == "presence" and stanza.get("type") is None)


def test_what_it_does_not_know_it_refuses(romeo: Client) -> None:
    assert romeo.refused("set", "<x xmlns='urn:unknown'/>", "echo.localhost") == ("cancel", "service-unavailable")


def test_check_finds_it_where_python_does(echo_server: Server) -> None:
    with pytest.raises(AssertionError, match="echo_bot:component cannot be imported"):
        echo_server.command("check")
