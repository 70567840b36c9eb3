"""Files: atomic writes, records, tables, walks, names."""
