"""Clients that are slow, deaf, greedy or guessing. Two people talk on undisturbed."""

import time
from collections.abc import Callable

import pytest
from OpenSSL import SSL

from kit import ns
from kit.bystanders import Bystanders, ended, pour
from kit.links import SocketLink, TLSLink
from kit.muc import party
from kit.people import PASSWORD, Accounts, People
from kit.scram import Scram
from kit.server import Server, Settings
from kit.wire import DEADLINE, Client

# Slow, silent and greedy connections


def slow_server(launch: Callable[[Settings], Server], **limits: object) -> tuple[Server, People]:
    server = launch({"limits": {"failed_logins_per_minute": 0} | limits})
    return server, People(server, iter(Accounts().shared))


def talking(people: People) -> Bystanders:
    both = Bystanders(people.online(), people.online())
    both.talk()
    return both


def test_who_does_not_log_in_in_time_is_cut(launch: Callable[[Settings], Server]) -> None:
    """Slow-loris: however a connection spends its time, it has so long to log in."""
    server, people = slow_server(launch, unauthenticated_seconds=2)
    both = talking(people)
    clients = [waiting(server, start) for start in ("", "header", "half a header", "tls", "auth")]
    deadline = time.monotonic() + 2 * DEADLINE
    for client in clients:
        while client.link.receive(deadline):
            both.talk()
    both.talk()
    people.go()


def waiting(server: Server, start: str) -> Client:
    """A connection that stops halfway."""
    client = Client(server.link())
    if start == "half a header":
        client.send("<stream:stream xmlns:stream=")
    elif start == "tls":
        client.open()
        client.send(f"<starttls xmlns='{ns.TLS}'/>")
        client.expect("tls:proceed")
    elif start:
        client.open()
    if start == "auth":
        exchange = Scram("SCRAM-SHA-1", "guest7", PASSWORD)
        client.auth("SCRAM-SHA-1", exchange.first())
        client.expect_challenge()
    return client


def test_bytes_dribbled_before_login_do_not_extend_the_time(launch: Callable[[Settings], Server]) -> None:
    server, people = slow_server(launch, unauthenticated_seconds=2)
    both = talking(people)
    client = Client(server.link())
    client.open()
    deadline = time.monotonic() + 2 * DEADLINE
    try:
        while time.monotonic() < deadline and is_open(client):
            client.send(" ")
            both.talk()
    except ConnectionError:
        pass
    assert time.monotonic() < deadline
    both.talk()
    people.go()


def is_open(client: Client) -> bool:
    """Whether the server has not closed the connection; what it sends in the meantime is dropped."""
    try:
        return client.link.receive(time.monotonic() + 0.05) != b""
    except TimeoutError:
        return True


def test_a_reader_that_never_reads_is_let_go(launch: Callable[[Settings], Server]) -> None:
    """His queue is bounded; the sender and the others do not wait for him."""
    _, people = slow_server(launch, queue_stanzas=200, queue_bytes=500_000)
    both = talking(people)
    deaf = people.online()
    sender = people.online()
    body = "x" * 20_000
    for _ in range(600):
        sender.send(f"<message type='chat' to='{deaf.jid}'><body>{body}</body></message>")
    both.talk()
    sender.sync()
    both.talk()
    try:
        while deaf.link.receive(time.monotonic() + DEADLINE):
            both.talk()
    except ConnectionError:
        pass
    both.talk()
    people.go()


def test_a_deaf_occupant_does_not_stop_the_room(launch: Callable[[Settings], Server]) -> None:
    _, people = slow_server(launch, queue_stanzas=200, queue_bytes=500_000)
    room = "tea@conference.localhost"
    ann, deaf = people.online(), people.online()
    party(room, {"Ann": ann, "Deaf": deaf})
    body = "x" * 20_000
    for number in range(300):
        ann.send(f"<message type='groupchat' to='{room}' id='{number}'><body>{body}</body></message>")
        ann.wait_for(lambda stanza, id=str(number): stanza.get("id") == id)
    people.go()


def test_a_client_that_sends_without_reading_stops_only_itself(launch: Callable[[Settings], Server]) -> None:
    """Answers pile up for a client that reads none of them; the server stops reading from it, or ends it."""
    _, people = slow_server(launch, queue_stanzas=500, queue_bytes=500_000)
    both = talking(people)
    flooding = people.online()
    assert isinstance(flooding.link, SocketLink)
    flooding.link.socket.settimeout(0.2)
    ping = f"<iq type='get' id='x' to='localhost'><query xmlns='{ns.DISCO_INFO}'/></iq>".encode() * 500
    try:
        for _ in range(40):
            flooding.link.socket.sendall(ping)
    except (TimeoutError, ConnectionError):
        pass
    both.talk()
    flooding.cut()
    both.talk()
    people.go()


def test_hundreds_of_half_open_connections_leave_room_for_others(guests: People, bystanders: Bystanders) -> None:
    links = [guests.server.link() for _ in range(400)]
    for number, link in enumerate(links):
        if number % 3 == 0:
            link.send(b"<stream:stream ")
        elif number % 3 == 1:
            link.send(b"\x16\x03\x01")
    bystanders.talk()
    newcomer = guests.online()
    newcomer.sync()
    for link in links:
        link.close()


def test_half_open_tls_connections_leave_room_for_others(guests: People, bystanders: Bystanders) -> None:
    for _ in range(100):
        client = guests.opened()
        client.send(f"<starttls xmlns='{ns.TLS}'/>")
        client.expect("tls:proceed")
    bystanders.talk()
    assert guests.opened(tls=True).mechanisms


def test_connections_of_one_address_can_be_limited(launch: Callable[[Settings], Server]) -> None:
    server, people = slow_server(launch, connections_per_address=5)
    links = [SocketLink(("127.0.0.1", server.port), "127.0.0.9") for _ in range(5)]
    client = Client(SocketLink(("127.0.0.1", server.port), "127.0.0.9"))
    client.restart()
    pour(client, client.header_text().encode())
    assert ended(client) in {"policy-violation", "resource-constraint", "cut"}
    client.cut()
    other = people.online()
    other.sync()
    for link in links:
        link.close()
    people.go()


def test_rubbish_instead_of_tls_harms_nobody(guests: People, bystanders: Bystanders) -> None:
    link = SocketLink(("127.0.0.1", guests.server.direct_tls_port))
    link.send(b"GET / HTTP/1.1\r\n\r\n" + bytes(range(256)) * 10)
    deadline = time.monotonic() + DEADLINE
    while link.receive(deadline):
        pass
    link.close()


def test_a_client_of_an_old_tls_is_refused(guests: People, bystanders: Bystanders) -> None:
    client = guests.opened()
    client.send(f"<starttls xmlns='{ns.TLS}'/>")
    client.expect("tls:proceed")
    with pytest.raises((ConnectionError, SSL.Error)):
        TLSLink(client.link, version=SSL.TLS1_1_VERSION)


# Guessing passwords


def attempt(server: Server, user: str, password: str, source: str) -> str:
    """The outcome of one try on a connection of its own."""
    client = Client(SocketLink(("127.0.0.1", server.port), source))
    client.open()
    client.auth("PLAIN", f"\0{user}\0{password}".encode())
    answer = client.next()
    client.cut()
    return "success" if answer.tag.endswith("}success") else answer[0].tag.split("}")[1]


def test_guessing_one_password_is_throttled_and_does_not_tell_who_exists(
    launch: Callable[[Settings], Server],
) -> None:
    """After so many wrong ones even the right password has to wait; a name that does not exist looks the same."""
    server, people = slow_server(launch, failed_logins_per_minute=3)
    both = talking(people)
    outcomes = []
    for user, source in (("guest6", "127.0.10.1"), ("nobody-at-all", "127.0.10.2")):
        outcomes.append([attempt(server, user, "wrong", source) for _ in range(5)])
        both.talk()
    assert outcomes == [["not-authorized"] * 3 + ["temporary-auth-failure"] * 2] * 2
    assert attempt(server, "guest6", PASSWORD, "127.0.10.1") == "temporary-auth-failure"
    assert attempt(server, "guest6", PASSWORD, "127.0.10.3") == "success", "its owner is locked out"
    assert attempt(server, "guest5", PASSWORD, "127.0.10.1") == "success", "his neighbour is locked out"
    people.go()


@pytest.mark.parametrize("known", [True, False])
def test_guessing_from_many_addresses_is_throttled(launch: Callable[[Settings], Server], known: bool) -> None:
    """Ten times as many for one account, wherever they come from."""
    server, people = slow_server(launch, failed_logins_per_minute=1)
    both = talking(people)
    user = "guest6" if known else "nobody-at-all"
    outcomes = [attempt(server, user, "wrong", f"127.0.11.{number}") for number in range(1, 12)]
    assert outcomes == ["not-authorized"] * 10 + ["temporary-auth-failure"]
    both.talk()
    people.go()


def test_guessing_for_many_accounts_is_throttled(launch: Callable[[Settings], Server]) -> None:
    """Ten times as many from one address, whomever they are for."""
    server, people = slow_server(launch, failed_logins_per_minute=1)
    both = talking(people)
    outcomes = [attempt(server, f"somebody{number}", "wrong", "127.0.12.1") for number in range(10)]
    assert outcomes == ["not-authorized"] * 10
    assert attempt(server, "guest6", PASSWORD, "127.0.12.1") == "temporary-auth-failure"
    assert attempt(server, "guest6", PASSWORD, "127.0.12.2") == "success"
    both.talk()
    people.go()
