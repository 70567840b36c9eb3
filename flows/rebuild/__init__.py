"""Rebuilding a version: `thaw reproduce`."""
