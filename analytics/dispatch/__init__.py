"""Dispatch: who is asked to do a work order, and whom next where nobody answers."""
