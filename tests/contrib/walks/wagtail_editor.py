"""An editor of the site in docs/wagtail.md, who is not staff, from the menu to a picture on a page."""

import django

django.setup()

from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from products.catalog_images import LIBRARY  # noqa: E402
from products.models import ProductPage  # noqa: E402
from taggit.models import Tag  # noqa: E402
from wagtail.images.models import Image  # noqa: E402
from wagtail.models import GroupPagePermission, Page  # noqa: E402
from wagtail.snippets.models import register_snippet  # noqa: E402

import nb_catalog  # noqa: E402
from tests.contrib.walks import steps  # noqa: E402

register_snippet(Tag)


@nb_catalog.register(Tag)
class TagSource(nb_catalog.CatalogSource):
    title_field = "name"


home = Page.objects.get(depth=2)
photo = Image.objects.create(title="Lamp", file=ContentFile(steps.photo(), name="lamp.png"))
page = home.add_child(instance=ProductPage(title="Reading lamp", photo=photo))
other = home.add_child(instance=ProductPage(title="Not theirs", photo=photo))

group = Group.objects.create(name="Pictures")
group.permissions.set(steps.permissions(*steps.ORDINARY, "publish"))
group.permissions.add(Permission.objects.get(codename="access_admin"))
for where, codename in ((home, "add_page"), (page, "change_page")):
    permission = Permission.objects.get(codename=codename)
    GroupPagePermission.objects.create(group=group, page=where, permission=permission)
user = User.objects.create_user("editor", password="pictures")
user.groups.add(group)
assert not user.is_staff

editor = steps.Editor(
    user, site="nb_catalog_wagtail", frame="/admin/catalog-pictures/", mark='id="wagtail-sidebar"'
)
# Where people look: the explorer, the editor of the page, the menu.
choose = f"/admin/catalog-pictures/choose/products.productpage/?id={page.pk}"
explorer = editor.get(f"/admin/pages/{home.pk}/").content.decode()
assert choose in explorer and choose.replace(f"={page.pk}", f"={other.pk}") not in explorer
edit = editor.get(f"/admin/pages/{page.pk}/edit/").content.decode()
assert choose in edit and "/admin/catalog-pictures/nb_catalog/productimage/review/" in edit
assert editor.get(choose.replace(f"={page.pk}", f"={other.pk}")).status_code == 302

# Several at once: those that the editor may edit, and of one model.
bulk = f"/admin/bulk/wagtailcore/page/generate_catalog_pictures/?id={page.pk}&id={other.pk}&id={home.pk}"
chosen = editor.see(bulk)
assert "Reading lamp" in chosen and "Not theirs" not in chosen
nothing = editor.get(f"{bulk.partition('?')[0]}?id={home.pk}&next=/admin/", follow=True)
assert "None of the selected objects can have pictures." in nothing.content.decode()

# Snippets, with the permissions of their model.
tag = Tag.objects.create(name="Lamps", slug="lamps")
snippet = f"/admin/catalog-pictures/choose/taggit.tag/?id={tag.pk}"
assert editor.get(snippet).status_code == 302
group.permissions.add(Permission.objects.get(codename="view_tag"))
assert snippet in editor.get("/admin/snippets/taggit/tag/").content.decode()
assert "Lamps" in editor.see(snippet)
assert "Lamps" in editor.see(f"/admin/bulk/taggit/tag/generate_catalog_pictures/?id={tag.pk}")

image = editor.generate(choose)
assert "Review pictures (1)" in editor.get("/admin/").content.decode()
editor.see_all(image)
assert f"/admin/pages/{page.pk}/edit/" in editor.see(
    editor.address("nb_catalog_productimage_review")
)
editor.publish(image, slot="hero")

page.picture_id = LIBRARY.chooser_value(page, slot="hero")
assert page.picture_id, "the picture is in the library"
page.save_revision().publish()
library = Image.objects.get(pk=page.picture_id)
shown = steps.visitor().get(page.url).content.decode()
assert library.get_rendition("width-800").url in shown

# In the group editor, and for nobody who has no permission.
admin = User.objects.create_superuser("admin", password="pictures")
boss = steps.visitor(admin)
offered = boss.get(f"/admin/groups/edit/{group.pk}/").content.decode()
for codename in ("publish", "view_productpage", "view_productimage"):
    key = Permission.objects.get(
        codename=codename, content_type__app_label__in=["nb_catalog", "products"]
    ).pk
    assert f'value="{key}"' in offered, codename
group.permissions.remove(*steps.permissions(*steps.ORDINARY, "publish"))
assert editor.get(choose).status_code == 302
assert editor.get(editor.address("nb_catalog_productimage_review")).status_code in (302, 403)
assert "catalog-pictures" not in editor.get("/admin/").content.decode()
assert steps.visitor().get(choose, follow=True).request["PATH_INFO"] == "/admin/login/"
