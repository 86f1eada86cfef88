"""Admin pages for webhooks: endpoints, and what was sent to them."""
