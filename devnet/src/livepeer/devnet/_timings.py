"""How long the network waits, and how fast it floods."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timings:
    """The durations of the network; the defaults are go-livepeer's own (contract, sections 3, 4, 5 and 7).

    Tests shorten them. `timeout_scale` shortens every deadline that a caller asks for, since `timeout_seconds` on the
    wire is a whole number.
    """

    timeout_scale: float = 1.0
    """How many real seconds one second of a job's `timeout_seconds` lasts."""

    gateway_grace_seconds: float = 5.0
    """How much longer than the job's deadline the gateway waits for an orchestrator's answer to begin."""

    gateway_stream_grace_seconds: float = 10.0
    """How much longer than the job's deadline the gateway relays an SSE answer once it has begun."""

    search_seconds: float = 1.0
    """How long the gateway looks for orchestrators before it takes those that have answered."""

    search_answer_seconds: float = 0.5
    """How long a single orchestrator may take to answer that search."""

    flood_lines: int = 4096
    """How many blank lines follow a finished SSE stream at once."""

    flood_pause_seconds: float = 0.025
    """The pause after each of those batches; the defaults give about 160,000 lines a second, as was measured."""

    heartbeat_interval_seconds: float = 5.0
    """How often a runner is told to send a heartbeat, and how often expired runners are swept away."""

    heartbeat_ttl_seconds: float = 20.0
    """How long a runner stays known without a heartbeat."""

    health_interval_seconds: float = 5.0
    """How often a static runner is asked for its health."""

    health_timeout_seconds: float = 3.0
    """How long a static runner may take to answer that."""

    o2r_keepalive_seconds: float = 10.0
    """How often a runner's own channel gets a message, whatever happens."""

    payment_interval_seconds: float = 5.0
    """How often a paid session is charged for the time that has passed."""

    prepaid_seconds: float = 10.0
    """How much time the signer's first payment covers where the price is by the second."""

    prepaid_720p_seconds: float = 60.0
    """How much time the signer's first payment covers where the price is by the pixel."""

    stream_keepalive_seconds: float = 10.0
    """How often a stream's control channel gets a message, whatever happens."""

    stream_event_check_seconds: float = 10.0
    """How often the gateway looks when a stream's last event came."""

    stream_event_gap_seconds: float = 30.0
    """How old that event may be; then the stream is taken away from its orchestrator."""

    stream_output_seconds: float = 30.0
    """How long a stream's next output segment may take to begin while input is flowing."""

    stream_status_seconds: float = 60.0
    """How long after a stream's start its status is wiped, once."""

    stream_monitor_seconds: float = 23.0
    """How often the orchestrator looks whether the capabilities of its streams are still registered."""

    stream_swap_seconds: float = 60.0
    """A stream that is swapped again and again within this time is given up."""

    stream_retry_seconds: float = 1.8
    """How long the gateway bears with an orchestrator whose channels cannot be read."""

    stream_drain_seconds: float = 1.0
    """How long the output may be silent after the input's end; devnet's own, go-livepeer does not wait at all."""

    def job_seconds(self, timeout_seconds: int) -> float:
        """Return how many real seconds a job with this `timeout_seconds` may take."""
        return timeout_seconds * self.timeout_scale
