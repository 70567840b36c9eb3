"""Parallel work on one machine: ordered maps, memory, threads, progress."""
