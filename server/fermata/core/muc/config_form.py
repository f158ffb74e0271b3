"""The form in which owners see and change a room's configuration (XEP-0045 §10.1.3, §10.2, §16.5.3)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.dataforms import Field, Form
from ...xmpp.errors import StanzaError
from .config import ALLOW_PM, MOST_HISTORY, OCCUPANT_ROLES, WHOIS, Config

_PREFIX: Final = "muc#roomconfig_"
_HISTORY: Final = "muc#maxhistoryfetch"
ADMINS: Final = _PREFIX + "roomadmins"
OWNERS: Final = _PREFIX + "roomowners"
_MOST_USERS: Final = 100_000
_USERS: Final = ("10", "20", "50", "100", "200", "500", "1000", "none")

_TEXTS: Final = {"roomname": "Name", "roomdesc": "Description", "lang": "Language"}
_SWITCHES: Final = {
    "persistentroom": "Keep the room when nobody is in it",
    "publicroom": "List the room in public",
    "membersonly": "Only members may enter",
    "moderatedroom": "Only who has voice may speak",
    "passwordprotectedroom": "A password is needed to enter",
    "changesubject": "Participants may change the subject",
    "allowinvites": "Occupants may invite others",
    "enablelogging": "Messages are logged in public",
    "registration": "People may register as members",
    "reservednick": "Who has a reserved nickname goes by no other",
}
# What XEP-0045 has no field for goes by the name that Openfire gave it.
_VARS: Final = {"registration": "x-muc#roomconfig_registration", "reservednick": "x-muc#roomconfig_reservednick"}
_CHOICES: Final = {
    "whois": ("Who may see real JIDs", WHOIS),
    "allowpm": ("Who may send private messages", ALLOW_PM),
}
# For people; what is not here is a number.
_WORDS: Final = {
    "moderators": "Moderators",
    "anyone": "Anyone",
    "participants": "Participants and moderators",
    "none": "Nobody",
    "moderator": "Moderator",
    "participant": "Participant",
    "visitor": "Visitor",
}
_ROLE_SETS: Final = {
    "presencebroadcast": "Roles of which presence is broadcast",
    "getmemberlist": "Roles that may get the member list",
}


def _var(name: str) -> str:
    return _VARS.get(name, _PREFIX + name)


def _labelled(values: Iterable[str]) -> dict[str, str]:
    return {value: _WORDS.get(value, value) for value in values}


def config_form(config: Config, admins: Iterable[str], owners: Iterable[str]) -> Form:
    """The form, filled in with how the room is."""
    users = str(config.maxusers) if config.maxusers else "none"
    limits = _labelled((*_USERS, users)) | {"none": "No limit"}
    return Form(
        "form",
        ns.MUC_ROOM_CONFIG,
        (
            *(Field.text_single(_PREFIX + name, getattr(config, name), label) for name, label in _TEXTS.items()),
            *(Field.boolean(_var(name), getattr(config, name), label) for name, label in _SWITCHES.items()),
            Field.text_private(_PREFIX + "roomsecret", config.roomsecret, "Password"),
            *(
                Field.list_single(_PREFIX + name, getattr(config, name), _labelled(values), label)
                for name, (label, values) in _CHOICES.items()
            ),
            *(
                Field.list_multi(_PREFIX + name, getattr(config, name), _labelled(OCCUPANT_ROLES), label)
                for name, label in _ROLE_SETS.items()
            ),
            Field.list_single(_PREFIX + "maxusers", users, limits, "Most occupants"),
            Field.text_single(
                _HISTORY, str(config.maxhistoryfetch), f"Messages of history on entering, up to {MOST_HISTORY}"
            ),
            Field.jid_multi(ADMINS, admins, "Admins"),
            Field.jid_multi(OWNERS, owners, "Owners"),
        ),
        "Configuration of the room",
    )


def configured(config: Config, form: Form) -> Config:
    """The configuration that a submitted form asks for; what it leaves out stays as it is.

    Raises StanzaError `not-acceptable` for a value that a field may not have, and for a password that is not there.
    """
    asked: dict[str, object] = {}
    for name in _TEXTS:
        asked[name] = form.text(_PREFIX + name, getattr(config, name))
    asked["roomsecret"] = form.text(_PREFIX + "roomsecret", config.roomsecret)
    for name in _SWITCHES:
        asked[name] = form.boolean(_var(name), getattr(config, name))
    for name, (_, values) in _CHOICES.items():
        asked[name] = form.option(_PREFIX + name, values, getattr(config, name))
    for name in _ROLE_SETS:
        if _PREFIX + name in form:
            asked[name] = form.options(_PREFIX + name, OCCUPANT_ROLES)
    if form.text(_PREFIX + "maxusers", "") == "none":
        asked["maxusers"] = 0
    else:
        asked["maxusers"] = form.number(_PREFIX + "maxusers", config.maxusers, 1, _MOST_USERS)
    asked["maxhistoryfetch"] = form.number(_HISTORY, config.maxhistoryfetch, 0, MOST_HISTORY)
    if asked["passwordprotectedroom"] and not asked["roomsecret"]:
        raise StanzaError("not-acceptable", "a password-protected room needs a password")
    return replace(config, **asked)  # type: ignore[arg-type]
