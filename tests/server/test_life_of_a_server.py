"""What clients notice when the server stops, starts again, or gets another certificate."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from kit import ns
from kit.links import DEADLINE
from kit.muc import create, enter
from kit.people import PASSWORD, People, roster_of
from kit.server import Server, Settings
from kit.stanzas import codes, find, text

ROOM = "tea@conference.localhost"


@pytest.fixture
def server(launch: Callable[[Settings], Server]) -> Server:
    return launch({})


@pytest.fixture
def guests(server: Server) -> Iterator[People]:
    people = People(server, iter([f"guest{number}" for number in range(8)] * 2))
    yield people
    if server.is_running():
        people.go()


def certificate(server: Server) -> bytes:
    link = server.direct_tls()
    shown = link.connection.get_peer_certificate()
    link.close()
    assert shown is not None
    return shown.to_cryptography().public_bytes(Encoding.DER)


# Stopping


def test_a_stop_is_announced_on_every_stream(server: Server, guests: People) -> None:
    clients = [guests.online(), guests.bound(), guests.opened(), guests.direct_tls()]
    server.stop()
    for client in clients:
        client.expect_stream_error("system-shutdown")


def test_a_stop_ends_tls_too(server: Server) -> None:
    link = server.direct_tls()
    server.stop()
    while link.receive(time.monotonic() + DEADLINE):
        pass
    assert link.connection.get_shutdown() & SSL.RECEIVED_SHUTDOWN


def test_a_stop_with_connections_that_say_nothing_does_not_last(server: Server, guests: People) -> None:
    for _ in range(5):
        server.link()
    start = time.monotonic()
    server.stop()
    assert time.monotonic() - start < DEADLINE


def test_a_stop_is_no_leaving(server: Server, guests: People) -> None:
    """Where occupants are kept there is no 332; nobody sees another leave."""
    ann, ben = guests.online(), guests.online()
    create(ann, ROOM, "Ann")
    enter(ben, ROOM, "Ben")
    ann.sync(f"{ROOM}/Ann")
    server.stop()
    element = ann.next()
    while element.tag == "presence":
        assert element.get("from") == f"{ROOM}/Ann", "another is seen to leave"
        assert {"110", "332"} <= codes(element)
        element = ann.next()
    assert find(element, "stream-errors:system-shutdown") is not None


# Starting again


def test_what_was_kept_is_there_after_a_stop(server: Server, guests: People) -> None:
    ann = guests.online("guest0")
    ann.set(f"<query xmlns='{ns.ROSTER}'><item jid='x@example.org' name='X'/></query>")
    ann.set(f"<vCard xmlns='{ns.VCARD}'><FN>Ann</FN></vCard>")
    ann.set(f"<block xmlns='{ns.BLOCKING}'><item jid='y@example.org'/></block>")
    ann.send("<message type='chat' to='guest1@localhost'><body>waiting</body></message>")
    ann.send("<presence type='subscribe' to='guest1@localhost'/>")
    ann.sync()
    create(ann, ROOM, "Ann", roomname="Tea", membersonly="1")
    ann.set(f"<query xmlns='{ns.MUC_ADMIN}'><item jid='guest1@localhost' affiliation='member'/></query>", ROOM)
    ann.send(f"<message type='groupchat' to='{ROOM}'><body>said</body></message>")
    ann.send(f"<message type='groupchat' to='{ROOM}'><subject>about tea</subject></message>")
    ann.sync(f"{ROOM}/Ann")
    server.stop()
    server.start()
    again = guests.online("guest0")
    assert roster_of(again)["x@example.org"]["name"] == "X"
    assert text(again.get(f"<vCard xmlns='{ns.VCARD}'/>"), "vcard:vCard/vcard:FN") == "Ann"
    blocked = again.get(f"<blocklist xmlns='{ns.BLOCKING}'/>")
    assert find(blocked, "blocking:blocklist/blocking:item[@jid='y@example.org']") is not None
    ben = guests.bound("guest1")
    ben.send("<presence/>")
    came = ben.sync()
    assert "waiting" in [text(stanza, "body") for stanza in came]
    assert any(stanza.get("type") == "subscribe" and stanza.get("from") == "guest0@localhost" for stanza in came)
    entry = enter(ben, ROOM, "Ben")
    assert [text(message, "body") for message in entry.history] == ["said"]
    assert text(entry.subject, "subject") == "about tea"
    stranger = guests.online("guest2")
    stranger.send(f"<presence to='{ROOM}/Cat'><x xmlns='{ns.MUC}'/></presence>")
    stranger.expect_error("presence", "registration-required")


def test_an_occupant_is_the_same_person_after_a_stop(server: Server, guests: People) -> None:
    ann = guests.online("guest0")
    own = create(ann, ROOM, "Ann").own
    server.stop()
    server.start()
    again = guests.online("guest0")
    ids = [find(presence, "occupant:occupant-id") for presence in (own, enter(again, ROOM, "Ann").own)]
    assert None not in ids
    assert len({each.get("id") for each in ids if each is not None}) == 1


def test_the_made_certificate_is_kept_over_a_stop(server: Server) -> None:
    before = certificate(server)
    server.stop()
    server.start()
    assert certificate(server) == before


# Certificates


def test_a_new_certificate_is_shown_after_sighup_and_old_connections_stay(
    server: Server, guests: People, launch: Callable[[Settings], Server]
) -> None:
    before = certificate(server)
    client = guests.opened(tls=True)
    client.authenticate(guests.name(), PASSWORD)
    client.bind()
    other = launch({})
    for name in ("cert.pem", "key.pem"):
        source, target = (Path(each.directory, "var/tls", name) for each in (other, server))
        target.write_bytes(source.read_bytes())
    server.reload()
    deadline = time.monotonic() + DEADLINE
    while certificate(server) == before:
        assert time.monotonic() < deadline, "the old certificate is still shown"
    assert certificate(server) == certificate(other)
    client.sync()
    bound = guests.opened(tls=True)
    bound.scram("SCRAM-SHA-256-PLUS", "guest3", PASSWORD, "tls-server-end-point")


def test_a_broken_certificate_is_not_taken(server: Server, guests: People) -> None:
    before = certificate(server)
    (server.directory / "var/tls/cert.pem").write_text("no certificate")
    server.reload()
    client = guests.opened(tls=True)
    client.authenticate(guests.name(), PASSWORD)
    client.bind()
    assert certificate(server) == before
