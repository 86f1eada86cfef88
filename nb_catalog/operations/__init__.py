"""Operating the app: status, the health view, pruning."""
