"""A stream between servers, machine against machine: how it comes to carry stanzas, by each way that there is."""

from itertools import product

import pytest

from fermata.core.s2s.pair import Pair
from fermata.core.s2s.trouble import Cause
from fermata.core.s2s.wants import Restart, StartTLS
from kit.servers import FaceToFace, Place

OURS, THEIRS = Pair("a.example", "b.example"), Pair("b.example", "a.example")


def place(domain: str, *, certified: bool = False, **settings: object) -> Place:
    return Place({domain, f"chat.{domain}"}, {domain} if certified else set(), **settings)  # type: ignore[arg-type]


def cause(face: FaceToFace) -> Cause | None:
    return face.out.ending.trouble.cause if face.out.ending is not None else None


def test_a_pair_is_proven_by_dialback() -> None:
    face = FaceToFace(place("a.example"), place("b.example"), OURS).run()
    assert face.out.sends == [OURS]
    assert face.out.receives == []
    assert face.in_.receives == [THEIRS]
    assert face.in_.sends == []
    assert (face.incoming.proof, face.outgoing.proof) == ("dialback", "dialback")


def test_a_pair_is_proven_by_a_certificate() -> None:
    face = FaceToFace(place("a.example", certified=True), place("b.example", certified=True), OURS).run()
    assert face.out.sends == [OURS]
    assert face.in_.receives == [THEIRS]
    assert face.asked == []
    assert len(face.in_.wanted(Restart)) == len(face.out.wanted(Restart)) == 1
    assert (face.incoming.proof, face.outgoing.proof) == ("certificate", "certificate")


@pytest.mark.parametrize(("certified", "bidi_here", "bidi_there", "direct_tls"), list(product([True, False], repeat=4)))
def test_however_a_pair_is_proven_both_sides_know_the_same(
    certified: bool, bidi_here: bool, bidi_there: bool, direct_tls: bool
) -> None:
    here = place("a.example", certified=certified, offers_bidi=bidi_here)
    there = place("b.example", certified=True, offers_bidi=bidi_there)
    face = FaceToFace(here, there, OURS, direct_tls=direct_tls).run()
    assert face.out.sends == [OURS]
    assert face.in_.receives == [THEIRS]
    both_ways = bidi_here and bidi_there
    assert face.out.receives == ([OURS] if both_ways else [])
    assert face.in_.sends == ([THEIRS] if both_ways else [])
    assert bool(face.in_.wanted(StartTLS)) is not direct_tls
    assert bool(face.asked) is not certified
    assert face.out.ending is face.in_.ending is None
