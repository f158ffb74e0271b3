"""Components in the process: wokkel's handlers, good ones and bad ones, between people and rooms."""

from collections.abc import Callable

import pytest

from fermata.app.component_import import ComponentError
from fermata.app.config_components import Components, Inside
from fermata.app.config_tables import Config
from kit import ns
from kit.stanzas import error, find
from kit.wire import Client
from kit.world import World, worlds

__all__ = ["worlds"]

Make = Callable[[Config], World]


def config(handler: str, **options: object) -> Config:
    return Config(components=Components(inside={"bot.localhost": Inside(f"kit.bots:{handler}", options)}))


def ask(client: Client, payload: str, id: str = "q1") -> None:
    client.send(f"<iq type='get' id='{id}' to='bot.localhost'>{payload}</iq>")


def say(client: Client, text: str = "hi", to: str = "polly@bot.localhost/cage", id: str = "m1") -> None:
    client.send(f"<message to='{to}' type='chat' id='{id}'><body>{text}</body></message>")


# A good one


@pytest.fixture
def romeo(worlds: Make) -> Client:
    return worlds(config("parrot_with_disco", word="Romeo! ")).online("romeo@localhost/orchard")


def test_it_is_told_and_answers(romeo: Client) -> None:
    say(romeo, "how art &lt;thou>?")
    answer = romeo.expect("message", type="chat", from_="polly@bot.localhost/cage", to=romeo.jid)
    assert answer.findtext("body") == "Romeo! how art <thou>?"


def test_it_answers_in_the_order_in_which_it_is_told(romeo: Client) -> None:
    for number in range(5):
        say(romeo, str(number))
    assert [romeo.next().findtext("body") for _ in range(5)] == [f"Romeo! {number}" for number in range(5)]


def test_its_parts_know_each_other(romeo: Client) -> None:
    info = romeo.get(f"<query xmlns='{ns.DISCO_INFO}'/>", "bot.localhost")
    identity = find(info, "info:query/info:identity")
    assert identity is not None
    assert (identity.get("category"), identity.get("type")) == ("client", "bot")


def test_the_server_lists_it(romeo: Client) -> None:
    items = romeo.get(f"<query xmlns='{ns.DISCO_ITEMS}'/>", "localhost")
    assert "bot.localhost" in {each.get("jid") for each in items[0]}


def test_what_no_part_knows_is_refused(romeo: Client) -> None:
    assert romeo.refused("get", "<x xmlns='urn:unknown'/>", "bot.localhost") == ("cancel", "service-unavailable")


def test_what_wokkel_cannot_say_is_refused(romeo: Client) -> None:
    romeo.send("<message to='bot.localhost' id='m1'><x xmlns='a&amp;b'/></message>")
    romeo.expect_error("message", "not-acceptable", id="m1")
    romeo.nothing_before()


def test_its_answer_never_precedes_what_it_answers(worlds: Make) -> None:
    world = worlds(config("RoomParrot"))
    room = "tea@conference.localhost"
    romeo, juliet = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    romeo.send(f"<presence to='{room}/romeo'><x xmlns='{ns.MUC}'/></presence>")
    romeo.set(f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='submit'/></query>", room)
    say(romeo, room, to="bot.localhost")  # it enters
    juliet.send(f"<presence to='{room}/juliet'><x xmlns='{ns.MUC}'/></presence>")
    romeo.sync()
    juliet.sync()
    romeo.send(f"<message to='{room}' type='groupchat'><body>hi</body></message>")
    for client in (romeo, juliet):
        heard = [stanza.findtext("body") for stanza in client.sync() if stanza.tag == "message"]
        assert heard == ["hi", "hi!"]


# Bad ones


@pytest.fixture
def faulty(worlds: Make) -> World:
    world = worlds(config("Faulty"))
    assert len(world.errors()) == 1  # its start has failed, and nothing else has
    return world


@pytest.fixture
def juliet(faulty: World) -> Client:
    return faulty.online("juliet@localhost/balcony")


def is_alive(client: Client) -> bool:
    client.send("<message to='bot.localhost' id='good'/>")
    return client.expect("message", id="reply", from_="bot.localhost") is not None


@pytest.mark.parametrize("fault", ["raise", "foreign", "nonsense", "text"])
def test_what_it_does_wrong_is_logged_and_hurts_nobody(faulty: World, juliet: Client, fault: str) -> None:
    juliet.send(f"<message to='bot.localhost' id='{fault}'/>")
    juliet.nothing_before()
    (logged,) = faulty.errors()
    assert "The component bot.localhost has failed" in logged or "Traceback" in logged
    assert is_alive(juliet)


def test_a_request_that_it_fails_at_is_answered(faulty: World, juliet: Client) -> None:
    assert juliet.refused("get", "<raise xmlns='x'/>", "bot.localhost") == ("cancel", "internal-server-error")
    assert "on purpose" in faulty.errors()[0]
    assert is_alive(juliet)


def test_a_request_that_it_has_answered_before_it_failed_is_answered_once(faulty: World, juliet: Client) -> None:
    assert juliet.get("<late xmlns='x'/>", "bot.localhost").get("type") == "result"
    juliet.nothing_before()
    assert "after the answer" in faulty.errors()[0]


def test_an_answer_is_one_even_if_the_request_is_not_marked(juliet: Client) -> None:
    assert juliet.get("<answer xmlns='x'/>", "bot.localhost").get("type") == "result"
    juliet.nothing_before()


def test_at_the_end_its_parts_are_told_and_may_fail(faulty: World) -> None:
    from twisted.internet.defer import Deferred

    from fermata.xmpp.errors import StreamError

    Deferred.fromCoroutine(faulty.parts.components.close(StreamError("system-shutdown")))
    assert "an end that fails" in faulty.errors()[0]


# One that asks


def test_it_can_ask_and_wait_for_the_answer(worlds: Make) -> None:
    romeo = worlds(config("Asking")).online("romeo@localhost/orchard")
    say(romeo)
    request = romeo.expect("iq", "version:query", type="get", from_="polly@bot.localhost/cage")
    romeo.send(
        f"<iq type='result' id='{request.get('id')}' to='{request.get('from')}'>"
        f"<query xmlns='{ns.VERSION}'><name>Psi</name></query></iq>"
    )
    assert romeo.expect("message", from_="bot.localhost").findtext("body") == "Psi"
    say(romeo)  # it listened once
    romeo.nothing_before()


def test_it_is_told_if_nobody_answers(worlds: Make) -> None:
    romeo = worlds(config("Asking")).online("romeo@localhost/orchard")
    say(romeo)
    request = romeo.expect("iq", type="get")
    romeo.send(
        f"<iq type='error' id='{request.get('id')}' to='{request.get('from')}'>"
        f"<error type='cancel'><service-unavailable xmlns='{ns.STANZA_ERRORS}'/></error></iq>"
    )
    assert romeo.expect("message").findtext("body") == "none"


# What is no component


@pytest.mark.parametrize(
    ("handler", "options", "words"),
    [
        ("missing:Bot", {}, "missing:Bot cannot be imported: ModuleNotFoundError: No module named 'missing'"),
        ("kit.bots:Missing", {}, "kit.bots:Missing cannot be imported: AttributeError:"),
        ("kit.bots:NOT_CALLABLE", {}, "kit.bots:NOT_CALLABLE is neither a class nor a function"),
        ("kit.bots:broken", {}, "kit.bots:broken has failed: RuntimeError: no"),
        ("kit.bots:Parrot", {"wrod": ""}, "unexpected keyword argument 'wrod'"),
        ("kit.bots:nothing", {}, "what kit.bots:nothing makes is no XMPPHandler but object"),
    ],
)
def test_what_is_no_component_is_told_in_words(worlds: Make, handler: str, options: dict[str, str], words: str) -> None:
    components = Components(inside={"bot.localhost": Inside(handler, options)})
    with pytest.raises(ComponentError) as refused:
        worlds(Config(components=components))
    assert str(refused.value).startswith("the component bot.localhost: ")
    assert words in str(refused.value)


def test_an_error_that_answers_an_answer_is_the_end_of_it(worlds: Make) -> None:
    romeo = worlds(config("Parrot")).online("romeo@localhost/orchard")
    ask(romeo, "<x xmlns='y'/>")
    assert error(romeo.expect("iq", id="q1")) == ("cancel", "service-unavailable")
    romeo.send(f"<message to='bot.localhost' type='error'><body>{romeo.jid}</body></message>")
    romeo.nothing_before()
