"""What our server says on streams between servers, word for word (RFC 6120, XEP-0220, XEP-0198)."""

import pytest

from federation.scene import Scene
from federation.scripted import Scripted, is_good
from federation.seen import said, stanza
from federation.stream import Callee, Caller
from kit import ns
from kit.bystanders import ended
from kit.ca import self_signed
from kit.stanzas import Element, find

pytestmark = pytest.mark.interop

KEY = "d1a1bac" * 9


def known(scene: Scene) -> Caller:
    """A villain's stream that is secured; his certificate does not count."""
    caller = scene.call(issued=self_signed(scene.villain.domain))
    caller.secured()
    return caller


def proves(caller: Caller, server: Scripted, **addresses: str) -> None:
    """With a key that the villain's own server confirms."""
    server.keys.add(KEY)
    caller.dialback("result", KEY, **addresses)
    answer = caller.expect("db:result")
    assert answer.get("type") == "valid"
    assert (answer.get("from"), answer.get("to")) == (addresses.get("to", caller.theirs), caller.ours)


def test_features_come_in_their_order(scene: Scene) -> None:
    caller = scene.call()
    caller.open()
    assert find(caller.features, "tls:starttls") is not None
    assert caller.mechanisms == set(), "offered in clear text"
    assert {caller.header[name] for name in ("from", "to")} == {scene.victim.domain, scene.villain.domain}
    caller.start_tls()
    assert caller.mechanisms == {"EXTERNAL"}
    assert find(caller.features, "tls:starttls") is None
    assert find(caller.features, "dialback:dialback/dialback:errors") is not None
    assert find(caller.features, "bidi:bidi") is not None
    ids = {caller.header["id"]}
    caller.auth("EXTERNAL", b"")
    caller.expect("sasl:success")
    caller.open()
    assert caller.header["id"] not in ids
    assert caller.mechanisms == set()


def test_a_domain_that_is_not_here_is_unknown(scene: Scene) -> None:
    caller = scene.call(theirs="elsewhere.example")
    caller.send(caller.header_text())
    assert ended(caller) == "host-unknown"


def test_a_stream_for_clients_is_refused(scene: Scene) -> None:
    caller = scene.call()
    caller.send(caller.header_text(xmlns=ns.CLIENT))
    assert ended(caller) == "invalid-namespace"


def test_dialback_proves_one_pair_after_the_other(scene: Scene) -> None:
    with scene.server(is_good) as server:
        caller = known(scene)
        proves(caller, server)
        caller.send(scene.letter(body="one"))
        scene.ann.wait_for(said("one"))
        proves(caller, server, to=scene.victim.place.rooms)
        enter = (
            f"<presence from='m@{scene.villain.domain}/x' to='{scene.victim.room()}/m'><x xmlns='{ns.MUC}'/></presence>"
        )
        caller.send(enter)
        assert stanza("presence", "user:x")(server.heard())


def test_dialback_for_a_domain_that_is_not_here_is_an_error_and_no_more(scene: Scene) -> None:
    with scene.server(is_good) as server:
        caller = known(scene)
        caller.dialback("result", KEY, to="elsewhere.example")
        answer = caller.expect("db:result", "error/errors:item-not-found", type="error", from_="elsewhere.example")
        assert answer.get("to") == scene.villain.domain
        proves(caller, server)


def test_dialback_for_a_domain_that_cant_be_reached_is_an_error_and_no_more(scene: Scene) -> None:
    caller = known(scene)
    caller.dialback("result", KEY)
    answer = caller.expect("db:result", "error", type="error", from_=scene.victim.domain)
    assert find(answer, "error/errors:remote-server-not-found") is None, "its name is known"


def asked(scene: Scene, key: str, id: str, **addresses: str) -> Element:
    """What our server says of a key that somebody claims to have got from it."""
    caller = known(scene)
    caller.dialback("verify", key, id=id, **addresses)
    return caller.expect("db:verify", id=id)


def test_our_own_keys_are_confirmed_and_others_are_not(scene: Scene) -> None:
    keys: list[tuple[str, str]] = []

    def collects(server: Scripted, callee: Callee) -> None:
        callee.take_tls()
        callee.answer_header(f"<dialback xmlns='{ns.DIALBACK_FEATURE}'/>", id="the-id")
        result = callee.wait_for(lambda element: element.tag == f"{{{ns.DIALBACK}}}result")
        keys.append((result.text or "", result.get("from", "")))
        server.said.set()
        server.over.wait()

    with scene.server(collects) as server:
        scene.ann.send(f"<message type='chat' to='mallory@{scene.villain.domain}'><body>hello?</body></message>")
        assert server.said.wait(10)
        ((key, sender),) = keys
        assert sender == scene.victim.domain
        assert asked(scene, key, "the-id").get("type") == "valid"
        assert asked(scene, key, "another-id").get("type") == "invalid"
        assert asked(scene, KEY, "the-id").get("type") == "invalid"
        assert asked(scene, key, "the-id", to=scene.victim.place.rooms).get("type") == "invalid"
        assert asked(scene, key, "the-id", to="elsewhere.example").get("type") == "error"


def test_acknowledgements_are_for_those_who_are_proven(scene: Scene) -> None:
    caller = known(scene)
    caller.send(f"<enable xmlns='{ns.SM}'/>")
    caller.expect("sm:failed", "errors:unexpected-request")


def test_stanzas_are_acknowledged_and_dialback_is_not_counted(scene: Scene) -> None:
    with scene.server(is_good) as server:
        caller = known(scene)
        caller.transparent = True
        proves(caller, server)
        caller.send(f"<enable xmlns='{ns.SM}'/>")
        caller.expect("sm:enabled")
        for number in range(3):
            caller.send(scene.letter(body=str(number)))
        caller.send(f"<r xmlns='{ns.SM}'/>")
        assert caller.wait_for(stanza("sm:a")).get("h") == "3"


def test_a_session_of_another_is_not_resumed(scene: Scene) -> None:
    caller = scene.call()
    caller.proven()
    caller.send(f"<resume xmlns='{ns.SM}' previd='guessed' h='0'/>")
    caller.expect("sm:failed")
    caller.send(scene.letter(body="not resumed"))
    scene.ann.wait_for(said("not resumed"))
