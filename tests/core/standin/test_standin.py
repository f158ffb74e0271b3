"""Every case of account-level joining (specification A11.3), one or more tests for each."""

import pytest

from fermata.core.standin import acts as done
from fermata.core.standin.state import GRACE_SECONDS, NEWS_SECONDS, Standing
from fermata.core.stored_xml import stanza_from
from fermata.xmpp.element import child
from fermata.xmpp.errors import StanzaError
from kit import ns
from kit.standins import ME, PHONE, ROOM, TABLET, Stage
from kit.stanzas import codes, find

LEAVE = "<leave xmlns='urn:x-fermata:account-join:0'/>"


@pytest.fixture
def wished() -> Stage:
    """The account is in by its bookmark, with Ben, and without a client."""
    stage = Stage()
    stage.wished()
    stage.do(stage.stand_in.again("Ann"))
    stage.lets_in("Ben")
    stage.after(10)
    stage.clear()
    return stage


# -- the first client joins


def test_the_first_client_enters_in_the_name_of_the_account(stage: Stage) -> None:
    stage.enters(inside="<password>secret</password><history maxstanzas='5'/>", more="<show>away</show>")
    (presence,) = stage.to_room
    assert (presence.get("from"), presence.get("to")) == (ME, f"{ROOM}/Ann")
    x = find(presence, "muc:x")
    assert x is not None
    assert (x.findtext(f"{{{ns.MUC}}}password"), x[1].attrib) == ("secret", {"maxstanzas": "5"})
    assert presence.findtext("show") == "away"


def test_the_client_sees_others_then_itself_then_history_then_the_subject(stage: Stage) -> None:
    stage.enters()
    stage.presence("Ben")
    stage.presence("Cyd")
    assert stage.seen() == []
    stage.presence("Ann", 110, 100)
    stage.message("old", id="1", stamp="2026-01-01T00:00:00Z")
    stage.subject()
    assert stage.seen() == ["Ben", "Cyd", "Ann", "old", "subject"]
    assert codes(stage.told[PHONE][2]) == {"110", "100"}


def test_each_client_knows_its_own_presence_by_the_id_of_its_join(stage: Stage) -> None:
    stage.enters(PHONE, id="one")
    stage.enters(TABLET, id="other")
    stage.lets_in("Ben")
    assert [each.get("id") for each in stage.told[PHONE][:2]] == [None, "one"]
    assert [each.get("id") for each in stage.told[TABLET][:2]] == [None, "other"]


def test_what_a_client_says_again_it_learns_to_have_been_heard(inside: Stage) -> None:
    inside.enters(TABLET)
    inside.clear()
    for _ in range(2):
        inside.sends(f"<message to='{ROOM}' type='groupchat' id='m-hi'><body>hi</body></message>", TABLET)
        inside.message("hi", nick="Ann", id="7")
    assert inside.seen(TABLET) == ["hi", "hi"]
    assert inside.seen(PHONE) == ["hi"]


def test_what_was_said_before_the_account_came_is_shown_and_not_kept(stage: Stage) -> None:
    stage.enters(PHONE)
    stage.enters(TABLET)
    stage.presence("Ann", 110)
    stage.message("long ago", id="1", stamp="1970-01-02T00:00:00Z")
    stage.subject()
    stage.message("now", id="2")
    for client in (PHONE, TABLET):
        assert stage.seen(client) == ["Ann", "long ago", "subject", "now"]
    assert [each.stanza.findtext("body") for each in stage.said] == ["now"]


def test_the_guardian_watches_from_then_on(stage: Stage) -> None:
    stage.enters()
    assert stage.wants(done.Fallen), "if the room never answers, it is tried again"
    stage.lets_in()
    assert stage.wants(done.Watch) == [done.Watch("Ann")]


def test_a_room_that_gives_another_nickname_is_believed(stage: Stage) -> None:
    stage.enters(nick="Ann")
    stage.lets_in(nick="Ann2", codes=(110, 210))
    assert stage.seen() == ["Ann2", "subject"]
    assert stage.stand_in.state.here == "Ann2"


# -- further clients


def test_a_further_client_is_told_everything_without_asking_the_room(inside: Stage) -> None:
    inside.message("hello", id="1")
    inside.enters(TABLET)
    assert inside.to_room == []
    assert inside.seen(TABLET) == ["Ben", "Ann", "hello", "subject"]
    assert inside.seen(PHONE) == ["hello"]


def test_a_client_with_another_nickname_learns_the_real_one(inside: Stage) -> None:
    inside.enters(TABLET, nick="Anna")
    own = inside.told[TABLET][1]
    assert own.get("from") == f"{ROOM}/Ann"
    assert codes(own) == {"110", "210"}


def test_codes_of_one_entrance_are_not_told_again(stage: Stage) -> None:
    stage.enters()
    stage.lets_in(codes=(110, 201, 170))
    stage.enters(TABLET)
    assert codes(stage.told[PHONE][0]) == {"110", "201", "170"}
    assert codes(stage.told[TABLET][0]) == {"110", "170"}


def test_the_same_client_may_enter_again(inside: Stage) -> None:
    inside.enters(PHONE)
    assert inside.to_room == []
    assert inside.seen(PHONE) == ["Ben", "Ann", "subject"]


def test_the_history_is_as_long_as_the_client_asks(inside: Stage) -> None:
    inside.message("hello", id="1")
    inside.enters(TABLET, inside="<history maxstanzas='0'/>")
    assert inside.seen(TABLET) == ["Ben", "Ann", "subject"]
    inside.enters(TABLET, inside="<history maxstanzas='3'/>")
    (replay,) = inside.wants(done.Replay)
    assert isinstance(replay, done.Replay)
    assert replay.limits.messages == 3


def test_what_is_said_while_the_history_is_read_comes_behind_it(inside: Stage) -> None:
    inside.message("hello", id="1")
    stand_in = inside.stand_in
    xml = f"<presence to='{ROOM}/Ann'><x xmlns='{ns.MUC}'/></presence>"
    acts = stand_in.enter(TABLET, stanza_from(xml), ROOM.with_resource("Ann"), inside.now)
    replay = next(act for act in acts if isinstance(act, done.Replay))
    acts.remove(replay)
    inside.do(acts)
    inside.message("live", id="2")
    inside.do(stand_in.replayed(TABLET, [inside.said[0].payload]))
    assert inside.seen(TABLET) == ["Ben", "Ann", "hello", "subject", "live"]


def test_two_clients_enter_at_once_with_different_nicknames(stage: Stage) -> None:
    stage.enters(PHONE, nick="Ann")
    stage.enters(TABLET, nick="Anna")
    assert len(stage.to_room) == 1
    stage.lets_in("Ben")
    assert stage.seen(PHONE) == ["Ben", "Ann", "subject"]
    assert stage.seen(TABLET) == ["Ben", "Ann", "subject"]
    assert "210" in codes(stage.told[TABLET][1])


def test_a_room_without_a_subject_keeps_nobody_waiting(stage: Stage) -> None:
    stage.enters(PHONE)
    stage.enters(TABLET)
    stage.lets_in("Ben", subject="")
    stage.message("hello", id="1")
    assert stage.seen(PHONE) == ["Ben", "Ann", "hello"]
    assert stage.seen(TABLET) == ["Ben", "Ann", "subject", "hello"]


# -- the join fails


def test_the_error_goes_to_the_client_that_asked_with_its_own_id(stage: Stage) -> None:
    stage.enters(id="j1")
    stage.error("conflict")
    (error,) = stage.told[PHONE]
    assert (error.get("type"), error.get("id"), error.get("from")) == ("error", "j1", f"{ROOM}/Ann")
    assert stage.standing is Standing.OUT
    assert stage.wants(done.Forget)
    assert stage.wants(done.Detached) == [done.Detached(PHONE)]


def test_another_client_with_another_password_is_tried_next(stage: Stage) -> None:
    stage.enters(PHONE, inside="<password>wrong</password>")
    stage.enters(TABLET, inside="<password>right</password>")
    stage.error("not-authorized", "auth")
    assert stage.seen(PHONE) == ["!Ann"]
    assert find(stage.to_room[1], "muc:x") is not None
    stage.lets_in()
    assert stage.seen(TABLET) == ["Ann", "subject"]


def test_where_a_bookmark_wants_in_the_guardian_decides_what_an_error_means(stage: Stage) -> None:
    stage.wished()
    stage.do(stage.stand_in.again("Ann"))
    stage.error("remote-server-timeout", "wait")
    assert stage.wants(done.Refused) == [done.Refused("remote-server-timeout", "wait")]


def test_who_is_not_let_in_stays_out_until_the_bookmark_changes(stage: Stage) -> None:
    stage.wished()
    stage.do(stage.stand_in.lost("forbidden"))
    assert stage.standing is Standing.REMOVED
    stage.do(stage.stand_in.come())
    assert stage.standing is Standing.REMOVED
    stage.wished("Anna")
    assert stage.wants(done.Fallen)[-1] == done.Fallen("Anna", 0.0)


def test_a_room_that_is_not_there_is_not_made_by_a_bookmark(stage: Stage) -> None:
    stage.wished()
    stage.do(stage.stand_in.again("Ann"))
    stage.presence("Ann", 110, 201)
    assert stage.to_room[-1].get("type") == "unavailable"
    assert stage.standing is Standing.REMOVED


def test_a_nickname_is_needed(stage: Stage) -> None:
    with pytest.raises(StanzaError, match="nickname"):
        stage.do(
            stage.stand_in.enter(
                PHONE, stanza_from(f"<presence to='{ROOM}'><x xmlns='{ns.MUC}'/></presence>"), ROOM, stage.now
            )
        )


# -- a client leaves, or is gone


def test_a_client_that_leaves_is_told_so_and_the_bookmark_keeps_the_account_in(wished: Stage) -> None:
    wished.enters()
    wished.clear()
    wished.leaves()
    (presence,) = wished.told[PHONE]
    assert (presence.get("type"), presence.get("from")) == ("unavailable", f"{ROOM}/Ann")
    assert "110" in codes(presence)
    wished.after(10 * GRACE_SECONDS)
    assert all(each.get("type") is None for each in wished.to_room)
    assert wished.standing is Standing.IN


def test_when_the_last_leaves_and_nobody_wishes_it_the_account_leaves_after_a_minute(inside: Stage) -> None:
    inside.enters(TABLET)
    inside.leaves(PHONE)
    inside.after(2 * GRACE_SECONDS)
    assert all(each.get("type") is None for each in inside.to_room)
    inside.leaves(TABLET)
    inside.after(GRACE_SECONDS - 1)
    assert inside.standing is Standing.IN
    inside.after(2)
    assert inside.to_room[-1].get("type") == "unavailable"
    assert inside.standing is Standing.OUT


def test_who_comes_back_within_that_minute_has_never_left(inside: Stage) -> None:
    inside.leaves()
    inside.after(GRACE_SECONDS - 1)
    inside.enters()
    inside.after(10 * GRACE_SECONDS)
    assert inside.standing is Standing.IN


def test_a_session_that_ends_is_no_leaving(wished: Stage) -> None:
    wished.enters()
    wished.clear()
    wished.do(wished.stand_in.gone(PHONE, wished.now))
    wished.after(10 * GRACE_SECONDS)
    assert wished.told == {}
    assert [each.get("type") for each in wished.to_room] in ([], [None])
    assert wished.standing is Standing.IN


def test_leaving_while_the_join_is_under_way(stage: Stage) -> None:
    stage.enters()
    stage.leaves()
    assert stage.seen() == ["-Ann"]
    stage.lets_in("Ben")
    assert stage.seen() == ["-Ann"]
    stage.after(GRACE_SECONDS + 1)
    assert stage.to_room[-1].get("type") == "unavailable"


# -- leaving for good


def test_a_bookmark_that_goes_takes_the_account_out(wished: Stage) -> None:
    wished.unwished()
    wished.after(GRACE_SECONDS + 1)
    assert wished.to_room[-1].get("type") == "unavailable"
    assert wished.stand_in.state.view.others == {}


def test_a_bookmark_that_goes_in_bulk_has_time_to_come_back(wished: Stage) -> None:
    wished.unwished(grace=600.0)
    wished.after(500)
    wished.wished()
    wished.after(600)
    assert wished.standing is Standing.IN


def test_nothing_but_news_makes_that_time_shorter(wished: Stage) -> None:
    wished.unwished(grace=600.0)
    wished.do(wished.stand_in.wished(None, wished.now, is_news=False))
    wished.after(599)
    assert wished.standing is Standing.IN
    wished.after(2)
    assert wished.standing is Standing.OUT


def test_a_client_that_is_attached_keeps_the_account_in_without_a_bookmark(wished: Stage) -> None:
    wished.enters()
    wished.unwished()
    wished.after(10 * GRACE_SECONDS)
    assert wished.standing is Standing.IN
    wished.leaves()
    wished.after(GRACE_SECONDS + 1)
    assert wished.standing is Standing.OUT


def test_a_client_may_say_that_it_leaves_for_all(wished: Stage) -> None:
    wished.enters(PHONE)
    wished.enters(TABLET)
    wished.clear()
    wished.leaves(PHONE, LEAVE)
    assert wished.to_room[-1].get("type") == "unavailable"
    for client in (PHONE, TABLET):
        assert wished.seen(client) == ["-Ann"]
        assert "110" in codes(wished.told[client][0])
    assert (wished.standing, wished.stand_in.state.why) == (Standing.REMOVED, "left")
    assert {act.client for act in wished.acts if isinstance(act, done.Detached)} == {PHONE, TABLET}


# -- others


def test_everybody_who_comes_changes_and_goes_is_shown_to_all(inside: Stage) -> None:
    inside.enters(TABLET)
    inside.clear()
    inside.presence("Cyd")
    inside.presence("Cyd", inside="<show>away</show>")
    inside.presence("Cyd", type="unavailable")
    for client in (PHONE, TABLET):
        assert inside.seen(client) == ["Cyd", "Cyd", "-Cyd"]
    inside.enters(TABLET)
    assert inside.seen(TABLET)[3:] == ["Ben", "Ann", "subject"]


# -- removed by people


@pytest.mark.parametrize("code", [307, 301, 321, 322])
def test_who_is_removed_by_people_is_not_let_in_again_by_itself(wished: Stage, code: int) -> None:
    wished.enters(PHONE)
    wished.enters(TABLET)
    wished.clear()
    wished.presence("Ann", 110, code, type="unavailable")
    for client in (PHONE, TABLET):
        assert wished.seen(client) == ["-Ann"]
        assert str(code) in codes(wished.told[client][0])
    assert wished.wants(done.Forget)
    assert not wished.wants(done.Fallen)
    assert (wished.standing, wished.stand_in.state.why) == (Standing.REMOVED, str(code))
    assert wished.stand_in.state.wish is not None


def test_a_removal_is_known_even_without_the_code_for_oneself(wished: Stage) -> None:
    wished.presence("Ann", 307, type="unavailable")
    assert wished.standing is Standing.REMOVED


def test_a_room_that_is_destroyed_takes_all_clients_with_it(inside: Stage) -> None:
    inside.hears(
        f"<presence from='{ROOM}/Ann' type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'>"
        "<item affiliation='none' role='none'/><destroy/><status code='110'/></x></presence>"
    )
    assert inside.seen() == ["-Ann"]
    assert inside.stand_in.state.why == "destroy"


def test_a_client_that_enters_after_a_kick_is_tried(wished: Stage) -> None:
    wished.presence("Ann", 110, 307, type="unavailable")
    wished.clear()
    wished.enters()
    assert len(wished.to_room) == 1
    wished.lets_in()
    assert wished.standing is Standing.IN


# -- the room goes away


def test_a_room_that_shuts_down_is_not_shown_to_have_done_so(wished: Stage) -> None:
    wished.enters()
    wished.clear()
    wished.presence("Ann", 110, 332, type="unavailable")
    assert wished.told == {}
    (fallen,) = wished.wants(done.Fallen)
    assert isinstance(fallen, done.Fallen)
    assert fallen.pause > 0


def test_after_ten_minutes_it_is(wished: Stage) -> None:
    wished.enters()
    wished.clear()
    wished.presence("Ann", 110, 332, type="unavailable")
    wished.after(NEWS_SECONDS - 1)
    assert wished.told == {}
    wished.after(2)
    assert codes(wished.told[PHONE][0]) == {"110", "332"}
    assert not wished.wants(done.Forget), "it goes on trying"


def test_a_repair_is_not_seen_but_for_what_has_changed(wished: Stage) -> None:
    wished.presence("Cyd")
    wished.message("before", id="1")
    wished.enters()
    wished.clear()
    wished.presence("Ann", 110, 333, type="unavailable")
    wished.do(wished.stand_in.again("Ann"))
    (join,) = wished.to_room
    history = find(join, "muc:x/muc:history")
    assert history is not None
    assert history.get("since")
    wished.presence("Ben")
    wished.presence("Dan")
    wished.presence("Ann", 110)
    wished.message("before", id="1", stamp="2026-01-01T00:00:00Z")
    wished.message("missed", id="2", stamp="2026-01-01T00:01:00Z")
    wished.subject("Tea")
    assert wished.seen() == ["-Cyd", "Dan", "missed"]
    assert [each.stanza.findtext("body") for each in wished.said] == ["missed"]


def test_what_is_said_meanwhile_is_said_then(wished: Stage) -> None:
    wished.enters()
    wished.presence("Ann", 110, 333, type="unavailable")
    wished.clear()
    wished.sends(f"<message to='{ROOM}' type='groupchat' id='1'><body>hello</body></message>")
    assert wished.to_room == []
    wished.do(wished.stand_in.again("Ann"))
    wished.lets_in("Ben")
    assert [each.tag for each in wished.to_room] == ["presence", "message"]


def test_being_thrown_out_without_any_reason_is_mended_too(wished: Stage) -> None:
    wished.enters()
    wished.clear()
    wished.presence("Ann", 110, type="unavailable")
    assert wished.told == {}
    assert wished.wants(done.Fallen)


def test_when_there_is_no_way_back_clients_learn_why(wished: Stage) -> None:
    wished.enters()
    wished.presence("Ann", 110, 333, type="unavailable")
    wished.clear()
    wished.do(wished.stand_in.lost("forbidden"))
    assert codes(wished.told[PHONE][0]) == {"110", "301"}


# -- nicknames


def test_a_new_nickname_is_shown_to_all(inside: Stage) -> None:
    inside.enters(TABLET)
    inside.clear()
    inside.sends(f"<presence to='{ROOM}/Anna' id='n'/>", PHONE)
    (asked,) = inside.to_room
    assert (asked.get("from"), asked.get("to")) == (ME, f"{ROOM}/Anna")
    inside.presence("Ann", 110, 303, type="unavailable", item="nick='Anna'")
    inside.presence("Anna", 110)
    for client in (PHONE, TABLET):
        assert inside.seen(client) == ["-Ann", "Anna"]
    assert inside.stand_in.state.here == "Anna"
    assert inside.standing is Standing.IN


def test_some_clients_enter_once_more_to_change_their_nickname(inside: Stage) -> None:
    inside.enters(PHONE, nick="Anna")
    (asked,) = inside.to_room
    assert asked.get("to") == f"{ROOM}/Anna"
    assert find(asked, "muc:x") is None


def test_a_nickname_that_is_taken_is_told_to_who_asked_alone(inside: Stage) -> None:
    inside.enters(TABLET)
    inside.clear()
    inside.sends(f"<presence to='{ROOM}/Ben' id='n'/>", TABLET)
    inside.error("conflict", nick="Ben")
    assert inside.seen(PHONE) == []
    assert inside.seen(TABLET) == ["!Ben"]
    assert inside.told[TABLET][0].get("id") == "n"
    assert inside.stand_in.state.here == "Ann"


def test_a_room_that_changes_the_nickname_is_followed(inside: Stage) -> None:
    inside.presence("Ann", 110, 303, type="unavailable", item="nick='guest7'")
    inside.presence("guest7", 110, 210)
    assert inside.seen() == ["-Ann", "guest7"]
    inside.leaves()
    inside.after(GRACE_SECONDS + 1)
    assert inside.to_room[-1].get("to") == f"{ROOM}/guest7"


def test_a_bookmark_with_another_nickname_changes_it(wished: Stage) -> None:
    wished.wished("Anna")
    assert wished.to_room[-1].get("to") == f"{ROOM}/Anna"


# -- presence


def test_the_most_available_client_counts_and_changes_are_gathered(inside: Stage) -> None:
    inside.enters(TABLET, more="<show>away</show>")
    inside.clear()
    for show in ("dnd", "xa", "dnd"):
        inside.sends(f"<presence to='{ROOM}/Ann'><show>{show}</show></presence>", PHONE)
    assert inside.to_room == []
    inside.after(6)
    assert [each.findtext("show") for each in inside.to_room] == ["dnd"]
    inside.sends(f"<presence to='{ROOM}/Ann'/>", TABLET)
    inside.after(6)
    assert [each.findtext("show") for each in inside.to_room] == ["dnd", None]


def test_what_a_client_says_beside_it_is_said_but_not_what_it_can(inside: Stage) -> None:
    caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='x' ver='y'/>"
    inside.sends(f"<presence to='{ROOM}/Ann'><x xmlns='urn:example'/><priority>3</priority>{caps}</presence>")
    inside.after(6)
    assert [each.tag for each in inside.to_room[0]] == ["{urn:example}x"]


def test_without_any_client_the_account_is_away_for_long(wished: Stage) -> None:
    wished.enters()
    wished.after(10)
    wished.clear()
    wished.do(wished.stand_in.gone(PHONE, wished.now))
    wished.after(6)
    (presence,) = wished.to_room
    assert presence.findtext("show") == "xa"
    assert child(presence, "{urn:xmpp:idle:1}idle") is not None


# -- messages


def test_what_a_client_says_is_said_by_the_account_and_reflected_to_all(inside: Stage) -> None:
    inside.enters(TABLET)
    inside.clear()
    origin = "<origin-id xmlns='urn:xmpp:sid:0' id='m-hi'/>"
    inside.sends(f"<message to='{ROOM}' type='groupchat' id='m-hi'><body>hi</body>{origin}</message>", TABLET)
    (said,) = inside.to_room
    assert (said.get("from"), said.get("id"), said.findtext("body")) == (ME, "m-hi", "hi")
    assert find(said, "{urn:xmpp:sid:0}origin-id") is not None
    inside.message("hi", nick="Ann", id="7")
    for client in (PHONE, TABLET):
        (reflected,) = inside.told[client]
        assert reflected.get("to") == client
    assert len(inside.said) == 1


def test_an_error_goes_to_who_said_it(inside: Stage) -> None:
    inside.enters(TABLET)
    inside.clear()
    inside.sends(f"<message to='{ROOM}' type='groupchat' id='1'><body>hi</body></message>", TABLET)
    inside.hears(
        f"<message from='{ROOM}' type='error' id='1'><error type='auth'>"
        "<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
    assert inside.seen(PHONE) == []
    assert inside.seen(TABLET) == ["error"]


def test_an_error_that_says_one_is_out_is_mended_and_said_again(inside: Stage) -> None:
    inside.sends(f"<message to='{ROOM}' type='groupchat' id='1'><body>hi</body></message>")
    inside.hears(
        f"<message from='{ROOM}' type='error' id='1'><error type='cancel'>"
        "<not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
    assert inside.told == {}
    assert inside.wants(done.Doubt)
    inside.do(inside.stand_in.again("Ann"))
    inside.lets_in("Ben")
    assert [each.tag for each in inside.to_room] == ["message", "presence", "message"]


def test_a_private_message_comes_to_all_clients_and_is_kept(inside: Stage) -> None:
    inside.enters(TABLET)
    inside.clear()
    inside.message("psst", type="chat")
    assert (inside.seen(PHONE), inside.seen(TABLET)) == (["psst"], ["psst"])
    assert [each.is_private for each in inside.said] == [True]


def test_a_private_message_goes_out_in_the_name_of_the_account(inside: Stage) -> None:
    inside.sends(f"<message to='{ROOM}/Ben' type='chat' id='1'><body>psst</body></message>")
    assert inside.to_room[0].get("from") == ME


def test_a_message_that_comes_twice_comes_once(inside: Stage) -> None:
    inside.message("hello", id="1")
    inside.message("hello", id="1")
    assert inside.seen() == ["hello"]
    inside.message("ok")
    inside.message("ok")
    assert inside.seen() == ["hello", "ok", "ok"], "without an id, people may repeat themselves"


def test_without_any_client_messages_are_kept(wished: Stage) -> None:
    wished.message("hello", id="1")
    assert [(each.clients, each.is_private) for each in wished.said] == [((), False)]


# -- requests


def test_requests_to_people_and_of_administration_go_out_with_ids_of_our_own(inside: Stage) -> None:
    inside.enters(TABLET)
    inside.clear()
    for client in (PHONE, TABLET):
        inside.sends(f"<iq to='{ROOM}' type='get' id='1'><query xmlns='{ns.MUC_ADMIN}'/></iq>", client)
    one, other = inside.to_room
    assert one.get("from") == other.get("from") == ME
    assert one.get("id") != other.get("id")
    inside.hears(f"<iq from='{ROOM}' type='result' id='{other.get('id')}'/>")
    assert inside.seen(PHONE) == []
    (answer,) = inside.told[TABLET]
    assert (answer.get("id"), answer.get("to")) == ("1", TABLET)


def test_nobody_else_can_answer_a_request(inside: Stage) -> None:
    inside.sends(f"<iq to='{ROOM}/Ben' type='get' id='1'><query xmlns='jabber:iq:version'/></iq>")
    id = inside.to_room[0].get("id")
    inside.hears(f"<iq from='{ROOM}/Cyd' type='result' id='{id}'/>")
    assert inside.told == {}
    inside.hears(f"<iq from='{ROOM}/Ben' type='result' id='{id}'/>")
    assert inside.seen() == ["result"]


@pytest.mark.parametrize("uri", [ns.DISCO_INFO, ns.MAM, "vcard-temp", "jabber:iq:register"])
def test_requests_to_the_room_itself_are_the_clients_own(inside: Stage, uri: str) -> None:
    inside.sends(f"<iq to='{ROOM}' type='get' id='1'><query xmlns='{uri}'/></iq>")
    (iq,) = inside.to_room
    assert (iq.get("from"), iq.get("id")) == (PHONE, "1")


PING = f"<iq to='{ROOM}/Ann' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>"


def test_a_client_that_asks_whether_it_is_in_is_answered_at_once(inside: Stage) -> None:
    inside.sends(PING)
    assert inside.to_room == []
    (answer,) = inside.told[PHONE]
    assert (answer.get("type"), answer.get("id"), answer.get("from")) == ("result", "p", f"{ROOM}/Ann")


def test_what_the_room_says_answers_too(inside: Stage) -> None:
    inside.stand_in.state.is_doubted = True
    inside.sends(PING)
    inside.message("hello", id="1")
    assert inside.seen() == ["hello", "result"]


def test_a_room_that_never_answers_is_asked_less_and_less(stage: Stage) -> None:
    stage.enters()
    stage.clear()
    stage.do(stage.stand_in.again("Ann"))
    assert len(stage.to_room) == 1
    assert not stage.wants(done.Fallen), "the guardian would begin to count anew"


def test_a_kick_is_forgotten_with_the_bookmark(wished: Stage) -> None:
    wished.presence("Ann", 110, 307, type="unavailable")
    wished.unwished()
    assert wished.standing is Standing.OUT


def test_what_is_not_known_is_not_answered_before_it_is(inside: Stage) -> None:
    inside.stand_in.state.is_doubted = True
    inside.sends(PING)
    assert inside.told == {}
    inside.do(inside.stand_in.sure())
    assert inside.seen() == ["result"]


# -- calls


def test_a_client_that_calls_enters_beside_the_account(inside: Stage) -> None:
    inside.sends(f"<presence to='{ROOM}/Ann'><muji xmlns='urn:xmpp:jingle:muji:0'/></presence>")
    (native,) = inside.wants(done.Native)
    assert isinstance(native, done.Native)
    assert find(native.presence, "muc:x") is not None
    assert inside.wants(done.Detached) == [done.Detached(PHONE)]


# -- invitations


@pytest.mark.parametrize(
    "inside_it",
    [
        f"<x xmlns='jabber:x:conference' jid='{ROOM}'/>",
        "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='tea@muc.b.example/Ben'/></x>",
    ],
)
def test_an_invitation_to_where_one_is_makes_one_ask(inside: Stage, inside_it: str) -> None:
    inside.hears(f"<message from='{ROOM}'>{inside_it}</message>")
    assert inside.told == {}
    assert inside.wants(done.Doubt)


def test_a_room_that_calls_back_is_entered_at_once(wished: Stage) -> None:
    wished.presence("Ann", 110, 332, type="unavailable")
    wished.clear()
    wished.hears(f"<message from='{ROOM}'><x xmlns='jabber:x:conference' jid='{ROOM}'/></message>")
    assert wished.wants(done.Fallen) == [done.Fallen("Ann", 0.0)]


# -- a start of the server


def test_a_start_finds_everything_where_it_was(wished: Stage) -> None:
    wished.enters()
    again = wished.restarted()
    s = again.stand_in.state
    assert (again.standing, s.here, s.wish, s.clients) == (Standing.IN, "Ann", ("Ann", ""), (PHONE,))


def test_the_first_who_enters_after_a_start_is_told_by_the_room(wished: Stage) -> None:
    again = wished.restarted()
    again.enters()
    (join,) = again.to_room
    assert (join.get("from"), join.get("to")) == (ME, f"{ROOM}/Ann")
    again.lets_in("Ben")
    assert again.seen() == ["Ben", "Ann", "subject"]


def test_a_client_that_has_outlived_the_start_is_told_who_is_there(wished: Stage) -> None:
    wished.enters()
    again = wished.restarted()
    again.do(again.stand_in.sure())
    assert len(again.to_room) == 1
    again.lets_in("Ben")
    assert "Ben" in again.seen()


def test_what_the_archive_has_is_not_kept_again_after_a_start(wished: Stage) -> None:
    wished.message("before", id="1")
    again = wished.restarted()
    again.stand_in.recall(["1"], [1], "1", again.now)
    again.message("before", id="1", stamp="2026-01-01T00:00:00Z")
    assert again.said == []


# -- bad rooms


def test_a_room_that_lets_in_who_has_left_is_told_so(stage: Stage) -> None:
    stage.enters()
    stage.leaves(inside=LEAVE)
    stage.clear()
    stage.lets_in("Ben")
    assert {each.get("type") for each in stage.to_room} == {"unavailable"}
    assert stage.told == {}


def test_a_room_that_answers_twice_is_seen_once(inside: Stage) -> None:
    inside.lets_in("Ben")
    assert [each for each in inside.seen() if each.startswith("-")] == []
    assert inside.standing is Standing.IN


def test_a_room_cannot_fill_the_memory_with_occupants(inside: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fermata.core.standin.view.MOST_OCCUPANTS", 5)
    for number in range(50):
        inside.presence(f"n{number}")
    assert len(inside.stand_in.state.view.others) == 5


def test_presences_that_are_no_availability_are_nothing(inside: Stage) -> None:
    for type in ("subscribe", "probe", "unsubscribed"):
        inside.hears(f"<presence from='{ROOM}/Ben' type='{type}'/>")
    assert inside.acts == []


def test_a_client_cannot_park_without_end(wished: Stage) -> None:
    wished.enters()
    wished.presence("Ann", 110, 333, type="unavailable")
    for _ in range(100):
        wished.sends(f"<message to='{ROOM}' type='groupchat'><body>x</body></message>")
    with pytest.raises(StanzaError, match="out of reach"):
        wished.sends(f"<message to='{ROOM}' type='groupchat'><body>x</body></message>")
