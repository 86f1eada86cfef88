"""Publications: the list and page of each, new ones, roll-backs with their preview, and other moments."""
