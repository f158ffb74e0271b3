"""What a room tells about itself to whoever asks (XEP-0045 §6.4, §6.5, §7.12)."""

from typing import Final

from ...xmpp import disco
from ...xmpp import namespaces as ns
from ...xmpp.dataforms import Field, Form
from ...xmpp.element import Element
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from .effects import Effects
from .state import RoomState

_FEATURES: Final = (
    ns.DISCO_INFO,
    ns.DISCO_ITEMS,
    ns.MODERATE,
    ns.MODERATE_0,
    ns.MUC,
    ns.MUC_STABLE_ID,
    ns.MUC_SELF_PING,
    ns.OCCUPANT_ID,
    ns.PING,
    ns.PUSH,
    ns.RETRACT,
    ns.VCARD,
)
_ARCHIVE: Final = (ns.MAM, ns.MAM_EXTENDED, ns.RETRACT_TOMBSTONE, ns.SID)
_CHEAP_REJOIN: Final = (
    ns.FAST_RECONNECT,
    ns.HISTORY,
    ns.MUC_AFFILIATION_VERSIONS,
    ns.PRESENCE_SESSION,
    ns.REJOIN,
)
_RESERVED_NICK: Final = "x-roomuser-item"
_TRAFFIC: Final = ns.MUC + "#traffic"


def give_info(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Answers disco#info: features and the state of the room, or the nickname that is reserved for the sender."""
    check_open(room, sender)
    node = iq[0].get("node", "")
    if node == _RESERVED_NICK:
        found = room.affiliations.get(sender.bare)
        names = [disco.Identity("conference", "text", found.nick)] if found is not None and found.nick else []
        effects.answer(iq, sender, disco.info(names, (), (), node))
        return
    if node == _TRAFFIC:
        # §18.1.1: that is the answer of a room that lets everything through.
        raise StanzaError("service-unavailable")
    if node:
        raise StanzaError("item-not-found")
    identity = disco.Identity("conference", "text", room.config.roomname or room.jid.local)
    features = [*_FEATURES, *(_ARCHIVE if room.archive.is_kept else ()), *_modes(room)]
    if room.calls_back:
        features.append(ns.RESTART)
    if room.cheap_rejoin:
        features += _CHEAP_REJOIN
        # It is about members, whether they are here or not; elsewhere people come and go who are none.
        features += [ns.PRESENCE_VERSIONING] if room.config.membersonly else []
    if may_register(room, sender.bare):
        features.append(ns.REGISTER)
    effects.answer(iq, sender, disco.info([identity], features, [_about(room)]))


def give_items(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Answers disco#items: who is in a room is not for everybody to know (§6.5)."""
    check_open(room, sender)
    if iq[0].get("node"):
        raise StanzaError("item-not-found")
    effects.answer(iq, sender, disco.items(()))


def check_open(room: RoomState, sender: JID) -> None:
    """Raises StanzaError `item-not-found` for a room that is not open yet, unless its owner asks (§10.1.1)."""
    if room.locked_until and room.affiliation_of(sender.bare) != "owner":
        raise StanzaError("item-not-found", "the room is not open yet")


def may_register(room: RoomState, bare: JID) -> bool:
    """Whether a person may ask to become a member, or to have a nickname reserved as one (§7.10)."""
    affiliation = room.affiliation_of(bare)
    return affiliation != "outcast" and (room.config.registration or affiliation != "none")


def _modes(room: RoomState) -> list[str]:
    config = room.config
    return [
        "muc_membersonly" if config.membersonly else "muc_open",
        "muc_public" if config.publicroom else "muc_hidden",
        "muc_moderated" if config.moderatedroom else "muc_unmoderated",
        "muc_nonanonymous" if config.nonanonymous else "muc_semianonymous",
        "muc_passwordprotected" if config.passwordprotectedroom else "muc_unsecured",
        "muc_persistent" if config.persistentroom else "muc_temporary",
    ]


def _about(room: RoomState) -> Form:
    config = room.config
    fields = [
        Field.text_single("muc#roominfo_description", config.roomdesc, "Description"),
        Field.text_single("muc#roominfo_subject", room.subject.text, "Subject"),
        Field.text_single("muc#roominfo_occupants", str(len(room.occupants)), "Number of occupants"),
        Field.text_single("muc#roominfo_lang", config.lang, "Language"),
        Field.text_single("muc#maxhistoryfetch", str(config.maxhistoryfetch), "Messages of history on entering"),
        Field.boolean("muc#roomconfig_changesubject", config.changesubject, "Participants may change the subject"),
    ]
    if room.vcard.hashes:
        fields.append(Field.text_multi("muc#roominfo_avatarhash", "\n".join(room.vcard.hashes), "Avatar hash"))
    return Form("result", ns.MUC_ROOM_INFO, tuple(fields))
