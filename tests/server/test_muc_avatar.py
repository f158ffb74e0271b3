"""A room's avatar, in its vCard (XEP-0486, XEP-0054)."""

from base64 import b64encode
from hashlib import sha1

from kit import ns
from kit.muc import create, drain, party
from kit.people import People
from kit.stanzas import codes, find, form_values, text
from kit.wire import Client

GET = f"<vCard xmlns='{ns.VCARD}'/>"
PICTURE = b"\x89PNG of an orchard"
AVATAR = (
    f"<vCard xmlns='{ns.VCARD}'><PHOTO><TYPE>image/png</TYPE>"
    f"<BINVAL>{b64encode(PICTURE).decode()}</BINVAL></PHOTO></vCard>"
)


def info(client: Client, to: str) -> tuple[set[str], dict[str, list[str]]]:
    query = client.get(f"<query xmlns='{ns.DISCO_INFO}'/>", to)
    features = {each.get("var", "") for each in query.iter(f"{{{ns.DISCO_INFO}}}feature")}
    return features, form_values(query) if find(query, ".//data:x") is not None else {}


def test_an_avatar_is_announced_found_and_fetched(guests: People, room: str) -> None:
    ann, ben, eve = guests.online(), guests.online(), guests.online()
    party(room, {"Ann": ann, "Ben": ben})
    service = room.split("@")[1]
    assert ns.VCARD in info(eve, service)[0]
    features, form = info(eve, room)
    assert ns.VCARD in features
    assert "muc#roominfo_avatarhash" not in form
    ann.set(AVATAR, room)
    for client in (ann, ben):
        notice = client.expect("message", from_=room, type="groupchat")
        assert codes(notice) == {"104"}
    assert info(eve, room)[1]["muc#roominfo_avatarhash"] == [sha1(PICTURE).hexdigest()]
    fetched = text(eve.get(GET, room), "vcard:vCard/vcard:PHOTO/vcard:BINVAL")
    assert fetched == b64encode(PICTURE).decode()
    ann.set(GET, room)
    drain(room, {"Ann": ann, "Ben": ben})
    assert "muc#roominfo_avatarhash" not in info(eve, room)[1]
    vcard = find(eve.get(GET, room), "vcard:vCard")
    assert vcard is not None
    assert len(vcard) == 0


def test_no_presence_comes_from_the_room_itself(guests: People, room: str) -> None:
    ann = guests.online()
    create(ann, room, "Ann")
    ann.set(AVATAR, room)
    ann.expect("message", from_=room)
    ann.nothing_before(f"{room}/Ann")


def test_only_owners_change_it(guests: People, room: str) -> None:
    ann, ben = guests.online(), guests.online()
    party(room, {"Ann": ann, "Ben": ben})
    assert ben.refused("set", AVATAR, room) == ("auth", "forbidden")
    assert ann.refused("set", AVATAR.replace("<BINVAL>", "<BINVAL>!"), room) == ("modify", "bad-request")
    assert ann.refused("get", GET, "nowhere@conference.localhost") == ("cancel", "item-not-found")


def test_the_service_has_a_vcard(guests: People) -> None:
    assert text(guests.online().get(GET, "conference.localhost"), "vcard:vCard/vcard:FN")
