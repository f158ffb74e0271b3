"""Push from a room to who is not in it (XEP-0357): most often to a client of the person itself, as its own app server.

A client that registers its full JID is told when it has fallen out of the room without noticing: at the first message
that it does not get, and when the service has started again. It then asks whether it is in (XEP-0410), and enters.
"""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.dataforms import DATA_FORM, Form
from ...xmpp.disco import parse_info
from ...xmpp.element import E, Element, child, escape, serialise
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID, JIDError
from ...xmpp.payload import Payload, payload_of
from ...xmpp.stanza import condition_of, error_of, type_of_error
from ..records import PushSaved
from .disco import check_open
from .effects import Effects
from .push_registrations import MOST_CHECKS, Check, Registration
from .ranks import affiliation_at_least
from .state import RoomState

QUIET_SECONDS: Final = 600.0  #: from a push that was answered to the next one
MOST_FAILURES: Final = 16  #: in a row, before a registration is given up
FAILING_SECONDS: Final = 7 * 86_400.0  #: for which they may last
_MOST_OF_ONE: Final = 5
_MOST_OF_STRANGERS: Final = 200
_LONGEST_NODE: Final = 1_023
_LONGEST_OPTIONS: Final = 4_000
_CHECK_SECONDS: Final = 60.0

ENABLE: Final = "{%s}enable" % ns.PUSH
DISABLE: Final = "{%s}disable" % ns.PUSH
_DISCO: Final = "{%s}query" % ns.DISCO_INFO
_OPTIONS: Final = ns.PUBSUB + "#publish-options"
# They say that nobody is there to be told any more. Of anything else nobody knows how it will be next time: above all
# of what is said by our own side while the other one is out of reach, for which there are registrations at all.
_FINAL: Final = frozenset(
    "bad-request feature-not-implemented forbidden item-not-found not-acceptable service-unavailable".split()
)


def enable(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Registers somebody for push (§5): his own address at once, a push service after it has said that it is one."""
    check_open(room, sender)
    jid, node = _addressed(iq[0])
    if not node or len(node) > _LONGEST_NODE:
        raise StanzaError("bad-request", "a node is needed")
    _check_may_register(room, sender, jid)
    registration = Registration(sender.bare, jid, node, _options(iq[0]))
    _check_room_for(room, registration)
    if registration.is_own:
        _register(room, effects, registration)
        effects.answer(iq, sender)
    else:
        _ask(room, effects, Check(iq, sender, registration, now), now)


def disable(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Ends a registration of the sender's own, or all of them with that address (§6)."""
    jid, node = _addressed(iq[0])
    for one in room.pushes.of(sender.bare):
        if one.jid == jid and node in ("", one.node):
            _remove(room, effects, one)
    effects.answer(iq, sender)


def _addressed(element: Element) -> tuple[JID, str]:
    try:
        return JID.parse(element.get("jid", "")), element.get("node", "")
    except JIDError:
        raise StanzaError("bad-request", "a jid is needed") from None


def _check_may_register(room: RoomState, sender: JID, jid: JID) -> None:
    affiliation = room.affiliation_of(sender.bare)
    is_member = affiliation_at_least(affiliation, "member")
    if not is_member and room.occupants.at(sender) is None:
        raise StanzaError("forbidden", "push is for occupants and members")
    if jid.bare != sender.bare and (not is_member or jid.domain == room.jid.domain):
        raise StanzaError("forbidden", "that is no address for you to register")


def _options(element: Element) -> str:
    """The form that goes with each publishing, as XML; empty if there is none."""
    form = child(element, DATA_FORM)
    if form is None:
        return ""
    if Form.parse(form, _OPTIONS).form_type != _OPTIONS:
        raise StanzaError("bad-request", "the options are no publish-options")
    text = serialise(form)
    if len(text) > _LONGEST_OPTIONS:
        raise StanzaError("policy-violation", "the options are too long")
    return text


def _check_room_for(room: RoomState, registration: Registration) -> None:
    if registration.key in room.pushes.all:
        return
    registrant = registration.registrant
    if len(room.pushes.of(registrant)) >= _MOST_OF_ONE:
        raise StanzaError("resource-constraint", f"nobody has more than {_MOST_OF_ONE} registrations here")
    if room.affiliation_of(registrant) == "none":
        strangers = [one for one in room.pushes.all.values() if room.affiliation_of(one.registrant) == "none"]
        if len(strangers) >= _MOST_OF_STRANGERS:
            raise StanzaError("resource-constraint", "too many have registered with this room")


def _register(room: RoomState, effects: Effects, registration: Registration) -> None:
    room.pushes.put(registration)
    effects.records.append(registration.saved(room.number))


def _remove(room: RoomState, effects: Effects, registration: Registration) -> None:
    room.pushes.drop(registration)
    effects.records.append(registration.removed(room.number))


# -- push services


def _ask(room: RoomState, effects: Effects, check: Check, now: float) -> None:
    if len(room.pushes.checks) >= MOST_CHECKS:
        raise StanzaError("resource-constraint", "too many push services are being asked")
    id = room.new_id()
    room.pushes.checks[id] = check
    effects.due = now + _CHECK_SECONDS
    question = E("iq", {"from": room.jid, "id": id, "type": "get"}, Element(_DISCO))
    effects.send(payload_of(question), (check.registration.jid,))


def give_up(room: RoomState, effects: Effects, now: float) -> None:
    """Refuses what waits for push services that have not answered in time."""
    for id, check in list(room.pushes.checks.items()):
        if now - check.asked >= _CHECK_SECONDS:
            del room.pushes.checks[id]
            _refuse(room, effects, check, StanzaError("remote-server-timeout", "the push service does not answer"))


def _conclude(room: RoomState, effects: Effects, check: Check, answer: Element) -> None:
    """A push service has said what it is, or an error was said about it."""
    try:
        _check_is_push_service(answer)
        _check_may_register(room, check.sender, check.registration.jid)
        _check_room_for(room, check.registration)
    except StanzaError as error:
        _refuse(room, effects, check, error)
    else:
        _register(room, effects, check.registration)
        effects.answer(check.iq, check.sender)


def _check_is_push_service(answer: Element) -> None:
    if answer.get("type") == "error" and (
        type_of_error(answer) == "wait" or condition_of(answer).startswith("remote-server")
    ):
        raise StanzaError("remote-server-timeout", "the push service can't be reached")
    found = child(answer, _DISCO)
    identities = parse_info(found).identities if answer.get("type") == "result" and found is not None else ()
    if not any((each.category, each.type) == ("pubsub", "push") for each in identities):
        raise StanzaError("forbidden", "there is no push service at that address")


def _refuse(room: RoomState, effects: Effects, check: Check, error: StanzaError) -> None:
    error.by = room.jid
    effects.send(payload_of(error_of(check.iq, error)), (check.sender,))


# -- pushes, and the answers to them


def announce(room: RoomState, effects: Effects, author: JID, now: float) -> None:
    """There is a message to be read, by this bare JID: whoever has registered and is not in is told."""
    for one in _absent(room, [one for one in room.pushes.all.values() if one.registrant != author]):
        one.missed += 1
        if now >= one.quiet_until:
            _push(room, effects, one, now)


def wake(room: RoomState, saved: PushSaved, now: float) -> Effects:
    """The service has started: who has registered his own address and was not kept in the room is told so."""
    effects = Effects()
    one = room.pushes.all.get((JID.parse(saved.registrant), JID.parse(saved.jid), saved.node))
    if one is not None and one.is_own and now >= one.quiet_until:
        for absent in _absent(room, [one]):
            _push(room, effects, absent, now)
    return effects


def _absent(room: RoomState, registrations: list[Registration]) -> list[Registration]:
    """Those for which nobody is in the room: not that very session or, where none is meant, not the person."""
    absent = [one for one in registrations if room.occupants.at(one.jid) is None]
    if all(one.is_for_session for one in absent):
        return absent
    present = {occupant.bare for occupant in room.occupants}
    return [one for one in absent if one.is_for_session or one.registrant not in present]


def _push(room: RoomState, effects: Effects, one: Registration, now: float) -> None:
    id = room.new_id()
    room.pushes.expect(one, id, now)
    options = f"<publish-options>{one.options}</publish-options>" if one.options else ""
    rest = (
        f" from='{room.jid.attribute}' id='{escape(id)}' type='set'><pubsub xmlns='{ns.PUBSUB}'>"
        f"<publish node='{escape(one.node)}'><item><notification xmlns='{ns.PUSH}'>"
        f"<x xmlns='{ns.DATA_FORMS}' type='submit'>"
        f"<field var='FORM_TYPE'><value>{ns.PUSH_SUMMARY}</value></field>"
        f"<field var='message-count'><value>{one.missed}</value></field></x>"
        f"</notification></item></publish>{options}</pubsub></iq>"
    )
    effects.send(Payload("iq", rest, room.jid, "set"), (one.jid,))


def answered(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """An answer to something that the room has sent; nothing happens if it is to no push and no question of ours."""
    id = iq.get("id", "")
    check = room.pushes.checks.get(id)
    if check is not None and check.registration.jid == sender:
        del room.pushes.checks[id]
        _conclude(room, effects, check, iq)
        return
    one = room.pushes.take(id, sender)
    if one is None:
        return
    one.quiet_until = now + QUIET_SECONDS
    if iq.get("type") == "result":
        one.missed = 0
        if one.failures:
            one.failures, one.failing_since = 0, 0.0
            effects.records.append(one.saved(room.number))
    else:
        _failed(room, effects, one, iq, now)


def _failed(room: RoomState, effects: Effects, one: Registration, error: Element, now: float) -> None:
    if condition_of(error) in _FINAL and type_of_error(error) != "wait":
        _remove(room, effects, one)
        return
    one.failing_since = one.failing_since if one.failures else now
    one.failures += 1
    if one.failures >= MOST_FAILURES or now - one.failing_since >= FAILING_SECONDS:
        _remove(room, effects, one)
    else:
        effects.records.append(one.saved(room.number))


# -- what else happens in the room


def entered(room: RoomState, session: JID) -> None:
    """A session has entered: what it may miss after it has left is news again."""
    for one in room.pushes.all.values():
        if one.registrant == session.bare and (one.jid == session or not one.is_for_session):
            room.pushes.pushed.pop(one.id, None)
            one.id, one.quiet_until, one.missed = "", 0.0, 0


def follow(room: RoomState, effects: Effects) -> None:
    """Affiliations or the configuration have changed: who may not know what happens here is told nothing more."""
    for one in list(room.pushes.all.values()):
        affiliation = room.affiliation_of(one.registrant)
        needs_member = room.config.membersonly or not one.is_own
        if affiliation == "outcast" or (affiliation == "none" and needs_member):
            _remove(room, effects, one)


def forget(room: RoomState, effects: Effects, registrant: JID) -> None:
    """An account is removed: nobody is told for it any more."""
    for one in room.pushes.of(registrant):
        _remove(room, effects, one)
