"""Thresholds of measures on pictures: how they were chosen, and how well they do on other pictures."""
