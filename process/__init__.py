"""What every process does at start: settings, logging, signals, pulse, lock, health and the line to the broker."""
