"""Who may change what in a room: the tables of XEP-0045 §5, every actor, action and target."""

import pytest

from kit.muc import change, create, drain, enter
from kit.people import People
from kit.stanzas import error, show
from kit.wire import Client

# The permission table (§5): what an actor may do to a target. Ann owns the room; the actor and the target are others.

ACTORS = ["outsider", "visitor", "participant", "member", "moderator", "admin", "owner"]
TARGETS = ["none", "member", "admin", "owner"]
OK, FORBIDDEN, NOT_ALLOWED = {"result"}, {"forbidden"}, {"not-allowed"}
RANK = {"none": 0, "member": 1, "admin": 2, "owner": 3}


def allowed(actor: str, action: str, target: str) -> set[str]:
    """The answers that §5, §8, §9 and §10 leave for an action."""
    by_role = "nick" in ACTIONS[action]
    if actor not in (["moderator", "admin", "owner"] if by_role else ["admin", "owner"]):
        return FORBIDDEN
    if action == "grant moderator" and actor == "moderator":
        return FORBIDDEN | NOT_ALLOWED
    if action == "kick":
        return OK if RANK[target] <= RANK.get(actor, 0) else NOT_ALLOWED  # §8.2
    if action == "revoke voice":
        return NOT_ALLOWED if RANK[target] >= 2 or RANK[target] > RANK.get(actor, 0) else OK  # §8.4
    if by_role or actor == "owner":
        return OK
    if action in ("make admin", "make owner"):
        return FORBIDDEN if RANK[target] < 2 else FORBIDDEN | NOT_ALLOWED  # §10.3, §10.6
    return OK if RANK[target] < 2 else NOT_ALLOWED  # §9.1, §9.3, §9.4


ACTIONS = {
    "kick": {"nick": "Tom", "role": "none"},
    "grant voice": {"nick": "Tom", "role": "participant"},
    "revoke voice": {"nick": "Tom", "role": "visitor"},
    "grant moderator": {"nick": "Tom", "role": "moderator"},
    "ban": {"affiliation": "outcast"},
    "make none": {"affiliation": "none"},
    "make member": {"affiliation": "member"},
    "make admin": {"affiliation": "admin"},
    "make owner": {"affiliation": "owner"},
}


def stage(guests: People, ann: Client, room: str, actor: str, target: str) -> tuple[Client, Client]:
    """A moderated room with the actor (as far as he is in it) and the target Tom."""
    acting, tom = guests.online(), guests.online()
    create(ann, room, "Ann", moderatedroom="1")
    for client, affiliation in ((acting, actor), (tom, target)):
        if affiliation in ("member", "admin", "owner"):
            ann.set(change(jid=client.bare, affiliation=affiliation), room)
    if actor != "outsider":
        enter(acting, room, "Act")
    enter(tom, room, "Tom")
    if actor in ("participant", "moderator"):
        ann.set(change(nick="Act", role=actor), room)
    drain(room, {"Ann": ann, "Tom": tom})
    if actor != "outsider":
        acting.sync(f"{room}/Act")
    return acting, tom


@pytest.mark.parametrize("actor", ACTORS)
def test_each_action_is_permitted_as_the_table_says(guests: People, ann: Client, room: str, actor: str) -> None:
    """Every action on every target; the room and its people are made anew for each that succeeds."""
    number = 0
    for target in TARGETS:
        acting, tom, here = None, None, room
        for action, attributes in ACTIONS.items():
            if action.startswith("grant") and target in ("admin", "owner"):
                continue  # they are moderators already
            if acting is None or tom is None:
                number += 1
                here = f"{number}-{room}"
                people = People(guests.server, iter([f"guest{3 + number % 2 * 2}", f"guest{4 + number % 2 * 2}"]))
                guests.clients += people.clients
                acting, tom = stage(people, ann, here, actor, target)
                guests.clients += people.clients
            whom = attributes if "nick" in attributes else attributes | {"jid": tom.bare}
            reply = acting.iq("set", change(**whom), here)
            came = "result" if reply.get("type") == "result" else error(reply)[1]
            assert came in allowed(actor, action, target), f"{actor}: {action} of {target}: {show(reply)}"
            if came == "result":
                acting.close()
                tom.close()
                ann.sync(f"{here}/Ann")
                acting = None
