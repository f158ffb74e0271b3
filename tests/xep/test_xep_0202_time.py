"""XEP-0202: Entity Time."""

import pytest

from fermata.xmpp.stamps import stamp_of
from kit import ns
from kit.stanzas import text
from kit.world import World

GET = f"<time xmlns='{ns.TIME}'/>"


@pytest.mark.parametrize("to", ["localhost", "romeo@localhost", None])
def test_the_server_tells_its_time_in_utc(world: World, to: str | None) -> None:
    romeo = world.login("romeo@localhost/orchard")
    world.advance(100.25)
    answer = romeo.get(GET, to)
    assert stamp_of(text(answer, "time:time/time:utc") or "") == pytest.approx(world.clock.seconds(), abs=0.001)
    assert text(answer, "time:time/time:tzo") == "+00:00"


def test_it_does_not_tell_the_time_of_others(world: World) -> None:
    romeo, juliet = world.login("romeo@localhost/orchard"), world.login("juliet@localhost/balcony")
    assert romeo.refused("get", GET, juliet.bare) == ("cancel", "service-unavailable")
