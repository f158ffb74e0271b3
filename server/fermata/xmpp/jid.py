"""Addresses (RFC 7622). A JID is its own canonical text, and knows its parts.

Being a `str`, it is a key, an attribute value and a log word as it is; two addresses are the same if and only if
they are equal. Only `JID.parse` and `JID.of` make one, and both prepare every part.
"""

import re
from functools import lru_cache

import idna
from precis_i18n import get_profile

from .element import escape

_PART_BYTES = 1023
# The common case, already in canonical form: no part of it needs any preparation.
_PREPARED = re.compile(
    r"(?:([a-z0-9!#$%()*+,\-.;=?\[\\\]^_`{|}~]+)@)?"
    r"((?=[a-z0-9.\-]{1,255}(?:/|\Z))[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?)*)"
    r"(?:/([!-~](?:[ -~]*[!-~])?))?"
)
_ACE = re.compile(r"(?:^|\.)xn--")
_LOCAL_FORBIDDEN = re.compile("[\"&'/:<>@\\s]")
_IPV6 = re.compile(r"\[[0-9a-f:.]+(?:%25[0-9a-z\-._~]+)?\]", re.IGNORECASE)
_USERNAME = get_profile("UsernameCaseMapped")
_OPAQUE = get_profile("OpaqueString")


class JIDError(ValueError):
    """The text is no address."""


class JID(str):
    """A prepared address; `resource` is empty in a bare one, `local` in a domain's."""

    __slots__ = ("attribute", "bare", "domain", "local", "resource")
    local: str
    domain: str
    resource: str
    bare: "JID"
    attribute: str  #: the address as it stands inside an XML attribute

    @staticmethod
    def parse(text: str) -> "JID":
        """The address that a text names. Raises JIDError."""
        return _parse(text)

    @staticmethod
    def of(local: str, domain: str, resource: str = "") -> "JID":
        """The address made of these parts, each prepared here. Raises JIDError."""
        return _build(_prepare_local(local), _prepare_domain(domain), _prepare_resource(resource))

    @property
    def is_bare(self) -> bool:
        """Whether it has no resource."""
        return not self.resource

    def with_resource(self, resource: str) -> "JID":
        """The full JID of that resource. Raises JIDError."""
        return _build(self.local, self.domain, _prepare_resource(resource))


def _build(local: str, domain: str, resource: str) -> JID:
    bare_text = f"{local}@{domain}" if local else domain
    jid = JID(f"{bare_text}/{resource}" if resource else bare_text)
    jid.local, jid.domain, jid.resource = local, domain, resource
    jid.attribute = escape(jid)
    jid.bare = _build(local, domain, "") if resource else jid
    return jid


@lru_cache(maxsize=100_000)
def _parse(text: str) -> JID:
    match = _PREPARED.fullmatch(text)
    if match is not None and len(text) <= _PART_BYTES and not _ACE.search(match[2]):
        return _build(match[1] or "", match[2], match[3] or "")
    rest, slash, resource = text.partition("/")
    local, at, domain = rest.partition("@")
    if not at:
        local, domain = "", rest
    if (at and not local) or (slash and not resource):
        raise JIDError("a part of the address is empty")
    return JID.of(local, domain, resource)


def _sized(part: str) -> str:
    if len(part.encode("utf-8", "surrogatepass")) > _PART_BYTES:
        raise JIDError("a part of the address is longer than 1023 bytes")
    return part


def _prepare_local(local: str) -> str:
    if not local:
        return ""
    try:
        prepared = _USERNAME.enforce(_sized(local))
    except ValueError as error:
        raise JIDError("the localpart has characters that it may not have") from error
    if _LOCAL_FORBIDDEN.search(prepared):
        raise JIDError("the localpart has characters that it may not have")
    return _sized(prepared)


def _prepare_resource(resource: str) -> str:
    if not resource:
        return ""
    try:
        return _sized(_OPAQUE.enforce(_sized(resource)))
    except ValueError as error:
        raise JIDError("the resourcepart has characters that it may not have") from error


@lru_cache(maxsize=10_000)
def _prepare_domain(domain: str) -> str:
    domain = _sized(domain).removesuffix(".")
    if _IPV6.fullmatch(domain):
        return domain.lower()
    try:
        return idna.decode(idna.encode(domain, uts46=True, std3_rules=True))
    except (UnicodeError, ValueError, IndexError) as error:
        raise JIDError("the domainpart is no domain") from error
