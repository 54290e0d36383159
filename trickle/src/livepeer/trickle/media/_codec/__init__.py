"""Decoding and encoding single tracks, with bare codec contexts: no container, and no delay."""
