"""Certificates that are replaced are noticed, and read when both halves are there."""

import os
from pathlib import Path

import pytest
from OpenSSL import SSL
from twisted.internet.task import Clock

from fermata.net.certificate_watch import LOOK_SECONDS, SETTLE_SECONDS, CertificateWatch
from fermata.net.certificates import ensure_certificate
from fermata.net.tls import CertificateError, Identities

MINUTES = [LOOK_SECONDS, SETTLE_SECONDS, SETTLE_SECONDS, SETTLE_SECONDS]


class Watched:
    """Identities in a directory that is watched: `outcomes` are those of each time that the files were read again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.certificate, self.key = directory / "cert.pem", directory / "key.pem"
        ensure_certificate(self.certificate, self.key, ["a.example"])
        self.identities = Identities(self.certificate, self.key, ["a.example", "b.example"])
        self.outcomes: list[str] = []
        self.clock = Clock()
        self.watch = CertificateWatch(self.identities.files, self.clock, self._reload)
        self.watch.start()

    def _reload(self) -> None:
        try:
            self.identities.reload()
        except CertificateError:
            self.outcomes.append("refused")
        else:
            self.outcomes.append("read")

    def serial(self, domain: str) -> int:
        """The number of the certificate that is shown for a domain."""
        connection = SSL.Connection(self.identities.context_for(domain))
        return self.identities.shown_on(connection).certificate.serial_number

    def replacement(self) -> tuple[Path, Path]:
        """Another certificate and its key, somewhere else."""
        elsewhere = self.directory / "new"
        pair = elsewhere / "cert.pem", elsewhere / "key.pem"
        for path in pair:
            path.unlink(missing_ok=True)
        ensure_certificate(*pair, ["a.example"])
        return pair


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_nothing_is_read_while_nothing_changes(watched: Watched) -> None:
    watched.clock.pump(MINUTES * 5)
    assert watched.outcomes == []


def test_a_new_pair_is_read_once_and_shown(watched: Watched) -> None:
    before = watched.serial("a.example")
    certificate, key = watched.replacement()
    certificate.replace(watched.certificate)
    key.replace(watched.key)
    watched.clock.pump(MINUTES * 3)
    assert watched.outcomes == ["read"]
    assert watched.serial("a.example") != before


def test_halves_that_come_one_after_the_other_are_waited_for(watched: Watched) -> None:
    certificate, key = watched.replacement()
    certificate.replace(watched.certificate)
    watched.clock.advance(LOOK_SECONDS)  # it sees the one; before it looks again, the other comes
    key.replace(watched.key)
    watched.clock.pump(MINUTES)
    assert watched.outcomes == ["read"]


def test_a_half_that_is_very_late_is_read_when_it_comes(watched: Watched) -> None:
    before = watched.serial("a.example")
    certificate, key = watched.replacement()
    certificate.replace(watched.certificate)
    watched.clock.pump(MINUTES * 2)
    assert watched.outcomes == ["refused"]
    assert watched.serial("a.example") == before
    key.replace(watched.key)
    watched.clock.pump(MINUTES * 2)
    assert watched.outcomes == ["refused", "read"]
    assert watched.serial("a.example") != before


def test_a_domain_that_gets_its_own_pair_shows_it_and_without_it_the_common_one(watched: Watched) -> None:
    common = watched.serial("b.example")
    certificate, key = watched.replacement()
    own = certificate.replace(watched.directory / "b.example.pem"), key.replace(watched.directory / "b.example.key")
    watched.clock.pump(MINUTES)
    assert watched.serial("b.example") != common == watched.serial("a.example")
    for path in own:
        path.unlink()
    watched.clock.pump(MINUTES)
    assert watched.serial("b.example") == common
    assert watched.outcomes == ["read", "read"]


def test_links_are_followed(tmp_path: Path) -> None:
    live = tmp_path / "live"
    live.mkdir()
    watched = Watched(live)
    for name in ("cert.pem", "key.pem"):
        (live / name).rename(tmp_path / name)
        os.symlink(tmp_path / name, live / name)
    watched.clock.pump(MINUTES)
    watched.outcomes.clear()
    certificate, key = watched.replacement()
    certificate.replace(tmp_path / "cert.pem")
    key.replace(tmp_path / "key.pem")
    watched.clock.pump(MINUTES)
    assert watched.outcomes == ["read"]


def test_who_stops_looking_reads_nothing_more(watched: Watched) -> None:
    watched.watch.stop()
    certificate, key = watched.replacement()
    certificate.replace(watched.certificate)
    key.replace(watched.key)
    watched.clock.pump(MINUTES)
    assert watched.outcomes == []
