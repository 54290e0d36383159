"""The way of media through a process: read, demux, decode, hook, encode, mux, send."""
