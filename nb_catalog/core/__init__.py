"""Values, state tables, locales and text helpers. Imports no Django models."""
