"""What an editor does in every frame, by requests to the project that the guide has made."""

import re
import subprocess
import sys
from pathlib import Path

from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from nb_catalog.models import ProductImage

ORDINARY = ["view_productimage", "view_run", "view_series", "view_placement", "generate", "review"]


def photo():
    return Path("photo.png").read_bytes()


def visitor(user=None):
    """Return a client whose host every new project allows; signed in as ``user``."""
    client = Client(SERVER_NAME="localhost")
    if user is not None:
        client.force_login(user)
    return client


def permissions(*names):
    return Permission.objects.filter(content_type__app_label="nb_catalog", codename__in=names)


def work():
    """Run the worker until nothing is left to do, as a process of its own."""
    done = subprocess.run(
        [sys.executable, "manage.py", "nb_worker", "--once"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


class Editor(Client):
    """Signed in, and never led out of ``frame``, whose pages all contain ``mark``."""

    def __init__(self, user, *, site, frame, mark):
        super().__init__(SERVER_NAME="localhost")
        self.force_login(user)
        self.site, self.frame, self.mark = site, frame, mark

    def address(self, name, *args):
        return reverse(f"{self.site}:{name}", args=args)

    def see(self, url, **options):
        response = self.get(url, follow=True, **options)
        assert response.status_code == 200, (url, response.status_code)
        return self.framed(response)

    def framed(self, response):
        page = response.content.decode()
        assert page.count(self.mark) == 1, (
            f"{response.request['PATH_INFO']} is outside of the frame"
        )
        assert re.search(r"<title>\s*[^\s|-]", page), "the page has a title"
        assert page.count("<!doctype html") + page.count("<!DOCTYPE html") == 1
        addresses = re.findall(r'(?:href|action|formaction|data-[a-z-]*url)="(/[^"]*)"', page)
        ours = [each for each in addresses if "nb_catalog/" in each and "/static/" not in each]
        assert ours, "the page has links to other pages of the app"
        assert not [each for each in ours if not each.startswith(self.frame)]
        return page

    def generate(self, choose):
        """From the button's address to a finished run; return its picture."""
        self.see(choose)
        page = self.get(choose, follow=True)
        selection = page.request["QUERY_STRING"].partition("selection=")[2]
        fields = {
            "selection": selection, "scenes": ["marble"], "ratio": "4:5", "tier": "draft",
            "variants": "1", "treatment": "locked", "nonce": "n" * 32, "start": "1",
        }  # fmt: skip
        answer = self.post(self.address("nb_catalog_run_generate"), fields, follow=True)
        assert "/run/" in answer.request["PATH_INFO"], answer.content.decode()[-3000:]
        self.framed(answer)
        work()
        (image,) = ProductImage.objects.filter(kind="picture")
        return image

    def publish(self, image, *, slot):
        page = self.see(self.address("nb_catalog_productimage_review"))
        assert f'id="picture-{image.pk}"' in page or f"{image.pk}" in page
        decided = self.post(
            self.address("nb_catalog_productimage_decide"),
            {"decision": f"publish:{image.pk}", f"slot-{image.pk}": slot, "back": ""},
            follow=True,
        )
        self.framed(decided)
        image.refresh_from_db()
        assert image.state == "approved", decided.content.decode()[:3000]
        work()

    def see_all(self, image):
        """Open every page that the menu, the lists and the picture lead to."""
        run = image.job.run_id
        for name, args in [
            ("index", ()),
            ("app_list", ("nb_catalog",)),
            ("nb_catalog_productimage_changelist", ()),
            ("nb_catalog_productimage_change", (image.pk,)),
            ("nb_catalog_productimage_edit", (image.pk,)),
            ("nb_catalog_productimage_alt", (image.pk,)),
            ("nb_catalog_run_changelist", ()),
            ("nb_catalog_run_change", (run,)),
            ("nb_catalog_series_changelist", ()),
            ("nb_catalog_placement_changelist", ()),
        ]:
            self.see(self.address(name, *args))
