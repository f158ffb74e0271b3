"""A small internet on the loopback interface: a name server, a certificate authority, and addresses for servers."""

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kit.ca import Authority, Issued
from kit.dns import NameServer

from .place import SERVERS, SERVERS_TLS, Place, addresses


class Hosts:
    """The addresses in a file like /etc/hosts, for a program that asks the C library and not the DNS."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changes = itertools.count(int(time.time()))
        path.touch()

    def add(self, host: str, address: str) -> None:
        with self.path.open("a") as file:
            file.write(f"{address} {host}\n")
        changed = next(self._changes)  # libnss_wrapper reads it again when this differs, in seconds
        os.utime(self.path, (changed, changed))


class Internet:
    """Where domains are registered. Everybody trusts `authority`."""

    def __init__(self, directory: Path, names: NameServer) -> None:
        self.names = names
        self.authority = Authority()
        self._directory = directory
        self._trusted = self.authority.write(directory / "authority.pem")
        self._addresses = addresses()
        self._hosts = Hosts(directory / "hosts")

    def address(self) -> str:
        """One that nobody has."""
        return next(self._addresses)

    def certificate(self, domain: str) -> Issued:
        """A good one for the domain and its rooms."""
        return self.authority.issue(domain, f"conference.{domain}")

    def place(self, domain: str, issued: Issued | None = None) -> Place:
        """A place for a domain's server, found by nobody yet; with a good certificate if none is given."""
        certificates = self._directory / f"certificates-{domain}"
        certificate, key = certificates / "cert.pem", certificates / "key.pem"
        (issued or self.certificate(domain)).write(certificate, key)
        port = self.names.address[1]
        directory = self._directory / domain
        return Place(domain, self.address(), directory, certificate, key, self._trusted, port, self._hosts.path)

    def publish(self, place: Place, *, direct_tls: bool = False, in_file: bool = True) -> None:
        """SRV records for the domain and its rooms: for STARTTLS, or for direct TLS and nothing else (XEP-0368).

        `in_file` is for programs that ask the C library; there is room for some fifty places.
        """
        host = f"xmpp.{place.domain}"
        self.names.a(host, place.address)
        if in_file:
            self._hosts.add(host, place.address)
        for domain in (place.domain, place.rooms):
            if direct_tls:
                self.names.srv(domain, SERVERS_TLS, host, "xmpps-server")
            else:
                self.names.srv(domain, SERVERS, host)


@contextmanager
def internet(directory: Path) -> Iterator[Internet]:
    """One that is there until the end of the context."""
    with NameServer() as names:
        yield Internet(directory, names)
