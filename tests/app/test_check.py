"""`fermata check` against real certificates, directories, databases and ports."""

import os
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fermata.app.check import check
from fermata.app.config import Config
from fermata.app.finding import Severity
from fermata.app.stored_server import stored_server
from fermata.net.certificates import ensure_certificate
from fermata.storage import migrations

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
NO_S2S = "note: `listen` in [s2s] is empty: there is no talking with other servers"
NAMES = ["localhost", "conference.localhost", "pubsub.localhost"]


@pytest.fixture(autouse=True)
def here(short_dir, monkeypatch):
    """The current directory, with a configuration on ports of the system's choice."""
    monkeypatch.chdir(short_dir)
    configure('[c2s]\nlisten = ["tcp:0"]\nlisten_direct_tls = ["tcp:0"]\n')
    Path("var/tls").mkdir(parents=True)
    return short_dir


def findings() -> list[str]:
    return [f"{finding.severity}: {finding.text}" for finding in check(Path("fermata.toml"))]


def configure(text: str) -> None:
    """Writes the configuration, without ports for HTTP, nor for other servers unless it says so."""
    s2s = "" if "[s2s]" in text else '[s2s]\nlisten = ["tcp:0"]\n'
    Path("fermata.toml").write_text(f"{text}\n[http]\nlisten = []\n{s2s}")


class Signed:
    """A certificate of an issuer's making (its own, if none is given), and its key."""

    def __init__(self, names, begin=NOW - DAY, end=NOW + 300 * DAY, issuer=None, subject="a subject"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuer.name if issuer else self.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )
        if names:
            names = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(names, critical=False)
        self.certificate = builder.sign(issuer.key if issuer else self.key, hashes.SHA256())

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self, passphrase: bytes = b"") -> bytes:
        lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)


AUTHORITY = Signed([], subject="authority")


def install(*chain: Signed, key: bytes | None = None, mode: int = 0o600) -> None:
    Path("var/tls/cert.pem").write_bytes(b"".join(link.pem() for link in chain))
    path = Path("var/tls/key.pem")
    path.write_bytes(chain[0].key_pem() if key is None else key)
    path.chmod(mode)


def test_a_fresh_machine_is_all_right():
    assert findings() == ["note: var/tls/cert.pem is not there yet"]


def test_our_own_certificate_is_all_right_but_for_being_our_own():
    ensure_certificate(Path("var/tls/cert.pem"), Path("var/tls/key.pem"), NAMES)
    assert findings() == ["note: var/tls/cert.pem is self-signed: clients warn of it"]


def test_an_authoritys_certificate_is_all_right():
    install(Signed(NAMES, issuer=AUTHORITY), AUTHORITY)
    assert findings() == []


def test_wrong_configuration_is_all_that_is_told():
    configure("[c2s]\nlistn = []\n[muc]\nservice = 5\n")
    assert findings() == [
        "error: fermata.toml:2: unknown key `listn` in [c2s]; did you mean `listen`?",
        "error: fermata.toml:4: `service` in [muc]: expected a string, not an integer",
    ]


CERTIFICATES = {
    "expired": (
        lambda: install(Signed(NAMES, NOW - 90 * DAY, NOW - DAY, AUTHORITY)),
        [f"error: var/tls/cert.pem expired on {NOW - DAY:%Y-%m-%d}"],
    ),
    "expires soon": (
        lambda: install(Signed(NAMES, NOW - 80 * DAY, NOW + 10 * DAY, AUTHORITY)),
        [f"warning: var/tls/cert.pem expires on {NOW + 10 * DAY:%Y-%m-%d}"],
    ),
    "short-lived, but with time enough": (lambda: install(Signed(NAMES, NOW - DAY, NOW + 5 * DAY, AUTHORITY)), []),
    "not valid yet": (
        lambda: install(Signed(NAMES, NOW + DAY, NOW + 90 * DAY, AUTHORITY)),
        [f"error: var/tls/cert.pem is not valid before {NOW + DAY:%Y-%m-%d %H:%M} UTC"],
    ),
    "an expired issuer": (
        lambda: install(
            Signed(NAMES, issuer=AUTHORITY), Signed([], NOW - 9 * DAY, NOW - DAY, AUTHORITY, subject="between")
        ),
        [f"error: var/tls/cert.pem: the issuer CN=between expired on {NOW - DAY:%Y-%m-%d}"],
    ),
    "another's key": (
        lambda: install(Signed(NAMES, issuer=AUTHORITY), key=AUTHORITY.key_pem()),
        ["error: var/tls/key.pem is not the key of var/tls/cert.pem"],
    ),
    "a locked key": (
        lambda: install(Signed(NAMES, issuer=AUTHORITY), key=AUTHORITY.key_pem(b"secret")),
        ["error: var/tls/key.pem is locked with a passphrase, which nobody can enter"],
    ),
    "no key": (
        lambda: install(Signed(NAMES, issuer=AUTHORITY), key=b"x"),
        ["error: var/tls/key.pem holds no private key in PEM form"],
    ),
    "a key for a group": (
        lambda: install(Signed(NAMES, issuer=AUTHORITY), mode=0o640),
        ["warning: var/tls/key.pem is open to a whole group (mode 0640)"],
    ),
    "a key for everybody": (
        lambda: install(Signed(NAMES, issuer=AUTHORITY), mode=0o644),
        ["error: var/tls/key.pem is open to everybody on this machine (mode 0644)"],
    ),
    "other names": (
        lambda: install(Signed(["a.example", "b.example"], issuer=AUTHORITY)),
        [
            "error: var/tls/cert.pem does not name localhost (it names a.example, b.example)",
            "warning: var/tls/cert.pem does not name conference.localhost (it names a.example, b.example)",
            "warning: var/tls/cert.pem does not name pubsub.localhost (it names a.example, b.example)",
        ],
    ),
    "no names": (
        lambda: install(Signed([], issuer=AUTHORITY)),
        [
            "error: var/tls/cert.pem does not name localhost (it names nothing)",
            "warning: var/tls/cert.pem does not name conference.localhost (it names nothing)",
            "warning: var/tls/cert.pem does not name pubsub.localhost (it names nothing)",
        ],
    ),
    "a wildcard for the rooms": (lambda: install(Signed(["localhost", "*.localhost"], issuer=AUTHORITY)), []),
    "a wildcard that reaches too far": (
        lambda: install(Signed(["localhost", "*.conference.localhost", "*"], issuer=AUTHORITY)),
        [
            f"warning: var/tls/cert.pem does not name {each}.localhost (it names localhost, *.conference.localhost, *)"
            for each in ("conference", "pubsub")
        ],
    ),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_bad_certificate_is_told(case):
    make, expected = CERTIFICATES[case]
    make()
    assert findings() == expected


def test_the_issuer_may_not_come_first():
    own = Signed(NAMES, issuer=AUTHORITY)
    install(AUTHORITY, own, key=own.key_pem())
    assert "error: var/tls/cert.pem begins with an issuer" in findings()


def test_a_room_service_may_have_a_certificate_of_its_own_or_be_named_in_another_domains():
    configure('[server]\ndomains = ["localhost", "b.example"]\n[c2s]\nlisten = []\nlisten_direct_tls = []\n')
    install(Signed(["localhost", "pubsub.localhost"], issuer=AUTHORITY))
    own = {"b.example": ["b.example", "*.b.example"], "conference.localhost": ["conference.localhost"]}
    for name, names in own.items():
        signed = Signed(names, issuer=AUTHORITY)
        Path(f"var/tls/{name}.pem").write_bytes(signed.pem())
        key = Path(f"var/tls/{name}.key")
        key.touch(0o600)
        key.write_bytes(signed.key_pem())
    assert findings() == []


def test_who_cannot_be_reached_by_other_servers_is_told():
    domain = '[server]\ndomains = ["b.example"]\n[c2s]\nlisten = []\nlisten_direct_tls = []\n[s2s]\n'
    configure(domain + 'listen = ["tcp:0:interface=127.0.0.1", "tcp6:0:interface=\\\\:\\\\:1"]')
    assert "note: `listen` in [s2s]: no server on another machine can connect" in findings()
    configure(domain + 'listen = ["tcp:0:interface=127.0.0.1"]\nlisten_direct_tls = ["tcp:0"]')
    assert not [finding for finding in findings() if "[s2s]" in finding]
    configure(domain + "listen = []")
    assert NO_S2S in findings()


def test_what_is_said_of_our_own_domains_in_s2s_has_no_effect():
    routes, policies = '[s2s.routes]\n"localhost" = "h:1"', '[s2s.domains]\n"conference.localhost" = "block"'
    configure(f'[c2s]\nlisten = []\nlisten_direct_tls = []\n[s2s]\nlisten = ["tcp:0"]\n{routes}\n{policies}')
    assert [finding for finding in findings() if "[s2s]" in finding] == [
        'warning: `routes` "localhost" in [s2s] has no effect: that domain is one of ours',
        'warning: `domains` "conference.localhost" in [s2s] has no effect: that domain is one of ours',
    ]


def test_half_a_pair_is_an_error():
    install(Signed(NAMES, issuer=AUTHORITY))
    Path("var/tls/key.pem").unlink()
    assert findings() == ["error: var/tls/key.pem cannot be read: No such file or directory"]
    install(Signed(NAMES, issuer=AUTHORITY))
    Path("var/tls/cert.pem").unlink()
    assert findings() == ["error: var/tls/cert.pem cannot be read: No such file or directory"]
    Path("var/tls/cert.pem").write_text("nonsense")
    assert findings() == ["error: var/tls/cert.pem holds no certificate in PEM form"]


def test_a_domain_with_a_certificate_of_its_own_needs_no_other():
    configure('[server]\ndomains = ["localhost", "b.example"]\n[c2s]\nlisten = []\nlisten_direct_tls = []\n')
    names = [*NAMES, "conference.b.example", "pubsub.b.example"]
    install(Signed(names, issuer=AUTHORITY))
    assert any(finding.startswith("error: var/tls/cert.pem does not name b.example") for finding in findings())
    own = Signed(["b.example"], issuer=AUTHORITY)
    Path("var/tls/b.example.pem").write_bytes(own.pem())
    assert findings() == ["error: var/tls/b.example.key cannot be read: No such file or directory"]
    Path("var/tls/b.example.key").write_bytes(own.key_pem())
    Path("var/tls/b.example.key").chmod(0o600)
    assert findings() == []
    Path("var/tls/b.example.pem").write_bytes(Signed(["c.example"], issuer=AUTHORITY).pem())
    assert findings() == [
        "error: var/tls/b.example.key is not the key of var/tls/b.example.pem",
        "error: var/tls/b.example.pem does not name b.example (it names c.example)",
    ]


def test_international_names_are_compared_as_certificates_spell_them():
    configure('[server]\ndomains = ["bücher.example"]\n[c2s]\nlisten = []\nlisten_direct_tls = []\n')
    install(Signed(["xn--bcher-kva.example", "*.xn--bcher-kva.example"], issuer=AUTHORITY))
    assert findings() == []


@pytest.mark.parametrize(("content", "text"), [(None, "cannot be read: No such"), ("x", "holds no certificate in PEM")])
def test_extra_trust_anchors_must_be_readable(content, text):
    configure('[tls]\nca_file = "ca.pem"\n[c2s]\nlisten = []\nlisten_direct_tls = []')
    if content is not None:
        Path("ca.pem").write_text(content)
    assert any(finding.startswith(f"error: ca.pem {text}") for finding in findings())
    Path("ca.pem").write_bytes(AUTHORITY.pem())
    assert findings() == ["note: var/tls/cert.pem is not there yet"]


def test_a_data_directory_that_cannot_be_made_is_an_error():
    Path("file").write_text("")
    configure('[server]\ndata_dir = "file/data"\n[storage]\nurl = "sqlite:///file/db/fermata.db"')
    assert "error: `data_dir` in [server]: file is no directory" in findings()
    assert "error: `url` in [storage]: file is no directory" in findings()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_directory_that_cannot_be_written_is_an_error():
    Path("var").chmod(0o500)
    assert "error: `data_dir` in [server]: the directory var cannot be written" in findings()
    Path("var").chmod(0o700)


@pytest.fixture
def port():
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_port_that_another_program_has_is_an_error(port):
    configure(f'[c2s]\nlisten = ["tcp:{port}:interface=127.0.0.1"]\nlisten_direct_tls = []')
    assert f"error: `listen` in [c2s]: port {port} of 127.0.0.1 is in use by another program" in findings()


def test_a_port_that_our_own_server_has_is_none(port, serve):
    serve(Path("var"), {"status": lambda: {"pid": 4711}})
    configure(f'[c2s]\nlisten = ["tcp:{port}:interface=127.0.0.1"]\nlisten_direct_tls = []')
    assert findings()[1:] == ["note: Fermata is running (process 4711)"]


def test_a_port_that_is_free_though_the_server_runs_is_a_warning(port, serve):
    serve(Path("var"), {"status": lambda: {"pid": 4711}})
    configure(f'[c2s]\nlisten = ["tcp:{port}:interface=127.0.0.2"]\nlisten_direct_tls = []')
    expected = f"warning: `listen` in [c2s]: port {port} of 127.0.0.2 is free though Fermata is running"
    assert findings()[-1] == expected


def test_a_server_that_cannot_say_how_it_is_is_a_warning(serve):
    serve(Path("var"), {})
    assert findings()[-1].startswith("warning: a server is running, but: the server knows no command 'status'")


def test_an_address_that_is_not_this_machines_is_an_error():
    configure('[c2s]\nlisten = ["tcp:5222:interface=192.0.2.1"]\nlisten_direct_tls = ["unix:/no/where"]')
    assert findings()[-1] == "error: `listen` in [c2s]: port 5222 of 192.0.2.1 is at no address of this machine"


def test_a_port_for_other_servers_that_another_program_has_is_an_error(port):
    configure(f'[c2s]\nlisten = ["tcp:0"]\nlisten_direct_tls = []\n[s2s]\nlisten = ["tcp:{port}"]')
    assert f"error: `listen` in [s2s]: port {port} is in use by another program" in findings()


def test_a_migrated_database_is_all_right():
    with stored_server(Config()):
        pass
    assert findings() == ["note: var/tls/cert.pem is not there yet"]


def test_a_database_without_tables_will_be_migrated():
    Path("var/fermata.db").touch()
    assert findings()[-1].startswith("warning: the database has no tables yet, this server works with ")


def set_revision(revision: str) -> None:
    with stored_server(Config()):
        pass
    connection = sqlite3.connect("var/fermata.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    connection.close()


def test_a_database_from_the_future_is_an_error():
    set_revision("9999")
    assert findings()[-1].startswith("error: the database is newer than this server (it has 9999")


def test_a_database_that_lags_behind_will_be_migrated(monkeypatch):
    with stored_server(Config()):
        pass
    kept = migrations.head()
    monkeypatch.setattr(migrations, "head", lambda: "9999")
    assert findings()[-1] == f"warning: the database is still at {kept}, this server works with 9999"


def test_a_file_that_is_no_database_is_an_error():
    Path("var/fermata.db").write_text("no database at all" * 100)
    assert findings()[-1].startswith("error: the database sqlite")
    assert findings()[-1].endswith("var/fermata.db can't be opened: file is not a database")


def test_looking_changes_nothing(here):
    before = sorted(path for path in here.rglob("*"))
    check(Path("fermata.toml"))
    assert sorted(path for path in here.rglob("*")) == before


def test_a_finding_says_what_to_do_about_it():
    install(Signed(NAMES, issuer=AUTHORITY), mode=0o644)
    (finding,) = check(Path("fermata.toml"))
    assert finding.severity is Severity.ERROR
    assert str(finding).endswith("(mode 0644)\n    chmod 600 var/tls/key.pem")
