"""The text format in which Prometheus reads metrics (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"


class Sample(NamedTuple):
    """One value of a metric; `suffix` is what its name has beyond the metric's (`_bucket`, `_sum`, `_count`)."""

    value: float
    labels: Mapping[str, str] = {}
    suffix: str = ""


class Metric(NamedTuple):
    """What is measured: `kind` is counter, gauge or histogram; the name of a counter ends in `_total`."""

    name: str
    kind: str
    help: str
    samples: Sequence[Sample]


def counter(name: str, help: str, value: float) -> Metric:
    """What only grows."""
    return Metric(name, "counter", help, [Sample(value)])


def gauge(name: str, help: str, value: float) -> Metric:
    """What there is now."""
    return Metric(name, "gauge", help, [Sample(value)])


def by(label: str, kind: str, name: str, help: str, values: Mapping[str, float]) -> Metric:
    """The same for each value of a label."""
    return Metric(name, kind, help, [Sample(value, {label: key}) for key, value in values.items()])


def histogram(name: str, help: str, buckets: Iterable[tuple[float, int]], total: float) -> Metric:
    """How often something had which size: `buckets` are (the largest in it, how many), rising; `total` is their sum."""
    samples: list[Sample] = []
    count = 0
    for largest, often in buckets:
        count += often
        samples.append(Sample(count, {"le": _number(largest)}, "_bucket"))
    return Metric(name, "histogram", help, [*samples, Sample(total, {}, "_sum"), Sample(count, {}, "_count")])


def exposition(metrics: Iterable[Metric]) -> str:
    """The whole text."""
    return "".join(line for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterable[str]:
    help = metric.help.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {metric.name} {help}\n"
    yield f"# TYPE {metric.name} {metric.kind}\n"
    for value, labels, suffix in metric.samples:
        text = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
        yield (
            f"{metric.name}{suffix}{{{text}}} {_number(value)}\n"
            if text
            else f"{metric.name}{suffix} {_number(value)}\n"
        )


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return "+Inf" if value == float("inf") else str(value)
