"""The wire: HTTP as trickle speaks it, over non-blocking connections."""
