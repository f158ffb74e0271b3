"""Result set management: which page of a list somebody gets."""

import pytest

from fermata.xmpp.element import serialise
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.rsm import Page
from kit.xml import read

LETTERS = list("abcdef")


def page(children: str) -> Page:
    found = Page.parse(read(f"<query xmlns='q'><set xmlns='http://jabber.org/protocol/rsm'>{children}</set></query>"))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("<max>2</max>", "ab"),
        ("<max>2</max><after>b</after>", "cd"),
        ("<max>2</max><after>e</after>", "f"),
        ("<max>2</max><after>f</after>", ""),
        ("<max>2</max><before/>", "ef"),
        ("<max>2</max><before>c</before>", "ab"),
        ("<max>4</max><before>c</before>", "abcd"),
        ("<max>2</max><index>3</index>", "de"),
        ("<max>0</max>", ""),
        ("", "abcdef"),
    ],
)
def test_a_page_is_where_it_was_asked_for(asked: str, expected: str) -> None:
    assert "".join(page(asked).of(LETTERS, str)[0]) == expected


def test_the_answer_says_where_the_page_is() -> None:
    assert serialise(page("<max>2</max><after>b</after>").of(LETTERS, str)[1]) == (
        "<set xmlns='http://jabber.org/protocol/rsm'><first index='2'>c</first><last>d</last><count>6</count></set>"
    )


def test_an_empty_page_says_how_many_there_are() -> None:
    assert serialise(page("<max>0</max>").of(LETTERS, str)[1]) == (
        "<set xmlns='http://jabber.org/protocol/rsm'><count>6</count></set>"
    )


def test_without_a_set_nobody_asks_for_pages() -> None:
    assert Page.parse(read("<query xmlns='q'/>")) is None


@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        ("<max>many</max>", "bad-request"),
        ("<max>-1</max>", "bad-request"),
        ("<max>1</max><index>-1</index>", "bad-request"),
        ("<max>1</max><after>a</after><before>c</before>", "bad-request"),
        ("<max>1</max><after>z</after>", "item-not-found"),
        ("<max>1</max><before>z</before>", "item-not-found"),
    ],
)
def test_what_makes_no_page_is_refused(asked: str, condition: str) -> None:
    with pytest.raises(StanzaError) as caught:
        page(asked).of(LETTERS, str)
    assert caught.value.condition == condition
