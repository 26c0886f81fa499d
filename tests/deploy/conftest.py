import pytest
from rigs.chromium import browser_started


@pytest.fixture(scope="session")
def chromium():
    with browser_started() as browser:
        yield browser
