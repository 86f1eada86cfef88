"""Admin pages for calls, budgets and spending."""
