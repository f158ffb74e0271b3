"""`fermata check`: whether the certificate can be used, for how long, and for which names."""

import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from ..net.peer_certificate import names as is_named
from ..net.peer_certificate import shown_names
from ..net.tls import own_pair
from .config import Config
from .finding import Finding, error, note, warning

_SOON: Final = timedelta(days=14)


class _UnusableError(Exception):
    """A file is not what it should be; the first argument is the finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding


def certificate_findings(config: Config) -> Iterator[Finding]:
    """Everything about [tls]."""
    certificate, key = config.tls.certificate, config.tls.key
    domains = config.certificate_names()
    own = {domain: pair for domain in domains if (pair := own_pair(certificate, domain)) is not None}
    if certificate.exists() or key.exists():
        names = [name for name in domains if name not in own and not _is_named(name, own.values())]
        yield from _pair_findings(certificate, key, config, names)
    else:
        yield note(f"{certificate} is not there yet", "the first start makes a self-signed one, of which clients warn")
    for domain, pair in own.items():
        yield from _pair_findings(*pair, config, [domain])
    if config.tls.ca_file is not None:
        try:
            _load_certificates(config.tls.ca_file)
        except _UnusableError as unusable:
            yield unusable.finding


def _is_named(domain: str, pairs: Iterable[tuple[Path, Path]]) -> bool:
    """Whether the certificate of another domain names this one: then that is shown."""
    for certificate, _ in pairs:
        with suppress(_UnusableError):
            if is_named(_load_certificates(certificate)[0], domain):
                return True
    return False


def _pair_findings(certificate: Path, key: Path, config: Config, names: Sequence[str]) -> Iterator[Finding]:
    try:
        chain = _load_certificates(certificate)
    except _UnusableError as unusable:
        chain = []
        yield unusable.finding
    try:
        private = _load_key(key)
    except _UnusableError as unusable:
        private = None
        yield unusable.finding
    else:
        yield from _mode_findings(key)
    if not chain:
        return
    if private is not None:
        yield from _match_findings(certificate, key, chain, private)
    yield from _time_findings(certificate, chain)
    yield from _name_findings(certificate, chain[0], config, names)
    if chain[0].issuer == chain[0].subject:
        yield note(f"{certificate} is self-signed: clients warn of it")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as refusal:
        raise _UnusableError(error(f"{path} cannot be read: {refusal.strerror}")) from refusal


def _load_certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(path))
    except ValueError as refusal:
        raise _UnusableError(error(f"{path} holds no certificate in PEM form")) from refusal


def _load_key(path: Path) -> PrivateKeyTypes:
    content = _read(path)
    try:
        return load_pem_private_key(content, password=None)
    except TypeError as refusal:
        hint = f"take it off: openssl pkey -in {path} -out {path}.open"
        raise _UnusableError(error(f"{path} is locked with a passphrase, which nobody can enter", hint)) from refusal
    except (ValueError, UnsupportedAlgorithm) as refusal:
        raise _UnusableError(error(f"{path} holds no private key in PEM form")) from refusal


def _mode_findings(key: Path) -> Iterator[Finding]:
    mode = stat.S_IMODE(key.stat().st_mode)
    hint = f"chmod 600 {key}"
    if mode & 0o007:
        yield error(f"{key} is open to everybody on this machine (mode {mode:04o})", hint)
    elif mode & 0o070:
        yield warning(f"{key} is open to a whole group (mode {mode:04o})", hint)


def _match_findings(
    certificate: Path, key: Path, chain: list[x509.Certificate], private: PrivateKeyTypes
) -> Iterator[Finding]:
    ours = _spelled_out(private.public_key())
    matching = [_spelled_out(link.public_key()) == ours for link in chain]
    if not any(matching):
        yield error(f"{key} is not the key of {certificate}")
    elif not matching[0]:
        yield error(f"{certificate} begins with an issuer", "the server's own certificate must come first")


def _spelled_out(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _time_findings(path: Path, chain: list[x509.Certificate]) -> Iterator[Finding]:
    now = datetime.now(UTC)
    for place, link in enumerate(chain):
        which = str(path) if place == 0 else f"{path}: the issuer {link.subject.rfc4514_string()}"
        begin, end = link.not_valid_before_utc, link.not_valid_after_utc
        soon = min(_SOON, (end - begin) / 3)  # some certificates live for a week
        if now < begin:
            yield error(f"{which} is not valid before {begin:%Y-%m-%d %H:%M} UTC", "is the clock right?")
        elif now > end:
            yield error(f"{which} expired on {end:%Y-%m-%d}")
        elif now > end - soon:
            yield warning(f"{which} expires on {end:%Y-%m-%d}")


def _name_findings(
    path: Path, certificate: x509.Certificate, config: Config, wanted: Sequence[str]
) -> Iterator[Finding]:
    there = ", ".join(shown_names(certificate)) or "nothing"
    for domain in wanted:
        if not is_named(certificate, domain):
            text = f"{path} does not name {domain} (it names {there})"
            if domain in config.server.domains:
                yield error(text, "clients will refuse it; if the server made it, remove both files and start again")
            else:
                yield warning(text, "other servers may refuse to talk to it")
