"""Service discovery payloads (XEP-0030, XEP-0128) and the hash that stands for them (XEP-0115)."""

import hashlib
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from . import namespaces as ns
from .bridge import Address, from_domish
from .dataforms import DATA_FORM, Form
from .element import Element
from .errors import StanzaError
from .wokkel import disco

_LANG: Final = "{%s}lang" % ns.XML
_IDENTITY: Final = "{%s}identity" % ns.DISCO_INFO
_FEATURE: Final = "{%s}feature" % ns.DISCO_INFO


class Identity(NamedTuple):
    """What an entity is, in the registrar's words; `name` is for people, in the language `lang`."""

    category: str
    type: str
    name: str = ""
    lang: str = ""


class Item(NamedTuple):
    """An entity, or a node of one, that is found at another."""

    jid: str
    name: str = ""
    node: str = ""


class Info(NamedTuple):
    """The answer to a disco#info query; `ver(*info)` is its hash."""

    identities: tuple[Identity, ...]
    features: tuple[str, ...]
    forms: tuple[Form, ...] = ()


def info(
    identities: Iterable[Identity], features: Iterable[str], forms: Iterable[Form] = (), node: str = ""
) -> Element:
    """The disco#info `<query/>` of an entity or of its `node`; features come out sorted, each once."""
    identities = tuple(identities)
    answer = disco.DiscoInfo()
    answer.nodeIdentifier = node
    for identity in identities:
        answer.append(disco.DiscoIdentity(identity.category, identity.type, identity.name))
    for feature in sorted(set(features)):
        answer.append(disco.DiscoFeature(feature))
    element = from_domish(answer.toElement())
    for identity, item in zip(identities, element, strict=False):
        if identity.lang:
            item.set(_LANG, identity.lang)
    element.extend([form.element() for form in forms])
    return element


def items(found: Iterable[Item], node: str = "") -> Element:
    """The disco#items `<query/>` of an entity or of its `node`."""
    answer = disco.DiscoItems()
    answer.nodeIdentifier = node
    for item in found:
        answer.append(disco.DiscoItem(Address(item.jid), item.node, item.name))
    return from_domish(answer.toElement())


def parse_info(element: Element) -> Info:
    """What a peer's disco#info `<query/>` says, with those of its forms that count (XEP-0115 §5.4).

    Raises StanzaError `bad-request` where that section calls the answer ill-formed: an identity, a feature or a
    FORM_TYPE that comes twice.
    """
    identities = tuple(
        Identity(item.get("category", ""), item.get("type", ""), item.get("name", ""), item.get(_LANG, ""))
        for item in element
        if item.tag == _IDENTITY
    )
    features = tuple(item.get("var", "") for item in element if item.tag == _FEATURE)
    forms = tuple(form for form in (Form.parse(item) for item in element if item.tag == DATA_FORM) if form.form_type)
    for found in (identities, features, [form.form_type for form in forms]):
        if any(count > 1 for count in Counter[object](found).values()):
            raise StanzaError("bad-request", "something is said twice")
    return Info(identities, features, forms)


def verification_string(identities: Iterable[Identity], features: Iterable[str], forms: Iterable[Form] = ()) -> str:
    """The string S of XEP-0115 §5.1, of which `ver` is the hash."""
    parts = [
        f"{identity.category}/{identity.type}/{identity.lang}/{identity.name}"
        for identity in sorted(identities, key=lambda identity: (identity.category, identity.type, identity.lang))
    ]
    parts += sorted(set(features))
    for form in sorted(forms, key=lambda form: form.form_type):
        parts.append(form.form_type)
        for field in sorted(form.fields, key=lambda field: field.var):
            parts += [field.var, *sorted(field.values)]
    # "XML character data": a `<` in a name may not pass for the one that ends it.
    return "".join(part.replace("<", "&lt;") + "<" for part in parts)


def ver(identities: Iterable[Identity], features: Iterable[str], forms: Iterable[Form] = ()) -> str:
    """The verification string as it goes out: SHA-1, in base64."""
    text = verification_string(identities, features, forms)
    return b64encode(hashlib.sha1(text.encode()).digest()).decode("ascii")
