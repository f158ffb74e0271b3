"""Debian's ejabberd. It asks the tests' name server for SRV; addresses come from a file.

For those it asks the C library, which can't be told of a name server at another port; so libnss_wrapper (of Samba's
test suite) answers in its place.
"""

from pathlib import Path

from interop.peers import unpack
from kit.people import PASSWORD

from .place import Place, Terms
from .program import Program

_CONFIGURATION = """\
loglevel: debug
log_rotate_count: 0
hosts: ["{domain}"]
certfiles: ["{directory}/both.pem"]
ca_file: "{trusted}"
s2s_cafile: "{trusted}"
s2s_use_starttls: required
s2s_max_retry_delay: 1
s2s_dns_timeout: 5
listen:
  - port: 5222
    ip: "{address}"
    module: ejabberd_c2s
    max_stanza_size: 262144
    starttls: true
  - port: 5269
    ip: "{address}"
    module: ejabberd_s2s_in
    max_stanza_size: 524288
  - port: 5270
    ip: "{address}"
    module: ejabberd_s2s_in
    max_stanza_size: 524288
    tls: true
auth_method: [mnesia]
auth_password_format: plain
access_rules: {{local: [{{allow: all}}]}}
modules:
  mod_adhoc: {{}}
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_disco: {{}}
  mod_muc:
    host: "{rooms}"
    default_room_options: {{allow_private_messages: true, mam: {archives}}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_pubsub: {{plugins: [flat, pep]}}
  mod_roster: {{}}
{modules}
  mod_stream_mgmt: {{}}
  mod_time: {{}}
  mod_vcard: {{search: false}}
  mod_version: {{}}
"""
_INET = """\
{{lookup, [file, dns]}}.
{{resolv_conf, "/dev/null"}}.
{{hosts_file, "/dev/null"}}.
{{nameserver, {{127,0,0,1}}, {resolver}}}.
{{cache_size, 0}}.
{{host, {{127,0,0,1}}, ["localhost"]}}.
"""
# Run by the server once it has started.
_MAKE_ACCOUNTS = """
(fun Wait() -> case lists:keymember(ejabberd, 1, application:which_applications()) of
    true -> ok; false -> timer:sleep(20), Wait() end end)(),
[ejabberd_auth:try_register(<<"p", (integer_to_binary(N))/binary>>, <<"$DOMAIN">>, <<"$PASSWORD">>)
    || N <- lists:seq(0, $COUNT - 1)],
file:write_file("accounts", <<>>).
"""


class Ejabberd(Program):
    """Speaks on the standard ports of its address. Without dialback it believes valid certificates only."""

    software = "ejabberd"

    def __init__(self, place: Place, terms: Terms, people: int = 0) -> None:
        """Raises interop.peers.PeerError if the packages can't be had."""
        self._root = unpack("ejabberd").root
        self._nss_wrapper = next(unpack("libnss-wrapper").root.rglob("libnss_wrapper.so"))
        self._terms = terms
        super().__init__(place, people)

    def configure(self) -> None:
        place = self.place
        optional = {"mod_s2s_dialback": self._terms.dialback, "mod_mam": self._terms.archives}
        text = _CONFIGURATION.format(
            domain=place.domain,
            rooms=place.rooms,
            directory=self.directory,
            address=place.address,
            trusted=place.trusted,
            archives="true" if self._terms.archives else "false",
            modules="\n".join(f"  {module}: {{}}" for module, is_wanted in optional.items() if is_wanted),
        )
        (self.directory / "ejabberd.yml").write_text(text)
        (self.directory / "inetrc").write_text(_INET.format(resolver=place.resolver))
        (self.directory / "both.pem").write_text(place.certificate.read_text() + place.key.read_text())

    def command(self) -> list[str]:
        code = _MAKE_ACCOUNTS
        for mark, value in {"$DOMAIN": self.domain, "$PASSWORD": PASSWORD, "$COUNT": len(self.accounts)}.items():
            code = code.replace(mark, str(value))
        machine = ["+K", "true", "-noinput", "-mnesia", "dir", f'"{self.directory}/mnesia"']
        return [str(self._machine / "erlexec"), *machine, "-s", "ejabberd", "-eval", " ".join(code.split())]

    def environment(self) -> dict[str, str]:
        libraries = self._library("ejabberd-*/ebin").parent
        return {
            "LD_LIBRARY_PATH": f"{libraries}:{self._root}/lib/{libraries.name}",
            "ROOTDIR": str(self._root / "usr/lib/erlang"),
            "BINDIR": str(self._machine),
            "EMU": "beam",
            "PROGNAME": "erl",
            "ERL_LIBS": str(libraries),
            "LD_PRELOAD": str(self._nss_wrapper),
            "NSS_WRAPPER_HOSTS": str(self.place.hosts),
            "ERL_INETRC": str(self.directory / "inetrc"),
            "ERL_CRASH_DUMP_BYTES": "0",
            "EJABBERD_CONFIG_PATH": str(self.directory / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(self.directory / "ejabberd.log"),
        }

    def is_ready(self) -> bool:
        return (self.directory / "accounts").exists()

    @property
    def _machine(self) -> Path:
        return next((self._root / "usr/lib").glob("erlang/erts-*/bin"))

    def _library(self, pattern: str) -> Path:
        return next((self._root / "usr/lib").glob(f"*/{pattern}")).parent
