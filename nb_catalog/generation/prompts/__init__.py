"""The prompts that models get."""
