"""A partner of the shop in docs/oscar.md, who is not staff, from the list of products to its stock page."""

import django

django.setup()

from decimal import Decimal  # noqa: E402

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Permission  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from oscar.core.loading import get_model  # noqa: E402

from tests.contrib.walks import steps  # noqa: E402

Product = get_model("catalogue", "Product")
kind = get_model("catalogue", "ProductClass").objects.create(name="Lamps", track_stock=False)
partner = get_model("partner", "Partner").objects.create(name="Theirs")


def stock(title, *, partner=None):
    product = Product.objects.create(title=title, product_class=kind, upc=title)
    product.images.create(original=ContentFile(steps.photo(), name="lamp.png"))
    partner = partner or get_model("partner", "Partner").objects.create(name=title)
    product.stockrecords.create(partner=partner, partner_sku=title, price=Decimal(10))
    return product


lamp, other = stock("Reading lamp", partner=partner), stock("Not theirs")
user = get_user_model().objects.create_user("partner", "partner@shop.example", "pictures")
partner.users.add(user)
user.user_permissions.set(steps.permissions(*steps.ORDINARY, "publish"))
user.user_permissions.add(Permission.objects.get(codename="dashboard_access"))
assert not user.is_staff

editor = steps.Editor(
    user, site="nb_catalog_oscar", frame="/dashboard/catalog-pictures/", mark='id="bottom_nav_bar"'
)
choose = f"/dashboard/catalog-pictures/choose/catalogue.product/?id={lamp.pk}"
products = editor.get("/dashboard/catalogue/").content.decode()
assert choose in products and "Not theirs" not in products
assert "/dashboard/catalog-pictures/nb_catalog/productimage/review/" in products
assert editor.get(choose.replace(f"={lamp.pk}", f"={other.pk}")).status_code == 403

# Several at once: of those that are selected, the partner's.
bulk = {"action": "generate_catalog_pictures", "selected_product": [lamp.pk, other.pk]}
assert f'<option value="{bulk["action"]}">Generate pictures…</option>' in products
answer = editor.post("/dashboard/catalogue/", bulk, follow=True)
chosen = editor.framed(answer)
assert "selection=" in answer.request["QUERY_STRING"]
assert "Reading lamp" in chosen and "Not theirs" not in chosen

image = editor.generate(choose)
assert "Review pictures (1)" in editor.get("/dashboard/catalogue/").content.decode()
editor.see_all(image)
review = editor.see(editor.address("nb_catalog_productimage_review"))
assert f"/dashboard/catalogue/products/{lamp.pk}/" in review
editor.publish(image, slot="hero")
products = editor.get("/dashboard/catalogue/").content.decode()
assert "1\N{NO-BREAK SPACE}published" in products and 'width="56"' in products

shown = lamp.images.order_by("display_order").first()
assert shown.original.name != lamp.images.order_by("pk").first().original.name
page = steps.visitor().get(lamp.get_absolute_url()).content.decode()
assert shown.caption in page and page.count("<img") >= 2

# A page of any length takes the same queries for the column.
boss = steps.visitor(
    get_user_model().objects.create_superuser("boss", "boss@shop.example", "pictures")
)


def queries():
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert boss.get("/dashboard/catalogue/").status_code == 200
    return sum("nb_catalog" in each["sql"] for each in captured)


before = queries()
for number in range(3):
    stock(f"Lamp {number}")
assert queries() == before > 0

user.user_permissions.remove(*steps.permissions(*steps.ORDINARY, "publish"))
assert editor.get(choose).status_code == 403
assert editor.get(editor.address("nb_catalog_productimage_review")).status_code == 403
assert "catalog-pictures" not in editor.get("/dashboard/catalogue/").content.decode()
assert bulk["action"] not in editor.get("/dashboard/catalogue/").content.decode()
assert (
    "selection="
    not in editor.post("/dashboard/catalogue/", bulk, follow=True).request["QUERY_STRING"]
)
assert steps.visitor().get(choose, follow=True).request["PATH_INFO"] == "/dashboard/login/"
