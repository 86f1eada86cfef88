"""``manage.py nb_fake_gemini``: a local Gemini server with faults. Needs no key and costs nothing."""

import json
import signal
import threading
from contextlib import ExitStack
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from nb_catalog.testing.gemini import FAULTS, GeminiServer, Rate

SETTINGS = """
from nb_catalog.conf import GEMINI_TIERS

NB_CATALOG = {{
    "TIERS": GEMINI_TIERS,
    "WAKE_UP": "none",  # run manage.py nb_worker
    "PROVIDERS": {{
        "gemini": {{
            "BACKEND": "nb_catalog.providers.gemini.GeminiProvider",
            "OPTIONS": {{"api_key": "any-key", "base_url": "{url}"}},
        }},
    }},
}}
"""


class Command(BaseCommand):
    help = (
        "Run a local server with Gemini's wire format: pictures, batches, files, and every known "
        "fault. Press Ctrl-C to stop it."
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument(
            "--port", type=int, default=0, help="Port; 0 (the default) picks a free one."
        )
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--delay", type=float, default=0.0, help="Seconds per picture.")
        parser.add_argument("--batch-seconds", type=float, default=5.0, help="Seconds per batch.")
        parser.add_argument(
            "--fault-rate",
            type=float,
            default=0.0,
            help="Fraction of calls that fail, such as 0.3.",
        )
        parser.add_argument("--seed", type=int, default=0, help="Seed of the fault sequence.")
        parser.add_argument(
            "--kinds", default="", help="Comma-separated faults to choose from; see --list-faults."
        )
        parser.add_argument(
            "--picture-bytes", type=int, default=0, help="Pad pictures to about this size."
        )
        parser.add_argument("--jpeg", action="store_true", help="Return JPEG instead of PNG.")
        parser.add_argument(
            "--request-log",
            default="",
            help="Write all requests to this file (JSON lines) on exit.",
        )
        parser.add_argument(
            "--text-models",
            default="",
            help="Comma-separated ids of text models to accept; their responses need scripts.",
        )
        parser.add_argument(
            "--require-store-false",
            action="store_true",
            help='Refuse requests without "store": false. Google accepts them, and may keep them.',
        )
        parser.add_argument(
            "--refuse-sampling",
            action="store_true",
            help="Refuse temperature, top_p, top_k and seed, which are deprecated for image models.",
        )
        parser.add_argument("--list-faults", action="store_true", help="List the faults and exit.")

    def handle(self, *, list_faults, verbosity, **options):
        if list_faults:
            for name, kind in FAULTS.items():
                self.stdout.write(f"{name:28} {kind.description}")
            return
        with ExitStack() as stack:
            try:
                server = stack.enter_context(
                    GeminiServer(**server_options(options), keep_bodies=False)
                )
            except OSError as error:
                raise CommandError(
                    _("Cannot listen on this host and port: %s. Choose another --port.")
                    % error.strerror
                ) from error
            self.stdout.write(
                _("The local Gemini server is listening at %s. Settings to use it with:")
                % server.url
            )
            self.stdout.write(SETTINGS.format(url=server.url))
            self.stdout.flush()
            self.wait_for_signal(server, verbosity=verbosity)
            entries = server.request_log.entries
            self.stdout.write(
                _("%(requests)s requests, %(usd)s USD billed.")
                % {"requests": len(entries), "usd": server.request_log.billed_usd}
            )
            if options["request_log"]:
                lines = "".join(f"{json.dumps(entry.as_json())}\n" for entry in entries)
                Path(options["request_log"]).write_text(lines)

    def wait_for_signal(self, server, *, verbosity):
        """Wait for Ctrl-C or SIGTERM; with ``-v 2`` print each request, without prompts or keys."""
        ended = threading.Event()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: ended.set())
        printed, more = 0, True
        while more:
            more = not ended.wait(0.2)
            entries = server.request_log.entries
            for entry in entries[printed:] if verbosity >= 2 else ():
                self.stdout.write(
                    f"{entry.number:6} {entry.operation:18} {entry.model:30}"
                    f" {entry.status or '-'} {entry.fault or ''} {entry.billed_usd}"
                )
            self.stdout.flush()
            printed = len(entries)


def names_in(value):
    return [name.strip() for name in value.split(",") if name.strip()]


def server_options(options):
    """Return the arguments of ``GeminiServer``. Raises ``CommandError``."""
    kinds = names_in(options["kinds"])
    unknown = sorted(set(kinds) - set(FAULTS))
    if unknown:
        raise CommandError(
            _("Unknown faults: %(names)s. Use --list-faults to list the available ones.")
            % {"names": ", ".join(map(repr, unknown))}
        )
    if not 0 <= options["fault_rate"] <= 1:
        raise CommandError(_("--fault-rate must be between 0 and 1."))
    rate = options["fault_rate"]
    return {
        "host": options["host"],
        "port": options["port"],
        "delay": options["delay"],
        "batch_seconds": options["batch_seconds"],
        "require_store_false": options["require_store_false"],
        "refuse_sampling": options["refuse_sampling"],
        "text_models": names_in(options["text_models"]),
        "picture_bytes": options["picture_bytes"],
        "mime_type": "image/jpeg" if options["jpeg"] else "image/png",
        "faults": Rate(rate, seed=options["seed"], kinds=kinds) if rate else None,
    }
