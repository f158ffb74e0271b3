"""Whatever a peer says, in whatever order: nothing is proven that the authority has not confirmed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fermata.core.s2s.incoming import IncomingStream
from fermata.core.s2s.outgoing import Authenticate, OutgoingStream, Verify
from fermata.core.s2s.pair import Pair, Verdict
from fermata.core.s2s.wants import Ask, Verified
from fermata.xmpp import namespaces as ns
from kit.servers import Place, Side

DOMAINS = ["a.example", "b.example", "c.example", "chat.b.example"]
FEATURES = {
    "tls": f"<starttls xmlns='{ns.TLS}'/>",
    "external": f"<mechanisms xmlns='{ns.SASL}'><mechanism>EXTERNAL</mechanism></mechanisms>",
    "dialback": f"<dialback xmlns='{ns.DIALBACK_FEATURE}'/>",
    "bidi": f"<bidi xmlns='{ns.BIDI_FEATURE}'/>",
}

domains = st.sampled_from(DOMAINS)
kinds = st.sampled_from(["", "", " type='valid'", " type='invalid'", " type='error'"])
ids = st.sampled_from(["", " id='1'", " id='7'"])


def header(to: str, sender: str) -> str:
    return (
        f"<stream:stream xmlns='{ns.SERVER}' xmlns:stream='{ns.STREAMS}' xmlns:db='{ns.DIALBACK}' version='1.0'"
        f" id='1' to='{to}' from='{sender}'>"
    )


words = st.one_of(
    st.builds(header, domains, domains),
    st.builds(
        lambda name, to, sender, kind, id: f"<db:{name} to='{to}' from='{sender}'{kind}{id}>key</db:{name}>",
        st.sampled_from(["result", "verify"]),
        domains,
        domains,
        kinds,
        ids,
    ),
    st.builds(
        lambda kind, to, sender: f"<{kind} to='u@{to}' from='u@{sender}'/>",
        st.sampled_from(["message", "presence", "iq"]),
        domains,
        domains,
    ),
    st.sampled_from(
        [
            f"<starttls xmlns='{ns.TLS}'/>",
            f"<proceed xmlns='{ns.TLS}'/>",
            f"<failure xmlns='{ns.TLS}'/>",
            f"<auth xmlns='{ns.SASL}' mechanism='EXTERNAL'>=</auth>",
            f"<auth xmlns='{ns.SASL}' mechanism='EXTERNAL'/>",
            f"<response xmlns='{ns.SASL}'>=</response>",
            f"<success xmlns='{ns.SASL}'/>",
            f"<failure xmlns='{ns.SASL}'/>",
            f"<bidi xmlns='{ns.BIDI}'/>",
            f"<enable xmlns='{ns.SM}'/>",
            " ",
        ]
    ),
    st.builds(
        lambda names: f"<stream:features>{''.join(FEATURES[name] for name in names)}</stream:features>",
        st.sets(st.sampled_from(sorted(FEATURES))).map(sorted),
    ),
)
deeds = st.lists(st.one_of(words, st.sampled_from(["valid!", "invalid!", "error!"])), max_size=12)


def keeps_to_what_is_proven(side: Side) -> bool:
    return all(
        any(to.partition("@")[2] == pair.local and sender.partition("@")[2] == pair.remote for pair in side.receives)
        for to, sender in side.taken
    )


@settings(max_examples=600, deadline=None, derandomize=True)
@given(deeds, st.booleans(), st.booleans(), st.booleans())
def test_nothing_is_accepted_that_was_not_confirmed(
    said: list[str], is_certified: bool, is_secure: bool, require_tls: bool
) -> None:
    ours = Place({"b.example", "chat.b.example"}, require_tls=require_tls, offers_bidi=True)
    peer = Place({"a.example"}, certified={"a.example"} if is_certified else set())
    stream = IncomingStream(ours.policy, lambda: "1")
    side = Side(stream, peer)
    if is_secure:
        stream.secured(peer.shown)
    side.receive(header("b.example", "a.example"))
    answered, confirmed = 0, set()
    for deed in said:
        if side.is_over:
            break
        asked = [want for want in side.done if isinstance(want, Ask)]
        if not deed.endswith("!"):
            side.receive(deed)
        elif answered < len(asked):
            verdict = Verdict(deed[:-1])
            confirmed |= {asked[answered].pair} if verdict is Verdict.VALID else set()
            side.do(stream.answered(asked[answered], verdict))
            answered += 1
        if side.begins_tls:
            side.begins_tls = False
            stream.secured(peer.shown)
            is_secure = True
    certain = {pair for pair in side.receives if is_certified and is_secure and pair.remote == "a.example"}
    assert set(side.receives) <= confirmed | certain
    assert len(set(side.receives)) == len(side.receives)
    assert set(side.sends) <= set(side.receives)
    assert is_secure or not (require_tls and side.receives)
    assert not is_secure or all(pair.local in ours.domains for pair in side.receives)
    assert all(pair.remote not in ours.domains for pair in side.receives)
    assert keeps_to_what_is_proven(side)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(deeds, st.booleans(), st.booleans())
def test_we_believe_to_be_known_only_if_we_have_asked(said: list[str], is_secure: bool, verifies: bool) -> None:
    ours = Place({"b.example"}, require_tls=False, offers_bidi=True)
    pair = Pair("b.example", "a.example")
    purpose = Verify("7", "key", lambda verdict, text: None) if verifies else Authenticate()
    stream = OutgoingStream(ours.policy, pair, purpose)
    side = Side(stream, Place({"a.example"}))
    if is_secure:
        side.do(stream.secured(side.other.shown))
    for deed in said:
        if side.is_over or deed.endswith("!"):
            break
        before = "".join(side.said)
        side.receive(deed)
        if side.sends or side.verdicts:
            asked = "<db:verify" if verifies else "<db:result" if "<db:" in deed else "<auth"
            assert asked in before
            break
        if side.begins_tls:
            side.begins_tls = False
            side.do(stream.secured(side.other.shown))
    assert set(side.sends) <= (set() if verifies else {pair})
    assert len([want for want in side.done if isinstance(want, Verified)]) <= verifies
    assert set(side.receives) <= set(side.sends)
    assert side.taken == []
