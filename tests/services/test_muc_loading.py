"""What a room is, after it was loaded again."""

from fermata.services.muc import LiveRoom
from fermata.xmpp.jid import JID
from kit import ns
from kit.muc import create, form, party
from kit.stanzas import form_values, text
from kit.world import World

ROOM = "tea@conference.localhost"
PHOTO = "<PHOTO><TYPE>image/png</TYPE><BINVAL>dGVh</BINVAL></PHOTO>"


def test_the_avatar_and_the_members_are_there_after_a_crash(world: World) -> None:
    ann, ben = world.online("ann@localhost/phone"), world.online("ben@localhost/phone")
    create(ann, ROOM, "Ann")
    ann.set(f"<vCard xmlns='{ns.VCARD}'>{PHOTO}</vCard>", ROOM)
    ben.set(f"<query xmlns='{ns.REGISTER}'>{form(ns.MUC_REGISTER, muc__register_roomnick='Ben')}</query>", ROOM)
    world.crash()
    ben = world.online("ben@localhost/phone")
    values = form_values(ben.get(f"<query xmlns='{ns.DISCO_INFO}'/>", ROOM))
    assert values["muc#roominfo_avatarhash"] == ["75490f32c06a50051804339453d3fe2f0cd5564b"]
    assert text(ben.get(f"<vCard xmlns='{ns.VCARD}'/>", ROOM), "vcard:vCard/vcard:PHOTO/vcard:BINVAL") == "dGVh"
    assert text(ben.get(f"<query xmlns='{ns.REGISTER}'/>", ROOM), "register:query/register:username") == "Ben"


def test_everybody_stays_even_if_a_room_cannot_be_loaded_again_at_once(world: World) -> None:
    romeo, juliet = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    party(ROOM, {"Romeo": romeo, "Juliet": juliet})
    rooms = world.parts.room_services[0].rooms
    load, [room] = rooms._load, rooms

    async def fail(jid: JID) -> LiveRoom | None:
        await load(jid)
        raise OSError("the disk is gone")

    rooms._load = fail
    room.lineage.tell()
    for client in (juliet, romeo):
        client.send(f"<message to='{ROOM}' type='groupchat' id='refused'><body>refused</body></message>")
        client.expect_error("message", "internal-server-error", "wait", id="refused")
    rooms._load = load
    assert world.errors()
    romeo.send(f"<message to='{ROOM}' type='groupchat'><body>kept</body></message>")
    for client in (romeo, juliet):
        assert client.next().findtext("body") == "kept"
