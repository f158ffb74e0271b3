"""The order in which places are tried (RFC 2782, XEP-0368)."""

import random
from collections import Counter

import pytest

from fermata.net.targets import Place, Service, Target, alternating, in_order, literal


def service(host: str, priority: int = 0, weight: int = 0, port: int = 5269, direct_tls: bool = False) -> Service:
    return Service(priority, weight, host, port, direct_tls)


def order(*services: Service) -> list[str]:
    return [place.host for place in in_order(services, lambda most: 0)]


def test_lower_priorities_come_first():
    assert order(service("c", 20), service("a", 0), service("b", 10)) == ["a", "b", "c"]


def test_both_kinds_of_service_are_mixed_by_priority():
    services = [service("plain", 5), service("tls", 1, direct_tls=True), service("last", 9, direct_tls=True)]
    places = in_order(services, lambda most: 0)
    assert [(place.host, place.direct_tls) for place in places] == [("tls", True), ("plain", False), ("last", True)]


@pytest.mark.parametrize(("number", "first"), [(0, "none"), (1, "light"), (10, "light"), (11, "heavy"), (40, "heavy")])
def test_the_first_whose_running_sum_reaches_the_number_is_drawn(number: int, first: str):
    services = [service("light", weight=10), service("none"), service("heavy", weight=30)]
    drawn = []

    def draw(most: int) -> int:
        drawn.append(most)
        return min(number, most)

    assert in_order(services, draw)[0].host == first
    assert drawn[0] == 40
    assert drawn[1] == 40 - {"light": 10, "none": 0, "heavy": 30}[first]


def test_chance_follows_the_weights():
    chance = random.Random(7)
    services = [service("a", weight=10), service("b", weight=30), service("c", weight=0)]
    firsts = Counter(in_order(services, lambda most: chance.randint(0, most))[0].host for _ in range(4000))
    assert 0.6 < firsts["b"] / 4000 < 0.85
    assert firsts["c"] < 200
    assert all(len(in_order(services, lambda most: chance.randint(0, most))) == 3 for _ in range(100))


def test_what_is_not_offered_is_no_place():
    assert order(service("."), service("a")) == ["a"]
    assert order(service(".")) == []


def test_a_place_that_is_there_twice_is_tried_once():
    assert order(service("a", 1), service("a", 2), service("b", 2)) == ["a", "b"]


def test_addresses_alternate_between_the_networks():
    assert alternating(["::1", "::2"], ["1.1.1.1"]) == ["::1", "1.1.1.1", "::2"]
    assert alternating([], ["1.1.1.1", "2.2.2.2"]) == ["1.1.1.1", "2.2.2.2"]


@pytest.mark.parametrize(
    ("domain", "address"),
    [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("::1", ""), ("[127.0.0.1]", ""), ("a.example", ""), ("[", "")],
)
def test_a_domain_may_be_an_address(domain: str, address: str):
    assert literal(domain) == address


def test_places_and_targets_are_shown_as_routes_are_written():
    assert str(Place("a.example", 5270, True)) == "tls:a.example:5270"
    assert str(Target("a.example", "::1", 5269, False)) == "[::1]:5269"
