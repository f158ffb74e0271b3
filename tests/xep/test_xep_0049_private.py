"""XEP-0049: Private XML Storage."""

import pytest

from kit import ns
from kit.stanzas import find, find_all, show
from kit.wire import Client
from kit.world import World

EMPTY = f"<query xmlns='{ns.PRIVATE}'/>"


def query(inside: str) -> str:
    return f"<query xmlns='{ns.PRIVATE}'>{inside}</query>"


def kept(client: Client, name: str, space: str) -> str:
    """What is kept under a name, as text."""
    result = client.get(query(f"<{name} xmlns='{space}'/>"))
    (element,) = find_all(result, "private:query/*")
    assert element.tag == f"{{{space}}}{name}"
    return "".join(element.itertext())


def fill(client: Client, count: int, letter: str = "a") -> None:
    client.set(query("".join(f"<{letter}{number} xmlns='urn:x'>1</{letter}{number}>" for number in range(count))))


def test_what_was_set_is_there_for_every_session_of_the_account(world: World) -> None:
    hamlet = world.login("hamlet@localhost/denmark")
    hamlet.set(query("<exodus xmlns='exodus:prefs'><defaultnick>Hamlet</defaultnick></exodus>"))
    assert kept(hamlet, "exodus", "exodus:prefs") == "Hamlet"
    assert kept(world.login("hamlet@localhost/england"), "exodus", "exodus:prefs") == "Hamlet"


def test_it_survives_the_end_of_the_process(world: World) -> None:
    world.login("hamlet@localhost/denmark").set(query("<exodus xmlns='exodus:prefs'>Hamlet</exodus>"))
    world.crash()
    assert kept(world.login("hamlet@localhost/denmark"), "exodus", "exodus:prefs") == "Hamlet"


def test_what_was_never_set_is_the_empty_element(world: World) -> None:
    result = world.login("hamlet@localhost/denmark").get(query("<storage xmlns='storage:bookmarks'/>"))
    storage = find(result, "private:query/*")
    assert storage is not None
    assert storage.tag == "{storage:bookmarks}storage"
    assert not len(storage)


def test_a_later_value_replaces_the_earlier_one(world: World) -> None:
    hamlet = world.login("hamlet@localhost/denmark")
    hamlet.set(query("<a xmlns='urn:x'>one</a>"))
    hamlet.set(query("<a xmlns='urn:x'>two</a>"))
    assert kept(hamlet, "a", "urn:x") == "two"


def test_names_in_one_namespace_are_kept_apart(world: World) -> None:
    hamlet = world.login("hamlet@localhost/denmark")
    hamlet.set(query("<a xmlns='urn:x'>one</a><b xmlns='urn:x'>two</b>"))
    assert (kept(hamlet, "a", "urn:x"), kept(hamlet, "b", "urn:x")) == ("one", "two")


def test_stanzas_inside_come_back_as_they_were(world: World) -> None:
    hamlet = world.login("hamlet@localhost/denmark")
    inside = "<a xmlns='urn:x'><message xmlns='jabber:client' to='x'><body>&lt;hi&gt; &amp; 'you'</body></message></a>"
    hamlet.set(query(inside))
    message = find(hamlet.get(query("<a xmlns='urn:x'/>")), ".//message")
    assert message is not None
    assert message.findtext("body") == "<hi> & 'you'"


@pytest.mark.parametrize(
    ("type", "inside", "condition"),
    [
        ("get", "", "bad-request"),
        ("get", "<a xmlns='urn:x'/><b xmlns='urn:x'/>", "not-acceptable"),
        ("get", "<a xmlns=''/>", "not-acceptable"),
        ("get", "<a/>", "not-acceptable"),
        ("set", "", "not-acceptable"),
        ("set", "<a xmlns=''>1</a>", "not-acceptable"),
        ("set", "<a>1</a>", "not-acceptable"),
        ("set", "<a xmlns='urn:x'>1</a><a xmlns='urn:x'>2</a>", "not-acceptable"),
    ],
)
def test_a_request_that_says_nothing_clear_is_refused(world: World, type: str, inside: str, condition: str) -> None:
    assert world.login("hamlet@localhost/denmark").refused(type, query(inside)) == ("modify", condition)


@pytest.mark.parametrize("type", ["get", "set"])
def test_nobody_sees_or_changes_what_belongs_to_another(world: World, type: str) -> None:
    hamlet, macbeth = world.login("hamlet@localhost/denmark"), world.login("macbeth@localhost/dunsinane")
    hamlet.set(query("<a xmlns='urn:x'>Hamlet</a>"))
    refusal = macbeth.refused(type, query("<a xmlns='urn:x'>Macbeth</a>"), hamlet.bare)
    assert refusal == ("cancel", "service-unavailable")
    assert kept(macbeth, "a", "urn:x") == ""
    assert kept(hamlet, "a", "urn:x") == "Hamlet"


def test_one_element_has_so_many_bytes_at_most(world: World) -> None:
    hamlet = world.login("hamlet@localhost/denmark")
    around = len("<a xmlns='urn:x'></a>")
    hamlet.set(query(f"<a xmlns='urn:x'>{'é' * ((65_536 - around) // 2)}</a>"))
    assert hamlet.refused("set", query(f"<a xmlns='urn:x'>{'é' * 32_768}</a>")) == ("modify", "policy-violation")
    assert len(kept(hamlet, "a", "urn:x")) == (65_536 - around) // 2


def test_an_account_keeps_so_many_elements_at_most(world: World) -> None:
    hamlet = world.login("hamlet@localhost/denmark")
    fill(hamlet, 60, "a")
    assert hamlet.refused("set", query("".join(f"<b{n} xmlns='urn:x'>1</b{n}>" for n in range(41))))[0] == "wait"
    fill(hamlet, 40, "b")
    fill(hamlet, 60, "a")
    assert hamlet.refused("set", query("<c xmlns='urn:x'>1</c>")) == ("wait", "resource-constraint")


def test_an_element_without_content_makes_room_for_another(world: World) -> None:
    hamlet = world.login("hamlet@localhost/denmark")
    fill(hamlet, 100)
    hamlet.set(query("<a7 xmlns='urn:x'/><c xmlns='urn:x'>1</c>"))
    assert (kept(hamlet, "a7", "urn:x"), kept(hamlet, "c", "urn:x")) == ("", "1")


def test_the_answer_comes_from_the_account(world: World) -> None:
    hamlet = world.login("hamlet@localhost/denmark")
    result = hamlet.get(query("<a xmlns='urn:x'/>"), to=hamlet.bare)
    assert result.get("from") == hamlet.bare, show(result)
