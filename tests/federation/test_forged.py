"""Servers that claim to be others. None is believed, and nobody else is disturbed (see `Calm`)."""

from collections.abc import Callable

import pytest

from federation.scene import Scene
from federation.scripted import says_nothing
from federation.seen import stanza
from federation.stream import Caller
from kit import ns
from kit.bystanders import ended, pour
from kit.ca import DAY, EMAIL, Authority, Issued, self_signed
from kit.stanzas import Element
from kit.wire import StreamClosed

pytestmark = pytest.mark.interop

UNWANTED = {"not-authorized", "invalid-from", "improper-addressing", "policy-violation", "host-unknown", "cut"}

CERTIFICATES: dict[str, Callable[[Scene, str], Issued]] = {
    "of another domain": lambda scene, _: scene.net.authority.issue("another.example"),
    "expired": lambda scene, domain: scene.net.authority.issue(domain, begin=-2 * DAY, end=-DAY),
    "of tomorrow": lambda scene, domain: scene.net.authority.issue(domain, begin=DAY),
    "for e-mail": lambda scene, domain: scene.net.authority.issue(domain, purposes=[EMAIL]),
    "self-signed": lambda _, domain: self_signed(domain),
    "of an unknown authority": lambda _, domain: Authority().issue(domain),
    "of a parent domain's wildcard": lambda scene, domain: scene.net.authority.issue("*.example.example", "*.com"),
}


def is_not_heard(scene: Scene, caller: Caller, letter: str) -> None:
    """The letter ends the stream, and does not arrive."""
    pour(caller, letter.encode())
    assert ended(caller) in UNWANTED
    scene.nothing_was_delivered()


def test_a_stanza_before_any_proof_is_not_delivered(scene: Scene) -> None:
    caller = scene.call()
    caller.secured()
    is_not_heard(scene, caller, scene.letter())


def test_a_stanza_in_clear_text_is_not_delivered(scene: Scene) -> None:
    caller = scene.call()
    caller.open()
    is_not_heard(scene, caller, scene.letter())


@pytest.mark.parametrize("kind", CERTIFICATES)
def test_a_bad_certificate_proves_nothing(scene: Scene, kind: str) -> None:
    caller = scene.call(issued=CERTIFICATES[kind](scene, scene.villain.domain))
    caller.secured()
    assert "EXTERNAL" not in caller.mechanisms
    caller.auth("EXTERNAL", b"")
    is_not_heard(scene, caller, scene.letter())


def test_a_certificate_proves_its_own_domain_alone(scene: Scene) -> None:
    caller = scene.call()
    caller.secured()
    caller.auth("EXTERNAL", scene.honest.domain.encode())
    assert not any(each.tag == f"{{{ns.SASL}}}success" for each in whatever_comes(caller))
    scene.nothing_was_delivered()


def test_whoever_changes_his_name_under_tls_has_to_prove_the_new_one(scene: Scene) -> None:
    caller = scene.call()
    caller.open()
    caller.encrypt()
    caller.ours = scene.honest.domain
    caller.open_with(caller.header_text())
    caller.auth("EXTERNAL", b"")
    is_not_heard(scene, caller, scene.letter(f"juliet@{scene.honest.domain}/x"))


def test_whoever_changes_his_name_after_the_proof_is_still_the_same(scene: Scene) -> None:
    caller = scene.call()
    caller.secured()
    caller.auth("EXTERNAL", b"")
    caller.expect("sasl:success")
    caller.ours = scene.honest.domain
    caller.open_with(caller.header_text())
    is_not_heard(scene, caller, scene.letter(f"juliet@{scene.honest.domain}/x"))


def test_a_dialback_key_that_its_domain_does_not_know_proves_nothing(scene: Scene) -> None:
    caller = scene.call(scene.honest.domain)
    caller.secured()
    caller.dialback("result", "d1a1bac" * 9)
    answer = caller.expect("db:result", from_=scene.victim.domain, to=scene.honest.domain)
    assert answer.get("type") == "invalid"
    is_not_heard(scene, caller, scene.letter(f"juliet@{scene.honest.domain}/x"))


def test_no_stanza_is_heard_before_the_key_was_verified(scene: Scene) -> None:
    with scene.server(says_nothing) as server:
        caller = scene.call(issued=self_signed(scene.villain.domain))
        caller.secured()
        caller.dialback("result", "d1a1bac" * 9)
        server.wait_for_connections(1)
        is_not_heard(scene, caller, scene.letter())


@pytest.mark.parametrize("name", ["result", "verify"])
def test_an_answer_that_nobody_asked_for_proves_nothing(scene: Scene, name: str) -> None:
    caller = scene.call()
    caller.proven()
    caller.dialback(name, from_=scene.honest.domain, type="valid", id=caller.header["id"])
    is_not_heard(scene, caller, scene.letter(f"juliet@{scene.honest.domain}/x"))


@pytest.mark.parametrize("is_proven", [True, False], ids=["proven", "unproven"])
def test_a_key_is_verified_by_its_own_domain_alone(scene: Scene, is_proven: bool) -> None:
    """An answer in time, with the right id, for a question that is open: but from somebody else."""
    silent = scene.domain()
    with scene.server(says_nothing, silent) as server:
        claiming, answering = scene.call(silent.domain), scene.call()
        claiming.secured()
        claiming.dialback("result", "d1a1bac" * 9)
        server.wait_for_connections(1)
        answering.proven() if is_proven else answering.secured()
        answer = {"from_": silent.domain, "type": "valid", "id": claiming.header["id"]}
        answering.dialback("verify", **answer)
        whatever_comes(answering)
        claiming.dialback("verify", **answer)
        is_not_heard(scene, claiming, scene.letter(f"mallory@{silent.domain}/x"))


SENDERS: dict[str, Callable[[Scene], str]] = {
    "of another domain": lambda scene: f"juliet@{scene.honest.domain}/x",
    "of a subdomain": lambda scene: f"mallory@sub.{scene.villain.domain}/x",
    "of our own": lambda scene: f"p1@{scene.victim.domain}/x",
    "of our rooms": lambda scene: f"room1@{scene.victim.place.rooms}/x",
    "that is none": lambda _: "@@@",
}


@pytest.mark.parametrize("kind", SENDERS)
def test_who_is_proven_speaks_for_nobody_else(scene: Scene, kind: str) -> None:
    caller = scene.call()
    caller.proven()
    is_not_heard(scene, caller, scene.letter(SENDERS[kind](scene)))


def test_a_stanza_from_nobody_is_not_delivered(scene: Scene) -> None:
    caller = scene.call()
    caller.proven()
    is_not_heard(scene, caller, scene.letter().replace(f" from='mallory@{scene.villain.domain}/x'", ""))


def test_nothing_is_relayed_to_a_third_server(scene: Scene) -> None:
    juliet = scene.honest.guest()
    caller = scene.call()
    caller.proven()
    is_not_heard(scene, caller, scene.letter(to=juliet.jid))
    juliet.nothing_before(scene.victim.domain)


def test_a_proof_for_one_of_our_domains_is_none_for_another(scene: Scene) -> None:
    room = scene.victim.room()
    caller = scene.call()
    caller.proven()
    enter = f"<presence from='mallory@{scene.villain.domain}/x' to='{room}/m'><x xmlns='{ns.MUC}'/></presence>"
    is_not_heard(scene, caller, enter)


def test_errors_and_results_are_not_answered(scene: Scene) -> None:
    """Two servers that answered each other's errors would never stop."""
    with scene.server() as server:
        caller = scene.call()
        caller.proven()
        addresses = f"from='mallory@{scene.villain.domain}/x' to='nobody@{scene.victim.domain}/y'"
        error = f"<error type='cancel'><item-not-found xmlns='{ns.STANZA_ERRORS}'/></error>"
        for kind in ("message", "presence", "iq"):
            caller.send(f"<{kind} type='error' id='e1' {addresses}>{error}</{kind}>")
        caller.send(f"<iq type='result' id='r1' {addresses}/>")
        to = f"from='mallory@{scene.villain.domain}/x' to='{scene.victim.domain}'"
        caller.send(f"<iq type='get' id='p1' {to}><ping xmlns='{ns.PING}'/></iq>")
        assert stanza("iq", id="p1", type="result")(server.heard()), "something else was said before"


def whatever_comes(caller: Caller) -> list[Element]:
    """Everything until the stream has ended; we close it."""
    came = []
    caller.send("</stream:stream>")
    try:
        while True:
            came.append(caller.next())
    except StreamClosed:
        return came
