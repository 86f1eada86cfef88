"""Admin pages of experiments: plan, vote blind, result."""
