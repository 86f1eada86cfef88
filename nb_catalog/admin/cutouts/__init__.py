"""Admin pages for cut-outs: list, contact sheet and editor."""
