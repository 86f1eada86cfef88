"""The structure of picture files: which parts a decoder needs, and what a file says about itself."""
