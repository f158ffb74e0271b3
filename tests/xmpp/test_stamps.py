"""Times: how they are written, and which ways of writing them are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermata.xmpp.stamps import stamp_of, text_of


@pytest.mark.parametrize(
    ("stamp", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1767323045.678, "2026-01-02T03:04:05.678Z"),
        (1767323045.9996, "2026-01-02T03:04:06.000Z"),
        (-0.001, "1969-12-31T23:59:59.999Z"),
        (-62135596800, "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_time_is_written_in_utc_to_the_millisecond(stamp: float, text: str) -> None:
    assert text_of(stamp) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.0Z",
        "2026-01-02T03:04:05.000000000Z",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05+00:00",
        "2026-01-02T05:34:05+02:30",
        "2026-01-01T22:04:05-05:00",
    ],
)
def test_a_time_is_read_with_any_fraction_and_offset(text: str) -> None:
    assert stamp_of(text) == 1767323045


@pytest.mark.parametrize("text", ["", "now", "2026-13-01T00:00:00Z", "2026-01-02T03:04:61Z", "2026-01-02T03:04:05ZZ"])
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(ValueError):
        stamp_of(text)


@given(st.integers(-62135596800000, 253402300799999))
def test_what_was_written_is_read_again(milliseconds: int) -> None:
    assert stamp_of(text_of(milliseconds / 1000)) == pytest.approx(milliseconds / 1000, abs=1e-4)
