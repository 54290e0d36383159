"""The command line: what each command takes. What it does is imported only when it runs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ._defaults import DEFAULT_GATEWAY_URL
from ._group import OneLineErrorGroup

app = typer.Typer(
    cls=OneLineErrorGroup,
    name="livepeer",
    help="Serve a Python model on the Livepeer network, try it locally, and call it.",
    epilog="Example: livepeer dev examples/hello_world",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_TARGET_HELP = "What to serve: module:attribute, a file, or a directory with a manifest."

Network = Literal["auto", "byoc", "live-runner"]
PriceUnit = Literal["hour", "720p", "fixed"]
RunnerMode = Literal["single-shot", "persistent"]

Target = Annotated[str, typer.Argument(metavar="TARGET", help=_TARGET_HELP, show_default=False)]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "-i",
        "--input",
        metavar="NAME=VALUE",
        help="A field of the input: JSON, @FILE, or text. @FILE alone is the whole document, @- standard input.",
        show_default=False,
    ),
]
Python = Annotated[str | None, typer.Option(metavar="PATH", help="Interpreter of the model's own virtual environment.")]
Adapter = Annotated[str | None, typer.Option(metavar="NAME", help="The adapter to use, instead of asking each.")]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the answer there.", show_default=False)
]
Route = Annotated[str, typer.Option(metavar="PATH", help="The operation's path.")]
App = Annotated[
    str | None, typer.Option(metavar="ORG/NAME", help="Where callers of Live Runner find it (LIVEPEER_APP).")
]
Image = Annotated[
    str | None, typer.Option(metavar="REFERENCE", help="Its container image with the digest (LIVEPEER_IMAGE).")
]
CapabilityUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Where the orchestrator reaches its server (LIVEPEER_CAPABILITY_URL)."),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        typer.echo(f"livepeer {importlib.metadata.version('livepeer-cli')}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Show the help if no command is given."""
    del version
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(epilog="Example: livepeer serve examples/hello_world --port 5000")
def serve(
    target: Target,
    host: Annotated[str | None, typer.Option(help="Address to bind (LIVEPEER_HOST, 0.0.0.0).")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port to bind, 0 for any (LIVEPEER_PORT, 5000).")
    ] = None,
    python: Python = None,
    adapter: Adapter = None,
    replicas: Annotated[
        int | None, typer.Option(min=1, help="How many processes hold the model (LIVEPEER_REPLICAS, 1).")
    ] = None,
    token: Annotated[str | None, typer.Option(help="Bearer token that every call needs (LIVEPEER_TOKEN).")] = None,
    queue_size: Annotated[
        int | None, typer.Option(min=0, help="How many calls may wait for a slot (LIVEPEER_QUEUE_SIZE, 0).")
    ] = None,
    deadline_seconds: Annotated[
        float | None, typer.Option(help="How long a call may take (LIVEPEER_DEADLINE_SECONDS, no limit).")
    ] = None,
    drain_seconds: Annotated[
        float | None, typer.Option(min=0, help="How long calls may go on at the end (LIVEPEER_DRAIN_SECONDS, 30).")
    ] = None,
    network: Annotated[
        Network | None, typer.Option(help="What the orchestrator speaks (LIVEPEER_NETWORK, auto).")
    ] = None,
    orch_url: Annotated[str | None, typer.Option(help="Orchestrator to register with (ORCH_URL).")] = None,
    orch_token: Annotated[str | None, typer.Option(help="The orchestrator's secret (ORCH_TOKEN).")] = None,
    capability_name: Annotated[
        str | None, typer.Option(help="Name on the network (LIVEPEER_CAPABILITY_NAME, the model's own).")
    ] = None,
    capability_url: Annotated[
        str | None, typer.Option(help="Where the orchestrator reaches this server (LIVEPEER_CAPABILITY_URL).")
    ] = None,
    capacity: Annotated[
        int | None, typer.Option(min=1, help="How many calls at once are offered (LIVEPEER_CAPACITY, the model's own).")
    ] = None,
    price_per_unit: Annotated[
        int | None, typer.Option(min=0, help="BYOC: price in wei (LIVEPEER_PRICE_PER_UNIT, 0).")
    ] = None,
    app: App = None,
    price_usd: Annotated[
        float | None, typer.Option(min=0, help="Live Runner: price in US dollars (LIVEPEER_PRICE_USD, 0).")
    ] = None,
    price_unit: Annotated[
        PriceUnit | None, typer.Option(help="Live Runner: what it is the price of (LIVEPEER_PRICE_UNIT, hour).")
    ] = None,
    runner_mode: Annotated[
        RunnerMode | None,
        typer.Option(help="Live Runner: a session a call, or one for several (LIVEPEER_RUNNER_MODE, single-shot)."),
    ] = None,
) -> None:
    """Serve a model over HTTP until Ctrl-C; with ORCH_URL set, register it with an orchestrator."""
    from ._serve import serve

    serve(
        target,
        host=host,
        port=port,
        python=python,
        adapter=adapter,
        replicas=replicas,
        token=token,
        queue_size=queue_size,
        deadline_seconds=deadline_seconds,
        drain_seconds=drain_seconds,
        orch_url=orch_url,
        orch_token=orch_token,
        capability_name=capability_name,
        capability_url=capability_url,
        capacity=capacity,
        price_per_unit=price_per_unit,
        network=network,
        app=app,
        price_usd=None if price_usd is None else str(price_usd),
        price_unit=price_unit,
        runner_mode=runner_mode,
    )


@app.command(epilog="Example: livepeer predict examples/hello_world -i text=hello")
def predict(
    target: Target,
    inputs: Inputs = None,
    output: Output = None,
    route: Route = "predict",
    python: Python = None,
    adapter: Adapter = None,
) -> None:
    """Load a model, run it once, print its answer. No port is opened."""
    from ._predict import predict

    predict(target, inputs or [], output_path=output, route=route, python=python, adapter=adapter)


@app.command(epilog="Example: livepeer schema examples/hello_world")
def schema(
    target: Target,
    openapi: Annotated[bool, typer.Option("--openapi", help="Print the OpenAPI document instead.")] = False,
    python: Python = None,
    adapter: Adapter = None,
) -> None:
    """Print what a model takes and gives, as JSON Schema. Its setup() does not have to succeed."""
    from ._schema import print_schema

    print_schema(target, openapi=openapi, python=python, adapter=adapter)


@app.command(epilog="Example: livepeer card examples/hello_world")
def card(
    target: Target,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a picture.")] = False,
    app: App = None,
    image: Image = None,
    capability_url: CapabilityUrl = None,
    python: Python = None,
    adapter: Adapter = None,
) -> None:
    """Print what a dashboard would show of a model: its card on the network, its form, its answer."""
    from ._card import card

    card(target, as_json=as_json, app=app, image=image, capability_url=capability_url, python=python, adapter=adapter)


@app.command(epilog="Example: livepeer manifest examples/hello_world --runners --capability-url http://worker:5000")
def manifest(
    target: Target,
    runners: Annotated[
        bool,
        typer.Option("--runners", help="Print an orchestrator's runners.json instead, for an unregistered worker."),
    ] = False,
    app: App = None,
    image: Image = None,
    capability_url: CapabilityUrl = None,
    python: Python = None,
    adapter: Adapter = None,
) -> None:
    """Print a model's livepeer.yaml, or the entry with which an operator adds it to an orchestrator by hand."""
    from ._manifest import print_manifest, print_runners

    if runners:
        print_runners(target, app=app, image=image, capability_url=capability_url, python=python, adapter=adapter)
    else:
        print_manifest(target, adapter=adapter)


@app.command(epilog="Example: livepeer dev examples/hello_world examples/llm_chat --reload")
def dev(
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="[TARGET]...", help=_TARGET_HELP, show_default=False)
    ] = None,
    reload: Annotated[bool, typer.Option("--reload", help="Serve a target again when its files change.")] = False,
    gateway_port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the gateway, 0 for any.")] = 9935,
    orchestrator_port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port of the orchestrator, 0 for any.")
    ] = 8935,
    dashboard_port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the dashboard, 0 for any.")] = 9936,
    python: Python = None,
    adapter: Adapter = None,
) -> None:
    """Run a local network with a dashboard that serves the targets, and print how to call them. Ctrl-C ends it all."""
    from ._dev import dev

    dev(
        targets or [],
        reload=reload,
        gateway_port=gateway_port,
        orchestrator_port=orchestrator_port,
        dashboard_port=dashboard_port,
        python=python,
        adapter=adapter,
    )


@app.command(epilog="Example: livepeer call llm-chat -i prompt='The sea' --stream")
def call(
    capability: Annotated[
        str, typer.Argument(metavar="CAPABILITY", help="Its name on the network.", show_default=False)
    ],
    inputs: Inputs = None,
    gateway: Annotated[
        str, typer.Option(metavar="URL", envvar="LIVEPEER_GATEWAY_URL", help="The gateway to ask.")
    ] = DEFAULT_GATEWAY_URL,
    orch: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask this orchestrator and no gateway: Live Runner, else BYOC.")
    ] = None,
    signer: Annotated[
        str | None, typer.Option(metavar="URL", help="The remote signer that pays for a call with --orch.")
    ] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Print each piece of the answer as it comes.")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long the call may take.")] = 60,
    route: Route = "predict",
    output: Output = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Do not verify TLS certificates: orchestrators sign their own.")
    ] = False,
) -> None:
    """Call a capability on the network and print its answer. Text that reads as JSON: -i 'name="123"'."""
    from ._call import call

    call(
        capability,
        inputs or [],
        gateway_url=gateway,
        orch_url=orch,
        signer_url=signer,
        stream=stream,
        timeout_seconds=timeout,
        route=route,
        output_path=output,
        verify=not insecure,
    )


@app.command(epilog="Example: livepeer live live-grayscale --input clip.mp4 --output out.ts")
def live(
    capability: Annotated[
        str, typer.Argument(metavar="CAPABILITY", help="Its name on the network.", show_default=False)
    ],
    input: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Media to send, as fast as it plays; a pipe, or - for stdin, has MPEG-TS."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write the media there that comes back, as MPEG-TS."),
    ] = None,
    params: Annotated[
        list[str] | None,
        typer.Option(
            "-p", "--param", metavar="NAME=VALUE", help="A parameter: JSON, @FILE, or text.", show_default=False
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the data there that comes back, as JSON lines.")
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Send the file again and again.")] = False,
    seconds: Annotated[float | None, typer.Option(min=0, help="End the stream after so long.")] = None,
    gateway: Annotated[
        str, typer.Option(metavar="URL", envvar="LIVEPEER_GATEWAY_URL", help="The gateway to ask.")
    ] = DEFAULT_GATEWAY_URL,
    orch: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask this orchestrator and no gateway: Live Runner, else BYOC.")
    ] = None,
    signer: Annotated[
        str | None, typer.Option(metavar="URL", help="The remote signer that pays for a stream with --orch.")
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Do not verify TLS certificates: orchestrators sign their own.")
    ] = False,
) -> None:
    """Send media to a capability while it plays, and keep what comes back. Ctrl-C ends the stream."""
    from ._live import live, read_params
    from ._live_wish import LiveWish

    wish = LiveWish(
        capability=capability,
        params=read_params(params or []),
        input_path=input,
        loop=loop,
        output_path=output,
        data_path=data,
        seconds=seconds,
    )
    live(wish, gateway_url=gateway, orch_url=orch, signer_url=signer, verify=not insecure)


conformance = typer.Typer(help="Check whether a network, or a worker, keeps the contract.")
app.add_typer(conformance, name="conformance")


@conformance.command(
    epilog="Example: livepeer conformance network --gateway http://127.0.0.1:9935 --orch http://127.0.0.1:8935 "
    "--secret-file secret.txt"
)
def network(
    gateway: Annotated[str, typer.Option(metavar="URL", help="The gateway.", show_default=False)],
    orch: Annotated[
        list[str],
        typer.Option(metavar="URL", help="An orchestrator behind it; a second one allows more.", show_default=False),
    ],
    secret_file: Annotated[
        Path, typer.Option(metavar="FILE", help="Holds what workers register with.", show_default=False)
    ],
    signer: Annotated[str | None, typer.Option(metavar="URL", help="A remote signer, where calls are paid.")] = None,
    orch_cli: Annotated[
        str | None, typer.Option(metavar="URL", help="The orchestrator's CLI server, for static runners.")
    ] = None,
    restart_command: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Restarts the first orchestrator, and returns.")
    ] = None,
    worker_host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="This machine's address, as the orchestrators reach it.")
    ] = "127.0.0.1",
    only: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Check this fact; may be given many times.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check every fact of the contract against a network, with workers of its own. The exit code is 1 if one fails."""
    from .conformance._command import check_facts

    check_facts(
        gateway_url=gateway,
        orch_urls=orch,
        secret_file=secret_file,
        signer_url=signer,
        orch_cli_url=orch_cli,
        restart_command=restart_command,
        worker_host=worker_host,
        only=only or [],
        as_json=as_json,
    )


@conformance.command(epilog='Example: livepeer conformance worker http://127.0.0.1:5000 --input \'{"text": "hello"}\'')
def worker(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the worker answers.", show_default=False)],
    token: Annotated[
        str | None, typer.Option(metavar="TOKEN", envvar="LIVEPEER_TOKEN", help="The bearer token that calls need.")
    ] = None,
    input: Annotated[
        str | None, typer.Option(metavar="JSON", help="What the operation takes; made from the schema if it can be.")
    ] = None,
    slow_input: Annotated[
        str | None,
        typer.Option(metavar="JSON", help="What keeps it at work for some seconds."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Check this clause; may be given many times.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check every clause of the contract against a running worker, from outside. The exit code is 1 if one fails."""
    from .conformance._worker_command import check_clauses

    check_clauses(url, token=token, input=input, slow_input=slow_input, only=only or [], as_json=as_json)
