"""The language of Meterhouse: what a building, a meter, a point, a reading and a finding are.

No input or output, no clock, no numpy: every other package speaks these words.
"""
