"""Prosody, from Debian's package, with the collector of garbage as it comes or as Lua has it by default."""

import os
from pathlib import Path

from .credentials import DOMAIN, ITERATIONS, Certificate, rooms_of, scram_keys
from .packages import find_package, library_directory
from .servers import Place, Server

# What Debian's configuration enables, less what talks to other servers, limits clients or administrates.
_MODULES = (
    "disco roster saslauth tls blocklist bookmarks carbons pep private smacks vcard4 vcard_legacy csi_simple ping time"
    " uptime version posix"
).split()
_TUNED_GC = 'gc = { mode = "incremental", threshold = 200, speed = 200 }'

_CONFIGURATION = """\
pidfile = "{directory}/prosody.pid"
data_path = "{directory}/data"
run_as_root = true
network_backend = "epoll"
{gc}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{}}
http_ports = {{}}
https_ports = {{}}
log = {{ info = "{directory}/prosody.log" }}
modules_enabled = {{ {modules} }}
{servers}
authentication = "internal_hashed"
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
storage = "internal"
archive_expires_after = "1w"
certificates = "{directory}"
ssl = {{ certificate = "{certificate}"; key = "{key}" }}
VirtualHost "{domain}"
Component "{room_service}" "muc"
	modules_enabled = {{ {room_modules} }}
"""

_ALONE = """\
s2s_ports = {}
modules_disabled = { "s2s" }"""
# What Debian's configuration has; and its own resolver (libunbound), pointed at another name server than the system's.
_FEDERATED = """\
s2s_interfaces = {{ "{reach.address}" }}
s2s_secure_auth = false
unbound = {{
	resolvconf = false;
	forward = "127.0.0.1@{reach.resolver}";
	options = {{ ["do-not-query-localhost:"] = "no" }};
}}"""


class Prosody(Server):
    """`has_tuned_gc`: with Lua's own thresholds, at which it costs half as much and takes little more memory."""

    accounts_of = "prosody"

    def __init__(self, has_tuned_gc: bool) -> None:
        self._gc = _TUNED_GC if has_tuned_gc else ""
        self.name = "prosody-gc" if has_tuned_gc else "prosody"
        self.title = "Prosody, tuned GC" if has_tuned_gc else "Prosody"

    def version(self) -> str:
        """As the program says of itself."""
        return (self._root / "usr/lib/prosody/prosody.version").read_text().strip()

    @property
    def _root(self) -> Path:
        return find_package("prosody", "prosody")

    def make_accounts(self, directory: Path, count: int, certificate: Certificate, domain: str = DOMAIN) -> None:
        """Its internal storage is a file for each account."""
        keys = scram_keys()
        accounts = directory / "data" / domain.replace(".", "%2e") / "accounts"
        accounts.mkdir(parents=True)
        text = (
            f'return {{ ["iteration_count"] = {ITERATIONS}; ["salt"] = "{keys.salt.decode()}";'
            f' ["server_key"] = "{keys.server_key.hex()}"; ["stored_key"] = "{keys.stored_key.hex()}"; }};'
        )
        for number in range(count):
            (accounts / f"u{number}.dat").write_text(text)

    def configure(self, place: Place) -> None:
        """The configuration, and a launcher: in Debian's, the places of its files are written down."""
        modules = [*_MODULES, *["mam"] * place.keeps_archive, *["dialback"] * bool(place.reach)]
        text = _CONFIGURATION.format(
            directory=place.directory,
            port=place.port,
            gc=self._gc,
            modules="; ".join(f'"{module}"' for module in modules),
            room_modules='"muc_mam"' if place.keeps_archive else "",
            certificate=place.certificate.certificate,
            key=place.certificate.key,
            domain=place.domain,
            room_service=rooms_of(place.domain),
            servers=_FEDERATED.format(reach=place.reach) if place.reach else _ALONE,
        )
        (place.directory / "prosody.cfg.lua").write_text(text)
        launcher = (self._root / "usr/bin/prosody").read_text()
        (place.directory / "prosody").write_text(launcher.replace("'/usr/lib/", f"'{self._root}/usr/lib/"))

    def command(self, place: Place) -> list[str]:
        """Its own Lua runs it."""
        lua = str(self._root / "usr/bin/lua5.4")
        return [lua, f"{place.directory}/prosody", "-F", "--config", f"{place.directory}/prosody.cfg.lua"]

    def environment(self, place: Place) -> dict[str, str]:
        """Where Lua finds its libraries."""
        lua_modules = self._root / "usr/share/lua/5.4"
        roots = [self._root, *([find_package("lua-unbound", "prosody")] if place.reach else [])]
        libraries = [library_directory(root, "*/lua") for root in roots]
        return {
            **os.environ,
            "HOME": str(place.directory),
            "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
            "LUA_PATH": f"{lua_modules}/?.lua;{lua_modules}/?/init.lua",
            "LUA_CPATH": ";".join(f"{directory}/lua/5.4/?.so" for directory in libraries),
        }
