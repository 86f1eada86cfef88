"""``manage.py demo``: fill the shop, generate and publish its pictures, serve it."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator, Sized
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import Any, Final, TypeVar

import uvicorn
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from demo_project.shop import goods, lookbooks, pictures
from demo_project.shop.models import Bundle, Product
from nb_catalog import live
from nb_catalog.conf import GEMINI_TIERS
from nb_catalog.conf import settings as nb_settings
from nb_catalog.generation import ItemStatus, Plan, start_run
from nb_catalog.models import Placement, ProductImage, Rendition, Run, Scene, Series, TextLayout
from nb_catalog.publishing.galleries import deliver_due
from nb_catalog.worker import drain

T = TypeVar("T")
ASGI: Final = "demo_project.asgi:application"


class Command(BaseCommand):
    help = "Fill the demo shop, generate and publish its pictures, and serve it."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="Stop after the summary.")
        parser.add_argument("--port", type=int, default=8000, help="Port of the web server.")
        parser.add_argument(
            "--gemini", action="store_true", help="Use Google's models. Costs money."
        )
        parser.add_argument("--products", type=int, help="Only this many products: quicker.")
        parser.add_argument("--yes", action="store_true", help="Do not ask before spending money.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.started = time.monotonic()
        # Into a pipe or a log, Python would write nothing until the demo ends.
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)
        if not options["no_serve"]:
            self._check_port(options["port"])
        if options["gemini"]:
            self._use_gemini()
        goods.limit = options["products"]
        call_command("migrate", verbosity=0)
        for design, starters in ((Scene, "nb_catalog_scenes"), (TextLayout, "nb_catalog_layouts")):
            if not design.objects.exists():
                call_command("loaddata", starters, verbosity=0)
        password = self._create_admin()
        total = len(goods.load_rows("products")) + len(goods.load_rows("bundles"))
        for _ in self._with_progress(goods.create_stock(), "Products", total=total):
            pass
        pictures.create_copy_decks()
        self._make_pictures(paid=options["gemini"], confirmed=options["yes"])
        self._print_summary(password, port=options["port"])
        if not options["no_serve"]:
            self._serve(port=options["port"])

    def _check_port(self, port: int) -> None:
        """Fail before any work is done, and not minutes later when the web server starts."""
        with socket.socket() as probe:
            # As the web server does, so that a port that was just closed counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise CommandError(
                    f"Port {port} is not free ({error.strerror}). Choose another one with --port."
                ) from error

    def _use_gemini(self) -> None:
        if not os.environ.get("GEMINI_API_KEY"):
            raise CommandError("--gemini needs a key: set GEMINI_API_KEY in the environment.")
        # The variable is for the worker, which is a separate process.
        os.environ["DEMO_USE_GEMINI"] = "1"
        settings.NB_CATALOG["TIERS"] = GEMINI_TIERS

    def _create_admin(self) -> str:
        """Return the password of "admin", or "" if the account exists and keeps its own."""
        users = get_user_model().objects
        requested = os.environ.get("DEMO_PASSWORD", "")
        user = users.filter(username="admin").first()
        if user is None:
            password = requested or secrets.token_urlsafe(9)
            self.admin = users.create_superuser("admin", "admin@example.com", password)
            return password
        self.admin = user
        if requested and not user.check_password(requested):
            user.set_password(requested)
            user.save(update_fields=["password"])
        return requested

    def _make_pictures(self, *, paid: bool, confirmed: bool) -> None:
        """Plan, confirm, generate and publish. Existing pictures are not generated or paid again."""
        # Hero pictures are enough to evaluate a paid model.
        slots = ("hero",) if paid else tuple(pictures.RATIOS)
        series = [] if paid else lookbooks.create_series()
        groups = pictures.build_plans(pictures.planned_pictures(slots=slots))
        plans = [*(plan for plan, _ in groups), *lookbooks.series_plans(series)]
        summaries = [plan.summary() for plan in plans]
        missing = sum(summary.wanted for summary in summaries)
        price = sum((summary.price_usd for summary in summaries), Decimal(0))
        if price and not confirmed:
            self._confirm_cost(missing, price)
        for plan, summary in zip(plans, summaries, strict=True):
            if summary.wanted:
                start_run(plan, actor=self.admin)
        underway = sum(summary.count_of(ItemStatus.UNDERWAY) for summary in summaries)
        self.made = self._run_worker(plans, count=missing + underway)
        self.published = 0
        for plan, planned in self._with_progress(groups, "Publishing"):
            self.published += pictures.publish(plan, planned, actor=self.admin)
        for each in self._with_progress(series, "Series"):
            self.published += lookbooks.publish(each, actor=self.admin)
        if series and lookbooks.request_final(actor=self.admin):
            self.made += drain()["succeed"]
        deliver_due()

    def _confirm_cost(self, count: int, price: Decimal) -> None:
        question = (
            f"{count} pictures, about {price:.2f} USD at Google's list prices. Continue? [y/N] "
        )
        if not sys.stdin.isatty():
            raise CommandError(
                f"{count} pictures would cost about {price:.2f} USD: confirm with --yes."
            )
        if input(question).strip().lower() not in ("y", "yes"):
            raise CommandError("Cancelled: no pictures were generated and nothing was spent.")

    def _run_worker(self, plans: list[Plan], *, count: int) -> int:
        """Work until none of the plans' pictures is in progress; return how many were generated.

        Jobs of a killed worker are available again when its lease expires.
        """
        if not count:
            return 0
        outcomes: Counter[str] = Counter()
        deadline = time.monotonic() + 2 * nb_settings.LEASE_SECONDS
        with ProgressBar(count, "Pictures", out=self.stdout) as step:
            while True:
                outcomes += drain(on_outcome=lambda outcome: step())
                underway = any(plan.summary().count_of(ItemStatus.UNDERWAY) for plan in plans)
                if not underway or time.monotonic() > deadline:
                    break
                time.sleep(1)
        lost = {move: count for move, count in outcomes.items() if move != "succeed"}
        if lost:
            details = ", ".join(f"{count} x {move}" for move, count in lost.items())
            self.stderr.write(
                self.style.WARNING(
                    f"Some pictures were not generated: {details}. See Runs in the admin."
                )
            )
        return outcomes["succeed"]

    def _with_progress(
        self, items: Iterable[T], name: str, *, total: int | None = None
    ) -> Iterator[T]:
        """Yield ``items`` and show progress."""
        if total is None and isinstance(items, Sized):
            total = len(items)
        with ProgressBar(total or 0, name, out=self.stdout) as step:
            for item in items:
                yield item
                step()

    def _print_summary(self, password: str, *, port: int) -> None:
        spent = sum(run.spent_usd for run in Run.objects.all())
        table = [
            ("Products and sets", Product.objects.count() + Bundle.objects.count()),
            ("Scenes", Scene.objects.count()),
            ("Series", Series.objects.count()),
            ("Pictures generated now / total", f"{self.made} / {ProductImage.objects.count()}"),
            ("Published now / total", f"{self.published} / {Placement.objects.count()}"),
            ("Files for delivery", Rendition.objects.count()),
            ("Money spent so far", f"{spent:.2f} USD"),
            ("Time", f"{time.monotonic() - self.started:.1f} s"),
        ]
        self.stdout.write("")
        for name, value in table:
            self.stdout.write(f"  {name:<32}{value}")
        self.stdout.write("")
        where = f"http://127.0.0.1:{port}"
        for name, path in (
            ("Shop", "/"),
            ("Lookbook", "/en/lookbook/"),
            ("Admin", "/admin/"),
            ("API", "/api/catalog-images/"),
            ("More", "/en/behind-the-pictures/"),
        ):
            self.stdout.write(f"  {name:<32}{where}{path}")
        known = password or "the password of the first start (another one: set DEMO_PASSWORD)"
        self.stdout.write(f"  {'Sign in':<32}admin / {known}")
        for report in run_checks(tags=["nb_catalog"], include_deployment_checks=True):
            if report.id == "nb_catalog.I001":
                self.stdout.write(f"\n  {report.msg}\n  {report.hint}")
        if os.environ.get("GEMINI_API_KEY") and os.environ.get("DEMO_USE_GEMINI") != "1":
            self.stdout.write(
                "\n  GEMINI_API_KEY is set. `manage.py demo --gemini` uses Google's models for the scenes."
            )
        self.stdout.write("")

    def _serve(self, *, port: int) -> None:
        command = [sys.executable, str(Path(sys.argv[0]).resolve()), "nb_worker"]
        worker = subprocess.Popen(command)  # noqa: S603 - our own manage.py
        # By default SIGTERM would end Python at once and leave the worker running.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
        try:
            # Under ASGI, pages follow what happens as it happens.
            with contextlib.suppress(KeyboardInterrupt):
                DemoServer(uvicorn.Config(ASGI, port=port, lifespan="off", log_level="error")).run()
        finally:
            worker.terminate()
            worker.wait(timeout=30)


class DemoServer(uvicorn.Server):
    """Ends open streams when it is stopped, instead of waiting for them."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        live.end_streams()
        super().handle_exit(sig, frame)


class ProgressBar:
    """Progress: tqdm on a terminal, otherwise lines at the start, at the end and in between."""

    LINE_SECONDS = 5.0

    def __init__(self, total: int, name: str, *, out: Any) -> None:
        self.total, self.name, self.out, self.done = total, name, out, 0
        self.bar = (
            tqdm(total=total, desc=f"{name:<12}", leave=True) if sys.stderr.isatty() else None
        )

    def __enter__(self) -> Any:
        if self.bar is None:
            self.out.write(f"{self.name}: {self.total} ...")
            self.last_line = time.monotonic()
        return self.step

    def step(self) -> None:
        self.done += 1
        if self.bar is not None:
            self.bar.update()
        elif time.monotonic() - self.last_line >= self.LINE_SECONDS:
            self.out.write(f"{self.name}: {self.done} of {self.total}")
            self.last_line = time.monotonic()

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()
        else:
            self.out.write(f"{self.name}: {self.done} of {self.total} done")
