"""``manage.py nb_fake_gemini``: a local Gemini to try things with, faults included. No key, no cost."""

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
        "Serve a local Gemini that speaks the real one's wire format: pictures, batches, files, "
        "and every fault that is known. Ctrl-C ends it."
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=0, help="0, the default, is any free one.")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--delay", type=float, default=0.0, help="Seconds that a picture takes."
        )
        parser.add_argument(
            "--batch-seconds", type=float, default=5.0, help="Seconds that a batch takes."
        )
        parser.add_argument(
            "--fault-rate", type=float, default=0.0, help="Share of calls to spoil, such as 0.3."
        )
        parser.add_argument("--seed", type=int, default=0, help="The same seed, the same faults.")
        parser.add_argument(
            "--kinds", default="", help="Faults to choose from, with commas; see --list-faults."
        )
        parser.add_argument(
            "--picture-bytes", type=int, default=0, help="Pad pictures to about that."
        )
        parser.add_argument("--jpeg", action="store_true", help="Answer JPEG in place of PNG.")
        parser.add_argument(
            "--request-log", default="", help="Write the request log to this file at the end."
        )
        parser.add_argument("--list-faults", action="store_true", help="List the faults and end.")

    def handle(self, *, list_faults, verbosity, **options):
        if list_faults:
            for name, kind in FAULTS.items():
                self.stdout.write(f"{name:28} {kind.description}")
            return
        with ExitStack() as stack:
            try:
                server = stack.enter_context(GeminiServer(**_given(options), keep_bodies=False))
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
            self._serve(server, verbosity=verbosity)
            self._end(server, path=options["request_log"])

    def _serve(self, server, *, verbosity):
        """Until Ctrl-C or SIGTERM; with ``-v 2`` a line a request, without words or keys."""
        ended = threading.Event()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: ended.set())
        told, more = 0, True
        while more:
            more = not ended.wait(0.2)
            entries = server.request_log.entries
            for entry in entries[told:] if verbosity >= 2 else ():
                self.stdout.write(
                    f"{entry.number:6} {entry.operation:18} {entry.model:30}"
                    f" {entry.status or '-'} {entry.fault or ''} {entry.billed_usd}"
                )
            told = len(entries)

    def _end(self, server, *, path):
        entries = server.request_log.entries
        self.stdout.write(
            _("%(requests)s requests, %(usd)s USD billed.")
            % {"requests": len(entries), "usd": server.request_log.billed_usd}
        )
        if path:
            lines = "".join(f"{json.dumps(entry.as_json())}\n" for entry in entries)
            Path(path).write_text(lines)


def _given(options):
    kinds = [name.strip() for name in options["kinds"].split(",") if name.strip()]
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
        "picture_bytes": options["picture_bytes"],
        "mime_type": "image/jpeg" if options["jpeg"] else "image/png",
        "faults": Rate(rate, seed=options["seed"], kinds=kinds) if rate else None,
    }
