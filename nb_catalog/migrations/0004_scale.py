import django.db.models.deletion
import nb_catalog.models.db.indexes
import nb_catalog.models.db.money
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contenttypes', '0002_remove_content_type_name'),
        ('nb_catalog', '0003_many_machines'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SpendLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('model', models.CharField(max_length=80, verbose_name='model')),
                ('tier', models.CharField(max_length=40, verbose_name='tier')),
                ('scene', models.CharField(max_length=60, verbose_name='scene')),
                ('user', models.CharField(max_length=64, verbose_name='user')),
                ('calls', models.PositiveIntegerField(default=0, verbose_name='calls')),
                ('spent_microusd', nb_catalog.models.db.money.MicroUSDField(default=0, verbose_name='spent')),
            ],
            options={
                'verbose_name': 'line of the daybook',
                'verbose_name_plural': 'lines of the daybook',
                'ordering': ('-day', 'model', 'tier', 'scene', 'user'),
            },
        ),
        migrations.RemoveIndex(
            model_name='imagejob',
            name='nb_job_lease',
        ),
        migrations.RemoveIndex(
            model_name='imagejob',
            name='nb_job_finished',
        ),
        migrations.AddField(
            model_name='run',
            name='counted',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name='run',
            name='counted_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        # Before the column loses its own: MySQL keeps no foreign key without an index.
        migrations.AddIndex(
            model_name='imagejob',
            index=nb_catalog.models.db.indexes.SparseIndex(fields=['batch'], name='nb_job_batch'),
        ),
        migrations.AlterField(
            model_name='imagejob',
            name='batch',
            field=models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='jobs', to='nb_catalog.providerbatch', verbose_name='batch'),
        ),
        migrations.AlterField(
            model_name='imagejob',
            name='content_type',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contenttypes.contenttype', verbose_name='model'),
        ),
        migrations.AlterField(
            model_name='imagejob',
            name='live_key',
            field=models.CharField(editable=False, max_length=64, null=True),
        ),
        migrations.AlterField(
            model_name='imagejob',
            name='run',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='jobs', to='nb_catalog.run', verbose_name='run'),
        ),
        migrations.AlterField(
            model_name='placement',
            name='content_type',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contenttypes.contenttype', verbose_name='model'),
        ),
        migrations.AlterField(
            model_name='placementevent',
            name='content_type',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contenttypes.contenttype', verbose_name='model'),
        ),
        migrations.AlterField(
            model_name='productimage',
            name='content_type',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contenttypes.contenttype', verbose_name='model'),
        ),
        migrations.AlterField(
            model_name='productimage',
            name='fingerprint',
            field=models.CharField(max_length=64, verbose_name='fingerprint'),
        ),
        migrations.AlterField(
            model_name='productimage',
            name='subject',
            field=models.CharField(editable=False, max_length=64),
        ),
        migrations.AddIndex(
            model_name='imagejob',
            index=nb_catalog.models.db.indexes.SparseIndex(fields=['not_before'], name='nb_job_due'),
        ),
        migrations.AddIndex(
            model_name='imagejob',
            index=nb_catalog.models.db.indexes.SparseIndex(fields=['finished_at'], name='nb_job_finished'),
        ),
        migrations.AddIndex(
            model_name='productimage',
            index=models.Index(fields=['kind', 'state', 'content_type', 'object_id', 'scene', 'id'], name='nb_image_review'),
        ),
        migrations.AddIndex(
            model_name='productimage',
            index=models.Index(fields=['kind', 'created_at', 'state'], name='nb_image_made'),
        ),
        migrations.AddIndex(
            model_name='productimage',
            index=models.Index(fields=['sha256'], name='nb_image_sha256'),
        ),
        migrations.AddIndex(
            model_name='productimage',
            index=models.Index(fields=['fingerprint'], name='nb_image_fingerprint'),
        ),
        migrations.AddIndex(
            model_name='productimage',
            index=models.Index(fields=['subject'], name='nb_image_subject'),
        ),
        migrations.AddIndex(
            model_name='providercall',
            index=models.Index(fields=['request_id'], name='nb_call_request'),
        ),
        migrations.AddConstraint(
            model_name='imagejob',
            constraint=models.UniqueConstraint(fields=('live_key',), name='nb_job_live_once'),
        ),
        migrations.AddConstraint(
            model_name='spendline',
            constraint=models.UniqueConstraint(fields=('day', 'model', 'tier', 'scene', 'user'), name='nb_line_once'),
        ),
    ]
