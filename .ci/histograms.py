"""Reads a result directory with an independent implementation of HdrHistogram
and holds what it finds against result.json and the .hgrm files.

usage: histograms.py DIRECTORY
"""

import json
import math
import sys
from collections import defaultdict
from pathlib import Path

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

HIGHEST = 3_600_000_000  # one hour in microseconds
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def merged(log):
    """All intervals of the log added up, by tag."""
    sums = defaultdict(lambda: HdrHistogram(1, HIGHEST, 3))
    reader = HistogramLogReader(str(log), HdrHistogram(1, HIGHEST, 3))
    intervals = 0
    while (interval := reader.get_next_interval_histogram()) is not None:
        sums[interval.get_tag()].add(interval)
        intervals += 1
    return sums, intervals


def summaries(result):
    """What result.json says, by tag."""
    for operation, figures in result["operations"].items():
        for kind in ("response", "service", "slip"):
            yield f"{operation}.{kind}", figures[f"{kind}_us"]
    if result["warmup"]:
        for operation, figures in result["warmup"]["operations"].items():
            for kind in ("response", "service", "slip"):
                yield f"warmup.{operation}.{kind}", figures[f"{kind}_us"]
    yield "lag", result["rentals"]["detection_lag_us"]
    yield "sms_delay", result["rentals"]["sms_delay_us"]
    yield "time_to_code", result["rentals"]["time_to_code_us"]
    yield "connect", result["instrument"]["connect_us"]


def percentile(histogram, quantile):
    """The value of the sample whose rank is the quantile's, by the other
    implementation. It rounds ranks where the family's reference takes the next
    higher one, so it is asked for the percentile of that rank."""
    total = histogram.get_total_count()
    rank = max(math.ceil(math.nextafter(quantile * total, 0)), 1)
    return histogram.get_value_at_percentile(100 * rank / total)


def curve(path):
    """The lines of an .hgrm file: value in milliseconds, quantile, count."""
    for line in path.read_text().splitlines()[2:]:
        if not line.startswith("#"):
            yield [float(figure) for figure in line.split()][:3]


def main():
    directory = Path(sys.argv[1])
    result = json.loads((directory / "result.json").read_text())
    histograms, intervals = merged(directory / "latency.hlog")
    compared = 0
    for tag, summary in summaries(result):
        if summary["count"] == 0:
            continue
        histogram = histograms[tag]
        assert histogram.get_total_count() == summary["count"], (tag, summary)
        for name, quantile in PERCENTILES.items():
            if summary[name] is None:
                continue
            # Ours never says more than the exact maximum.
            theirs = min(percentile(histogram, quantile), summary["max"])
            assert theirs == summary[name], (tag, name, theirs, summary[name])
            compared += 1
        path = directory / f"{tag}.hgrm"
        if not path.exists():
            assert tag.startswith("warmup."), tag
            continue
        lines = list(curve(path))
        assert lines[-1][1:] == [1.0, summary["count"]], (tag, lines[-1])
        for value, _, count in lines:
            theirs = histogram.get_value_at_percentile(100 * count / summary["count"])
            bucket = max(theirs / 1000, 1)
            assert abs(value * 1000 - theirs) <= bucket, (tag, value, theirs)
            compared += 1
    assert compared > 100, compared
    print(f"{compared} percentiles of {len(histograms)} tags in {intervals} interval histograms agree")


main()
