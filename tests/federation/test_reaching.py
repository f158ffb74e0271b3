"""Finding the server of a domain: by SRV or without, by every target, past those that are broken."""

from contextlib import ExitStack

import pytest

from federation.place import SERVERS
from federation.scene import Scene
from federation.scripted import Script, closes_at_once, has_no_tls, is_good, says_host_unknown
from kit.dns import NameServer
from kit.stanzas import text

pytestmark = pytest.mark.interop


def reaches(scene: Scene, domain: str, *scripts: Script) -> str:
    """Servers behave like that at as many addresses, tried in that order; the message that the last of them gets."""
    names: NameServer = scene.net.names
    with ExitStack() as stack:
        servers = []
        for number, script in enumerate(scripts):
            place = scene.net.place(domain)
            servers.append(stack.enter_context(scene.server(script, place)))
            names.a(f"host{number}.{domain}", place.address)
            names.srv(domain, SERVERS, f"host{number}.{domain}", priority=number)
        scene.ann.send(f"<message type='chat' to='mallory@{domain}'><body>hello</body></message>")
        return text(servers[-1].heard(40), "body") or ""


@pytest.mark.parametrize("broken", [closes_at_once, has_no_tls, says_host_unknown])
def test_the_next_target_is_tried(scene: Scene, broken: Script) -> None:
    assert reaches(scene, f"{broken.__name__.replace('_', '-')}.example", broken, is_good) == "hello"


def test_targets_that_are_not_there_are_passed_over(scene: Scene) -> None:
    domain = "nobody-there.example"
    scene.net.names.srv(domain, SERVERS, "does-not-exist.example", priority=0)
    scene.net.names.srv(domain, SERVERS, f"refused.{domain}", priority=0)
    scene.net.names.a(f"refused.{domain}", scene.net.address())
    assert reaches(scene, domain, is_good) == "hello"


def test_without_srv_the_domain_itself_is_the_host(scene: Scene) -> None:
    place = scene.net.place("plain.example")
    scene.net.names.a(place.domain, scene.net.address(), place.address)  # at the first, nobody listens
    with scene.server(is_good, place) as server:
        scene.ann.send(f"<message type='chat' to='mallory@{place.domain}'><body>hello</body></message>")
        assert text(server.heard(), "body") == "hello"


def test_a_domain_in_any_script_is_reached(scene: Scene) -> None:
    place = scene.net.place("xn--mnchen-3ya.example")
    scene.net.publish(place, in_file=False)
    with scene.server(is_good, place) as server:
        scene.ann.send(
            "<message type='chat' to='mallory@m\u00fcnchen.example'><body>gr\u00fc\u00df dich</body></message>"
        )
        came = server.heard()
        assert (came.get("to"), text(came, "body")) == ("mallory@m\u00fcnchen.example", "gr\u00fc\u00df dich")
