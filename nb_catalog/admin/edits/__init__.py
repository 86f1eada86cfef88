"""The page on which a picture is edited."""
