"""What a room is, after it was loaded again."""

from kit import ns
from kit.muc import create, form
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
