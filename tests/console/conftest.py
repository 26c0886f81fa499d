from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from rigs.sample import NOW, make_sample
from rigs.serving import served


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    made = make_sample(tmp_path_factory.mktemp("estate"), NOW)
    yield made
    made.store.close()
    made.records.dispose()


@pytest.fixture(scope="module")
def running(sample):
    with served(sample.store, sample.records, lambda: NOW + timedelta(seconds=1)) as (address, app):
        yield address, app


@pytest.fixture(scope="module")
def app(running):
    return running[1]


@pytest.fixture(scope="module")
def serving(running):
    with httpx.Client(base_url=running[0], headers={"accept": "text/html"}, trust_env=False) as client:
        yield client


@pytest.fixture
def stranger(serving):
    serving.cookies.clear()
    return serving


@pytest.fixture
def visitor(serving, sample):
    serving.cookies.clear()
    serving.cookies.set("meterhouse_session", sample.session())
    return serving
