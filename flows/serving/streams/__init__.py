"""Streams of sound over WebSockets, in which a trigger is listened for."""
