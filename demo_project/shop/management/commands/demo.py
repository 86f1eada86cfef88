"""``manage.py demo``: stock the shop, have its pictures made, publish them, open the doors."""

from __future__ import annotations

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
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from demo_project.shop import dressing, goods
from demo_project.shop.models import Bundle, Product
from nb_catalog.conf import GEMINI_TIERS
from nb_catalog.conf import settings as nb_settings
from nb_catalog.generation import ItemStatus, Plan, start_run
from nb_catalog.models import Placement, ProductImage, Rendition, Run, Scene, TextLayout
from nb_catalog.worker import drain

T = TypeVar("T")


class Command(BaseCommand):
    help = "Fill the demo shop, have its pictures made and published, and serve it."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="Stop after the summary.")
        parser.add_argument("--port", type=int, default=8000, help="Port of the web server.")
        parser.add_argument(
            "--gemini", action="store_true", help="Use Google's models. Costs money."
        )
        parser.add_argument("--yes", action="store_true", help="Do not ask before spending money.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.started = time.monotonic()
        if not options["no_serve"]:
            self._check_port(options["port"])
        if options["gemini"]:
            self._use_gemini()
        call_command("migrate", verbosity=0)
        for design, starters in ((Scene, "nb_catalog_scenes"), (TextLayout, "nb_catalog_layouts")):
            if not design.objects.exists():
                call_command("loaddata", starters, verbosity=0)
        password = self._open_an_account()
        self._stock_up()
        dressing.write_decks()
        self._dress(paid=options["gemini"], sure=options["yes"])
        self._sum_up(password, port=options["port"])
        if not options["no_serve"]:
            self._serve(port=options["port"])

    def _check_port(self, port: int) -> None:
        """Before anything else: minutes later the web server would say it and be gone."""
        with socket.socket() as probe:
            # As the web server does: a port that was closed just now is free.
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
        # The variable is for the worker, which is a process of its own.
        os.environ["DEMO_USE_GEMINI"] = "1"
        settings.NB_CATALOG["TIERS"] = GEMINI_TIERS

    def _open_an_account(self) -> str:
        """The password of "admin", or nothing if the account is there and keeps its own."""
        users = get_user_model().objects
        given = os.environ.get("DEMO_PASSWORD", "")
        user = users.filter(username="admin").first()
        if user is None:
            password = given or secrets.token_urlsafe(9)
            self.admin = users.create_superuser("admin", "admin@example.com", password)
            return password
        self.admin = user
        if given and not user.check_password(given):
            user.set_password(given)
            user.save(update_fields=["password"])
        return given

    def _stock_up(self) -> None:
        total = len(goods.rows("products")) + len(goods.rows("bundles"))
        for _ in self._watched(goods.stock_up(), "Products", total=total):
            pass

    def _dress(self, *, paid: bool, sure: bool) -> None:
        """Plan, confirm, make, publish. What exists is neither made nor paid for again."""
        # Heroes are enough to judge a paid model by.
        wanted = dressing.wishes(slots=("hero",)) if paid else dressing.wishes()
        planned = dressing.planned(wanted)
        summaries = [plan.summary() for plan, _ in planned]
        missing = sum(summary.wanted for summary in summaries)
        price = sum((summary.price_usd for summary in summaries), Decimal(0))
        if price and not sure:
            self._ask(missing, price)
        for (plan, _), summary in zip(planned, summaries, strict=True):
            if summary.wanted:
                start_run(plan, actor=self.admin)
        underway = sum(summary.count_of(ItemStatus.UNDERWAY) for summary in summaries)
        self.made = self._work([plan for plan, _ in planned], count=missing + underway)
        self.published = 0
        for plan, wishes in self._watched(planned, "Publishing"):
            self.published += dressing.publish(plan, wishes, actor=self.admin)

    def _ask(self, count: int, price: Decimal) -> None:
        question = f"{count} pictures, about {price:.2f} USD at Google's list prices. Go on? [y/N] "
        if not sys.stdin.isatty():
            raise CommandError(
                f"{count} pictures would cost about {price:.2f} USD: confirm with --yes."
            )
        if input(question).strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was made and nothing was spent.")

    def _work(self, plans: list[Plan], *, count: int) -> int:
        """Work until none of the plans' pictures is underway; how many were made.

        Jobs that a killed worker left behind come free when its lease runs out.
        """
        if not count:
            return 0
        outcomes: Counter[str] = Counter()
        patience = time.monotonic() + 2 * nb_settings.LEASE_SECONDS
        with self._bar(count, "Pictures") as step:
            while True:
                outcomes += drain(on_outcome=lambda outcome: step())
                if not self._underway(plans) or time.monotonic() > patience:
                    break
                time.sleep(1)
        lost = {move: count for move, count in outcomes.items() if move != "succeed"}
        if lost:
            said = ", ".join(f"{count} x {move}" for move, count in lost.items())
            self.stderr.write(
                self.style.WARNING(f"Not everything went well: {said}. See Runs in the admin.")
            )
        return outcomes["succeed"]

    def _underway(self, plans: list[Plan]) -> bool:
        return any(plan.summary().count_of(ItemStatus.UNDERWAY) for plan in plans)

    def _watched(self, things: Iterable[T], name: str, *, total: int | None = None) -> Iterator[T]:
        """``things``, with a bar on a terminal and a line elsewhere."""
        if total is None and isinstance(things, Sized):
            total = len(things)
        with self._bar(total or 0, name) as step:
            for thing in things:
                yield thing
                step()

    def _bar(self, total: int, name: str) -> Bar:
        return Bar(total, name, out=self.stdout)

    def _sum_up(self, password: str, *, port: int) -> None:
        spent = sum(run.spent_usd for run in Run.objects.all())
        table = [
            ("Products and sets", Product.objects.count() + Bundle.objects.count()),
            ("Scenes", Scene.objects.count()),
            ("Pictures made now / in all", f"{self.made} / {ProductImage.objects.count()}"),
            ("Published now / in all", f"{self.published} / {Placement.objects.count()}"),
            ("Files for browsers", Rendition.objects.count()),
            ("Money spent so far", f"{spent:.2f} USD"),
            ("Time", f"{time.monotonic() - self.started:.1f} s"),
        ]
        self.stdout.write("")
        for name, value in table:
            self.stdout.write(f"  {name:<28}{value}")
        self.stdout.write("")
        where = f"http://127.0.0.1:{port}"
        for name, path in (
            ("Shop", "/"),
            ("Admin", "/admin/"),
            ("API", "/api/catalog-images/"),
            ("More", "/en/behind-the-pictures/"),
        ):
            self.stdout.write(f"  {name:<28}{where}{path}")
        self.stdout.write(f"  {'Sign in':<28}admin / {password or '(the password from last time)'}")
        if os.environ.get("GEMINI_API_KEY") and os.environ.get("DEMO_USE_GEMINI") != "1":
            self.stdout.write(
                "\n  GEMINI_API_KEY is set. `manage.py demo --gemini` has Google's models draw the scenes."
            )
        self.stdout.write("")

    def _serve(self, *, port: int) -> None:
        command = [sys.executable, str(Path(sys.argv[0]).resolve()), "nb_worker"]
        worker = subprocess.Popen(command)  # noqa: S603 - our own manage.py
        # Told to end, Python would end at once and leave the worker behind.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
        try:
            call_command("runserver", f"127.0.0.1:{port}", use_reloader=False)
        finally:
            worker.terminate()
            worker.wait(timeout=30)


class Bar:
    """Progress: tqdm on a terminal, a line at the start and at the end elsewhere."""

    def __init__(self, total: int, name: str, *, out: Any) -> None:
        self.total, self.name, self.out, self.done = total, name, out, 0
        self.bar = (
            tqdm(total=total, desc=f"{name:<12}", leave=True) if sys.stderr.isatty() else None
        )

    def __enter__(self) -> Any:
        if self.bar is None:
            self.out.write(f"{self.name}: {self.total} ...")
        return self.step

    def step(self) -> None:
        self.done += 1
        if self.bar is not None:
            self.bar.update()

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()
        else:
            self.out.write(f"{self.name}: {self.done} of {self.total} done")
