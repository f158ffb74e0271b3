"""The end of a stream that the client closes (RFC 6120 §4.4, XEP-0198 §6)."""

from kit.world import World


def test_the_last_acknowledgement_counts_everything(world: World) -> None:
    juliet = world.online("juliet@localhost/balcony")
    juliet.enable()
    juliet.transparent = True
    juliet.send("<message to='romeo@localhost' type='chat'><body>one</body></message><presence/></stream:stream>")
    answer = juliet.wait_for(lambda element: element.tag.endswith("}a"))
    assert answer.get("h") == "2"
    juliet.expect_end()


def test_who_says_goodbye_and_hangs_up_at_once_is_gone_at_once(world: World) -> None:
    romeo, juliet = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    world.befriend(romeo, juliet)
    juliet.link.send(b"</stream:stream>")
    juliet.cut()
    romeo.expect("presence", type="unavailable", from_=juliet.jid)
    again = world.authenticated("juliet@localhost")
    assert again.resume("never-was", 0).tag.endswith("}failed")
