"""What a list of bookmarks that an older client writes means for the items that are kept (XEP-0402 §7.3.2)."""

import pytest

from fermata.core.pubsub.bookmarks import Edit, bookmark_of, rewriting, storage
from fermata.core.stored_xml import stanza_from
from fermata.xmpp.element import Element, serialise

OLD, NEW = "storage:bookmarks", "urn:xmpp:bookmarks:1"


def old(*conferences: str) -> Element:
    return stanza_from(f"<storage xmlns='{OLD}'>{''.join(conferences)}</storage>")


def new(attributes: str = "", content: str = "") -> Element:
    return stanza_from(f"<conference xmlns='{NEW}' {attributes}>{content}</conference>")


def shown(edits: list[Edit]) -> dict[str, str | None]:
    return {id: None if payload is None else serialise(payload) for id, payload in edits}


EXTENSIONS = "<extensions><state xmlns='urn:example' minimized='true'/></extensions>"
TEA = "tea@rooms.example"


def test_an_unchanged_list_changes_nothing() -> None:
    items = {
        TEA: new("name='Tea' autojoin='1'", f"<nick>Ann</nick><password>p</password>{EXTENSIONS}"),
        "x@rooms.example": new("autojoin='0'"),
        "y@rooms.example": new(),
        "no room": stanza_from("<x xmlns='urn:example'/>"),
    }
    assert rewriting(items, storage(items, ())).edits == []


def test_what_the_list_cannot_say_stays() -> None:
    items = {TEA: new("name='Tea' autojoin='1' color='red'", f"<nick>Ann</nick>{EXTENSIONS}")}
    written = old(f"<conference jid='{TEA}' name='Tea &amp; talk' autojoin='1'><nick>Bea</nick></conference>")
    assert shown(rewriting(items, written).edits) == {
        TEA: f"<conference xmlns='{NEW}' name='Tea &amp; talk' autojoin='1' color='red'><nick>Bea</nick>"
        "<extensions><state xmlns='urn:example' minimized='true'/></extensions></conference>"
    }


@pytest.mark.parametrize(
    ("conference", "wanted"),
    [
        (f"<conference jid='{TEA}'/>", f"<conference xmlns='{NEW}'/>"),
        (f"<conference jid='{TEA}' autojoin='1' name='T'/>", f"<conference xmlns='{NEW}' name='T' autojoin='true'/>"),
        (
            f"<conference jid='{TEA}'><nick>A</nick><password>p</password></conference>",
            f"<conference xmlns='{NEW}'><nick>A</nick><password>p</password></conference>",
        ),
    ],
)
def test_a_new_room_is_a_new_item(conference: str, wanted: str) -> None:
    assert shown(rewriting({}, old(conference)).edits) == {TEA: wanted}


def test_a_room_that_is_not_in_the_list_any_more_goes() -> None:
    assert rewriting({TEA: new(), "z@rooms.example": new()}, old(f"<conference jid='{TEA}'/>")).edits == [
        Edit("z@rooms.example", None)
    ]


def test_what_is_no_bookmark_is_left_alone() -> None:
    items = {"settings": stanza_from("<x xmlns='urn:example'/>"), "a@b": stanza_from("<x xmlns='urn:example'/>")}
    assert rewriting(items, old("<url name='A page' url='http://x.example'/>", "<conference jid='@'/>")).edits == []


def test_a_room_is_the_same_however_it_is_written() -> None:
    items = {"Tea@Rooms.Example": new("name='Tea'")}
    (edit,) = rewriting(items, old(f"<conference jid='{TEA}' name='Tea' autojoin='1'/>")).edits
    assert edit.id == "Tea@Rooms.Example"
    bookmark = bookmark_of(edit.id, edit.payload)
    assert bookmark is not None
    assert (bookmark.room, bookmark.autojoin) == (TEA, True)


def rooms(number: int, attributes: str) -> dict[str, Element | None]:
    return {f"r{each}@rooms.example": new(attributes) for each in range(number)}


def listed(number: int, attributes: str = "") -> list[str]:
    return [f"<conference jid='r{each}@rooms.example' {attributes}/>" for each in range(number)]


def test_a_client_that_has_never_heard_of_autojoin_ends_it_nowhere() -> None:
    assert rewriting(rooms(4, "autojoin='1'"), old(*listed(4))).edits == []


def test_one_that_has_ends_it_and_that_is_noticed() -> None:
    found = rewriting(rooms(5, "autojoin='1'"), old(*listed(4), "<conference jid='r4@rooms.example' autojoin='1'/>"))
    assert len(found.edits) == 4
    assert found.is_sweeping
    assert all(payload is not None and payload.get("autojoin") == "false" for _, payload in found.edits)


@pytest.mark.parametrize("keeps", [1, 2, 3])
def test_a_few_at_once_are_meant(keeps: int) -> None:
    items = rooms(3, "autojoin='1'")
    found = rewriting(items, old(*listed(3)))
    assert len(found.edits) == 3
    assert not found.is_sweeping
    assert not rewriting(items, old(*listed(keeps, "autojoin='1'"))).is_sweeping


def test_to_take_many_rooms_off_the_list_is_noticed_too() -> None:
    found = rewriting(rooms(4, "autojoin='1'"), old())
    assert found.is_sweeping
    assert [payload for _, payload in found.edits] == [None] * 4
    assert not rewriting(rooms(4, ""), old()).is_sweeping


@pytest.mark.parametrize("id", ["", "@", "a b@c", "rooms.example/"])
def test_an_item_that_names_no_room_is_no_bookmark(id: str) -> None:
    assert bookmark_of(id, new("autojoin='1'")) is None


def test_an_item_of_another_kind_is_no_bookmark() -> None:
    assert bookmark_of(TEA, None) is None
    assert bookmark_of(TEA, stanza_from("<conference xmlns='urn:example' autojoin='1'/>")) is None


def test_the_list_has_what_else_was_in_it() -> None:
    page = stanza_from(f"<url xmlns='{OLD}' url='http://x.example'/>")
    made = storage({TEA: new("autojoin='1'", "<nick>Ann</nick>")}, [page])
    assert serialise(made) == (
        f"<storage xmlns='{OLD}'><conference jid='{TEA}' autojoin='true'><nick>Ann</nick></conference>"
        "<url url='http://x.example'/></storage>"
    )
