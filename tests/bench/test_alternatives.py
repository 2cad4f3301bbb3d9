"""Each contestant of tests/bench/run imports a set and the next; the table says which is better."""

import os
from pathlib import Path

import pytest

from tests.bench.alternatives.measure import Measurement
from tests.bench.alternatives.report import cells, median
from tests.bench.alternatives.run import contestants
from tests.service.conftest import skip_reason


@pytest.mark.skipif(bool(skip_reason()), reason=skip_reason())
def test_each_contestant_imports():
    with contestants(Path(os.environ.get("BUILD", "build")).resolve(), 1) as (host, each):
        times, processor = Measurement(host, each).latency(1, 1, port=host.near.port)
    for one in each:
        for row in (times, processor):
            value, = row.values[one.name]
            assert value > 0


@pytest.mark.parametrize(("values", "shown"), [
    ({"floor": [1.0], "loop": [3.0, 9.0, 2.0], "ssld": [4.0]}, ["1", "**3**", "4"]),
    ({"floor": [1.0], "loop": [2.26], "ssld": [2.31]}, ["1", "2.3", "2.3"]),  # no visible difference
    ({"loop": [0.0], "ssld": [1200.0]}, ["-", "**0**", "1,200"]),
])
def test_the_best_of_those_that_watch_is_bold(values, shown):
    names = {"floor": "", "loop": "", "ssld": ""}
    assert cells({"contestants": names}, {"values": values}, median) == shown
