"""Asking the archive of one's account over real connections (XEP-0313)."""

from collections.abc import Callable

from kit import ns
from kit.archives import bodies, page, query
from kit.people import Accounts, People
from kit.server import Server, Settings
from kit.stanzas import find, text
from kit.wire import Client


def write(client: Client, to: str, *words: str) -> None:
    for word in words:
        client.send(f"<message to='{to}' type='chat'><body>{word}</body></message>")
    client.sync()


def everything(client: Client, size: int = 100) -> list[str]:
    """All that the archive has, page by page."""
    found = page(client, query(f"<max>{size}</max>"))
    seen = bodies(found)
    while not found.is_complete:
        found = page(client, query(f"<max>{size}</max><after>{found.last}</after>"))
        seen += bodies(found)
    return seen


def test_a_new_client_finds_what_was_said_before_it_came(people: People) -> None:
    ann, ben = people.online(), people.online()
    said = [f"word {number}" for number in range(25)]
    write(ann, ben.bare, *said)
    later = people.bound(ben.jid.split("@")[0])
    assert everything(later, 10) == said
    assert bodies(page(later, query("<max>3</max><before/>", with_=ann.bare))) == said[-3:]


def test_only_the_session_that_asks_gets_results(people: People) -> None:
    ann, ben = people.online(), people.online()
    write(ann, ben.bare, "a", "b")
    other = people.another(ann)
    assert bodies(page(ann, query())) == ["a", "b"]
    other.nothing_before()
    ben.sync()
    ben.nothing_before()


def test_many_pages_at_once_come_whole_and_in_order(people: People) -> None:
    ann, ben = people.online(), people.online()
    said = [f"{number}: {'x' * 2000}" for number in range(100)]
    write(ann, ben.bare, *said)
    asked = "".join(
        f"<iq type='set' id='page {number}'>{query('<max>100</max>', queryid=str(number))}</iq>" for number in range(20)
    )
    ann.send(asked)
    for number in range(20):
        for expected in said:
            result = find(ann.expect("message"), "mam:result")
            assert result is not None
            assert result.get("queryid") == str(number)
            assert text(result, "forward:forwarded/message/body") == expected
        ann.expect("iq", "mam:fin[@complete='true']", id=f"page {number}")


def test_what_was_acknowledged_is_in_the_archive_after_a_kill(
    launch: Callable[[Settings], Server], accounts: Accounts
) -> None:
    server = launch({})
    people = People(server, iter(accounts.fresh, ""))
    ann, ben = people.online(), people.online()
    ann.send(f"<enable xmlns='{ns.SM}'/>")
    ann.expect("sm:enabled")
    ann.transparent = True
    for number in range(10):
        ann.send(f"<message to='{ben.bare}' type='chat'><body>{number}</body></message>")
    ann.send(f"<r xmlns='{ns.SM}'/>")
    ann.expect("sm:a", h="10")
    live = [find(ben.expect("message", "body"), f"sid:stanza-id[@by='{ben.bare}']") for _ in range(10)]
    server.kill()
    server.start()
    found = page(people.bound(ben.jid.split("@")[0]), query())
    assert bodies(found) == list("0123456789")
    assert found.ids == [each.get("id") for each in live if each is not None]
    people.clients[-1].cut()
