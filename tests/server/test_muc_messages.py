"""Messages in rooms: to all, to one, the subject, the past, invitations, voice (XEP-0045 §7.4–7.13, §8.1, §8.6)."""

from datetime import UTC, datetime, timedelta

import pytest

from kit import ns
from kit.muc import change, configure, create, drain, enter, form, items, party
from kit.people import People
from kit.stanzas import Element, codes, find, find_all, form_fields, form_values, item, show, text
from kit.wire import Client


@pytest.fixture
def ann(guests: People) -> Client:
    return guests.online()


@pytest.fixture
def ben(guests: People) -> Client:
    return guests.online()


@pytest.fixture
def cat(guests: People) -> Client:
    return guests.online()


def say(client: Client, room: str, body: str, id: str = "") -> None:
    client.send(f"<message type='groupchat' to='{room}' id='{id or body}'><body>{body}</body></message>")


def bodies(messages: list[Element]) -> list[str | None]:
    return [text(message, "body") for message in messages]


# To everybody (§7.4)


def test_a_message_reaches_everybody_and_its_author(ann: Client, ben: Client, cat: Client, room: str) -> None:
    people = {"Ann": ann, "Ben": ben, "Cat": cat}
    party(room, people)
    say(ben, room, "hello", id="the id")
    ids = set()
    for client in people.values():
        message = client.expect("message", type="groupchat", from_=f"{room}/Ben", to=client.jid, id="the id")
        assert text(message, "body") == "hello"
        assert find(message, "delay:delay") is None
        stamps = find_all(message, "sid:stanza-id")
        assert [stamp.get("by") for stamp in stamps if stamp.get("by") == room] == [room]
        ids.add(next(stamp.get("id") for stamp in stamps if stamp.get("by") == room))
        assert len(find_all(message, "occupant:occupant-id")) == 1
        client.nothing_before(f"{room}/{next(nick for nick, each in people.items() if each is client)}")
    assert len(ids) == 1


def test_every_message_has_an_id_of_its_own(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    for _ in range(3):
        say(ann, room, "same", id="same")
    stamps = [find(ann.expect("message", "body"), "sid:stanza-id") for _ in range(3)]
    assert len({stamp.get("id") for stamp in stamps if stamp is not None}) == 3


def test_messages_come_in_one_order_to_all(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    for number in range(20):
        say(ann if number % 2 else ben, room, str(number))
    orders = [bodies([client.next() for _ in range(20)]) for client in (ann, ben)]
    assert orders[0] == orders[1]
    assert sorted(map(str, orders[0]), key=int) == [str(number) for number in range(20)]


def test_what_a_message_contains_arrives(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(
        f"<message type='groupchat' to='{room}' id='m' xml:lang='la'><body>salve</body><thread>t</thread>"
        f"<origin-id xmlns='{ns.SID}' id='mine'/><x xmlns='urn:example' a='1'><y/>text</x></message>"
    )
    message = ann.expect("message", "{urn:example}x/{urn:example}y", "thread", id="m")
    assert message.get("{http://www.w3.org/XML/1998/namespace}lang") == "la"
    origin = find(message, "sid:origin-id")
    assert origin is not None
    assert origin.get("id") == "mine"


def test_forged_elements_are_taken_out_of_messages(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(
        f"<message type='groupchat' to='{room}'><body>hello</body>"
        f"<stanza-id xmlns='{ns.SID}' id='forged' by='{room}'/>"
        f"<occupant-id xmlns='{ns.OCCUPANT_ID}' id='forged'/>"
        f"<x xmlns='{ns.MUC_USER}'><status code='104'/><item affiliation='owner' role='moderator'/></x>"
        "<hats xmlns='urn:xmpp:hats:0'><hat uri='urn:example:boss' title='Boss'/></hats>"
        "<note xmlns='urn:x-fermata:history:0'/></message>"
    )
    message = ann.expect("message", "body", from_=f"{room}/Ben")
    assert "forged" not in show(message)
    assert find(message, "user:x") is None
    assert find(message, "{urn:xmpp:hats:0}hats") is None
    assert find(message, "{urn:x-fermata:history:0}note") is None


def test_a_stanza_id_of_somebody_else_stays(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(
        f"<message type='groupchat' to='{room}'><body>hello</body>"
        f"<stanza-id xmlns='{ns.SID}' id='theirs' by='other@x.example'/></message>"
    )
    stamps = find_all(ann.expect("message"), "sid:stanza-id")
    assert ("other@x.example", "theirs") in {(stamp.get("by"), stamp.get("id")) for stamp in stamps}


@pytest.mark.parametrize("exists", [True, False])
def test_who_is_not_in_the_room_cannot_write_to_it(ann: Client, ben: Client, room: str, exists: bool) -> None:
    if exists:
        create(ann, room, "Ann")
    say(ben, room, "hello", id="m")
    stanza = ben.expect("message", type="error", id="m", from_=room)
    allowed = ["not-acceptable"] if exists else ["not-acceptable", "item-not-found"]
    assert any(find(stanza, f"error/errors:{each}") is not None for each in allowed), show(stanza)
    problem = stanza.find("error")
    assert problem is not None
    assert problem.get("type") == "cancel"
    if exists:
        ann.nothing_before(f"{room}/Ann")


def test_another_session_of_an_occupant_is_not_in_the_room(guests: People, ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    desk = guests.another(ann)
    say(desk, room, "hello", id="m")
    desk.expect_error("message", "not-acceptable", "cancel", id="m")


def test_without_voice_one_cannot_write(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben}, moderatedroom="1")
    say(ben, room, "hello", id="m")
    ben.expect_error("message", "forbidden", "auth", id="m", from_=room)
    ann.nothing_before(f"{room}/Ann")
    ann.set(change(nick="Ben", role="participant"), room)
    drain(room, {"Ann": ann, "Ben": ben})
    say(ben, room, "now", id="n")
    ann.expect("message", id="n")


@pytest.mark.parametrize("type", ["chat", "normal", "headline"])
def test_other_messages_to_the_room_are_not_shown(ann: Client, ben: Client, room: str, type: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<message type='{type}' to='{room}' id='m'><body>hello</body></message>")
    assert all(stanza.get("type") == "error" for stanza in ben.sync(f"{room}/Ben"))
    ann.nothing_before(f"{room}/Ann")


# The subject (§8.1)


def test_a_moderator_sets_the_subject(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.send(f"<message type='groupchat' to='{room}' id='s'><subject>tea &amp; talk</subject></message>")
    for client in (ann, ben):
        message = client.expect("message", type="groupchat", from_=f"{room}/Ann", id="s")
        assert text(message, "subject") == "tea & talk"
    entry = enter(cat, room, "Cat")
    assert text(entry.subject, "subject") == "tea & talk"
    assert entry.subject.get("from") == f"{room}/Ann"
    assert entry.history == []


@pytest.mark.parametrize("allowed", [True, False])
def test_a_participant_sets_the_subject_if_he_may(ann: Client, ben: Client, room: str, allowed: bool) -> None:
    party(room, {"Ann": ann, "Ben": ben}, changesubject="1" if allowed else "0")
    ben.send(f"<message type='groupchat' to='{room}' id='s'><subject>coffee</subject></message>")
    if allowed:
        assert text(ann.expect("message", from_=f"{room}/Ben"), "subject") == "coffee"
    else:
        ben.expect_error("message", "forbidden", "auth", id="s")
        ann.nothing_before(f"{room}/Ann")


def test_a_visitor_never_sets_the_subject(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben}, changesubject="1", moderatedroom="1")
    ben.send(f"<message type='groupchat' to='{room}' id='s'><subject>coffee</subject></message>")
    ben.expect_error("message", "forbidden", "auth", id="s")


@pytest.mark.parametrize("beside", ["<body>with words</body>", "<thread>t</thread>"])
def test_a_subject_beside_words_is_an_ordinary_message(
    ann: Client, ben: Client, cat: Client, room: str, beside: str
) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<message type='groupchat' to='{room}' id='s'><subject>no subject</subject>{beside}</message>")
    ann.expect("message", "subject", id="s", from_=f"{room}/Ben")
    assert text(enter(cat, room, "Cat").subject, "subject") == ""


def test_the_subject_can_be_taken_away(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    for subject in ("<subject>tea</subject>", "<subject/>"):
        ann.send(f"<message type='groupchat' to='{room}'>{subject}</message>")
        ann.expect("message", "subject")
    assert text(enter(ben, room, "Ben").subject, "subject") == ""


# The past (§7.2.13–7.2.14)


def past(ann: Client, room: str, count: int = 5) -> list[Element]:
    """A room with so many messages, as they were seen."""
    create(ann, room, "Ann")
    for number in range(count):
        say(ann, room, str(number))
    return [ann.expect("message", "body") for _ in range(count)]


def test_the_past_is_what_was_seen(ann: Client, ben: Client, room: str) -> None:
    seen = past(ann, room)
    entry = enter(ben, room, "Ben")
    assert bodies(entry.history) == ["0", "1", "2", "3", "4"]
    for message, live in zip(entry.history, seen, strict=True):
        assert message.get("from") == f"{room}/Ann"
        assert message.get("id") == live.get("id")
        delay = find(message, "delay:delay")
        assert delay is not None
        assert delay.get("from") == room
        assert abs(datetime.now(UTC) - datetime.fromisoformat(delay.get("stamp", ""))) < timedelta(seconds=60)
        stamp, live_stamp = (find(each, f"sid:stanza-id[@by='{room}']") for each in (message, live))
        assert stamp is not None
        assert live_stamp is not None
        assert stamp.get("id") == live_stamp.get("id")


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("maxstanzas='0'", []),
        ("maxstanzas='2'", ["3", "4"]),
        ("maxstanzas='100'", ["0", "1", "2", "3", "4"]),
        ("maxchars='0'", []),
        ("seconds='3600'", ["0", "1", "2", "3", "4"]),
        ("since='2001-01-01T00:00:00Z'", ["0", "1", "2", "3", "4"]),
        ("since='2101-01-01T00:00:00Z'", []),
        ("maxstanzas='3' seconds='3600'", ["2", "3", "4"]),
    ],
)
def test_one_may_ask_for_less_of_the_past(
    ann: Client, ben: Client, room: str, history: str, expected: list[str]
) -> None:
    past(ann, room)
    assert bodies(enter(ben, room, "Ben", history=history).history) == expected


def test_one_may_ask_for_so_many_characters(ann: Client, ben: Client, room: str) -> None:
    past(ann, room)
    whole = enter(ben, room, "Ben", history="maxchars='100000'").history
    assert bodies(whole) == ["0", "1", "2", "3", "4"]
    ben.send(f"<presence type='unavailable' to='{room}/Ben'/>")
    ben.expect("presence", type="unavailable")
    some = bodies(enter(ben, room, "Ben", history="maxchars='900'").history)
    assert 0 < len(some) < 5
    assert some == ["0", "1", "2", "3", "4"][-len(some) :]


def test_the_room_limits_its_past(ann: Client, ben: Client, room: str) -> None:
    past(ann, room)
    configure(ann, room, muc__maxhistoryfetch="2")
    assert bodies(enter(ben, room, "Ben").history) == ["3", "4"]


def test_more_than_the_limit_is_not_given(ann: Client, ben: Client, room: str) -> None:
    past(ann, room, 60)
    assert bodies(enter(ben, room, "Ben", history="maxstanzas='1000'").history) == [str(n) for n in range(10, 60)]


@pytest.mark.parametrize(
    "content",
    [f"<composing xmlns='{ns.CHAT_STATES}'/>", f"<body>off the record</body><no-store xmlns='{ns.HINTS}'/>"],
    ids=["chat state", "no-store"],
)
def test_what_is_not_kept_is_not_in_the_past(ann: Client, ben: Client, room: str, content: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<message type='groupchat' to='{room}' id='c'>{content}</message>")
    ann.expect("message", id="c")
    assert enter(ben, room, "Ben").history == []


def test_messages_of_someone_who_left_are_in_the_past(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    say(ben, room, "hello")
    ben.expect("message")
    ben.send(f"<presence type='unavailable' to='{room}/Ben'/>")
    ben.expect("presence", type="unavailable")
    (message,) = enter(cat, room, "Cat").history
    assert message.get("from") == f"{room}/Ben"


def test_the_past_does_not_tell_addresses(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    say(ben, room, "hello")
    ben.expect("message")
    for message in enter(cat, room, "Cat").history:
        assert ben.bare not in show(message)


# To one (§7.5)


@pytest.mark.parametrize("type", ["chat", "normal"])
def test_a_private_message_reaches_one_person(ann: Client, ben: Client, cat: Client, room: str, type: str) -> None:
    party(room, {"Ann": ann, "Ben": ben, "Cat": cat})
    ben.send(f"<message type='{type}' to='{room}/Cat' id='p'><body>psst</body><thread>t</thread></message>")
    message = cat.expect("message", "user:x", "thread", from_=f"{room}/Ben", to=cat.jid, id="p")
    assert message.get("type", "normal") == type
    assert text(message, "body") == "psst"
    assert ben.jid not in show(message)
    for nick, client in (("Ann", ann), ("Ben", ben)):
        client.nothing_before(f"{room}/{nick}")


def test_a_private_message_is_not_in_the_past(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<message type='chat' to='{room}/Ann'><body>psst</body></message>")
    ann.expect("message", "body")
    assert enter(cat, room, "Cat").history == []


def test_a_private_message_to_oneself(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<message type='chat' to='{room}/Ann' id='p'><body>note</body></message>")
    ann.expect("message", "body", from_=f"{room}/Ann", id="p")


def test_a_private_message_of_type_groupchat(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<message type='groupchat' to='{room}/Ann' id='p'><body>psst</body></message>")
    ben.expect_error("message", "bad-request", "modify", id="p", from_=f"{room}/Ann")
    ann.nothing_before(f"{room}/Ann")


def test_a_private_message_to_nobody(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<message type='chat' to='{room}/Nobody' id='p'><body>psst</body></message>")
    ann.expect_error("message", "item-not-found", "cancel", id="p", from_=f"{room}/Nobody")


def test_a_private_message_from_outside(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ben.send(f"<message type='chat' to='{room}/Ann' id='p'><body>psst</body></message>")
    ben.expect_error("message", "not-acceptable", "cancel", id="p", from_=f"{room}/Ann")
    ann.nothing_before(f"{room}/Ann")


def test_forged_elements_are_taken_out_of_private_messages(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    invite = f"<x xmlns='{ns.MUC_USER}'><invite from='evil@localhost'/><status code='332'/></x>"
    forged = f"<occupant-id xmlns='{ns.OCCUPANT_ID}' id='forged'/>{invite}"
    ben.send(f"<message type='chat' to='{room}/Ann'><body>psst</body>{forged}</message>")
    message = ann.expect("message", "body", from_=f"{room}/Ben")
    assert "forged" not in show(message)
    assert "evil" not in show(message)
    assert codes(message) == set()


# who may write to whom, by muc#roomconfig_allowpm; Ann is a moderator, Ben a participant, Cat a visitor
ALLOWED = {
    "anyone": {"Ben Ann", "Ben Dan", "Cat Ann", "Cat Ben", "Ann Ben", "Ann Cat"},
    "participants": {"Ben Ann", "Ben Dan", "Ann Ben", "Ann Cat"},
    "moderators": {"Ann Ben", "Ann Cat"},
    "none": set(),
}


@pytest.mark.parametrize("allowpm", ALLOWED)
def test_private_messages_can_be_restricted(
    guests: People, ann: Client, ben: Client, cat: Client, room: str, allowpm: str
) -> None:
    dan = guests.online()
    people = {"Ann": ann, "Ben": ben, "Cat": cat, "Dan": dan}
    party(room, people, moderatedroom="1", allowpm=allowpm)
    for nick in ("Ben", "Dan"):
        ann.set(change(nick=nick, role="participant"), room)
    drain(room, people)
    for pair in sorted(ALLOWED["anyone"]):
        sender, receiver = pair.split()
        people[sender].send(f"<message type='chat' to='{room}/{receiver}' id='{pair}'><body>psst</body></message>")
        refusals = people[sender].sync(f"{room}/{sender}")
        arrived = [stanza.get("id") for stanza in people[receiver].sync(f"{room}/{receiver}")]
        if pair in ALLOWED[allowpm]:
            assert (refusals, arrived) == ([], [pair])
        else:
            assert arrived == [], pair
            assert [stanza.get("type") for stanza in refusals] == ["error"], pair


# Errors that come back (specs A0.6)


def bounce(client: Client, room: str, message: Element, type: str, condition: str) -> None:
    """What a client or its server sends when a message of the room could not be delivered."""
    client.send(
        f"<message type='error' to='{message.get('from')}' id='{message.get('id')}'>"
        f"<error type='{type}'><{condition} xmlns='{ns.STANZA_ERRORS}'/></error></message>"
    )


@pytest.mark.parametrize(
    ("type", "condition"),
    [
        ("cancel", "gone"),
        ("modify", "redirect"),
        ("cancel", "item-not-found"),
        ("wait", "recipient-unavailable"),
        ("modify", "jid-malformed"),
        ("cancel", "service-unavailable"),
    ],
)
def test_an_occupant_who_is_gone_for_good_is_removed(
    ann: Client, ben: Client, room: str, type: str, condition: str
) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    say(ann, room, "hello")
    ann.expect("message", "body")
    bounce(ben, room, ben.expect("message", "body"), type, condition)
    gone = ann.expect("presence", type="unavailable", from_=f"{room}/Ben")
    assert "333" in codes(gone)
    assert "307" not in codes(gone)
    ann.nothing_before(f"{room}/Ann")


@pytest.mark.parametrize(
    ("type", "condition"),
    [
        ("cancel", "remote-server-not-found"),
        ("wait", "remote-server-timeout"),
        ("wait", "internal-server-error"),
        ("wait", "resource-constraint"),
        ("modify", "policy-violation"),
        ("auth", "not-authorized"),
    ],
)
def test_an_occupant_who_is_hard_to_reach_stays(ann: Client, ben: Client, room: str, type: str, condition: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    say(ann, room, "hello")
    ann.expect("message", "body")
    bounce(ben, room, ben.expect("message", "body"), type, condition)
    ben.sync(f"{room}/Ben")
    ann.nothing_before(f"{room}/Ann")


# Invitations (§7.8)


def invite(to: str, reason: str = "") -> str:
    inside = f"<reason>{reason}</reason>" if reason else ""
    return f"<x xmlns='{ns.MUC_USER}'><invite to='{to}'>{inside}</invite></x>"


def test_the_room_passes_an_invitation_on(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<message to='{room}' id='i'>{invite(ben.bare, 'tea &amp; talk')}</message>")
    message = ben.expect("message", "user:x/user:invite", from_=room)
    invitation = find(message, "user:x/user:invite")
    assert invitation is not None
    assert invitation.get("from") in (ann.bare, ann.jid, f"{room}/Ann")
    assert text(invitation, "user:reason") == "tea & talk"
    assert invitation.get("to") is None
    assert "member" not in {each["affiliation"] for each in items(ann, room, affiliation="member")}


def test_an_invitation_carries_the_password(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann", passwordprotectedroom="1", roomsecret="secret")
    ann.send(f"<message to='{room}'>{invite(ben.bare)}</message>")
    message = ben.expect("message", "user:x/user:invite", from_=room)
    assert text(message, "user:x/user:password") == "secret"


def test_several_people_can_be_invited_at_once(ann: Client, ben: Client, cat: Client, room: str) -> None:
    create(ann, room, "Ann")
    both = f"<x xmlns='{ns.MUC_USER}'><invite to='{ben.bare}'/><invite to='{cat.bare}'/></x>"
    ann.send(f"<message to='{room}'>{both}</message>")
    for client in (ben, cat):
        client.expect("message", "user:x/user:invite", from_=room)


@pytest.mark.parametrize("by", ["owner", "participant"])
def test_who_is_invited_to_a_members_room_becomes_a_member(
    ann: Client, ben: Client, cat: Client, room: str, by: str
) -> None:
    create(ann, room, "Ann", membersonly="1", allowinvites="1")
    ann.set(change(jid=ben.bare, affiliation="member"), room)
    ben.expect("message", "user:x/user:invite", from_=room)
    enter(ben, room, "Ben")
    drain(room, {"Ann": ann})
    (ann if by == "owner" else ben).send(f"<message to='{room}'>{invite(cat.bare)}</message>")
    cat.expect("message", "user:x/user:invite", from_=room)
    assert item(enter(cat, room, "Cat").own)["affiliation"] == "member"


def test_a_members_room_may_reserve_inviting_to_admins(ann: Client, ben: Client, cat: Client, room: str) -> None:
    create(ann, room, "Ann", membersonly="1", allowinvites="0")
    ann.set(change(jid=ben.bare, affiliation="member"), room)
    ben.expect("message", "user:x/user:invite", from_=room)
    enter(ben, room, "Ben")
    ben.send(f"<message to='{room}' id='i'>{invite(cat.bare)}</message>")
    ben.expect_error("message", "forbidden", "auth", id="i")
    cat.nothing_before()
    ann.sync(f"{room}/Ann")
    ann.send(f"<message to='{room}'>{invite(cat.bare)}</message>")
    cat.expect("message", "user:x/user:invite")


def test_who_is_not_in_the_room_cannot_invite(ann: Client, ben: Client, cat: Client, room: str) -> None:
    create(ann, room, "Ann")
    ben.send(f"<message to='{room}' id='i'>{invite(cat.bare)}</message>")
    stanza = ben.expect("message", type="error", id="i")
    conditions = ("not-acceptable", "forbidden")
    assert any(find(stanza, f"error/errors:{each}") is not None for each in conditions), show(stanza)
    cat.nothing_before()


def test_an_invitation_to_no_address(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<message to='{room}' id='i'>{invite('@')}</message>")
    ann.expect_error("message", "jid-malformed", "modify", id="i")


def test_a_declined_invitation_is_passed_back(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<message to='{room}'>{invite(ben.bare)}</message>")
    invitation = find(ben.expect("message", "user:x/user:invite"), "user:x/user:invite")
    assert invitation is not None
    decline = f"<decline to='{invitation.get('from')}'><reason>no time</reason></decline>"
    ben.send(f"<message to='{room}'><x xmlns='{ns.MUC_USER}'>{decline}</x></message>")
    message = ann.expect("message", "user:x/user:decline", from_=room)
    declined = find(message, "user:x/user:decline")
    assert declined is not None
    assert declined.get("from") in (ben.bare, ben.jid)
    assert text(declined, "user:reason") == "no time"


def test_a_direct_invitation_is_an_ordinary_message(ann: Client, ben: Client, room: str) -> None:
    """XEP-0249: it does not go through the room."""
    x = f"<x xmlns='{ns.DIRECT_INVITE}' jid='{room}' reason='tea' password='secret'/>"
    ann.send(f"<message to='{ben.bare}'>{x}</message>")
    found = find(ben.expect("message", "conference:x", from_=ann.jid), "conference:x")
    assert found is not None
    assert dict(found.attrib) == {"jid": room, "reason": "tea", "password": "secret"}


# Voice (§7.13, §8.6)


def test_a_visitor_asks_for_voice_and_gets_it(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben}, moderatedroom="1")
    ben.send(f"<message to='{room}'>{form(ns.MUC_REQUEST, muc__role='participant')}</message>")
    request = ann.expect("message", "data:x", from_=room)
    values = form_values(request)
    assert values["FORM_TYPE"] == [ns.MUC_REQUEST]
    assert values["muc#role"] == ["participant"]
    assert values["muc#roomnick"] == ["Ben"]
    assert values["muc#jid"] in ([ben.jid], [ben.bare])
    assert form_fields(request)["muc#request_allow"].get("type") == "boolean"
    ben.nothing_before(f"{room}/Ben")
    answer = form(
        ns.MUC_REQUEST, muc__role="participant", muc__jid=ben.jid, muc__roomnick="Ben", muc__request_allow="true"
    )
    ann.send(f"<message to='{room}'>{answer}</message>")
    for client in (ann, ben):
        assert item(client.expect("presence", from_=f"{room}/Ben"))["role"] == "participant"


def test_a_refused_request_for_voice_changes_nothing(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben}, moderatedroom="1")
    ben.send(f"<message to='{room}'>{form(ns.MUC_REQUEST, muc__role='participant')}</message>")
    ann.expect("message", "data:x", from_=room)
    answer = form(
        ns.MUC_REQUEST, muc__role="participant", muc__jid=ben.jid, muc__roomnick="Ben", muc__request_allow="false"
    )
    ann.send(f"<message to='{room}'>{answer}</message>")
    ann.nothing_before(f"{room}/Ann")
    say(ben, room, "hello", id="m")
    ben.wait_for(lambda stanza: stanza.get("type") == "error" and stanza.get("id") == "m")


def test_a_request_for_voice_goes_to_moderators_alone(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben, "Cat": cat}, moderatedroom="1")
    ben.send(f"<message to='{room}'>{form(ns.MUC_REQUEST, muc__role='participant')}</message>")
    ann.expect("message", "data:x", from_=room)
    cat.nothing_before(f"{room}/Cat")


def test_a_visitor_cannot_approve_himself(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben}, moderatedroom="1")
    answer = form(
        ns.MUC_REQUEST, muc__role="participant", muc__jid=ben.jid, muc__roomnick="Ben", muc__request_allow="true"
    )
    ben.send(f"<message to='{room}' id='v'>{answer}</message>")
    ben.sync(f"{room}/Ben")
    for stanza in ann.sync(f"{room}/Ann"):
        assert stanza.tag != "presence", show(stanza)
    say(ben, room, "hello", id="m")
    ben.expect_error("message", "forbidden", "auth", id="m")
