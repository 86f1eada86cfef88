"""Admin pages for copy decks."""
