"""ejabberd, from Debian's package, with Debian's settings of the Erlang machine."""

import base64
import os
import subprocess
from pathlib import Path

from .credentials import DOMAIN, ITERATIONS, Certificate, rooms_of, scram_keys
from .errors import BenchError
from .packages import find_package, library_directory
from .servers import Place, Reach, Server, free_port

# Debian's configuration, less what talks to other servers or to HTTP and what limits clients.
_CONFIGURATION = """\
loglevel: info
log_rotate_count: 0
hosts: [{domain}]
certfiles: ["{certificate}"]
c2s_protocol_options: [no_sslv3, no_tlsv1, no_tlsv1_1, cipher_server_preference, no_compression]
listen:
  - port: {port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    starttls: true
    starttls_required: false
    backlog: 1000
{servers}
disable_sasl_mechanisms: [digest-md5, X-OAUTH2]
auth_method: [mnesia]
auth_password_format: scram
access_rules: {{local: [{{allow: all}}]}}
shaper_rules: {{max_user_sessions: 10, max_user_offline_messages: 100}}
modules:
  mod_adhoc: {{}}
  mod_admin_extra: {{}}
  mod_avatar: {{}}
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_client_state: {{}}
  mod_disco: {{}}
  mod_last: {{}}
{archive}
  mod_muc:
    host: {room_service}
    max_users: 5000
    max_users_presence: 5000
    max_user_conferences: 1000
    default_room_options: {{max_users: 5000, mam: {keeps_archive}}}
  mod_offline: {{access_max_user_messages: max_user_offline_messages}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_pubsub:
    access_createnode: local
    plugins: [flat, pep]
    force_node_config: {{"storage:bookmarks": {{access_model: whitelist}}}}
  mod_push: {{}}
  mod_roster: {{versioning: true}}
{dialback}
  mod_shared_roster: {{}}
  mod_stream_mgmt: {{resend_on_timeout: if_offline}}
  mod_time: {{}}
  mod_vcard: {{search: false}}
  mod_vcard_xupdate: {{}}
  mod_version: {{}}
"""
# What Debian's configuration has.
_FEDERATED = """\
  - port: 5269
    ip: "{reach.address}"
    module: ejabberd_s2s_in
    max_stanza_size: 524288
s2s_use_starttls: required
s2s_max_retry_delay: 1"""
_ARCHIVE = "  mod_mam: {default: always, assume_mam_usage: true}"

# Run by a server that has just started: its table of passwords is filled, and it stops.
_MAKE_ACCOUNTS = """
ok = lists:foldl(
    fun(_, ok) -> ok;
       (_, _) -> timer:sleep(100),
                 case lists:keymember(ejabberd, 1, application:which_applications()) of true -> ok; _ -> wait end
    end, wait, lists:seq(1, 300)),
[ok = mnesia:dirty_write({passwd, {<<"u", (integer_to_binary(N))/binary>>, <<"$DOMAIN">>},
     {scram, <<"$STORED">>, <<"$SERVER">>, <<"$SALT">>, sha, $ITERATIONS}}) || N <- lists:seq(0, $COUNT - 1)],
true = ejabberd_auth:check_password(<<"u0">>, <<>>, <<"$DOMAIN">>, <<"pw">>),
mnesia:sync_log(), ejabberd:stop(), init:stop().
"""


class Ejabberd(Server):
    """Its own database (mnesia) keeps everything, the archive too; that is its default."""

    name, title = "ejabberd", "ejabberd"
    accounts_of = "ejabberd"

    def version(self) -> str:
        """As its library's directory says."""
        return self._library.name.removeprefix("ejabberd-")

    @property
    def _root(self) -> Path:
        return find_package("ejabberd", "ejabberdctl")

    @property
    def _library(self) -> Path:
        return library_directory(self._root, "*/ejabberd-*/ebin")

    def make_accounts(self, directory: Path, count: int, certificate: Certificate, domain: str = DOMAIN) -> None:
        """Hashed with as many rounds as the others' are: ejabberd itself would take 4,096, and minutes."""
        keys = scram_keys()
        place = Place(directory, free_port(), certificate, False, domain)
        self.configure(place)
        code = _MAKE_ACCOUNTS
        for mark, value in {
            "$DOMAIN": domain,
            "$STORED": base64.b64encode(keys.stored_key).decode(),
            "$SERVER": base64.b64encode(keys.server_key).decode(),
            "$SALT": base64.b64encode(keys.salt).decode(),
            "$ITERATIONS": str(ITERATIONS),
            "$COUNT": str(count),
        }.items():
            code = code.replace(mark, value)
        command = [*self.command(place), "-eval", " ".join(code.split())]
        try:
            done = subprocess.run(
                command,
                cwd=directory,
                env=self.environment(place),
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BenchError("ejabberd did not make its accounts within two minutes") from error
        if done.returncode:
            raise BenchError(f"ejabberd did not make its accounts: {done.stdout[-2000:]}{done.stderr[-500:]}")

    def configure(self, place: Place) -> None:
        """The configuration, and where Erlang looks names up: in files, never in the DNS."""
        text = _CONFIGURATION.format(
            domain=place.domain,
            room_service=rooms_of(place.domain),
            dialback="  mod_s2s_dialback: {}" if place.reach else "",
            servers=_FEDERATED.format(reach=place.reach) if place.reach else "",
            port=place.port,
            certificate=place.certificate.both,
            archive=_ARCHIVE if place.keeps_archive else "",
            keeps_archive="true" if place.keeps_archive else "false",
        )
        (place.directory / "ejabberd.yml").write_text(text)
        names = '{lookup, [file, native]}.\n{host, {127,0,0,1}, ["localhost"]}.\n'
        if place.reach:
            names += f'{{resolv_conf, "/dev/null"}}.\n{{nameserver, {{127,0,0,1}}, {place.reach.resolver}}}.\n'
        (place.directory / "inetrc").write_text(names)

    def command(self, place: Place) -> list[str]:
        """What `ejabberdctl foreground` runs, without a node name: so it needs no port for other nodes."""
        machine = ["+K", "true", "+P", "250000", "+Q", "32000", "-noinput"]
        return [
            str(self._machine / "erlexec"),
            *machine,
            "-mnesia",
            "dir",
            f'"{place.directory}/mnesia"',
            "-s",
            "ejabberd",
        ]

    def environment(self, place: Place) -> dict[str, str]:
        """What the script `erl` would set, and what `ejabberdctl` would."""
        libraries = self._library.parent
        return {
            **os.environ,
            "HOME": str(place.directory),
            "LD_LIBRARY_PATH": f"{libraries}:{self._root}/lib/{libraries.name}",
            "ROOTDIR": str(self._root / "usr/lib/erlang"),
            "BINDIR": str(self._machine),
            "EMU": "beam",
            "PROGNAME": "erl",
            "ERL_LIBS": str(libraries),
            "ERL_INETRC": str(place.directory / "inetrc"),
            "ERL_MAX_ETS_TABLES": "1400",
            "ERL_CRASH_DUMP_BYTES": "0",
            "EJABBERD_CONFIG_PATH": str(place.directory / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(place.directory / "ejabberd.log"),
            **_addresses(place.reach),
        }

    @property
    def _machine(self) -> Path:
        return library_directory(self._root, "erlang/erts-*/bin/erlexec")


def _addresses(reach: Reach | None) -> dict[str, str]:
    """The C library is asked for addresses, unlike for SRV records: libnss_wrapper answers in its place."""
    if reach is None:
        return {}
    root = find_package("libnss-wrapper", "")
    wrapper = library_directory(root, "*/libnss_wrapper.so") / "libnss_wrapper.so"
    return {"LD_PRELOAD": str(wrapper), "NSS_WRAPPER_HOSTS": str(reach.hosts)}
