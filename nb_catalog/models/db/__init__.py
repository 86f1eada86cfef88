"""Building blocks of the tables: fields, indexes, the database clock."""
