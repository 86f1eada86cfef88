"""The daybook's lines of calls that were settled before there was one."""

from collections import Counter
from datetime import UTC

from django.db import migrations

BLOCK = 1_000


def name_tier_and_scene(apps, schema_editor):
    """Calls of the first versions did not say them; their jobs do."""
    calls = apps.get_model("nb_catalog", "ProviderCall").objects
    last = 0
    while block := list(
        calls.filter(tier="", pk__gt=last).select_related("job").order_by("pk")[:BLOCK]
    ):
        last = block[-1].pk
        for call in block:
            call.tier, call.scene = call.job.tier, str(call.job.recipe.get("scene", ""))[:60]
        calls.bulk_update(block, ["tier", "scene"])


def enter(apps, schema_editor):
    calls, spent = Counter(), Counter()
    rows = apps.get_model("nb_catalog", "ProviderCall").objects.exclude(cost_microusd=None)
    columns = ("started_at", "model", "tier", "scene", "job__run__actor", "cost_microusd")
    for started_at, model, tier, scene, user, cost in rows.values_list(*columns).iterator(BLOCK):
        day = started_at.astimezone(UTC).date()
        heading = (day, model, tier, scene, "" if user is None else str(user))
        calls[heading] += 1
        spent[heading] += cost
    line = apps.get_model("nb_catalog", "SpendLine")
    line.objects.bulk_create(
        (
            line(
                day=heading[0],
                model=heading[1],
                tier=heading[2],
                scene=heading[3],
                user=heading[4],
                calls=calls[heading],
                spent_microusd=spent[heading],
            )
            for heading in calls
        ),
        batch_size=BLOCK,
    )


class Migration(migrations.Migration):
    dependencies = [("nb_catalog", "0004_scale")]

    operations = [
        migrations.RunPython(name_tier_and_scene, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(enter, migrations.RunPython.noop, elidable=True),
    ]
