"""Copy decks as files that other people work on: tables for merchandisers, XLIFF for translators."""
