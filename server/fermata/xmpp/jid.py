"""Addresses (RFC 7622). A JID is its own canonical text, and knows its parts.

Being a `str`, it is a key, an attribute value and a log word as it is; two addresses are the same if and only if
they are equal. Only `JID.parse` and `JID.of` make one, and both prepare every part.

Parts that PRECIS refuses are prepared with the older stringprep profiles instead (RFC 6122) if those allow them: much
of the network still uses these, and a room or nickname with an emoji in it is no reason to cut its people off.
Domains have no such leniency, since DNS and certificates have none.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address
from sys import intern

import idna
from precis_i18n import get_profile

from .element import escape
from .stringprep import nodeprep, resourceprep

_PART_BYTES = 1023
_CACHED_CHARACTERS = 200  # longer texts are rare, and would let strangers fill the memory
# What is in canonical form already, so that no part of it needs any preparation: nearly all there is.
_LABEL = r"(?!xn--)[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?"
_LOCAL = r"[a-z0-9!#$%()*+,\-.;=?\[\\\]^_`{|}~]+"
_DOMAIN = rf"(?=[a-z0-9.\-]{{1,253}}(?:/|\Z)){_LABEL}(?:\.{_LABEL})*"
_RESOURCE = r"[!-~](?:[ -~]*[!-~])?"
_PREPARED = re.compile(rf"(?:({_LOCAL})@)?({_DOMAIN})(?:/({_RESOURCE}))?")
_PREPARED_LOCAL = re.compile(_LOCAL)
_PREPARED_DOMAIN = re.compile(_DOMAIN)
_PREPARED_RESOURCE = re.compile(_RESOURCE)

_LOCAL_FORBIDDEN = re.compile("[\"&'/:<>@\\s]")
_IPV6 = re.compile(r"\[([0-9a-f:.]+)(?:%25[0-9a-z\-._~]+)?\]")  # RFC 3986 §3.2.2, RFC 6874
_USERNAME = get_profile("UsernameCaseMapped")
_OPAQUE = get_profile("OpaqueString")


class JIDError(ValueError):
    """The text is no address."""


class JID(str):
    """A prepared address; `resource` is empty in a bare one, `local` in a domain's."""

    __slots__ = ("_attribute", "bare", "domain", "local", "resource")
    local: str
    domain: str
    resource: str
    bare: "JID"
    _attribute: str  # empty where nothing has to be escaped, until it is needed: most addresses are only kept

    @property
    def attribute(self) -> str:
        """The address as it stands inside an XML attribute."""
        if not self._attribute:
            self._attribute = str(self)
        return self._attribute

    @staticmethod
    def parse(text: str) -> "JID":
        """The address that a text names. Raises JIDError."""
        return _parse(text) if len(text) <= _CACHED_CHARACTERS else _parse.__wrapped__(text)

    @staticmethod
    def of(local: str, domain: str, resource: str = "") -> "JID":
        """The address made of these parts, each prepared here. Raises JIDError."""
        bare = _bare(_prepare_local(local), _prepare_domain(domain))
        return _full(bare, _prepare_resource(resource)) if resource else bare

    def with_resource(self, resource: str) -> "JID":
        """The full JID of that resource. Raises JIDError."""
        return _full(self.bare, _prepare_resource(resource)) if resource else self.bare


@lru_cache(maxsize=65_536)
def _parse(text: str) -> JID:
    match = _PREPARED.fullmatch(text)
    if match is not None and len(text) <= _PART_BYTES:
        bare = _bare(match[1] or "", match[2])
        return _full(bare, match[3]) if match[3] else bare
    rest, slash, resource = text.partition("/")
    local, at, domain = rest.partition("@")
    if not at:
        local, domain = "", rest
    if (at and not local) or (slash and not resource):
        raise JIDError("a part of the address is empty")
    return JID.of(local, domain, resource)


@lru_cache(maxsize=65_536)
def _bare(local: str, domain: str) -> JID:
    """One object for all full JIDs of an account or a room."""
    text = f"{local}@{domain}" if local else domain
    jid = JID(text)
    jid.local, jid.domain, jid.resource = local, intern(domain), ""
    jid._attribute = _escaped(text)
    jid.bare = jid
    return jid


def _full(bare: JID, resource: str) -> JID:
    text = f"{bare}/{resource}"
    jid = JID(text)
    jid.local, jid.domain, jid.resource = bare.local, bare.domain, resource
    jid._attribute = _escaped(text)
    jid.bare = bare
    return jid


def _escaped(text: str) -> str:
    """The text as it stands in an attribute, if that is another one. Raises ValueError for what XML cannot carry."""
    escaped = escape(text)
    return "" if escaped is text else escaped


def _prepare_local(local: str) -> str:
    if not local or _PREPARED_LOCAL.fullmatch(local):
        return _sized(local)
    prepared = _stable(_sized(local), _local_rules)
    if _LOCAL_FORBIDDEN.search(prepared):
        raise JIDError("the localpart has characters that it may not have")
    return _sized(prepared)


def _local_rules(text: str) -> str:
    try:
        return str(_USERNAME.enforce(text))
    except ValueError:
        return nodeprep(text)


def _prepare_resource(resource: str) -> str:
    if _PREPARED_RESOURCE.fullmatch(resource):
        return _sized(resource)
    return _sized(_stable(_sized(resource), _resource_rules))


def _resource_rules(text: str) -> str:
    try:
        return str(_OPAQUE.enforce(text))
    except ValueError:
        return resourceprep(text)


def _stable(text: str, rules: Callable[[str], str]) -> str:
    """Applies rules until they change nothing more (RFC 8264 §7), so that an address stays what it is."""
    for _ in range(4):
        try:
            prepared = rules(text)
        except ValueError as error:
            raise JIDError("a part of the address has characters that it may not have") from error
        if prepared == text:
            return text
        if not prepared:
            raise JIDError("nothing is left of a part of the address")
        text = prepared
    raise JIDError("a part of the address has no stable form")


@lru_cache(maxsize=10_000)
def _prepare_domain(domain: str) -> str:
    domain = _sized(domain).removesuffix(".")
    lower = domain.lower()
    if _PREPARED_DOMAIN.fullmatch(lower):
        return lower
    try:
        literal = _IPV6.fullmatch(lower)
        if literal is not None:
            IPv6Address(literal[1])
            return lower
        prepared = idna.decode(idna.encode(domain, uts46=True, std3_rules=True))
    except (ValueError, IndexError) as error:
        raise JIDError("the domainpart is no domain") from error
    if prepared.endswith("."):
        raise JIDError("the domainpart ends with an empty label")
    return prepared


def _sized(part: str) -> str:
    if len(part) * 4 > _PART_BYTES and len(part.encode("utf-8", "surrogatepass")) > _PART_BYTES:
        raise JIDError("a part of the address is longer than 1023 bytes")
    return part
