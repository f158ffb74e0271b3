"""XEP-0050: Ad-Hoc Commands, and how service discovery lists them."""

import pytest

from fermata.app.config_tables import Config, Server
from fermata.xmpp.jid import JID
from kit import ns
from kit.commands import Execution, command, submit
from kit.stanzas import error, find, find_all
from kit.wire import Client
from kit.world import World

ADD_USER = ns.ADMIN + "#add-user"


@pytest.fixture
def world(worlds) -> World:
    return worlds(Config(server=Server(admins=(JID.parse("escalus@localhost"),))))


@pytest.fixture
def admin(world: World) -> Client:
    return world.online("escalus@localhost/palace")


@pytest.fixture
def romeo(world: World) -> Client:
    return world.online("romeo@localhost/orchard")


def nodes(client: Client) -> dict[str, str]:
    answer = client.get(f"<query xmlns='{ns.DISCO_ITEMS}' node='{ns.COMMANDS}'/>", "localhost")
    listed = find_all(answer, "items:query/items:item")
    assert all(item.get("jid") == "localhost" for item in listed)
    return {item.get("node", ""): item.get("name", "") for item in listed}


def info(client: Client, node: str) -> tuple[dict[str, str], set[str]]:
    answer = client.get(f"<query xmlns='{ns.DISCO_INFO}' node='{node}'/>", "localhost")
    identity = find(answer, "info:query/info:identity")
    assert identity is not None
    return dict(identity.attrib), {each.get("var", "") for each in find_all(answer, "info:query/info:feature")}


def test_commands_are_found_by_those_who_may_execute_them(admin: Client, romeo: Client) -> None:
    assert ns.COMMANDS in {
        each.get("var")
        for each in find_all(admin.get(f"<query xmlns='{ns.DISCO_INFO}'/>", "localhost"), "info:query/info:feature")
    }
    assert nodes(admin)[ADD_USER] == "Add an account"
    assert not any(node.startswith(ns.ADMIN) for node in nodes(romeo))
    identity, features = info(admin, ADD_USER)
    assert (identity["category"], identity["type"]) == ("automation", "command-node")
    assert features == {ns.COMMANDS, ns.DATA}
    assert info(admin, ns.COMMANDS)[0]["type"] == "command-list"
    asked = f"<query xmlns='{ns.DISCO_INFO}' node='{ADD_USER}'/>"
    assert romeo.refused("get", asked, "localhost") == ("cancel", "item-not-found")


def test_who_may_not_execute_a_command_is_refused_at_every_step(admin: Client, romeo: Client) -> None:
    assert romeo.refused("set", command(ADD_USER), "localhost") == ("auth", "forbidden")
    execution = Execution(admin, ADD_USER)
    going_on = command(ADD_USER, "complete", execution.session, submit(accountjid="x@localhost", password="x"))
    assert romeo.refused("set", going_on, "localhost") == ("auth", "forbidden")


def test_what_is_no_command_is_not_found(admin: Client) -> None:
    assert admin.refused("set", command("nonsense"), "localhost") == ("cancel", "item-not-found")
    reply = admin.iq("set", command(ADD_USER, "jump"), "localhost")
    assert error(reply) == ("modify", "bad-request")
    assert find(reply, "error/commands:malformed-action") is not None


def test_an_execution_belongs_to_one_session(world: World, admin: Client) -> None:
    execution = Execution(admin, ADD_USER)
    other = world.online("escalus@localhost/street")
    going_on = command(ADD_USER, "complete", execution.session, submit(accountjid="x@localhost", password="x"))
    reply = other.iq("set", going_on, "localhost")
    assert find(reply, "error/commands:bad-sessionid") is not None
    execution.go("cancel")
    assert execution.status == "canceled"


def test_who_thinks_too_long_begins_again(world: World, admin: Client) -> None:
    execution = Execution(admin, ADD_USER)
    world.advance(601.0)
    assert execution.refused(accountjid="x@localhost", password="x") == ("cancel", "not-allowed")


def test_executions_that_nobody_ends_are_limited(admin: Client) -> None:
    for _ in range(10):
        Execution(admin, ADD_USER)
    assert admin.refused("set", command(ADD_USER), "localhost") == ("wait", "resource-constraint")
