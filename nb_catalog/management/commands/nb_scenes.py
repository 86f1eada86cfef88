"""``manage.py nb_scenes``: write scenes to a file, or read them from one."""

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation import scene_files
from nb_catalog.generation.scene_files import OnCollision
from nb_catalog.management.output import table
from nb_catalog.models import Scene


class Command(BaseCommand):
    help = "Export scenes with their photos to a ZIP file, or import them from one."

    def add_arguments(self, parser):
        parser.add_argument("command", choices=["export", "import"])
        parser.add_argument(
            "file",
            help="A ZIP file; for export - for standard output, for import also a JSON list.",
        )
        parser.add_argument("keys", nargs="*", metavar="key", help="Scenes; by default all.")
        parser.add_argument(
            "--existing",
            choices=[each.value for each in OnCollision],
            default=OnCollision.SKIP.value,
            help="Import: what to do with a key that exists with another content. Default: skip.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Import: show what would change; write nothing."
        )

    def handle(self, *, command, file, keys, existing, dry_run, **options):
        try:
            if command == "export":
                scenes = Scene.objects.filter(key__in=keys) if keys else Scene.objects.all()
                _require(keys, {scene.key for scene in scenes})
                data = scene_files.export(scenes)
                if file == "-":
                    sys.stdout.buffer.write(data)
                else:
                    Path(file).write_bytes(data)
            else:
                scenes = scene_files.read(Path(file).read_bytes())
                _require(keys, {scene.key for scene in scenes})
                scenes = [scene for scene in scenes if not keys or scene.key in keys]
                changes = scene_files.plan(scenes, choices={}, default=OnCollision(existing))
                if not dry_run:
                    scene_files.apply(changes)
                rows = [("action", "key", "name", "different")]
                rows += [
                    (each.action.value, each.key, each.scene.name, ", ".join(each.differences))
                    for each in changes
                ]
                for line in table(rows):
                    self.stdout.write(line)
        except NBCatalogError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error


def _require(keys, known):
    if missing := sorted({*keys} - {*known}):
        raise CommandError(_("There is no scene %(keys)s.") % {"keys": ", ".join(missing)})
