"""Stanza-ids: found again by their owner, and by nobody guessed."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from fermata.storage.archive_ids import ArchiveIDs

NUMBERS = st.integers(0, 2**63 - 1)
IDS = ArchiveIDs(b"sixteen bytes ok")


@given(NUMBERS, NUMBERS)
def test_an_id_leads_back_to_its_number(seq: int, owner: int) -> None:
    assert IDS.seq_of(IDS.id_of(seq, owner), owner) == seq


def test_the_id_of_one_owner_means_nothing_to_another() -> None:
    assert IDS.seq_of(IDS.id_of(5, 1), 2) is None


def test_an_id_of_another_server_means_nothing() -> None:
    assert IDS.seq_of(ArchiveIDs(b"sixteen bytes, a").id_of(5, 1), 1) is None


def test_neighbours_have_nothing_in_common() -> None:
    ids = {IDS.id_of(seq, owner) for seq in range(100) for owner in range(100)}
    assert len({id[:8] for id in ids}) == len({id[-8:] for id in ids}) == 10_000


@given(st.text() | st.text("ABCxyz019-_", min_size=22, max_size=22))
def test_what_is_no_id_is_none(id: str) -> None:
    assert IDS.seq_of(id, 1) is None


@pytest.mark.parametrize("change", [lambda id: id + "==", lambda id: " " + id, lambda id: id[:-1] + " ", str.swapcase])
def test_there_is_one_spelling(change: object) -> None:
    id = IDS.id_of(5, 1)
    assert callable(change)
    assert IDS.seq_of(change(id), 1) is None


def test_the_unused_bits_of_the_last_letter_are_not_a_second_spelling() -> None:
    id = IDS.id_of(5, 1)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert [letter for letter in letters if IDS.seq_of(id[:-1] + letter, 1) == 5] == [id[-1]]
