"""Two servers on the loopback that federate: rooms are on one of them, half of those in them on the other."""

from collections.abc import Mapping
from pathlib import Path

from ..server import Server, Settings, free_port

HOST, GUESTS = "host.example", "guests.example"
SERVICE = f"conference.{HOST}"


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
