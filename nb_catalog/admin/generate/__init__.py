"""Admin pages that plan and start runs."""
