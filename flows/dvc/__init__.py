"""Asking DVC: the stage graph, one stage at a time, its output."""
