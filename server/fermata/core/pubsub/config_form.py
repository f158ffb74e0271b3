"""The form in which owners see and change a node's configuration (XEP-0060 §8.2, §16.4.4)."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Final

from ...xmpp import namespaces as ns
from ...xmpp.dataforms import Field, Form
from ...xmpp.errors import StanzaError
from ...xmpp.pubsub import error
from .config import ITEM_REPLY, LAST_PUBLISHED, NO_LIMIT, NOTIFICATION_TYPES, PUBLISH_MODELS, NodeConfig

PREFIX: Final = "pubsub#"
ACCESS_MODEL: Final = PREFIX + "access_model"
_ROSTER_GROUPS: Final = PREFIX + "roster_groups_allowed"
_MAX: Final = "max"
_TEXT_CHARACTERS: Final = 1_000
_GROUPS_MAX: Final = 50
_GROUP_CHARACTERS: Final = 200
_HIGHEST: Final = 2**31 - 1

_TEXTS: Final = {
    "title": "A name for the node",
    "description": "What it is about",
    "type": "The namespace of the payloads",
    "language": "Its language",
}
_SWITCHES: Final = {
    "deliver_notifications": "Tell subscribers what is new",
    "deliver_payloads": "Send them the payload with it",
    "notify_config": "Tell them when the configuration changes",
    "notify_delete": "Tell them when the node is deleted",
    "notify_retract": "Tell them when items are retracted",
    "persist_items": "Keep items",
    "subscribe": "Allow subscriptions",
}
_NUMBERS: Final = {
    "max_items": "How many items are kept",
    "item_expire": "For how many seconds",
}
_CHOICES: Final = {
    "publish_model": ("Who may publish", PUBLISH_MODELS),
    "send_last_published_item": ("When subscribers get the last item", LAST_PUBLISHED),
    "notification_type": ("The type of notifications", NOTIFICATION_TYPES),
    "itemreply": ("Who is named as the author of an item", ITEM_REPLY),
}
# What we have in one way only: who asks for that very way gets it.
_FIXED: Final = {
    "node_type": "leaf",
    "purge_offline": False,
    "presence_based_delivery": False,
    "notify_sub": False,
    "tempsub": False,
}


def config_form(config: NodeConfig, access_models: Collection[str], type: str = "form") -> Form:
    """The form, filled in with how the node is; `access_models` are those that its service has."""
    fields = [
        *(Field.text_single(PREFIX + name, getattr(config, name), label) for name, label in _TEXTS.items()),
        *(Field.boolean(PREFIX + name, getattr(config, name), label) for name, label in _SWITCHES.items()),
        *(Field.text_single(PREFIX + name, _number(getattr(config, name)), label) for name, label in _NUMBERS.items()),
        Field.text_single(PREFIX + "max_payload_size", str(config.max_payload_size), "Most bytes of a payload"),
        Field.list_single(
            ACCESS_MODEL, config.access_model, {each: each for each in access_models}, "Who may subscribe and retrieve"
        ),
        *(
            Field.list_single(PREFIX + name, getattr(config, name), {each: each for each in values}, label)
            for name, (label, values) in _CHOICES.items()
        ),
    ]
    if "roster" in access_models:
        groups = config.roster_groups_allowed
        fields.append(Field.list_multi(_ROSTER_GROUPS, groups, {each: each for each in groups}, "Groups of the roster"))
    return Form(type, ns.PUBSUB_NODE_CONFIG, tuple(fields))


def configured(config: NodeConfig, form: Form, access_models: Collection[str]) -> NodeConfig:
    """The configuration that a submitted form asks for; what it leaves out stays as it is, what we do not know too.

    Raises StanzaError `not-acceptable` for a value that a field may not have.
    """
    asked: dict[str, Any] = {}
    for name in _TEXTS:
        asked[name] = form.text(PREFIX + name, getattr(config, name))[:_TEXT_CHARACTERS]
    for name in _SWITCHES:
        asked[name] = form.boolean(PREFIX + name, getattr(config, name))
    for name in _NUMBERS:
        if form.text(PREFIX + name, "") == _MAX:
            asked[name] = NO_LIMIT
        elif form.values(PREFIX + name):
            asked[name] = form.number(PREFIX + name, lowest=1, highest=_HIGHEST)
    asked["max_payload_size"] = form.number(PREFIX + "max_payload_size", config.max_payload_size)
    for name, (_, values) in _CHOICES.items():
        asked[name] = form.option(PREFIX + name, values, getattr(config, name))
    asked["access_model"] = _access_model(form, access_models, config.access_model)
    if _ROSTER_GROUPS in form:
        asked["roster_groups_allowed"] = _groups(form.values(_ROSTER_GROUPS))
    return replace(config, **asked)


def demanded(config: NodeConfig, form: Form, access_models: Collection[str]) -> NodeConfig:
    """The configuration that publish options demand of a node (§7.1.5); it has to be the one that the node has.

    As `configured`, but what we do not know cannot be promised. Raises StanzaError `conflict` for that.
    """
    for field in form.fields:
        name = field.var.removeprefix(PREFIX)
        if name in _FIXED:
            if not _is_so(form, field.var, _FIXED[name]):
                raise unmet(field.var)
        elif name not in _KNOWN or not field.var.startswith(PREFIX):
            raise unmet(field.var)
    return configured(config, form, access_models)


def unmet(what: str) -> StanzaError:
    """The refusal of publish options that the node does not meet."""
    return error("conflict", "precondition-not-met", f"the node is not so: {what}")


def differences(config: NodeConfig, other: NodeConfig) -> list[str]:
    """The names of the fields in which two configurations are not the same."""
    return [name for name in NodeConfig.__slots__ if getattr(config, name) != getattr(other, name)]


_KNOWN: Final = frozenset(NodeConfig.__slots__)


def _groups(names: Sequence[str]) -> tuple[str, ...]:
    if len(names) > _GROUPS_MAX or any(len(name) > _GROUP_CHARACTERS for name in names):
        raise StanzaError("not-acceptable", f"at most {_GROUPS_MAX} groups of {_GROUP_CHARACTERS} characters")
    return tuple(names)


def _number(value: int) -> str:
    return str(value) if value else _MAX


def _access_model(form: Form, access_models: Collection[str], now: str) -> str:
    wanted = form.text(ACCESS_MODEL, "") or now
    if wanted not in access_models:
        raise error("not-acceptable", "unsupported-access-model", f"there are: {', '.join(access_models)}")
    return wanted


def _is_so(form: Form, var: str, value: object) -> bool:
    return (form.boolean(var) if isinstance(value, bool) else form.text(var)) == value
