"""Extraction on Ray Data, on one machine or many; it needs the extra `ray`."""
