"""The configuration: defaults, every kind of mistake with its line, and the default file."""

import dataclasses
from pathlib import Path

import pytest

from fermata.app.config import Config, listeners, load
from fermata.app.config_s2s import DomainPolicy
from fermata.app.config_tables import Durability, RestartInvites, RoomJoining
from fermata.app.config_text import default_text
from fermata.net.targets import Place
from kit.configuration import problems

ROOT = Path(__file__).resolve().parents[2]


def test_an_empty_file_is_the_server_of_the_design(write):
    config = load(write(""))
    assert config == Config()
    assert dataclasses.asdict(config.server) == {"domains": ("localhost",), "data_dir": Path("var"), "admins": ()}
    assert dataclasses.asdict(config.storage) == {"url": "sqlite:///var/fermata.db", "durability": "process"}
    assert (config.tls.certificate, config.tls.key) == (Path("var/tls/cert.pem"), Path("var/tls/key.pem"))
    assert config.tls.ca_file is None
    assert config.c2s.listen == ("tcp:5222:interface=127.0.0.1",)
    assert config.c2s.listen_direct_tls == ("tcp:5223:interface=127.0.0.1",)
    assert config.c2s.require_tls is True
    assert config.s2s.listen == ("tcp:5269:interface=127.0.0.1",)
    assert (config.s2s.require_tls, config.s2s.require_valid_certificate) == (True, False)
    assert config.s2s.resolver is None
    assert config.s2s.routes == config.s2s.domains == {}
    assert config.s2s.listen_direct_tls == ()
    assert config.s2s.bidi is True
    assert dataclasses.asdict(config.stay) == {
        "journal": True,
        "limbo": True,
        "client_resume": True,
        "client_resume_seconds": 7_200,
        "server_resume": True,
        "guardian": True,
        "cheap_rejoin": True,
        "restart_invites": RestartInvites.OPT_IN,
    }
    assert config.muc.service == "conference"
    assert config.accounts.room_joining is RoomJoining.BOOKMARKED
    assert dataclasses.asdict(config.archive) == {"accounts": True, "rooms": True, "retention_days": 0}
    assert config.http.listen == ("tcp:5280:interface=127.0.0.1",)


FULL = """
[server]
domains = ["Example.ORG", "bücher.example"]
data_dir = "/srv/fermata"
admins = ["Juliet@example.org"]
[storage]
url = "postgresql+psycopg://user@host/db"
durability = "power"
[tls]
ca_file = "ca.pem"
[c2s]
listen = ["tcp:0:interface=127.0.0.1", "unix:/run/c2s.sock:mode=660", "systemd:domain=INET:name=c2s"]
listen_direct_tls = []
require_tls = false
[s2s]
resolver = "[::1]:53"
listen_direct_tls = ["tcp:5270"]
bidi = false
[s2s.routes]
"Peer.example" = "127.0.0.1:16269"
"bücher.example" = "tls:[::1]:5270"
"third.example" = "tls:host.example:5270"
[s2s.domains]
"bad.example" = "block"
"good.example" = "secure"
[stay]
restart_invites = "off"
[muc]
service = "rooms.example.org"
[accounts]
room_joining = "all"
[limits]
stanza_bytes = 0
"""


def test_every_value_arrives_prepared_and_typed(write):
    config = load(write(FULL))
    assert config.server.domains == ("example.org", "bücher.example")
    assert config.server.data_dir == Path("/srv/fermata")
    assert config.server.admins[0].local == "juliet"
    assert config.storage.durability is Durability.POWER
    assert config.tls.ca_file == Path("ca.pem")
    assert len(config.c2s.listen) == 3
    assert config.c2s.listen_direct_tls == ()
    assert config.s2s.resolver == ("::1", 53)
    assert config.s2s.routes == {
        "peer.example": Place("127.0.0.1", 16269, False),
        "bücher.example": Place("::1", 5270, True),
        "third.example": Place("host.example", 5270, True),
    }
    assert config.s2s.domains == {"bad.example": DomainPolicy.BLOCK, "good.example": DomainPolicy.SECURE}
    assert config.s2s.listen_direct_tls == ("tcp:5270",)
    assert config.s2s.bidi is False
    assert config.stay.restart_invites is RestartInvites.OFF
    assert config.accounts.room_joining is RoomJoining.ALL
    assert config.limits.stanza_bytes == 0
    assert config.limits.queue_stanzas == 5000


def test_a_room_service_belongs_to_each_domain_unless_it_has_a_dot(write):
    each = load(write('[server]\ndomains = ["a.example", "b.example"]'))
    assert each.room_services() == ("conference.a.example", "conference.b.example")
    assert each.pubsub_services() == ("pubsub.a.example", "pubsub.b.example")
    services = (*each.room_services(), *each.pubsub_services())
    assert each.certificate_names() == ("a.example", "b.example", *services)
    shared = load(write('[server]\ndomains = ["a.example", "b.example"]\n[muc]\nservice = "rooms.example"'))
    assert shared.room_services() == ("rooms.example",)


def test_a_configuration_cannot_be_changed_after_it_was_read(write):
    config = load(write('[s2s.routes]\n"a.example" = "h:1"'))
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.server.domains = ("other.example",)
    with pytest.raises(TypeError):
        config.s2s.routes["b.example"] = Place("h", 2, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[c2s]\nlistn = []", "2: unknown key `listn` in [c2s]; did you mean `listen`?"),
        ("[c2s]\nRequire-TLS = true", "2: unknown key `Require-TLS` in [c2s]; did you mean `require_tls`?"),
        ("[muc]\n\nzzz = 1", "3: unknown key `zzz` in [muc]; known are `service`"),
        ("[server]\nurl = 1", "2: unknown key `url` in [server]; it belongs into [storage]"),
        ("domains = []", "1: unknown key `domains` outside of any table; it belongs into [server]"),
        ("foo = 1", "1: unknown key `foo` outside of any table; it needs one"),
        ("[limit]", "1: unknown table [limit]; did you mean [limits]?"),
        ("[[limit]]", "1: unknown table [limit]; did you mean [limits]?"),
        ("[s2s.route]\na = 1", "1: unknown table [s2s.route]; did you mean [s2s.routes]?"),
        ("\nc2s.listn = []", "2: unknown key `listn` in [c2s]; did you mean `listen`?"),
        ("\nc2s = { listn = [] }", "2: unknown key `listn` in [c2s]; did you mean `listen`?"),
        ("[s2s.routes]\n'b.example' = 'h'", '2: `routes` "b.example" in [s2s]: "h" is no "host:port"'),
        ("[s2s.routes]\n'b.example' = 'tls:h'", '2: `routes` "b.example" in [s2s]: "h" is no "host:port"'),
        ("[s2s]\nresolver = 'dns.example:53'", '2: `resolver` in [s2s]: "dns.example" is no IP address'),
        ("[s2s]\n[s2s.domain]\na = 1", "2: unknown table [s2s.domain]; did you mean [s2s.domains]?"),
        (
            "[s2s.domains]\n'b.example' = 'blok'",
            '2: `domains` "b.example" in [s2s]: expected "allow", "block" or "secure", not "blok"',
        ),
        ("c2s = 5", "1: [c2s] must be a table, not an integer"),
        ("[[c2s]]", "1: [c2s] must be a table, not an array"),
        ("[c2s]\nlisten = 'tcp:1'", "2: `listen` in [c2s]: expected an array of strings, not a string"),
        ("[c2s]\nlisten = [5222]", "2: `listen` in [c2s]: expected a string, not an integer"),
        ("[c2s.listen]", "1: `listen` in [c2s]: expected an array of strings, not a table"),
        ("[c2s]\nrequire_tls = 1", "2: `require_tls` in [c2s]: expected true or false, not an integer"),
        ("[limits]\nroster_items = true", "2: `roster_items` in [limits]: expected an integer, not a boolean"),
        ("[limits]\nroster_items = 1.5", "2: `roster_items` in [limits]: expected an integer, not a float"),
        ("[limits]\nroster_items = -1", "2: `roster_items` in [limits]: expected 0 (no limit) or more, not -1"),
        (
            "[limits]\nstanza_bytes = 9999",
            "2: `stanza_bytes` in [limits]: expected 10000 or more, or 0 for no limit, not 9999",
        ),
        ("[server]\ndata_dir = 2024-01-01", "2: `data_dir` in [server]: expected a string, not a date or time"),
        ("[server]\ndata_dir = ''", "2: `data_dir` in [server]: expected the path of a file or directory"),
        ("[server]\ndomains = []", "2: `domains` in [server]: must not be empty"),
        ("[server]\ndomains = ['a.b', 'A.b']", '2: `domains` in [server]: "A.b" is there twice'),
        ("[server]\nadmins = ['example.org']", '2: `admins` in [server]: "example.org" is no bare JID such as'),
        ("[server]\nadmins = ['a@b/c']", '2: `admins` in [server]: "a@b/c" is no bare JID such as'),
        ("[server]\nadmins = ['@b']", '2: `admins` in [server]: "@b" is no JID: a part of the address is empty'),
        (
            "[storage]\ndurability = 'disk'",
            '2: `durability` in [storage]: expected "process" or "power", not "disk"',
        ),
        (
            "[stay]\nrestart_invites = true",
            '2: `restart_invites` in [stay]: expected "opt-in", "all" or "off", not a boolean',
        ),
        (
            "[accounts]\nroom_joining = 'none'",
            '2: `room_joining` in [accounts]: expected "bookmarked", "all" or "off", not "none"',
        ),
        ("[s2s]\nresolver = '127.0.0.1'", '2: `resolver` in [s2s]: "127.0.0.1" is no "host:port"'),
        ("[s2s]\nresolver = '::1:53'", '2: `resolver` in [s2s]: "::1:53" is no "host:port"'),
        ("[s2s]\nresolver = 'h:70000'", '2: `resolver` in [s2s]: "h:70000" is no "host:port"'),
        ("[s2s.routes]\n'a.b' = 1", '2: `routes` "a.b" in [s2s]: expected a string, not an integer'),
        ("[s2s.routes]\n\n'a b' = 'h:1'", '3: `routes` "a b" in [s2s]: "a b" is no domain'),
        ("[s2s]\nroutes = []", "2: `routes` in [s2s]: expected a table, not an array"),
        ("[muc]\nservice = 'a b'", '2: `service` in [muc]: "a b" is no domain'),
        (
            "[server]\ndomains = ['a.b', 'conference.a.b']",
            "2: conference.a.b cannot be both a room service and one of `domains` in [server]",
        ),
        (
            "[server]\ndomains = ['a.b']\n[pubsub]\nservice = 'a.b'",
            "4: a.b cannot be both a pubsub service and one of `domains` in [server]",
        ),
        (
            "[pubsub]\nservice = 'conference'",
            "2: conference.localhost cannot be both a pubsub service and a room service",
        ),
        (
            "[muc]\nservice = 'a.b'\n[server]\ndomains = ['a.b']",
            "2: a.b cannot be both a room service and one of `domains` in [server]",
        ),
        (
            "[c2s]\nlisten_direct_tls = [\n 'tcp:5222:interface=127.0.0.1'\n]",
            "2: `listen_direct_tls` in [c2s]: 'tcp:5222:interface=127.0.0.1' is taken by `listen` in [c2s]",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_was_meant(write, text, expected):
    (problem,) = problems(write(text))
    assert problem.startswith(f"fermata.toml:{expected}")


@pytest.mark.parametrize("name", ["", "user@example.org", "example.org/res", "a b", "a..b", "-a", "[::1]", "x" * 300])
def test_what_is_no_domain_is_refused(write, name):
    (problem,) = problems(write(f'[server]\ndomains = ["{name}"]'))
    assert problem == f'fermata.toml:2: `domains` in [server]: "{name}" is no domain'


@pytest.mark.parametrize(
    "text",
    [
        "tcp:abc",
        "5222",
        "",
        "tcp",
        "foo:1",
        "tcp:1:bogus=2",
        "tcp:5222:interface=::1",
        "tcp:70000",
        "tcp:-1",
        "ssl:443",
        "systemd:",
        "systemd:domain=INET",
        "systemd:domain=IPX:index=0",
        "systemd:domain=INET:index=one",
        "systemd:domain=INET:name=",
        "systemd:domain=INET:index=0:name=c2s",
        "systemd:domain=INET:index=0:more",
        "haproxy:systemd:index=0",
    ],
)
def test_what_is_no_endpoint_is_refused(write, text):
    (problem,) = problems(write(f'[c2s]\n\nlisten = ["{text}"]'))
    assert problem.startswith(f"fermata.toml:3: `listen` in [c2s]: '{text}'")


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ("tcp:5000", "tcp:5000:interface=127.0.0.1", True),
        ("tcp:5000:interface=127.0.0.1", "tcp:5000:interface=127.0.0.2", False),
        ("tcp:5000", r"tcp6:5000:interface=\\:\\:", True),
        (r"tcp6:5000:interface=\\:\\:1", "tcp:5000", False),
        ("tcp:port=5000", "haproxy:tcp:5000", True),
        ("tcp:0", "tcp:0", False),
        ("tcp:5000", "unix:/x", False),
        ("systemd:domain=INET:index=0", "haproxy:systemd:index=0:domain=INET", True),
        ("systemd:domain=INET:name=a", "systemd:domain=INET6:name=b", False),
        ("systemd:domain=INET:index=0", "tcp:0", False),
    ],
)
def test_two_listeners_on_one_port_clash(write, first, second, clash):
    path = write(f'[c2s]\nlisten = ["{first}"]\nlisten_direct_tls = ["{second}"]')
    if clash:
        assert "is taken by `listen` in [c2s]" in problems(path)[0]
    else:
        load(path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "var/fermata.db",
        "sqlite://var/fermata.db",
        "sqlite:///",
        "sqlite:var.db",
        "mysql://host/db",
        "postgresql://user@host/db",
        "postgres://user@host/db",
        "postgresql+psycopg2://user@host/db",
        "postgresql+psycopg://user@host",
        "postgresql+psycopg://user@host:port/db",
        "postgresql+psycopg://[::1/db",
    ],
)
def test_what_is_no_database_url_is_refused(write, url):
    (problem,) = problems(write(f'[storage]\nurl = "{url}"'))
    assert problem.startswith("fermata.toml:2: `url` in [storage]: ")
    assert "sqlite:///" in problem or "postgresql+psycopg://" in problem


@pytest.mark.parametrize(
    "url", ["postgresql://fermata:s3cret@host/db", "postgresql+psycopg://fermata:s3cret@host", "pg://u:s3cret@h/d"]
)
def test_the_password_in_a_wrong_database_url_is_not_repeated(write, url):
    assert "s3cret" not in "".join(problems(write(f'[storage]\nurl = "{url}"')))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////var/lib/fermata/fermata.db",
        "postgresql+psycopg://user:pass@[::1]:5432/db",
        "postgresql+psycopg:///db?host=/run/postgresql",
    ],
)
def test_database_urls_of_both_kinds_are_taken(write, url):
    assert load(write(f'[storage]\nurl = "{url}"')).storage.url == url


def test_all_problems_are_told_at_once_in_the_order_of_the_file(write):
    text = """[c2s]
listn = []
listen = ["tcp:x", "tcp:y"]
[mucc]
service = "x"
[s2s.routes]
"ok.example" = "127.0.0.1:1"
"bad.example" = "nowhere"
"worse example" = "127.0.0.1:1"
[stay]
limbo = "yes"
"""
    lines = [problem.split(": ")[0] for problem in problems(write(text))]
    assert lines == [f"fermata.toml:{line}" for line in (2, 3, 3, 4, 8, 9, 11)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[c2s]\nlisten = [\n'a'\n\n", 3),
        ("[c2s]\nlisten = \n", 2),
        ("[c2s]\n[c2s]\n", 2),
        ("[c2s]\nlisten = []\nlisten = []\n", 3),
        ('x = "\n"', 1),
        ("[server\n", 1),
    ],
)
def test_broken_toml_is_told_with_its_line(write, text, line):
    (problem,) = problems(write(text))
    assert problem.startswith(f"fermata.toml:{line}: ")
    assert problem.endswith("(no valid TOML)")


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path):
    path = tmp_path / "latin.toml"
    path.write_bytes(b"[server]\n# caf\xe9\n")
    assert problems(path) == [f"{path}:2: is not UTF-8"]


def test_a_missing_file_is_told_as_such(tmp_path):
    path = tmp_path / "none.toml"
    assert problems(path) == [f"{path}: is not there; an empty file would do"]
    assert problems(tmp_path) == [f"{tmp_path}: cannot be read: Is a directory"]


def test_every_endpoint_of_the_defaults_is_a_listener():
    assert listeners(Config()) == [
        (("c2s", "listen"), "tcp:5222:interface=127.0.0.1"),
        (("c2s", "listen_direct_tls"), "tcp:5223:interface=127.0.0.1"),
        (("s2s", "listen"), "tcp:5269:interface=127.0.0.1"),
        (("http", "listen"), "tcp:5280:interface=127.0.0.1"),
    ]


def test_the_default_file_is_the_one_that_the_tables_describe():
    assert (ROOT / "etc" / "fermata.toml").read_text() == default_text(), (
        "write it again: python -m fermata.app.config_text > etc/fermata.toml"
    )


def test_the_default_file_means_the_defaults_also_when_everything_is_uncommented(write):
    assert load(ROOT / "etc" / "fermata.toml") == Config()
    settings = [line.removeprefix("#") for line in default_text().splitlines() if not line.startswith("# ")]
    seen: set[str] = set()
    kept = []
    for line in settings:
        name = line.partition(" = ")[0]
        if line.startswith("["):
            seen = set()
        if name not in seen and not name.startswith('"'):  # what is there twice, or has a free key, is an example
            kept.append(line)
        seen.add(name)
    text = "\n".join(kept)
    keys = sum(len(dataclasses.fields(getattr(Config(), table.name))) for table in dataclasses.fields(Config))
    assert text.count(" = ") == keys - 4  # all but the routes, the domains and the components
    assert load(write(text)) == Config()
