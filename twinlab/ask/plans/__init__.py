"""Typed plans: what is asked of a twin, checked against its model, and as Python."""
