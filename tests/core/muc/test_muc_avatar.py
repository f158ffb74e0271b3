"""The room's vCard and avatar (XEP-0486, XEP-0054)."""

from base64 import b64encode
from hashlib import sha1

import pytest

from fermata.core.records import ValueRemoved, ValueSaved
from fermata.xmpp import disco
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element
from kit.rooms import ANN, BOB, CAT, DAN, Said, Stage, codes, has, refusal

GET = "<vCard xmlns='vcard-temp'/>"
PICTURE, OTHER = b"\x89PNG tea", b"<svg/>"


def photo(picture: bytes) -> str:
    return f"<PHOTO><TYPE>image/png</TYPE><BINVAL>{b64encode(picture).decode()}</BINVAL></PHOTO>"


def vcard(*inside: str) -> str:
    return f"<vCard xmlns='vcard-temp'>{''.join(inside)}</vCard>"


def answered(got: Said, to) -> Element:
    (found,) = [each for each in got[to] if each.tag == "iq"]
    assert found.get("type") == "result"
    return found


def occupied() -> Stage:
    stage = Stage()
    for person in (BOB, CAT):
        stage.enter(person)
    return stage


def hashes(stage: Stage) -> tuple[str, ...]:
    query = answered(stage.iq(DAN, f"<query xmlns='{ns.DISCO_INFO}'/>"), DAN)[0]
    (form,) = disco.parse_info(query).forms
    return form.values("muc#roominfo_avatarhash")


def test_an_owner_sets_it_and_anybody_gets_it():
    stage = occupied()
    got = stage.iq(ANN, vcard("<FN>Tea &amp; cake</FN>", photo(PICTURE)), "set")
    assert len(answered(got, ANN)) == 0
    (saved,) = got.kept(ValueSaved)
    assert (saved.owner, saved.space, saved.key) == (7, "vcard", "")
    for reader in (BOB, DAN):
        shown = answered(stage.iq(reader, GET), reader)
        assert has(shown, "vcard-temp", "FN").text == "Tea & cake"
        assert has(shown, "vcard-temp", "BINVAL").text == b64encode(PICTURE).decode()


def test_everybody_in_the_room_is_told_after_the_owner_was_answered():
    got = occupied().iq(ANN, vcard(photo(PICTURE)), "set")
    for reader in (ANN, BOB, CAT):
        told = got[reader][-1]
        assert (told.tag, told.get("type"), codes(told)) == ("message", "groupchat", [104])
    assert [each.tag for each in got[ANN]] == ["iq", "message"]


def test_nobody_is_told_where_nothing_changed():
    stage = occupied()
    stage.iq(ANN, vcard(photo(PICTURE)), "set")
    assert set(stage.iq(ANN, vcard(photo(PICTURE)), "set")) == {ANN}


def test_the_hash_of_the_picture_is_shown():
    stage = occupied()
    assert hashes(stage) == ()
    stage.iq(ANN, vcard(photo(PICTURE)), "set")
    assert hashes(stage) == (sha1(PICTURE).hexdigest(),)
    stage.iq(ANN, vcard(photo(PICTURE), photo(OTHER)), "set")
    assert hashes(stage) == (sha1(PICTURE).hexdigest(), sha1(OTHER).hexdigest())


def test_line_breaks_in_a_picture_do_not_matter():
    stage = Stage()
    broken = photo(PICTURE).replace("<BINVAL>", "<BINVAL>\n  ").replace("=", "\n=")
    stage.iq(ANN, vcard(broken), "set")
    assert hashes(stage) == (sha1(PICTURE).hexdigest(),)


@pytest.mark.parametrize(
    "inside", ["<FN>Tea</FN>", "<PHOTO/>", "<PHOTO><BINVAL/></PHOTO>", "<PHOTO><EXTVAL>h</EXTVAL></PHOTO>"]
)
def test_without_a_picture_there_is_no_hash(inside):
    stage = Stage()
    stage.iq(ANN, vcard(inside), "set")
    assert hashes(stage) == ()


def test_an_empty_vcard_is_none():
    stage = occupied()
    stage.iq(ANN, vcard(photo(PICTURE)), "set")
    got = stage.iq(ANN, GET, "set")
    assert got.kept(ValueRemoved) == [ValueRemoved(7, "vcard", "")]
    assert codes(got.only(BOB)) == [104]
    assert len(answered(stage.iq(BOB, GET), BOB)[0]) == 0
    assert hashes(stage) == ()


def test_a_room_without_one_answers_with_an_empty_one():
    assert answered(Stage().iq(DAN, GET), DAN)[0].tag == "{vcard-temp}vCard"


@pytest.mark.parametrize("affiliation", ["none", "member", "admin", "outcast"])
def test_only_owners_set_it(affiliation):
    stage = Stage()
    stage.admin(ANN, f"<item affiliation='{affiliation}' jid='{DAN.bare}'/>")
    assert refusal(stage.iq, DAN, vcard(photo(PICTURE)), "set") == ("forbidden", "auth")


@pytest.mark.parametrize("text", ["tea!", "dGV", "ü"])
def test_a_picture_is_in_base64(text):
    bad = f"<PHOTO><BINVAL>{text}</BINVAL></PHOTO>"
    assert refusal(Stage().iq, ANN, vcard(bad), "set") == ("bad-request", "modify")


def test_it_has_so_many_bytes_at_most():
    stage = Stage()
    stage.iq(ANN, vcard(f"<DESC>{'x' * 65_000}</DESC>"), "set")
    assert refusal(stage.iq, ANN, vcard(f"<DESC>{'x' * 66_000}</DESC>"), "set") == ("policy-violation", "modify")


def test_a_locked_room_shows_none_and_its_maker_may_set_one():
    stage = Stage(locked=True)
    assert refusal(stage.iq, DAN, GET) == ("item-not-found", "cancel")
    assert [each.tag for each in stage.iq(ANN, vcard(photo(PICTURE)), "set")[ANN]] == ["iq"]


def test_it_comes_back_with_the_room():
    stage = Stage()
    stage.iq(ANN, vcard("<FN>it's &lt;tea&gt;</FN>", photo(PICTURE)), "set")
    assert stage.reloaded().state.vcard == stage.room.state.vcard
    stage.iq(ANN, GET, "set")
    assert stage.reloaded().state.vcard.xml == ""
