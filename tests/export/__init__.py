"""Exports: names, files, rules of channels, archives."""
