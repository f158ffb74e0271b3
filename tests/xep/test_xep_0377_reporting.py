"""XEP-0377: reports of spam and abuse, which come with a block."""

import pytest

from fermata.services.reports import Reports
from kit import ns
from kit.wire import Client
from kit.world import World

SPAM, ABUSE = ns.REPORTING.replace(":1", ":spam"), ns.REPORTING.replace(":1", ":abuse")


def block(*reports: str, jid: str = "tybalt@capulet.example") -> str:
    return f"<block xmlns='{ns.BLOCKING}'><item jid='{jid}'>{''.join(reports)}</item></block>"


def report(reason: str, inside: str = "") -> str:
    return f"<report xmlns='{ns.REPORTING}' reason='{reason}'>{inside}</report>"


@pytest.fixture
def reports(world: World) -> Reports:
    return world.parts.services[Reports]


@pytest.fixture
def juliet(world: World) -> Client:
    return world.online("juliet@localhost/balcony")


def test_a_report_is_kept_with_its_block(world: World, reports: Reports, juliet: Client) -> None:
    inside = f"<stanza-id xmlns='{ns.SID}' by='juliet@localhost' id='s1'/><text>He sells swords.</text>"
    juliet.set(block(report(SPAM, inside)))
    juliet.set(block(report(ABUSE), jid="paris@localhost/church"))
    world.crash()
    kept = world.do(world.parts.services[Reports].of("localhost"))
    assert [(number, each.jid, each.reason, each.text, each.messages) for number, each in kept.items()] == [
        ("1", "tybalt@capulet.example", "spam", "He sells swords.", ["s1"]),
        ("2", "paris@localhost", "abuse", "", []),
    ]
    assert {each.reporter for each in kept.values()} == {"juliet@localhost"}
    blocked = world.login("juliet@localhost/balcony").get(f"<blocklist xmlns='{ns.BLOCKING}'/>")
    assert len(blocked[0]) == 2


@pytest.mark.parametrize(
    ("payload", "condition"),
    [
        (block(report("urn:xmpp:reporting:boredom")), "bad-request"),
        (block(report(SPAM), jid="@x"), "jid-malformed"),
    ],
)
def test_a_wrong_report_blocks_nobody(
    world: World, reports: Reports, juliet: Client, payload: str, condition: str
) -> None:
    assert juliet.refused("set", payload) == ("modify", condition)
    assert len(juliet.get(f"<blocklist xmlns='{ns.BLOCKING}'/>")[0]) == 0
    assert world.do(reports.of("localhost")) == {}


def test_nobody_fills_the_list_alone(world: World, reports: Reports, juliet: Client) -> None:
    for number in range(25):
        juliet.set(block(report(SPAM), jid=f"p{number}@x.example"))
    world.online("romeo@localhost/orchard").set(block(report(ABUSE)))
    assert [each.reporter for each in world.do(reports.of("localhost")).values()].count("juliet@localhost") == 20
    assert len(world.do(reports.of("localhost"))) == 21
    assert world.do(reports.dismiss("localhost", ["1", "2", "99"])) == 2
    assert world.do(reports.dismiss("localhost", [])) == 19
