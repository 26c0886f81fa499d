"""A group of which the store refuses everything: long, and no standstill."""

from itertools import count

from rigs.ingest_rig import batch
from rigs.intake_in_memory import Trial, inbound

from facility.errors import Rejected
from ingest.motion import Motion


class RefusesAll:
    """Notes how far the writer said it was each time it was written to."""

    def __init__(self):
        self.trial, self.moved_s = None, []

    def write_many(self, _batches):
        self.moved_s.append(self.trial.writer.motion.moved_s)
        raise Rejected("beyond_retention", "too old")


def test_a_group_of_which_all_is_refused_is_progress_at_every_write():
    store = RefusesAll()
    with Trial(store=store) as trial:
        store.trial, trial.writer.motion = trial, Motion(count(1).__next__)
        trial.take(inbound(batch(1, 100)))
        trial.store_all()
        assert trial.watermarks.totals()["quarantined"] == 100
    assert len(store.moved_s) == 199
    assert len(set(store.moved_s)) == 199
