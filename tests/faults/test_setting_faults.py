"""Fault C1: a site document that is cut short, half written or wrong in any way starts nothing, and says why."""

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.ingest_process import SITE
from rigs.trials import FULL

from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.errors import ConfigError

PROFILES = load_profiles()
CRAFTED = ["&a *a ", "!!python/object:os.system ", "{{", "\t", "- ", ": ", "~", "2e999"]
PIECES = st.one_of(st.text(max_size=8), st.sampled_from(CRAFTED))
SPOILT = st.builds(
    lambda at, gone, piece: SITE[:at] + piece + SITE[at + gone :],
    st.integers(0, len(SITE)),
    st.one_of(st.integers(0, 40), st.just(len(SITE))),
    PIECES,
)


@settings(max_examples=50_000 if FULL else 300, deadline=None, suppress_health_check=list(HealthCheck))
@given(SPOILT)
def test_C1_a_spoilt_site_document_is_refused_with_words_or_means_what_it_says(text):
    with suppress(ConfigError):
        catalogue = load_site(text, "site.yaml", PROFILES)
        assert catalogue.site.id
        assert len({meter.id for meter in catalogue.meters}) == len(catalogue.meters)
