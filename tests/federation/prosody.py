"""Debian's Prosody, with its own resolver (libunbound) pointed at the tests' name server."""

from pathlib import Path

from interop.peers import Peer, unpack
from kit.people import PASSWORD

from .place import Place, Terms
from .program import Program

_MODULES = "roster saslauth tls disco ping time version private vcard_legacy vcard4 pep carbons blocklist posix".split()

_CONFIGURATION = """\
pidfile = "{directory}/prosody.pid"
data_path = "{directory}/data"
run_as_root = true
network_backend = "epoll"
interfaces = {{ "{address}" }}
c2s_direct_tls_ports = {{}}
s2s_direct_tls_ports = {{ 5270 }}
http_ports = {{}}
https_ports = {{}}
log = {{ debug = "{directory}/prosody.log" }}
modules_enabled = {{ {modules} }}
authentication = "internal_plain"
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
s2s_require_encryption = true
s2s_secure_auth = {secure}
storage = "internal"
certificates = "{directory}"
ssl = {{ certificate = "{certificate}"; key = "{key}"; cafile = "{trusted}" }}
unbound = {{
	resolvconf = false;
	forward = "127.0.0.1@{resolver}";
	options = {{ ["do-not-query-localhost:"] = "no" }};
}}
VirtualHost "{domain}"
Component "{rooms}" "muc"
	modules_enabled = {{ {in_rooms} }}
	muc_log_by_default = true
"""


class Prosody(Program):
    """Speaks on the standard ports of its address."""

    software = "Prosody"

    def __init__(self, place: Place, terms: Terms, people: int = 0) -> None:
        """Raises interop.peers.PeerError if the packages can't be had."""
        self._prosody, self._unbound = unpack("prosody"), unpack("lua-unbound")
        self._terms = terms
        super().__init__(place, people)

    def configure(self) -> None:
        optional = {"dialback": self._terms.dialback, "s2s_bidi": self._terms.bidi, "smacks": self._terms.management}
        modules = [*_MODULES, *(name for name, is_wanted in optional.items() if is_wanted)]
        text = _CONFIGURATION.format(
            directory=self.directory,
            address=self.place.address,
            modules="; ".join(f'"{module}"' for module in modules),
            secure="false" if self._terms.dialback else "true",
            certificate=self.place.certificate,
            key=self.place.key,
            trusted=self.place.trusted,
            resolver=self.place.resolver,
            domain=self.domain,
            rooms=self.place.rooms,
            in_rooms='"muc_mam"' if self._terms.archives else "",
        )
        (self.directory / "prosody.cfg.lua").write_text(text)
        # Debian has written the places of its files into the launcher.
        launcher = (self._prosody.root / "usr/bin/prosody").read_text()
        (self.directory / "prosody").write_text(launcher.replace("'/usr/lib/", f"'{self._prosody.root}/usr/lib/"))
        accounts = self.directory / "data" / self.domain.replace(".", "%2e") / "accounts"
        accounts.mkdir(parents=True)
        for name in self.accounts:
            (accounts / f"{name}.dat").write_text(f'return {{ ["password"] = "{PASSWORD}" }};')

    def command(self) -> list[str]:
        lua = self._prosody.command("lua5.4", f"{self.directory}/prosody", "-F")
        return [*lua, "--config", f"{self.directory}/prosody.cfg.lua"]

    def environment(self) -> dict[str, str]:
        homes = [peer.environment(self.directory)["LD_LIBRARY_PATH"] for peer in (self._prosody, self._unbound)]
        modules = self._prosody.root / "usr/share/lua/5.4"
        return {
            "LD_LIBRARY_PATH": ":".join(homes),
            "LUA_PATH": f"{modules}/?.lua;{modules}/?/init.lua",
            "LUA_CPATH": ";".join(f"{_lua(peer)}/?.so" for peer in (self._prosody, self._unbound)),
        }

    def is_ready(self) -> bool:
        return True


def _lua(peer: Peer) -> Path:
    return next((peer.root / "usr/lib").glob("*/lua/5.4"))
