"""Calls to DVC: the stage graph, the reproduction of one stage, and the parsing of its output."""
