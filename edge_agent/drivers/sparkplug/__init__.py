"""Sparkplug B (version 3.0.0 of its specification): messages of gateways, and what each has introduced."""
