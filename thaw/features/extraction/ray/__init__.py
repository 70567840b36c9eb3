"""Extraction on Ray Data, on one machine or many. Needs the extra `ray`."""
