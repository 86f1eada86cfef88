"""What the tables are built with: fields, indexes, the database clock."""
