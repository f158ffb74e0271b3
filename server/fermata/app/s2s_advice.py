"""What to do about each trouble with another server, in words for the operator."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from ..host.federation import Cause, Pair, Trouble
from ..net.s2s_trial import Ended


class Circumstances(NamedTuple):
    """What advice depends on: `own_fault` is what is wrong with our own certificate, empty if nothing is."""

    pair: Pair
    ended: Ended
    own_fault: str
    is_running: bool


def advice(trouble: Trouble, around: Circumstances) -> str:
    """What can be done about it, and by whom."""
    return _ADVICE[trouble.cause](around)


def _no_domain(around: Circumstances) -> str:
    domain = around.pair.remote
    return (
        f"is {domain} spelled right? Then its operator has to make an SRV record _xmpp-server._tcp.{domain} in the DNS,"
        " and an address for the host that it names"
    )


def _name_server(around: Circumstances) -> str:
    return (
        "if other domains cannot be found either, the name server of this machine is in trouble: `resolver` in [s2s]"
        " can name another one; if it is this one only, its operator must look after its DNS"
    )


def _refused(around: Circumstances) -> str:
    return (
        f"either no server runs there, or the SRV record names the wrong host or port: the operator of"
        f" {around.pair.remote} has to put that right"
    )


def _silent(around: Circumstances) -> str:
    if around.ended.is_connected:
        return f"what listens there hangs, or is no XMPP server: the operator of {around.pair.remote} has to look"
    return "a firewall swallows it: one there, or one here that lets no connection out"


def _no_tls(around: Circumstances) -> str:
    advised = (
        f"the operator of {around.pair.remote} has to give the server a certificate and switch TLS on; only"
        " `require_tls = false` in [s2s] would do without, for all servers"
    )
    return f"{advised}. If it did not like our certificate: {_own(around)}" if around.own_fault else advised


def _certificate(around: Circumstances) -> str:
    return (
        f"the operator of {around.pair.remote} has to put that right. If you trust its issuer, add that to `ca_file` in"
        " [tls]; without `require_valid_certificate` in [s2s], or `secure` in [s2s.domains], the DNS could vouch for it"
    )


def _authentication(around: Circumstances) -> str:
    local, remote = around.pair
    if not around.ended.takes_dialback:
        if around.own_fault:
            return f"{remote} takes nothing but a valid certificate, and {_own(around)}"
        return f"{remote} does not trust the issuer of our certificate: get one from an authority that is better known"
    if not around.is_running:
        return "dialback needs a running server here, which confirms our key: start it and test again"
    return (
        f"{remote} must be able to find this server as {local} in the DNS, and to connect to it: look at the record"
        f" _xmpp-server._tcp.{local}, at `listen` in [s2s], and at the firewall"
    )


def _own(around: Circumstances) -> str:
    fault = around.own_fault.replace("its certificate", "ours", 1)
    return f"{fault}: get one that names {around.pair.local}, as `certificate` in [tls]"


def _host_unknown(around: Circumstances) -> str:
    domain = around.pair.remote
    return (
        f"the server there does not know {domain}: its SRV record leads to the wrong host, or it has yet to be set up"
    )


def _stream(around: Circumstances) -> str:
    if not around.ended.has_answered:
        return "what answers there is no XMPP server: the SRV record names the wrong host or port"
    return "the log of the other server says why; if it was busy, or just starting, test again"


def _policy(around: Circumstances) -> str:
    return f'take "{around.pair.remote}" out of [s2s.domains] if you want to talk to it'


_ADVICE: Final[Mapping[Cause, Callable[[Circumstances], str]]] = {
    Cause.NO_DOMAIN: _no_domain,
    Cause.NAME_SERVER: _name_server,
    Cause.REFUSED: _refused,
    Cause.SILENT: _silent,
    Cause.NO_TLS: _no_tls,
    Cause.CERTIFICATE: _certificate,
    Cause.AUTHENTICATION: _authentication,
    Cause.HOST_UNKNOWN: _host_unknown,
    Cause.STREAM: _stream,
    Cause.POLICY: _policy,
}
