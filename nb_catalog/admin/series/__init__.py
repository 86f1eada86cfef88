"""Series in the admin: the list, the look, and the contact sheet of the members."""
