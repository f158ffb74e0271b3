"""The tables: in the terminal, and in docs/performance.md between two marks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .errors import BenchError
from .plot import draw
from .results import Results, Row, details, figure

BEGIN: Final = "<!-- begin of what `make bench` writes -->"
END: Final = "<!-- end of what `make bench` writes -->"
_BUSY_PERCENT: Final = 15.0
_BOTTLENECK_PERCENT: Final = 85.0

Titles = Mapping[str, str]


def print_report(console: Console, results: Results, titles: Titles) -> None:
    """The tables, and what has to be said about them."""
    heads, lines = _comparison(results, titles)
    _print_table(console, heads, lines)
    if results.prices():
        _print_table(console, *_prices(results))
    _print_table(console, *details(results))
    for remark in [*_remarks(results), *results.failures()]:
        console.print(remark)


def update_page(page: Path, results: Results, titles: Titles) -> None:
    """Write tables and plot into the page and beside it. Raises BenchError if the page has no marks for them."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise BenchError(f"{page} has no place for the results; it needs two lines: {BEGIN} and {END}")
    page.with_suffix(".svg").write_text(draw(results, titles), encoding="utf-8")
    page.write_text(before + begin + "\n\n" + _markdown(page, results, titles) + "\n" + end + after, encoding="utf-8")


def _comparison(results: Results, titles: Titles) -> tuple[list[str], list[list[str]]]:
    heads = ["scenario", "unit", *(titles.get(server, server) for server in results.servers), "ratio", "target", ""]
    lines = []
    for row in results.rows():
        figures = [figure(row.figures.get(server)) for server in results.servers]
        target = "" if row.scenario.target is None else f"≤ {row.scenario.target:g}"
        lines.append([row.scenario.title, row.scenario.unit.label, *figures, _ratio(row), target, _verdict(row)])
    return heads, lines


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return "–"
    return f"{row.ratio:.2f}" + (f" of {row.scenario.baseline}" if row.scenario.baseline else "")


def _verdict(row: Row) -> str:
    return {None: "", True: "met", False: "missed"}[row.is_met]


def _prices(results: Results) -> tuple[list[str], list[list[str]]]:
    lines = []
    for price, with_, without in results.prices():
        ratio = with_ / without
        verdict = "met" if ratio <= price.target else "missed"
        lines.append([price.title, figure(with_), figure(without), f"{ratio:.2f}", f"≤ {price.target:g}", verdict])
    return ["what Fermata pays for", "with", "without", "ratio", "target", ""], lines


def _print_table(console: Console, heads: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, head in enumerate(heads):
        table.add_column(head, justify="right" if column > 1 and head else "left", no_wrap=column < 2)
    for line in lines:
        table.add_row(*line[:-1], Text(line[-1], {"met": "green", "missed": "red"}.get(line[-1], "")))
    console.print(table)
    console.print()


def _remarks(results: Results) -> list[str]:
    remarks = []
    disturbance = results.disturbance()
    if disturbance > _BUSY_PERCENT:
        remarks.append(
            f"Other programs used {disturbance:.0f} % of one CPU meanwhile (median): compare CPU for each stanza, and"
            " nothing that is per second or in milliseconds."
        )
    limited = sorted(
        {each["key"] for each in results.measurements if each.get("generator_cpu_percent", 0) > _BOTTLENECK_PERCENT}
    )
    if limited:
        remarks.append(f"The generator was the bottleneck in {', '.join(limited)}: more could have been delivered.")
    return remarks


def _markdown(page: Path, results: Results, titles: Titles) -> str:
    heads, lines = _comparison(results, titles)
    prices = [_markdown_table(head, _marked(lines), words=1) for head, lines in [_prices(results)] if lines]
    return "\n\n".join(
        [
            _circumstances(results, titles),
            f"![Bars: what each server takes, as a multiple of the better peer]({page.with_suffix('.svg').name})",
            _markdown_table(heads, _marked(lines), words=2),
            *prices,
            *_remarks(results),
            *(f"- not counted: {failure}" for failure in results.failures()),
            "Everything else that was measured in the same runs:",
            _markdown_table(*details(results), words=2),
            "",
        ]
    )


def _marked(lines: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[*line[:-1], f"**{line[-1]}**" if line[-1] == "missed" else line[-1]] for line in lines]


def _circumstances(results: Results, titles: Titles) -> str:
    facts = results.facts
    runs = 1 + max((each["repetition"] for each in results.measurements), default=0)
    versions = "; ".join(f"{titles.get(server, server)} {version}" for server, version in facts["versions"].items())
    return (
        f"{facts['date']}, {'one run' if runs == 1 else f'medians of {runs} runs'}, {facts['seconds']:g} seconds each."
        f" {facts['cpus']} CPUs ({facts['cpu']}), {facts['memory_gb']} GB, {facts['system']}, Linux {facts['kernel']},"
        f" Python {facts['python']}, OpenSSL {facts['openssl']}, SQLite {facts['sqlite']}. {versions}."
    )


def _markdown_table(heads: Sequence[str], lines: Sequence[Sequence[str]], words: int) -> str:
    rules = ["---" if column < words else "---:" for column in range(len(heads))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [heads, rules, *lines])
