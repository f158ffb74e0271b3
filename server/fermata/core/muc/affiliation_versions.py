"""Affiliations for those who keep a list of them: what has changed since they saw it last (XEP-0463).

Each is told what he may ask for (XEP-0045 §9.5, §10.5, §10.8), and the number that goes with those lists.
"""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import Element, child, serialise
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from ...xmpp.stanza import error_element
from . import absent
from .changelog import KINDS, Changelog, Unannounced
from .effects import Effects
from .lists import may_list
from .ranks import NONE
from .state import RoomState
from .versions import Marks, number_of, token

_MAV: Final = "{%s}mav" % ns.MUC_AFFILIATION_VERSIONS
# Messages of the room are split so that a client can take each of them.
_ITEMS_AT_ONCE: Final = 500


def asked(muc: Element) -> str | None:
    """The version in the `<mav/>` of an `<x/>` that enters: empty if it has none, None if there is no `<mav/>`."""
    found = child(muc, _MAV)
    return None if found is None else found.get("since", "")


def lists_of(room: RoomState, session: JID) -> int:
    """The lists that a session may see, as bits of `KINDS`."""
    return sum(bit for kind, bit in KINDS.items() if bit and may_list(room, session, kind))


def version(room: RoomState, log: Changelog, lists: int) -> str:
    """The version of those lists as they are now."""
    return _version(room, log, lists, log.listed)


def _version(room: RoomState, log: Changelog, lists: int, listed: dict[int, int]) -> str:
    seq = max(listed[0], *[seq for bit, seq in listed.items() if bit & lists])
    return f"{log.epoch}.{token(room, log, _letter(lists), seq)}"


def _letter(lists: int) -> str:
    return chr(ord("A") + lists)


def told(room: RoomState, log: Changelog, lists: int, since: str) -> list[Payload]:
    """What is told to somebody who enters and has seen these lists at that version: all, or what has changed.

    Nothing, if nothing has.
    """
    now = version(room, log, lists)
    if since == now:
        return []
    epoch, _, text = since.partition(".")
    seq = number_of(room, log, text, _letter(lists)) if epoch == log.epoch else None
    changed = log.affiliations_since(seq, lists) if seq is not None else None
    if changed is None:
        since = ""
        changed = [JID.parse(bare) for bare, found in room.affiliations.items() if KINDS[found.affiliation] & lists]
    parts = [changed[start : start + _ITEMS_AT_ONCE] for start in range(0, len(changed), _ITEMS_AT_ONCE)] or [[]]
    payloads = []
    for number, part in enumerate(parts, 1):
        # Whoever has seen only some of the parts names a version that is none, and is told all.
        until = now if number == len(parts) else f"{log.epoch}.part{number}"
        payloads.append(_message(room, since, until, [_item(room, bare, lists) for bare in part]))
        since = until
    return payloads


def refused(room: RoomState) -> Payload:
    """Says that these lists are not for who asks."""
    error = serialise(error_element(StanzaError("forbidden", "these lists are not for you", by=room.jid)))
    return Payload("message", f" from='{room.jid.attribute}' type='error'>{error}</message>", room.jid, "error")


def announce(room: RoomState, effects: Effects) -> None:
    """Tells those who keep lists, of members or of presences, what affiliations have changed by this step."""
    log = room.changelog
    if log is None:
        return
    changes, log.unannounced = log.unannounced, []
    for change in changes:
        absent.tell(room, effects, change)
    readers: dict[int, list[JID]] = {}
    for session, watch in list(log.watches.items()):
        if watch.marks & Marks.AFFILIATIONS:
            if watch.lists & ~lists_of(room, session):
                # Of what he may see no more he would miss a change; so he is told all when he enters again.
                log.watch(effects, session, watch._replace(marks=watch.marks & ~Marks.AFFILIATIONS, lists=0))
            else:
                readers.setdefault(watch.lists, []).append(session)
    for lists, sessions in readers.items():
        for change in changes:
            if change.change.kinds & lists:
                effects.send(_changed(room, log, change, lists), sessions)


def _changed(room: RoomState, log: Changelog, change: Unannounced, lists: int) -> Payload:
    after = {bit: change.change.seq if bit & change.change.kinds else seq for bit, seq in change.before.items()}
    since, until = _version(room, log, lists, change.before), _version(room, log, lists, after)
    return _message(room, since, until, [_item(room, change.bare, lists)])


def _item(room: RoomState, bare: JID, lists: int) -> str:
    affiliation = room.affiliations.get(bare, NONE).affiliation
    shown = affiliation if KINDS[affiliation] & lists else "none"
    return f"<item jid='{bare.attribute}' affiliation='{shown}'/>"


def _message(room: RoomState, since: str, until: str, items: list[str]) -> Payload:
    span = "".join(f" {name}='{value}'" for name, value in (("since", since), ("until", until)) if value)
    rest = (
        f" from='{room.jid.attribute}' id='{room.new_id()}'><x xmlns='{ns.MUC_USER}'>"
        f"<mav xmlns='{ns.MUC_AFFILIATION_VERSIONS}'{span}/>{''.join(items)}</x></message>"
    )
    return Payload("message", rest, room.jid)
