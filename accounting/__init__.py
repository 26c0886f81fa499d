"""Energy arithmetic: calendars, counters to use, cost. Pure functions over arrays, no input or output, no clock."""
