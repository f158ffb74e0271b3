"""Data forms: what goes out, to the letter, and what is made of what comes in."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fermata.xmpp.bridge import to_domish
from fermata.xmpp.dataforms import Field, Form
from fermata.xmpp.element import Element, serialise
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.wokkel import data_form
from kit.xml import plain, read

TYPE = "http://jabber.org/protocol/muc#roomconfig"
OPTIONS = {"moderators": "Moderators only", "anyone": "Anyone"}
HEAD = "<x xmlns='jabber:x:data' type='form'>"
FORM_TYPE = f"<field type='hidden' var='FORM_TYPE'><value>{TYPE}</value></field>"


def submitted(fields: str, type: str = "submit") -> Form:
    return Form.parse(read(f"<x xmlns='jabber:x:data' type='{type}'>{fields}</x>"))


@pytest.mark.parametrize(
    ("field", "xml"),
    [
        (Field.boolean("b", True, "Sure?"), "<field type='boolean' var='b' label='Sure?'><value>true</value></field>"),
        (Field.boolean("b", False), "<field type='boolean' var='b'><value>false</value></field>"),
        (Field.text_single("t", "<&>"), "<field type='text-single' var='t'><value>&lt;&amp;&gt;</value></field>"),
        (
            Field.text_single("t", label="Nick", required=True),
            "<field type='text-single' var='t' label='Nick'><value/><required/></field>",
        ),
        (
            Field.text_multi("l", "a\n\nb"),
            "<field type='text-multi' var='l'><value>a</value><value/><value>b</value></field>",
        ),
        (Field.text_private("p", "s"), "<field type='text-private' var='p'><value>s</value></field>"),
        (
            Field.list_single("o", "anyone", OPTIONS),
            "<field type='list-single' var='o'><value>anyone</value>"
            "<option label='Moderators only'><value>moderators</value></option>"
            "<option label='Anyone'><value>anyone</value></option></field>",
        ),
        (
            Field.list_multi("m", ["a", "b"], {"a": "", "b": "B"}),
            "<field type='list-multi' var='m'><value>a</value><value>b</value>"
            "<option><value>a</value></option><option label='B'><value>b</value></option></field>",
        ),
        (Field.jid_single("j", "a@b/🌹"), "<field type='jid-single' var='j'><value>a@b/🌹</value></field>"),
        (Field.jid_single("j", ""), "<field type='jid-single' var='j'/>"),
        (
            Field.jid_multi("j", ["a@b", "c"]),
            "<field type='jid-multi' var='j'><value>a@b</value><value>c</value></field>",
        ),
        (Field.hidden("h", "1"), "<field type='hidden' var='h'><value>1</value></field>"),
        (Field.fixed("Read this"), "<field type='fixed'><value>Read this</value></field>"),
    ],
)
def test_each_type_of_field_is_written_as_xep_0004_has_it(field: Field, xml: str) -> None:
    assert serialise(Form("form", fields=(field,)).element()) == f"{HEAD}{xml}</x>"


def test_a_whole_form_is_written_in_order() -> None:
    form = Form("form", TYPE, (Field.boolean("b", True),), "Configuration", "First.\nSecond.")
    assert serialise(form.element()) == (
        f"{HEAD}<title>Configuration</title><instructions>First.</instructions><instructions>Second.</instructions>"
        f"{FORM_TYPE}<field type='boolean' var='b'><value>true</value></field></x>"
    )


def test_a_result_has_neither_options_nor_labels() -> None:
    form = Form("result", TYPE, (Field.list_single("o", "anyone", OPTIONS, "Who?"),))
    assert serialise(form.element()) == (
        f"<x xmlns='jabber:x:data' type='result'>{FORM_TYPE}"
        "<field type='list-single' var='o'><value>anyone</value></field></x>"
    )


def test_what_was_written_is_read_back() -> None:
    form = Form(
        "form",
        TYPE,
        (
            Field.boolean("b", True, "B"),
            Field.text_single("t", "x", required=True),
            Field.list_single("o", "anyone", OPTIONS),
            Field.jid_multi("j", ["a@b"]),
            Field.fixed("Here"),
        ),
        "Title",
        "One.\nTwo.",
    )
    assert Form.parse(form.element()) == form


def test_wokkel_reads_the_same_form() -> None:
    element = Form("form", TYPE, (Field.boolean("b", True), Field.list_multi("m", ["a"], {"a": "A"}))).element()
    theirs = data_form.Form.fromElement(to_domish(element))
    theirs.typeCheck()
    assert (theirs.formType, theirs.formNamespace, dict(theirs)) == ("form", TYPE, {"b": True, "m": ["a"]})


SUBMIT = submitted(
    "<field var='FORM_TYPE'><value>urn:f</value></field>"
    "<field var='yes'><value>1</value></field><field var='no' type='boolean'><value>false</value></field>"
    "<field var='text'><value>two words</value></field><field var='blank'><value/></field><field var='none'/>"
    "<field var='lines'><value>a</value><value>b</value></field><field var='number'><value>50</value></field>"
    "<field var='jids'><value>Juliet@Capulet.lit</value><value> </value><value>a@b/C</value></field>"
)


def test_answers_have_types() -> None:
    assert SUBMIT.form_type == "urn:f"
    assert (SUBMIT.boolean("yes"), SUBMIT.boolean("no")) == (True, False)
    assert (SUBMIT.text("text"), SUBMIT.text("blank"), SUBMIT.text("none")) == ("two words", "", "")
    assert (SUBMIT.lines("lines"), SUBMIT.lines("none"), SUBMIT.lines("text")) == ("a\nb", "", "two words")
    assert SUBMIT.number("number", lowest=50, highest=50) == 50
    assert SUBMIT.jids("jids") == ("juliet@capulet.lit", "a@b/C")
    assert SUBMIT.option("text", ["two words", "x"]) == "two words"
    assert SUBMIT.options("lines", ["a", "b", "c"]) == ("a", "b")
    assert ("text" in SUBMIT, "FORM_TYPE" in SUBMIT) == (True, False)


def test_what_is_not_answered_keeps_the_default() -> None:
    assert SUBMIT.boolean("absent", True) is True
    assert SUBMIT.boolean("none", True) is True
    assert SUBMIT.text("absent", "kept") == "kept"
    assert SUBMIT.lines("absent", "kept") == "kept"
    assert SUBMIT.number("absent", 7) == 7
    assert SUBMIT.option("absent", ["a"], "a") == "a"
    assert (SUBMIT.options("absent", ["a"], ["a"]), SUBMIT.options("none", ["a"], ["a"])) == (("a",), ())
    assert (SUBMIT.jids("absent"), SUBMIT.jids("none")) == ((), ())


@pytest.mark.parametrize(
    "ask",
    [
        lambda form: form.boolean("text"),
        lambda form: form.boolean("blank", True),
        lambda form: form.boolean("absent"),
        lambda form: form.text("lines"),
        lambda form: form.text("absent"),
        lambda form: form.lines("absent"),
        lambda form: form.number("text"),
        lambda form: form.number("blank", 1),
        lambda form: form.number("number", lowest=51),
        lambda form: form.number("number", highest=49),
        lambda form: form.option("text", ["one"]),
        lambda form: form.option("lines", ["a", "b"]),
        lambda form: form.options("lines", ["a"]),
        lambda form: form.jids("text"),
    ],
)
def test_an_answer_of_another_type_is_not_acceptable(ask: Callable[[Form], object]) -> None:
    with pytest.raises(StanzaError) as refused:
        ask(SUBMIT)
    assert refused.value.condition == "not-acceptable"


@pytest.mark.parametrize("digits", ["-1", "1.0", "٣", "²", "1e3", "9" * 5000, " 1", "0x10"])
def test_a_number_is_written_in_digits(digits: str) -> None:
    with pytest.raises(StanzaError):
        submitted(f"<field var='n'><value>{digits}</value></field>").number("n")


@pytest.mark.parametrize(
    "xml",
    [
        "<x xmlns='jabber:x:data'/>",
        "<x xmlns='jabber:x:data' type='odd'/>",
        "<x xmlns='urn:other' type='submit'/>",
        "<y xmlns='jabber:x:data' type='submit'/>",
        "<x type='submit'/>",
        "<x xmlns='jabber:x:data' type='submit'><field var='a'/><field var='a'/></x>",
        "<x xmlns='jabber:x:data' type='form'><field var='a'><option/></field></x>",
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>a</value><value>b</value></field></x>",
    ],
)
def test_rubbish_is_a_bad_request(xml: str) -> None:
    with pytest.raises(StanzaError) as refused:
        Form.parse(read(xml))
    assert refused.value.condition == "bad-request"


def test_another_form_type_than_the_expected_is_a_bad_request() -> None:
    with pytest.raises(StanzaError, match="bad-request"):
        Form.parse(read(f"<x xmlns='jabber:x:data' type='submit'>{FORM_TYPE}</x>"), "urn:other")
    assert Form.parse(read(f"<x xmlns='jabber:x:data' type='submit'>{FORM_TYPE}</x>"), TYPE).form_type == TYPE
    assert Form.parse(read("<x xmlns='jabber:x:data' type='submit'/>"), TYPE).form_type == ""


def test_a_form_type_that_is_not_hidden_counts_in_a_submit_only() -> None:
    field = "<field var='FORM_TYPE' type='text-single'><value>urn:f</value></field>"
    assert submitted(field).form_type == "urn:f"
    assert submitted(field, "result").form_type == ""


TAGS = st.sampled_from(["{jabber:x:data}%s" % name for name in ("x", "field", "value", "option", "required", "title")])
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["var", "type", "label", "{urn:a}b"]),
    st.sampled_from(["", "FORM_TYPE", "boolean", "jid-multi", "hidden", "list-single", "submit", "form", "odd", "a"]),
    max_size=3,
)


def _built(tag: str, attributes: dict[str, str], text: str, children: list[Element]) -> Element:
    element = Element(tag, attributes)
    element.text = text
    element.extend(children)
    return element


ANYTHING = st.recursive(
    st.builds(_built, TAGS, ATTRIBUTES, st.text(max_size=3), st.just([])),
    lambda inner: st.builds(_built, TAGS, ATTRIBUTES, st.text(max_size=3), st.lists(inner, max_size=4)),
    max_leaves=10,
)


def condition_of(ask: Callable[[], object]) -> str:
    try:
        ask()
    except StanzaError as refused:
        return refused.condition
    return ""


@settings(deadline=None)
@given(ANYTHING, st.sampled_from(["submit", "form", "result", "cancel"]))
def test_whatever_comes_in_is_a_form_or_a_stanza_error(element: Element, type: str) -> None:
    element.tag = "{jabber:x:data}x"
    element.set("type", type)
    if condition_of(partial(Form.parse, element)):
        assert condition_of(partial(Form.parse, element)) == "bad-request"
        return
    form = Form.parse(element)
    for field in form.fields:
        for ask in (form.text, form.boolean, form.jids, form.number, form.lines):
            assert condition_of(partial(ask, field.var)) in ("", "not-acceptable")


VALUES = st.lists(st.text("xyz<&'", min_size=1))


@settings(deadline=None)
@given(st.dictionaries(st.text("abc", min_size=1), VALUES))
def test_any_values_survive_the_way_there_and_back(answers: dict[str, list[str]]) -> None:
    form = Form("submit", TYPE, tuple(Field("", var, tuple(values)) for var, values in answers.items()))
    assert Form.parse(read(serialise(form.element()))) == form
    assert plain(Form.parse(form.element()).element()) == plain(form.element())
