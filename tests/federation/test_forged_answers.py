"""Servers that we connect to, and that say more than they may on our own connection. See also test_forged.py."""

from collections.abc import Callable

import pytest

from federation.scene import Scene
from federation.scripted import DIALBACK, Script, Scripted, back, serve
from federation.stream import Callee
from kit import ns

pytestmark = pytest.mark.interop

BIDI = f"<bidi xmlns='{ns.BIDI_FEATURE}'/>"


def says(scene: Scene, *, features: str, when: str, what: Callable[[Scene], str]) -> Script:
    """A server that believes us, and says something at that moment: "before" or "after" it does."""

    def script(server: Scripted, callee: Callee) -> None:
        callee.take_tls()
        callee.answer_header(features)
        result = callee.wait_for(lambda element: element.tag == f"{{{ns.DIALBACK}}}result")
        if when == "before":
            callee.send(what(scene))
        callee.dialback("result", type="valid", **back(result))
        if when == "after":
            callee.send(what(scene))
        server.said.set()
        serve(server, callee)

    return script


def is_not_heard(scene: Scene, script: Script) -> None:
    """Ann writes to the villain; what he says on that connection does not arrive."""
    with scene.server(script) as server:
        scene.ann.send(f"<message type='chat' to='mallory@{scene.villain.domain}'><body>hello?</body></message>")
        assert server.said.wait(10), "the server was not connected to"
        scene.calm.exchanges(20)
        scene.nothing_was_delivered()


def from_villain(scene: Scene) -> str:
    return scene.letter()


def from_honest(scene: Scene) -> str:
    return scene.letter(f"juliet@{scene.honest.domain}/x")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_for_one_way_carries_nothing_back(scene: Scene, when: str) -> None:
    is_not_heard(scene, says(scene, features=DIALBACK, when=when, what=from_villain))


def test_nothing_comes_back_before_the_proof(scene: Scene) -> None:
    is_not_heard(scene, says(scene, features=DIALBACK + BIDI, when="before", what=from_villain))


def test_only_what_is_between_the_two_comes_back(scene: Scene) -> None:
    is_not_heard(scene, says(scene, features=DIALBACK + BIDI, when="after", what=from_honest))


def test_nothing_that_comes_back_is_relayed(scene: Scene) -> None:
    juliet = scene.honest.guest()
    letter = scene.letter(to=juliet.jid)
    is_not_heard(scene, says(scene, features=DIALBACK + BIDI, when="after", what=lambda _: letter))
    juliet.nothing_before(scene.victim.domain)


def test_what_is_between_the_two_comes_back(scene: Scene) -> None:
    """Proves that the others could fail."""
    with scene.server(says(scene, features=DIALBACK + BIDI, when="after", what=from_villain)):
        scene.ann.send(f"<message type='chat' to='mallory@{scene.villain.domain}'><body>hello?</body></message>")
        scene.ann.expect("message", from_=f"mallory@{scene.villain.domain}/x")


def test_what_was_said_before_tls_is_not_taken_for_what_was_said_under_it(scene: Scene) -> None:
    """Injected by somebody in between, who hopes that it is read once there is TLS."""

    def script(server: Scripted, callee: Callee) -> None:
        callee.answer_header(f"<starttls xmlns='{ns.TLS}'><required/></starttls>")
        callee.expect("tls:starttls")
        injected = callee.header_text(id="injected") + f"<stream:features>{DIALBACK + BIDI}</stream:features>"
        injected += f"<db:result from='{callee.ours}' to='{callee.theirs}' type='valid'/>" + scene.letter()
        callee.send(f"<proceed xmlns='{ns.TLS}'/>" + injected)
        server.said.set()
        server.over.wait()

    is_not_heard(scene, script)


@pytest.mark.parametrize("is_secured", [True, False], ids=["TLS", "clear text"])
def test_a_result_that_nobody_asked_for_lets_nothing_out(scene: Scene, is_secured: bool) -> None:
    def script(server: Scripted, callee: Callee) -> None:
        if is_secured:
            callee.take_tls()
        callee.expect_header()
        callee.ours, callee.theirs = callee.header["to"], callee.header["from"]
        callee.send(callee.header_text(id="an-id"))
        callee.dialback("result", type="valid")
        server.said.set()
        serve(server, callee)

    with scene.server(script) as server:
        scene.ann.send(f"<message type='chat' to='mallory@{scene.villain.domain}'><body>hello?</body></message>")
        assert server.said.wait(10), "the server was not connected to"
        scene.calm.exchanges(20)
        assert server.stanzas.empty()


def test_success_that_nobody_asked_for_is_none(scene: Scene) -> None:
    def script(server: Scripted, callee: Callee) -> None:
        callee.take_tls()
        callee.answer_header(DIALBACK + BIDI)
        callee.send(f"<success xmlns='{ns.SASL}'/>" + scene.letter())
        server.said.set()
        serve(server, callee)

    is_not_heard(scene, script)


@pytest.mark.parametrize("id", ["another", ""])
def test_a_key_is_not_verified_by_an_answer_to_another_question(scene: Scene, id: str) -> None:
    """The villain's own server answers; but with another id, or for another domain, it was not that key."""

    def script(server: Scripted, callee: Callee) -> None:
        callee.take_tls()
        callee.answer_header(DIALBACK)
        asked = callee.wait_for(lambda element: element.tag == f"{{{ns.DIALBACK}}}verify")
        answer = {"id": id or asked.get("id", ""), "type": "valid", **back(asked)}
        callee.dialback("verify", **(answer if id else answer | {"from_": scene.honest.domain}))
        server.said.set()
        server.over.wait()

    with scene.server(script) as server:
        caller = scene.call(issued=scene.net.authority.issue("somebody.example"))
        caller.secured()
        caller.dialback("result", "d1a1bac" * 9)
        assert server.said.wait(10), "nobody was asked"
        caller.send(scene.letter())
        scene.calm.exchanges(20)
        scene.nothing_was_delivered()
