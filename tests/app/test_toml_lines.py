"""The line finder against everything in TOML that could mislead it."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from fermata.app.toml_lines import find_lines

TANGLED = '''\
# [not.a.table]
top = 1
[server]  # [nor.this]
domains = [
    "a.example",  # ] comment with a bracket
    "b[x].example", [1, { deep = 2 }],
]
after_array = true

[ s2s . "ro utes" ]
"peer.example" = "127.0.0.1:1"
'single.quoted' = 2
a.b . "c d" = 1.5
a.b.e = 1979-05-27T07:32:00Z
text = """
[in_text]
key = "\\""" still inside"""
raw = \'\'\'
[raw_text]
\'\'\'
after_text = -1e5
quoted_end = """x""""
[[things]]
name = "one"
[[things]]
name = "two"
[inline]
table = { first = 1, second = { third = [ 1,
  2 ], fourth = "}" } }
last = "#not a comment" # a comment
"\\u00e9" = "escaped key"
'''


def test_every_key_and_table_has_its_line():
    assert find_lines(TANGLED) == {
        ("top",): 2,
        ("server",): 3,
        ("server", "domains"): 4,
        ("server", "after_array"): 8,
        ("s2s",): 10,
        ("s2s", "ro utes"): 10,
        ("s2s", "ro utes", "peer.example"): 11,
        ("s2s", "ro utes", "single.quoted"): 12,
        ("s2s", "ro utes", "a"): 13,
        ("s2s", "ro utes", "a", "b"): 13,
        ("s2s", "ro utes", "a", "b", "c d"): 13,
        ("s2s", "ro utes", "a", "b", "e"): 14,
        ("s2s", "ro utes", "text"): 15,
        ("s2s", "ro utes", "raw"): 18,
        ("s2s", "ro utes", "after_text"): 21,
        ("s2s", "ro utes", "quoted_end"): 22,
        ("things",): 23,
        ("things", "name"): 24,
        ("inline",): 27,
        ("inline", "table"): 28,
        ("inline", "table", "first"): 28,
        ("inline", "table", "second"): 28,
        ("inline", "table", "second", "third"): 28,
        ("inline", "table", "second", "fourth"): 29,
        ("inline", "last"): 30,
        ("inline", "é"): 31,
    }


def test_windows_line_ends_count_once():
    assert find_lines("[a]\r\nb = 1\r\nc = 2\r\n") == {("a",): 1, ("a", "b"): 2, ("a", "c"): 3}


def test_an_empty_file_has_no_lines():
    assert find_lines("") == {}
    assert find_lines("# nothing\n\n") == {}


def test_a_file_may_end_without_a_newline():
    assert find_lines("a = 1\nb = 2024-01-01 10:00:00") == {("a",): 1, ("b",): 2}


KEYS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True), st.from_regex(r'"[^"\\\x00-\x1f\x7f]{0,5}"', fullmatch=True)
)
VALUES = st.sampled_from(
    ["1", "-1.5e3", '"a # b"', "'c\\'", '"""\n[x]\ny = 1\n"""', "'''\n'''", "[\n  1,\n  2, # ]\n]", "{ k = 1 }", "[]"]
)
STATEMENTS = st.lists(st.tuples(st.booleans(), st.lists(KEYS, min_size=1, max_size=3), VALUES), max_size=12)


@given(STATEMENTS)
def test_whatever_tomllib_reads_has_lines_for_all_its_paths(statements):
    lines = [f"[{'.'.join(key)}]" if header else f"{' . '.join(key)} = {value}" for header, key, value in statements]
    text = "\n".join(lines)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(find_lines(text)) == set(paths(document, ()))


def paths(table, above):
    for name, value in table.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from paths(value, (*above, name))
