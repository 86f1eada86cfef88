"""Admin pages for reviewing pictures."""
