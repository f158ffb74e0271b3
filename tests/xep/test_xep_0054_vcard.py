"""XEP-0054: vcard-temp."""

import pytest

from kit import ns
from kit.stanzas import find_all, text
from kit.world import World

GET = f"<vCard xmlns='{ns.VCARD}'/>"


def vcard(name: str) -> str:
    return f"<vCard xmlns='{ns.VCARD}'><FN>{name}</FN><N><GIVEN>{name}</GIVEN></N></vCard>"


def test_a_vcard_is_shown_to_its_owner_and_to_everybody(world: World) -> None:
    romeo, juliet = world.login("romeo@localhost/orchard"), world.login("juliet@localhost/balcony")
    romeo.set(vcard("Romeo"))
    assert text(romeo.get(GET), "vcard:vCard/vcard:FN") == "Romeo"
    assert text(romeo.get(GET, romeo.bare), "vcard:vCard/vcard:N/vcard:GIVEN") == "Romeo"
    result = juliet.get(GET, romeo.bare)
    assert text(result, "vcard:vCard/vcard:FN") == "Romeo"
    assert result.get("from") == romeo.bare


def test_it_is_shown_while_the_owner_is_offline_even_after_a_crash(world: World) -> None:
    world.login("romeo@localhost/orchard").set(vcard("Romeo"))
    world.crash()
    assert text(world.login("juliet@localhost/balcony").get(GET, "romeo@localhost"), "vcard:vCard/vcard:FN") == "Romeo"


def test_the_whole_vcard_is_replaced(world: World) -> None:
    romeo = world.login("romeo@localhost/orchard")
    romeo.set(vcard("Romeo"))
    romeo.set(f"<vCard xmlns='{ns.VCARD}'><DESC>a Montague</DESC></vCard>")
    assert [element.tag for element in find_all(romeo.get(GET), "vcard:vCard/*")] == [f"{{{ns.VCARD}}}DESC"]


def test_who_has_no_vcard_has_none_for_others_and_an_empty_one_for_himself(world: World) -> None:
    romeo, juliet = world.login("romeo@localhost/orchard"), world.login("juliet@localhost/balcony")
    own = romeo.get(GET).find(f"{{{ns.VCARD}}}vCard")
    assert own is not None
    assert not len(own)
    assert juliet.refused("get", GET, romeo.bare) == ("cancel", "item-not-found")


def test_nobody_changes_that_of_another(world: World) -> None:
    romeo, juliet = world.login("romeo@localhost/orchard"), world.login("juliet@localhost/balcony")
    juliet.set(vcard("Juliet"))
    assert romeo.refused("set", vcard("Romeo"), juliet.bare) == ("auth", "forbidden")
    assert text(juliet.get(GET), "vcard:vCard/vcard:FN") == "Juliet"


@pytest.mark.parametrize("type", ["get", "set"])
def test_an_account_that_does_not_exist_has_none(world: World, type: str) -> None:
    romeo = world.login("romeo@localhost/orchard")
    assert romeo.refused(type, GET, "nobody@localhost") == ("cancel", "service-unavailable")


def test_a_vcard_has_so_many_bytes_at_most(world: World) -> None:
    romeo = world.login("romeo@localhost/orchard")
    romeo.set(vcard("x" * 32_000))
    assert romeo.refused("set", vcard("x" * 33_000)) == ("modify", "policy-violation")


def test_who_is_blocked_sees_no_vcard(world: World) -> None:
    romeo, juliet = world.login("romeo@localhost/orchard"), world.login("juliet@localhost/balcony")
    juliet.set(vcard("Juliet"))
    juliet.set(f"<block xmlns='{ns.BLOCKING}'><item jid='{romeo.bare}'/></block>")
    assert romeo.refused("get", GET, juliet.bare) == ("cancel", "service-unavailable")
