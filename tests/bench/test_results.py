"""Tables, ratios, the page and the plot: from measurements as the generator gives them."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from bench.__main__ import main
from bench.errors import BenchError
from bench.plot import draw
from bench.report import BEGIN, END, update_page
from bench.results import Results, figure, load, save
from bench.scenarios import SCENARIOS, choose

TITLES = {"fermata": "Fermata", "prosody": "Prosody", "ejabberd": "ejabberd"}
FACTS = {
    "date": "2026-01-01 00:00 UTC",
    "cpu": "abacus",
    "cpus": 2,
    "seconds": 5,
    "memory_gb": 4,
    "system": "Debian",
    "kernel": "6.1",
    "python": "3.11",
    "openssl": "3.0",
    "sqlite": "3.40",
    "versions": dict.fromkeys(TITLES, "1"),
}


def measured(server: str, key: str, cpu_us: float, **more: Any) -> dict[str, Any]:
    rest = {
        "rss_kb": 1024,
        "session_kb": 50.0,
        "server_cpu_percent": 90,
        "generator_cpu_percent": 9,
        "others_cpu_percent": 1,
    }
    times = {"per_second": 1000.0, "p50_ms": 1, "p95_ms": 2, "p99_ms": 3, "faults": {}, "repetition": 0}
    return {"server": server, "key": key, "good": True, "cpu_us": cpu_us, **rest, **times, **more}


def results(*measurements: dict[str, Any]) -> Results:
    return Results(FACTS, list(measurements))


def test_the_ratio_is_to_the_better_peer() -> None:
    (row,) = results(
        measured("fermata", "chat-1", 30), measured("prosody", "chat-1", 100), measured("ejabberd", "chat-1", 200)
    ).rows()
    assert (row.ratio, row.is_met) == (0.3, True)


def test_a_target_can_be_missed() -> None:
    (row,) = results(measured("fermata", "chat-8", 30), measured("prosody", "chat-8", 100)).rows()
    assert (row.ratio, row.is_met) == (0.3, False)


def test_stream_management_is_compared_with_none() -> None:
    rows = results(
        measured("fermata", "chat-1", 50), measured("fermata", "chat-1-sm", 60), measured("prosody", "chat-1-sm", 5)
    ).rows()
    assert rows[-1].ratio == 1.2


def test_what_fermata_keeps_is_compared_with_keeping_nothing() -> None:
    found = results(
        measured("fermata", "join-500", 30),
        measured("fermata", "join-500-off", 25),
        measured("fermata", "group-1x200", 9),
        measured("prosody", "group-1x200-off", 1),
    )
    assert [(price.with_, with_, without) for price, with_, without in found.prices()] == [("join-500", 30, 25)]


def test_the_price_of_the_journal_stands_in_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    update_page(page, results(measured("fermata", "join-500", 40), measured("fermata", "join-500-off", 25)), TITLES)
    assert "| journal: 500 enter one room | 40 | 25 | 1.60 | ≤ 1.5 | **missed** |" in page.read_text()


def test_nothing_is_compared_with_nobody() -> None:
    (row,) = results(measured("fermata", "chat-1", 30)).rows()
    assert (row.ratio, row.is_met) == (None, None)


def test_an_idle_session_is_compared_by_its_memory() -> None:
    (row,) = results(
        measured("fermata", "idle-2000", 0, session_kb=55.0), measured("prosody", "idle-2000", 0, session_kb=50.0)
    ).rows()
    assert (row.ratio, row.is_met) == (1.1, True)


def test_a_run_with_faults_does_not_count() -> None:
    bad = measured("fermata", "chat-1", 1, good=False, faults={"lost": 2}, first_fault="two were lost\nand more")
    found = results(bad, measured("fermata", "chat-1", 30), measured("prosody", "chat-1", 100))
    assert found.rows()[0].ratio == 0.3
    assert found.failures() == ["chat-1, fermata: 2 lost; two were lost"]


def test_the_median_of_three_counts() -> None:
    found = results(*(measured("fermata", "chat-1", cpu) for cpu in (10, 90, 20)))
    assert found.median("fermata", "chat-1", "cpu_us") == 20


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.0123, "0.0123"), (8.239, "8.24"), (81.26, "81.3"), (1234.5, "1,234")]
)
def test_three_digits_count(value: float | None, text: str) -> None:
    assert figure(value) == text


def test_the_page_is_written_between_its_marks_again_and_again(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    found = results(measured("fermata", "chat-8", 30), measured("prosody", "chat-8", 100))
    update_page(page, found, TITLES)
    first = page.read_text()
    update_page(page, found, TITLES)
    assert page.read_text() == first
    assert first.startswith(f"before\n{BEGIN}\n")
    assert first.endswith(f"{END}\nafter\n")
    assert "| chat, 8 outstanding | µs/message | 30 | 100 | – | 0.30 | ≤ 0.2 | **missed** |" in first
    assert "2 CPUs (abacus)" in first
    assert "old" not in first
    assert "(page.svg)" in first
    assert (tmp_path / "page.svg").exists()


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("something else\n")
    with pytest.raises(BenchError, match="no place for the results"):
        update_page(page, results(), TITLES)
    assert page.read_text() == "something else\n"


def test_the_plot_has_a_bar_for_each_figure() -> None:
    found = results(
        measured("fermata", "chat-1", 30), measured("prosody", "chat-1", 100), measured("ejabberd", "chat-1", 1000)
    )
    plot = ElementTree.fromstring(draw(found, TITLES))
    space = "{http://www.w3.org/2000/svg}"
    legend, bars = 3, 3
    assert len(plot.findall(f"{space}rect")) == 1 + legend + bars
    texts = [text.text for text in plot.findall(f"{space}text")]
    assert "1,000 µs →" in texts


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    lines = [measured("fermata", "chat-1", 30), measured("prosody", "chat-1", 60)]
    save(tmp_path / "deep" / "a.jsonl", FACTS, lines)
    assert load([tmp_path / "deep" / "a.jsonl"]) == Results(FACTS, lines)


@pytest.mark.parametrize("text", ["", "no JSON", json.dumps(FACTS) + "\n{"])
def test_what_is_no_file_of_results_is_told_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_text(text)
    with pytest.raises(BenchError, match="holds no results"):
        load([tmp_path / "a"])


def test_scenarios_are_chosen_by_patterns() -> None:
    assert [scenario.key for scenario in choose("chat-?,join*", False)] == [
        "chat-1",
        "chat-8",
        "join-500",
        "join-500-off",
    ]
    assert choose("", False) == SCENARIOS
    assert 3 < len(choose("", True)) < len(SCENARIOS)


def test_every_scenario_has_a_key_of_its_own() -> None:
    assert len({scenario.key for scenario in SCENARIOS}) == len(SCENARIOS)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [("--servers fermata,tigase", "no server is called 'tigase'"), ("--only none", "no scenario matches none")],
)
def test_what_is_not_there_is_told_so(capsys: pytest.CaptureFixture[str], arguments: str, text: str) -> None:
    assert main(arguments.split()) == 1
    assert text in capsys.readouterr().err


def test_earlier_results_are_shown_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "a", FACTS, [measured("fermata", "chat-1", 30), measured("prosody", "chat-1", 100)])
    assert main(["--report", str(tmp_path / "a")]) == 0
    assert "0.30" in capsys.readouterr().out
