"""Two servers on the loopback that federate: rooms are on one of them, half of those in them on the other."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .. import ns
from ..people import PASSWORD
from ..server import Server, Settings, free_port
from ..wire import Client

HOST, GUESTS = "host.example", "guests.example"
SERVICE = f"conference.{HOST}"
ROOM = f"tea@{SERVICE}"


def neighbours(directory: Path, settings: Mapping[str, Settings] | None = None) -> dict[str, Server]:
    """Both, by domain, as are their `settings`; none runs yet. TLS with dialback, as between two strangers."""
    ports = {domain: free_port() for domain in (HOST, GUESTS)}
    places = {domain: f"127.0.0.1:{port}" for domain, port in ports.items()}
    made = {}
    for domain in (HOST, GUESTS):
        (directory / domain).mkdir(parents=True)
        own: dict[str, dict[str, object]] = {
            "server": {"domains": [domain]},
            "s2s": {"listen": [f"tcp:{ports[domain]}:interface=127.0.0.1"]},
            "s2s.routes": {**places, SERVICE: places[HOST]},
        }
        for section, values in (settings or {}).get(domain, {}).items():
            own.setdefault(section, {}).update(values)
        made[domain] = Server(directory / domain, own)
    return made


@contextmanager
def ann_and_bob_at_home(servers: dict[str, Server]) -> Iterator[dict[str, Server]]:
    """Both servers run while the block does; Ann has an account where the room is, Bob on the other one."""
    with ExitStack() as stack:
        for domain, name in ((HOST, "ann"), (GUESTS, "bob")):
            servers[domain].add_accounts([(f"{name}@{domain}", PASSWORD)])
            servers[domain].launch()
            stack.callback(servers[domain].kill)
            stack.callback(servers[domain].cut_all)
        for server in servers.values():
            server.wait_until_it_listens()
        yield servers


def both_in_the_room(servers: dict[str, Server]) -> tuple[Client, Client]:
    """Ann, who has made it, and Bob, whom she has seen coming."""
    ann = _in_the_room(servers, HOST, "ann")
    ann.set(f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='submit'/></query>", ROOM)
    bob = _in_the_room(servers, GUESTS, "bob")
    ann.wait_for(lambda stanza: stanza.get("from") == f"{ROOM}/bob")
    return ann, bob


def _in_the_room(servers: dict[str, Server], domain: str, name: str) -> Client:
    client = Client(servers[domain].link(), domain)
    client.open()
    client.authenticate(name, PASSWORD)
    client.bind("home")
    client.enable()
    no_past = "<history maxstanzas='0'/>"
    client.send(f"<presence/><presence to='{ROOM}/{name}'><x xmlns='{ns.MUC}'>{no_past}</x></presence>")
    client.wait_for(lambda stanza: stanza.tag == "message" and stanza.find("subject") is not None)
    return client
