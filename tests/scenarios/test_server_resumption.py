"""Two servers whose streams outlive their connections: nothing is told twice, and nothing is lost."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fermata.app.config_tables import Config, RestartInvites, Stay
from kit import ns
from kit.federated import FederatedWorld, Universe
from kit.muc import create, enter
from kit.wire import Client

A, B = "a.example", "b.example"
ROOM = f"tea@conference.{A}"
ALONE = Stay(
    journal=False,
    limbo=False,
    client_resume=False,
    guardian=False,
    cheap_rejoin=False,
    restart_invites=RestartInvites.OFF,
)


@pytest.fixture
def universe(tmp_path: Path) -> Iterator[Universe]:
    made = Universe(tmp_path)
    yield made
    made.close()


class Scene:
    """A room with Ann, who is there, and Bob, who is elsewhere."""

    def __init__(self, universe: Universe, stay: Stay, bidi: bool = True) -> None:
        config = replace(Config(), stay=stay)
        config = replace(config, s2s=replace(config.s2s, bidi=bidi))
        self.universe = universe
        self.here, self.there = universe.server(A, config), universe.server(B, config)
        self.ann, self.bob = self.here.online(f"ann@{A}/phone"), self.there.online(f"bob@{B}/desk")
        create(self.ann, ROOM, "Ann")
        enter(self.bob, ROOM, "Bob")
        self.pass_time(2)
        self.forget()

    def pass_time(self, seconds: float) -> None:
        self.here.advance(seconds)

    def forget(self) -> None:
        for client in (self.ann, self.bob):
            client.sync()

    def say(self, client: Client, *bodies: str) -> None:
        for body in bodies:
            client.send(f"<message to='{ROOM}' type='groupchat' id='{body}'><body>{body}</body></message>")

    def heard(self, client: Client) -> list[str]:
        """The bodies of the messages that came since; a mark at those that are told again."""
        messages = [stanza for stanza in client.sync() if stanza.tag.endswith("message")]
        found = [(stanza.findtext("body"), stanza.find("{%s}delay" % ns.DELAY)) for stanza in messages]
        return [body + (" again" if delay is not None else "") for body, delay in found if body]


@pytest.fixture(params=[True, False], ids=["bidi", "one way each"])
def scene(universe: Universe, request: pytest.FixtureRequest) -> Scene:
    return Scene(universe, ALONE, request.param)


def both_talk(scene: Scene, first: str, second: str) -> None:
    scene.say(scene.ann, first)
    scene.say(scene.bob, second)


def test_alone_it_makes_a_cut_an_event_for_nobody(scene: Scene) -> None:
    both_talk(scene, "a1", "b1")
    scene.universe.cut(A, B)
    both_talk(scene, "a2", "b2")
    scene.pass_time(30)
    both_talk(scene, "a3", "b3")
    scene.pass_time(2)
    for client in (scene.ann, scene.bob):
        heard = scene.heard(client)
        assert [each for each in heard if each[0] == "a"] == ["a1", "a2", "a3"]
        assert [each for each in heard if each[0] == "b"] == ["b1", "b2", "b3"]


def test_what_was_swallowed_comes_once_and_as_it_was(scene: Scene) -> None:
    scene.universe.swallow(A, B)
    both_talk(scene, "a1", "b1")
    scene.pass_time(10)
    scene.universe.heal(A, B)
    scene.pass_time(90)
    both_talk(scene, "a2", "b2")
    scene.pass_time(2)
    for client in (scene.ann, scene.bob):
        heard = scene.heard(client)
        assert [each for each in heard if each[0] == "a"] == ["a1", "a2"]
        assert [each for each in heard if each[0] == "b"] == ["b1", "b2"]


@pytest.mark.parametrize("who", [A, B])
def test_so_it_is_if_one_of_them_refuses_everybody_for_a_while(universe: Universe, who: str) -> None:
    scene = Scene(universe, Stay())
    both_talk(scene, "a1", "b1")
    universe.refuse(A, B)
    scene.pass_time(100)
    both_talk(scene, "a2", "b2")
    scene.pass_time(200)
    universe.heal(A, B)
    scene.pass_time(100)
    for client in (scene.ann, scene.bob):
        assert sorted(each.removesuffix(" again") for each in scene.heard(client)) == ["a1", "a2", "b1", "b2"]


def test_cut_again_and_again_in_the_middle_of_everything_it_loses_and_repeats_nothing(universe: Universe) -> None:
    scene = Scene(universe, Stay())
    said = []
    for number in range(30):
        body = f"m{number:02}"
        scene.say((scene.ann, scene.bob)[number % 2], body)
        said.append(body)
        for _ in range(number):
            universe.clock.advance(0)  # so many of the steps that the way takes
        universe.cut(A, B)
        if number % 5 == 4:
            scene.pass_time(1)
    scene.pass_time(60)
    for client in (scene.ann, scene.bob):
        assert sorted(each.removesuffix(" again") for each in scene.heard(client)) == said


def test_the_death_of_the_other_server_repeats_nothing_that_it_has_acknowledged(universe: Universe) -> None:
    scene = Scene(universe, Stay())
    scene.say(scene.ann, "a1")
    scene.pass_time(1)
    assert scene.heard(scene.bob) == ["a1"]
    scene.there.die()
    scene.say(scene.ann, "a2")
    scene.pass_time(5)
    scene.there.rise()
    scene.pass_time(20)
    bob = scene.there.online(f"bob@{B}/desk")
    scene.say(scene.ann, "a3")
    scene.pass_time(5)
    assert "a1" not in {each.removesuffix(" again") for each in scene.heard(bob)}


def test_one_that_resumes_nothing_is_as_it_ever_was(universe: Universe) -> None:
    here = universe.server(A, replace(Config(), stay=ALONE))
    there = universe.server(B, replace(Config(), stay=replace(ALONE, server_resume=False)))
    ann, bob = here.online(f"ann@{A}/phone"), there.online(f"bob@{B}/desk")
    create(ann, ROOM, "Ann")
    enter(bob, ROOM, "Bob")
    here.advance(2)
    bob.sync()
    ann.send(f"<message to='{ROOM}' type='groupchat' id='1'><body>twice</body></message>")
    universe.cut(A, B)
    here.advance(5)
    bodies = [stanza.findtext("body") for stanza in bob.sync() if stanza.tag.endswith("message")]
    assert bodies == ["twice", "twice"]


def _of(world: FederatedWorld) -> list[tuple[str, ...]]:
    return world.rows("SELECT key FROM value WHERE space = 'server streams' ORDER BY key")


def test_both_remember_one_stream_for_a_pair(universe: Universe) -> None:
    scene = Scene(universe, Stay())
    for _ in range(5):
        both_talk(scene, "a", "b")
        universe.cut(A, B)
        scene.pass_time(10)
    assert len(_of(scene.here)) <= 4
    assert len(_of(scene.there)) <= 4


def test_switched_off_nothing_is_remembered_any_more(universe: Universe) -> None:
    scene = Scene(universe, Stay())
    assert _of(scene.there)
    scene.there.configure(lambda config: replace(config, stay=replace(config.stay, server_resume=False)))
    scene.there.crash()
    scene.there.online(f"bob@{B}/desk")
    assert _of(scene.there) == []
