"""What a client is told that a room does not let in."""

from kit.standins import PHONE, ROOM, Stage
from kit.stanzas import error, find


def test_the_error_says_that_it_answers_an_entrance_even_if_the_room_does_not() -> None:
    stage = Stage()
    stage.enters(id="j1")
    stage.hears(
        f"<presence from='{ROOM}/Ann' type='error'><error type='auth'>"
        "<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    )
    (told,) = stage.told[PHONE]
    assert error(told) == ("auth", "forbidden")
    assert find(told, "muc:x") is not None
