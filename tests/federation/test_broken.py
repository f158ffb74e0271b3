"""Servers that are broken, or want to break others. None of them is felt by anybody else (see `Calm`)."""

from contextlib import ExitStack

import pytest

from federation.scene import Scene
from federation.scripted import (
    Script,
    answers_no_dialback,
    closes_at_once,
    dribbles,
    floods_with_features,
    has_no_tls,
    never_acknowledges,
    offers_nothing,
    says_half_a_header,
    says_nothing,
    stops_after_tls,
    stops_reading,
)
from federation.seen import said, stanza
from federation.stream import Caller
from kit import ns
from kit.bystanders import pour
from kit.stanzas import text

pytestmark = pytest.mark.interop

MEGABYTE = 2**20

# What our server connects to.


def write(scene: Scene, body: str = "hello?") -> None:
    scene.ann.send(f"<message type='chat' to='mallory@{scene.villain.domain}'><body>{body}</body></message>")


@pytest.mark.parametrize(
    "script",
    [
        says_nothing,
        closes_at_once,
        says_half_a_header,
        has_no_tls,
        stops_after_tls,
        offers_nothing,
        answers_no_dialback,
        dribbles,
        floods_with_features,
    ],
)
def test_who_cant_be_talked_to_disturbs_nobody(scene: Scene, script: Script) -> None:
    with scene.server(script) as server:
        write(scene)
        server.wait_for_connections(1)
        scene.calm.exchanges(100)
        assert server.connections < 10, "it was tried again and again, at once"
        assert server.stanzas.empty()


def test_who_stops_reading_disturbs_nobody(scene: Scene) -> None:
    with scene.server(stops_reading) as server:
        write(scene)
        server.heard()
        for _ in range(400):
            write(scene, "x" * 20_000)
        scene.ann.sync()
        scene.calm.exchanges(100)


def test_who_never_acknowledges_disturbs_nobody(scene: Scene) -> None:
    with scene.server(never_acknowledges) as server:
        for number in range(1000):
            write(scene, str(number))
        assert [text(server.heard(), "body") for _ in range(1000)] == [str(number) for number in range(1000)]
        scene.calm.exchanges(20)


# What connects to our server.


def proven(scene: Scene) -> Caller:
    caller = scene.call()
    caller.proven()
    return caller


def is_still_heard(scene: Scene, caller: Caller) -> None:
    caller.send(scene.letter(body="still here"))
    scene.ann.wait_for(said("still here"))


def test_half_a_stanza_is_none(scene: Scene) -> None:
    caller = proven(scene)
    letter = scene.letter()
    caller.send(letter[: len(letter) // 2])
    scene.calm.exchanges(20)
    caller.cut()
    scene.calm.exchanges(20)
    scene.nothing_was_delivered()


def test_a_stanza_in_many_pieces_arrives_whole(scene: Scene) -> None:
    caller = proven(scene)
    for character in scene.letter():
        caller.send(character)
    assert scene.ann.expect("message").findtext("body") == "gotcha"


@pytest.mark.parametrize("until", ["connection", "header", "TLS", "proof"])
def test_who_connects_and_says_no_more_disturbs_nobody(scene: Scene, until: str) -> None:
    for _ in range(50):
        caller = scene.call()
        if until == "header":
            caller.open()
        elif until == "TLS":
            caller.secured()
        elif until == "proof":
            caller.proven()
    scene.calm.exchanges(50)
    is_still_heard(scene, proven(scene))


def test_a_flood_of_messages_disturbs_nobody(scene: Scene) -> None:
    caller = proven(scene)
    pour(caller, b"".join(scene.letter(body=str(number)).encode() for number in range(10_000)))
    scene.ann.wait_for(said("9999"), 60)


def test_a_flood_of_questions_disturbs_nobody(scene: Scene) -> None:
    with scene.server(stops_reading):
        caller = proven(scene)
        question = f"<iq type='get' id='%d' from='m@{scene.villain.domain}/x' to='{scene.victim.domain}'>%s</iq>"
        ping = f"<ping xmlns='{ns.PING}'/>"
        pour(caller, "".join(question % (number, ping) for number in range(5_000)).encode())
        scene.calm.exchanges(50)


def test_a_stanza_of_a_megabyte_is_refused_and_the_next_one_is_heard(scene: Scene) -> None:
    with scene.server() as server:
        caller = proven(scene)
        caller.send(scene.letter(body="x" * MEGABYTE))
        is_still_heard(scene, caller)
        refused = server.heard()
        assert stanza("message", "error/errors:policy-violation", type="error", from_=scene.ann.jid)(refused)


def test_a_stanza_without_end_ends_the_stream(scene: Scene) -> None:
    caller = proven(scene)
    pour(caller, scene.letter().removesuffix("</body></message>").encode())
    for _ in range(20):
        pour(caller, b"x" * MEGABYTE)
    caller.wait_for_end()
    scene.nothing_was_delivered()


@pytest.mark.parametrize(
    "xml", ["<a>" * 2000, "<!DOCTYPE x [<!ENTITY e 'x'>]>", "<message></presence>", "\0", "<a:b/>"]
)
def test_what_is_no_xml_ends_the_stream(scene: Scene, xml: str) -> None:
    caller = proven(scene)
    pour(caller, xml.encode())
    pour(caller, scene.letter().encode())
    caller.wait_for_end()
    scene.nothing_was_delivered()


def test_connections_without_number_disturb_nobody(scene: Scene) -> None:
    for _ in range(300):
        scene.call().cut()
    scene.calm.exchanges(20)
    is_still_heard(scene, proven(scene))


def test_fifty_domains_that_hang_disturb_nobody(scene: Scene) -> None:
    """bench/ measures it; here it must not be felt."""
    with ExitStack() as stack:
        servers = []
        for place in [scene.domain() for _ in range(50)]:
            servers.append(stack.enter_context(scene.server(says_nothing, place)))
            scene.ann.send(f"<message type='chat' to='mallory@{place.domain}'><body>hello?</body></message>")
        for server in servers:
            server.wait_for_connections(1)
        scene.calm.exchanges(200)
