"""Roles and affiliations: who may change what, and what everybody sees of it (XEP-0045 §5, §8, §9, §10.3–10.8)."""

import pytest

from kit import ns
from kit.muc import INSTANT, change, create, drain, enter, items, join, party
from kit.people import People
from kit.stanzas import Element, codes, error, find, find_all, item, show, text
from kit.wire import Client


def result_and(client: Client, payload: str, room: str) -> list[Element]:
    """Send a set that has to succeed; what the client gets beside the result, in order."""
    reply = client.iq("set", payload, room)
    assert reply.get("type") == "result", show(reply)
    return client.sync(room)


def affiliation_of(owner: Client, room: str, jid: str) -> str:
    for affiliation in ("owner", "admin", "member", "outcast"):
        if jid in {each["jid"] for each in items(owner, room, affiliation=affiliation)}:
            return affiliation
    return "none"


# Kicking (§8.2)


def test_a_kick_is_seen_by_all(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben, "Cat": cat})
    came = result_and(ann, change(nick="Ben", role="none", reason="too loud"), room)
    victim = ben.expect("presence", type="unavailable", from_=f"{room}/Ben")
    assert codes(victim) == {"110", "307"}
    for presence in (victim, cat.expect("presence", type="unavailable", from_=f"{room}/Ben"), *came):
        assert item(presence)["role"] == "none"
        assert item(presence)["affiliation"] == "none"
        assert "307" in codes(presence)
        assert "333" not in codes(presence)
        assert text(presence, "user:x/user:item/user:reason") == "too loud"
        actor = find(presence, "user:x/user:item/user:actor")
        assert actor is not None
        assert actor.get("nick") == "Ann"
    assert len(came) == 1
    cat.nothing_before(f"{room}/Cat")


def test_the_victim_hears_first_then_the_moderator_then_the_others(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.send(f"<iq type='set' id='k' to='{room}'>{change(nick='Ben', role='none')}</iq>")
    ann.expect("iq", type="result", id="k")
    ann.expect("presence", type="unavailable", from_=f"{room}/Ben")
    ben.expect("presence", type="unavailable", from_=f"{room}/Ben")


def test_who_was_kicked_is_out_and_may_come_back(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.set(change(nick="Ben", role="none"), room)
    ben.expect("presence", type="unavailable")
    ben.send(f"<message type='groupchat' to='{room}' id='m'><body>hello</body></message>")
    ben.expect_error("message", "not-acceptable", id="m")
    enter(ben, room, "Ben")


def test_all_sessions_of_a_person_are_kicked(guests: People, ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    desk = guests.another(ben)
    enter(desk, room, "Ben")
    drain(room, {"Ann": ann, "Ben": ben})
    ann.set(change(nick="Ben", role="none"), room)
    for client in (ben, desk):
        assert {"110", "307"} <= codes(client.expect("presence", type="unavailable", from_=f"{room}/Ben"))


# Banning (§9.1)


def test_a_ban_is_seen_by_all(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben, "Cat": cat})
    ann.set(change(jid=ben.bare, affiliation="outcast", reason="enough"), room)
    for client in (ann, ben, cat):
        presence = client.expect("presence", type="unavailable", from_=f"{room}/Ben")
        assert item(presence)["affiliation"] == "outcast"
        assert item(presence)["role"] == "none"
        assert codes(presence) == {"301"} | ({"110"} if client is ben else set())
        assert text(presence, "user:x/user:item/user:reason") == "enough"
    assert affiliation_of(ann, room, ben.bare) == "outcast"


def test_somebody_who_is_not_there_can_be_banned_and_forgiven(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.set(change(jid=ben.bare, affiliation="outcast", reason="enough"), room)
    ben.send(join(room, "Ben"))
    ben.expect_error("presence", "forbidden", "auth")
    ann.set(change(jid=ben.bare, affiliation="none"), room)
    enter(ben, room, "Ben")


def test_banning_by_a_full_address_bans_the_person(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.set(change(jid=ben.jid, affiliation="outcast"), room)
    ben.expect("presence", type="unavailable")
    assert affiliation_of(ann, room, ben.bare) == "outcast"


# Voice and moderators (§8.3, §8.4, §9.6, §9.7)


@pytest.mark.parametrize("role", ["visitor", "participant", "moderator"])
def test_a_change_of_role_is_seen_by_all(ann: Client, ben: Client, cat: Client, room: str, role: str) -> None:
    start = "visitor" if role == "participant" else "participant"
    party(room, {"Ann": ann, "Ben": ben, "Cat": cat})
    if start == "visitor":
        ann.set(change(nick="Ben", role="visitor"), room)
        drain(room, {"Ann": ann, "Ben": ben, "Cat": cat})
    ann.set(change(nick="Ben", role=role, reason="because"), room)
    for client in (ann, ben, cat):
        presence = client.expect("presence", type=None, from_=f"{room}/Ben")
        assert item(presence)["role"] == role
        assert text(presence, "user:x/user:item/user:reason") == "because"
        assert codes(presence) == ({"110"} if client is ben else set())


def test_a_new_moderator_learns_the_addresses(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben, "Cat": cat})
    ann.set(change(nick="Ben", role="moderator"), room)
    ben.wait_for(lambda stanza: "110" in codes(stanza))
    cat.send(f"<presence to='{room}/Cat'><show>away</show></presence>")
    seen = ben.wait_for(lambda stanza: stanza.get("from") == f"{room}/Cat" and text(stanza, "show") == "away")
    assert item(seen)["jid"] == cat.jid


def test_a_role_is_lost_by_leaving(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.set(change(nick="Ben", role="moderator"), room)
    ben.expect("presence")
    ben.send(f"<presence type='unavailable' to='{room}/Ben'/>")
    ben.wait_for(lambda stanza: stanza.get("type") == "unavailable")
    assert item(enter(ben, room, "Ben").own)["role"] == "participant"


# Affiliations (§9.3–9.5, §10.3–10.8)


@pytest.mark.parametrize(
    ("affiliation", "role"), [("member", "participant"), ("admin", "moderator"), ("owner", "moderator")]
)
def test_a_change_of_affiliation_is_seen_by_all_and_kept(
    ann: Client, ben: Client, room: str, affiliation: str, role: str
) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.set(change(jid=ben.bare, affiliation=affiliation), room)
    for client in (ann, ben):
        presence = client.expect("presence", type=None, from_=f"{room}/Ben")
        assert (item(presence)["affiliation"], item(presence)["role"]) == (affiliation, role)
    assert affiliation_of(ann, room, ben.bare) == affiliation
    ben.send(f"<presence type='unavailable' to='{room}/Ben'/>")
    ben.wait_for(lambda stanza: stanza.get("type") == "unavailable")
    own = item(enter(ben, room, "Again").own)
    assert (own["affiliation"], own["role"]) == (affiliation, role)


def test_an_affiliation_taken_away_is_seen_by_all(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.set(change(jid=ben.bare, affiliation="admin"), room)
    drain(room, {"Ann": ann, "Ben": ben})
    ann.set(change(jid=ben.bare, affiliation="none"), room)
    for client in (ann, ben):
        presence = client.expect("presence", type=None, from_=f"{room}/Ben")
        assert (item(presence)["affiliation"], item(presence)["role"]) == ("none", "participant")


def test_an_affiliation_can_be_given_to_a_nick(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    reply = ann.iq("set", change(nick="Ben", affiliation="member"), room)
    if reply.get("type") == "result":
        assert affiliation_of(ann, room, ben.bare) == "member"
    else:
        assert error(reply)[1] == "bad-request"


def test_who_loses_membership_in_a_members_room_is_out(ann: Client, ben: Client, cat: Client, room: str) -> None:
    create(ann, room, "Ann", membersonly="1")
    for client in (ben, cat):
        ann.set(change(jid=client.bare, affiliation="member"), room)
        client.expect("message")
    enter(ben, room, "Ben")
    enter(cat, room, "Cat")
    drain(room, {"Ann": ann, "Ben": ben, "Cat": cat})
    ann.set(change(jid=ben.bare, affiliation="none"), room)
    for client in (ann, ben, cat):
        presence = client.expect("presence", type="unavailable", from_=f"{room}/Ben")
        assert "321" in codes(presence)
        assert item(presence)["affiliation"] == "none"
        assert item(presence)["role"] == "none"
    ann.nothing_before(f"{room}/Ann")
    ben.nothing_before()


def test_several_changes_in_one_request(ann: Client, ben: Client, cat: Client, room: str) -> None:
    create(ann, room, "Ann")
    query = (
        f"<query xmlns='{ns.MUC_ADMIN}'><item jid='{ben.bare}' affiliation='member'/>"
        f"<item jid='{cat.bare}' affiliation='outcast'/></query>"
    )
    ann.set(query, room)
    assert affiliation_of(ann, room, ben.bare) == "member"
    assert affiliation_of(ann, room, cat.bare) == "outcast"


def test_one_wrong_change_stops_all_of_them(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    query = (
        f"<query xmlns='{ns.MUC_ADMIN}'><item jid='{ben.bare}' affiliation='member'/>"
        f"<item jid='{ann.bare}' affiliation='outcast'/></query>"
    )
    assert ann.refused("set", query, room)[1] == "conflict"
    assert affiliation_of(ann, room, ben.bare) == "none"


# Lists (§9.2, §9.5)


def test_a_list_holds_bare_addresses(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.set(change(jid=ben.bare, affiliation="member", reason="a friend"), room)
    ann.sync(f"{room}/Ann")
    (entry,) = items(ann, room, affiliation="member")
    assert entry["jid"] == ben.bare
    assert entry["affiliation"] == "member"
    assert entry.get("nick") in (None, "Ben")
    assert [each["jid"] for each in items(ann, room, affiliation="owner")] == [ann.bare]
    assert items(ann, room, affiliation="outcast") == []


def test_the_list_of_a_role_holds_nicks(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    assert [each["nick"] for each in items(ann, room, role="moderator")] == ["Ann"]
    assert [each["nick"] for each in items(ann, room, role="participant")] == ["Ben"]


def test_the_list_of_bans_has_reasons(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.set(change(jid=ben.bare, affiliation="outcast", reason="enough"), room)
    reply = ann.get(f"<query xmlns='{ns.MUC_ADMIN}'><item affiliation='outcast'/></query>", room)
    (banned,) = find_all(reply, "admin:query/admin:item")
    assert text(banned, "admin:reason") == "enough"


@pytest.mark.parametrize("affiliation", ["outcast", "admin", "owner"])
def test_the_lists_are_not_for_everybody(ann: Client, ben: Client, room: str, affiliation: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    query = f"<query xmlns='{ns.MUC_ADMIN}'><item affiliation='{affiliation}'/></query>"
    assert ben.refused("get", query, room) == ("auth", "forbidden")


@pytest.mark.parametrize("whois", ["moderators", "anyone"])
def test_the_list_of_members_is_for_members_of_non_anonymous_rooms(
    ann: Client, ben: Client, room: str, whois: str
) -> None:
    """muc#roomconfig_getmemberlist, by default members and above in non-anonymous rooms."""
    party(room, {"Ann": ann, "Ben": ben}, whois=whois)
    ann.set(change(jid=ben.bare, affiliation="member"), room)
    drain(room, {"Ann": ann, "Ben": ben})
    reply = ben.iq("get", f"<query xmlns='{ns.MUC_ADMIN}'><item affiliation='member'/></query>", room)
    assert (reply.get("type") == "result") is (whois == "anyone"), show(reply)


# Rules for every change


def test_a_role_and_an_affiliation_in_one_item_is_a_bad_request(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    both = change(nick="Ben", role="moderator", affiliation="admin", jid=ben.bare)
    assert ann.refused("set", both, room) == ("modify", "bad-request")
    ben.nothing_before(f"{room}/Ben")


@pytest.mark.parametrize(
    "query",
    [
        f"<query xmlns='{ns.MUC_ADMIN}'/>",
        f"<query xmlns='{ns.MUC_ADMIN}'><item/></query>",
        change(nick="Ben"),
        change(nick="Ben", role="king"),
        change(jid="ben@localhost", affiliation="friend"),
        change(affiliation="member"),
        change(role="visitor"),
    ],
    ids=["nothing", "empty item", "no role", "no such role", "no such affiliation", "nobody", "no nick"],
)
def test_a_change_against_the_rules_is_a_bad_request(ann: Client, ben: Client, room: str, query: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    assert ann.refused("set", query, room) == ("modify", "bad-request")
    ben.nothing_before(f"{room}/Ben")


@pytest.mark.parametrize("jid", ["@", "a b@c", ""])
def test_a_change_for_no_address_is_refused(ann: Client, room: str, jid: str) -> None:
    create(ann, room, "Ann")
    assert ann.refused("set", change(jid=jid, affiliation="member"), room) in {
        ("modify", "jid-malformed"),
        ("modify", "bad-request"),
    }


def test_a_role_of_nobody_is_not_found(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    assert ann.refused("set", change(nick="Nobody", role="none"), room) == ("cancel", "item-not-found")


@pytest.mark.parametrize("affiliation", ["admin", "member", "none"])
def test_the_last_owner_may_not_resign(ann: Client, room: str, affiliation: str) -> None:
    create(ann, room, "Ann")
    assert ann.refused("set", change(jid=ann.bare, affiliation=affiliation), room) == ("cancel", "conflict")


def test_one_of_two_owners_may_resign(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.set(change(jid=ben.bare, affiliation="owner"), room)
    ann.set(change(jid=ann.bare, affiliation="member"), room)
    ben.sync(f"{room}/Ben")
    assert affiliation_of(ben, room, ann.bare) == "member"


@pytest.mark.parametrize("affiliation", ["owner", "admin"])
def test_nobody_may_ban_himself(ann: Client, ben: Client, room: str, affiliation: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.set(change(jid=ben.bare, affiliation=affiliation), room)
    ben.sync(f"{room}/Ben")
    assert ben.refused("set", change(jid=ben.bare, affiliation="outcast"), room) == ("cancel", "conflict")


@pytest.mark.parametrize("role", ["visitor", "participant", "none"])
def test_a_moderator_cannot_lower_an_admin(ann: Client, ben: Client, cat: Client, room: str, role: str) -> None:
    party(room, {"Ann": ann, "Ben": ben, "Cat": cat})
    ann.set(change(jid=ben.bare, affiliation="admin"), room)
    ann.set(change(nick="Cat", role="moderator"), room)
    drain(room, {"Ann": ann, "Ben": ben, "Cat": cat})
    assert cat.refused("set", change(nick="Ben", role=role), room) == ("cancel", "not-allowed")
    ben.nothing_before(f"{room}/Ben")


def test_changes_are_refused_to_people_who_were_never_in(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    assert ben.refused("set", change(nick="Ann", role="none"), room) == ("auth", "forbidden")
    assert ben.refused("set", INSTANT, room) == ("auth", "forbidden")
    ann.nothing_before(f"{room}/Ann")


def test_an_owner_may_act_from_outside(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.send(f"<presence type='unavailable' to='{room}/Ann'/>")
    ann.expect("presence", type="unavailable")
    ann.set(change(jid=ben.bare, affiliation="outcast"), room)
    assert "301" in codes(ben.wait_for(lambda stanza: "301" in codes(stanza)))
