"""TLS records: where they end, however the bytes are cut."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fermata.net.tls_transport import RecordBoundary


def record(size: int, kind: int = 23) -> bytes:
    return bytes([kind, 3, 3]) + size.to_bytes(2, "big") + bytes(size)


def test_one_whole_record_of_data_is_one() -> None:
    assert RecordBoundary().is_one_record(record(200))


def test_a_part_of_a_record_is_not_one_and_neither_is_its_rest() -> None:
    boundary, data = RecordBoundary(), record(200)
    for part in (data[:3], data[3:90], data[90:]):
        assert not boundary.is_one_record(part)
        boundary.skip(part)
    assert boundary.is_one_record(data)


def test_two_records_at_once_are_not_one() -> None:
    boundary = RecordBoundary()
    assert not boundary.is_one_record(record(20) + record(30))
    boundary.skip(record(20) + record(30))
    assert boundary.is_one_record(record(7))


def test_a_record_of_the_handshake_goes_the_long_way() -> None:
    assert not RecordBoundary().is_one_record(record(200, kind=22))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.lists(st.integers(1, 60), min_size=1))
def test_however_records_are_cut_it_knows_when_it_is_between_two(sizes: list[int], cuts: list[int]) -> None:
    data = b"".join(map(record, sizes))
    ends = {sum(5 + size for size in sizes[: count + 1]) for count in range(len(sizes))}
    boundary, position = RecordBoundary(), 0
    for cut in [*cuts, len(data)]:
        part = data[position : position + cut]
        if not part:
            break
        boundary.skip(part)
        position += len(part)
        assert boundary.is_one_record(record(9)) == (position in ends)
