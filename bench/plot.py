"""The plot: for each scenario a bar for each server, as a multiple of what the better peer took."""

from collections.abc import Iterator, Mapping
from typing import Final
from xml.sax.saxutils import escape

from .results import OURS, Results, Row, figure

_COLOURS: Final = {OURS: "#b3261e", "prosody": "#b9c2cb", "prosody-gc": "#7e8b99", "ejabberd": "#4f6d8f"}
_OTHER_COLOUR: Final = "#999999"
_WIDTH, _LEFT, _RIGHT, _TOP = 860, 270, 110, 76
_BAR, _GAP = 11, 16
_TITLE: Final = "What it takes, against the better peer (1 ×; less is better)"
_LONGEST: Final = 3.0  # times the better peer; longer bars are cut off


def draw(results: Results, titles: Mapping[str, str]) -> str:
    """The SVG."""
    rows = [row for row in results.rows() if row.ratio is not None and not row.scenario.baseline]
    heights = [len(row.figures) * _BAR + _GAP for row in rows]
    bottom = _TOP + sum(heights)
    height = bottom + 30
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
        ' font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#222222">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="24" font-size="15" font-weight="bold">{_TITLE}</text>',
        *_legend(results, titles),
        *_grid(bottom),
    ]
    top = _TOP
    for row, group in zip(rows, heights, strict=True):
        lines += _group(row, top + _GAP // 2)
        top += group
    return "\n".join([*lines, "</svg>", ""])


def _x(ratio: float) -> float:
    return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * min(ratio, _LONGEST) / _LONGEST, 1)


def _legend(results: Results, titles: Mapping[str, str]) -> Iterator[str]:
    left = 16
    for server in results.servers:
        title = titles.get(server, server)
        yield f'<rect x="{left}" y="37" width="10" height="10" fill="{_COLOURS.get(server, _OTHER_COLOUR)}"/>'
        yield f'<text x="{left + 15}" y="46">{escape(title)}</text>'
        left += 36 + 7 * len(title)
    yield f'<path d="M{left} 36v12" stroke="#222222" stroke-width="2"/><text x="{left + 7}" y="46">target</text>'


def _grid(bottom: int) -> Iterator[str]:
    for step in range(int(_LONGEST * 2) + 1):
        ratio = step / 2
        stroke = "#888888" if ratio == 1 else "#e4e4e4"
        yield f'<path d="M{_x(ratio)} {_TOP - 6}V{bottom}" stroke="{stroke}"/>'
        yield f'<text x="{_x(ratio)}" y="{bottom + 18}" text-anchor="middle" fill="#666666">{ratio:g} ×</text>'


def _group(row: Row, top: int) -> Iterator[str]:
    best = min(value for server, value in row.figures.items() if server != OURS)
    middle = top + len(row.figures) * _BAR / 2
    yield f'<text x="{_LEFT - 12}" y="{middle + 4}" text-anchor="end">{escape(row.scenario.title)}</text>'
    for place, (server, value) in enumerate(row.figures.items()):
        y, ratio = top + place * _BAR, value / best
        colour = _COLOURS.get(server, _OTHER_COLOUR)
        yield f'<rect x="{_LEFT}" y="{y}" width="{_x(ratio) - _LEFT:.1f}" height="{_BAR - 2}" fill="{colour}"/>'
        cut = " →" if ratio > _LONGEST else ""
        label = f"{figure(value)} {row.scenario.unit.label.split('/')[0]}{cut}"
        beside = max(ratio, row.scenario.target or 0) if server == OURS else ratio
        yield f'<text x="{_x(beside) + 5:.1f}" y="{y + 8.5}" font-size="10" fill="#444444">{label}</text>'
    if row.scenario.target is not None and OURS in row.figures:
        yield f'<path d="M{_x(row.scenario.target)} {top - 2}v{_BAR + 2}" stroke="#222222" stroke-width="2"/>'
