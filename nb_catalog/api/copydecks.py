"""``layouts/`` and ``decks/``: text placement on pictures, and the texts."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from nb_catalog import copydecks
from nb_catalog.api import idempotency
from nb_catalog.api.designs import (
    DeckEditSerializer,
    DeckWriteSerializer,
    DesignWrites,
    LayoutEditSerializer,
    LayoutWriteSerializer,
    design_operations,
)
from nb_catalog.api.drawings import (
    LayoutPictures,
    LayoutPreviewSerializer,
    LocaleQuery,
    ThumbnailField,
)
from nb_catalog.api.operations import Operation
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.copydecks import changes, csv_format, files, vocabulary, xliff_format, xlsx_format
from nb_catalog.copydecks.files import MAX_BYTES
from nb_catalog.copydecks.types import DeckTexts
from nb_catalog.copydecks.vocabulary import deck_locales
from nb_catalog.core.permissions import Action
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import DeckRefused, InvalidSettings, RequestRefused
from nb_catalog.generation import text_requests
from nb_catalog.models import CopyDeck, TextLayout
from nb_catalog.models.copy_decks import LONGEST_TEXT
from nb_catalog.publishing.staleness import mark_stale_of

MOST_TEXTS = 5000
FILES = {
    "csv": csv_format.MIME_TYPE,
    "xlsx": xlsx_format.MIME_TYPE,
    "xliff": xliff_format.MIME_TYPE,
}


class LayoutSerializer(serializers.ModelSerializer):
    roles = serializers.SerializerMethodField()
    thumbnail = ThumbnailField("layout", key="key")

    class Meta:
        model = TextLayout
        fields = ("key", "name", "version", "position", "is_active", "roles", "thumbnail")

    def get_roles(self, row) -> list[str]:
        try:
            return list(row.layout.roles)
        except ValueError:
            return []  # saved without form validation; the admin reports the error


class LayoutDetailSerializer(LayoutSerializer):
    class Meta(LayoutSerializer.Meta):
        fields = (*LayoutSerializer.Meta.fields, "content")


class LayoutChangedSerializer(LayoutDetailSerializer):
    """The layout, and how many published pictures are out of date now: null if there are too many to find out
    in one request."""

    stale = serializers.IntegerField(allow_null=True, read_only=True)

    class Meta(LayoutDetailSerializer.Meta):
        fields = (*LayoutDetailSerializer.Meta.fields, "stale")


class LayoutViewSet(DesignWrites, LayoutPictures, CatalogReadViewSet):
    """Active layouts."""

    file_addresses = frozenset({"thumbnail"})
    action_permissions = {
        "create": Action.CREATE_LAYOUTS,
        "partial_update": Action.CHANGE_LAYOUTS,
        "destroy": Action.DELETE_LAYOUTS,
        **LayoutPictures.picture_permissions,
    }
    operations = {
        **design_operations(LayoutDetailSerializer),
        "partial_update": Operation(returns=LayoutChangedSerializer),
        **LayoutPictures.picture_operations,
    }
    query_classes = {"thumbnail": LocaleQuery}
    read_permission = Action.VIEW_LAYOUTS
    lookup_field = "key"
    lookup_value_converter = "slug"
    orderings = {
        "position": ("position", "name"),
        "name": ("name",),
        "key": ("key",),
        "created_at": (),
    }
    created_field = "created_at"
    serializer_class = LayoutSerializer
    serializer_classes = {
        "retrieve": LayoutDetailSerializer,
        "create": LayoutWriteSerializer,
        "partial_update": LayoutEditSerializer,
        "preview": LayoutPreviewSerializer,
    }

    def represent_changed(self, row, *, before):
        """Published pictures that are out of date with another version are marked."""
        stale = mark_stale_of(row) if row.version != before else 0
        return {**self.represent(row), "stale": stale}

    def get_queryset(self):
        rows = TextLayout.objects.all()
        return rows.filter(is_active=True) if self.action == "list" else rows


class DeckSerializer(serializers.ModelSerializer):
    class Meta:
        model = CopyDeck
        fields = ("key", "name", "version", "position", "is_active", "locale")


class DeckDetailSerializer(DeckSerializer):
    """``texts`` and ``proposals`` are locale -> role -> text."""

    texts = serializers.DictField(
        source="texts_by_locale",
        child=serializers.DictField(child=serializers.CharField()),
        read_only=True,
    )
    proposals = serializers.SerializerMethodField()

    class Meta(DeckSerializer.Meta):
        fields = (*DeckSerializer.Meta.fields, "texts", "proposals")

    def get_proposals(self, deck) -> dict[str, dict[str, str]]:
        proposals = {}
        # A proposal may be beside a text that it would replace.
        for text in deck.texts.exclude(proposed_by=""):
            proposals.setdefault(text.locale, {})[text.role] = text.text
        return proposals


class TextChangeSerializer(serializers.Serializer):
    """A text that changed, or would change."""

    locale = serializers.CharField()
    role = serializers.CharField()
    change = serializers.CharField()
    old = serializers.CharField(allow_blank=True)
    new = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)


class DeckImportSerializer(DeckDetailSerializer):
    """The deck, and what became of each text. ``stale`` is the number of published pictures that are out of
    date now; null if there are too many to find out in one request, or nothing was written."""

    changed = serializers.IntegerField()
    dry_run = serializers.BooleanField()
    counts = serializers.DictField(child=serializers.IntegerField())
    unchanged = serializers.IntegerField()
    warnings = serializers.ListField(child=serializers.CharField())
    stale = serializers.IntegerField(allow_null=True)
    changes = TextChangeSerializer(many=True)

    class Meta(DeckDetailSerializer.Meta):
        fields = (
            *DeckDetailSerializer.Meta.fields, "changed", "dry_run", "counts", "unchanged", "warnings",
            "stale", "changes",
        )  # fmt: skip

    def get_fields(self):
        number = serializers.IntegerField(allow_null=True, help_text="What `undo` takes.")
        return super().get_fields() | {"import": number}


class DeckAcceptedSerializer(DeckDetailSerializer):
    """The deck, and how many proposals were accepted; ``stale`` as in ``DeckImport``."""

    changed = serializers.IntegerField()
    stale = serializers.IntegerField(allow_null=True)

    class Meta(DeckDetailSerializer.Meta):
        fields = (*DeckDetailSerializer.Meta.fields, "changed", "stale")


class DeckTextsSerializer(serializers.Serializer):
    """An empty text deletes the stored one; texts that are not sent do not change.

    With ``dry_run`` nothing is written.
    """

    dry_run = serializers.BooleanField(
        default=False, help_text=_("Return what would change, and write nothing.")
    )

    texts = serializers.DictField(
        child=serializers.DictField(
            child=serializers.CharField(allow_blank=True, max_length=LONGEST_TEXT)
        ),
        help_text=_("Texts by locale and role."),
    )

    def validate_texts(self, texts):
        cells = {
            (locale, role): text for locale, roles in texts.items() for role, text in roles.items()
        }
        if len(cells) > MOST_TEXTS:
            raise serializers.ValidationError(_("At most %d texts in one request.") % MOST_TEXTS)
        return cells


class DeckFileSerializer(serializers.Serializer):
    """A CSV, XLSX or XLIFF file, as ``multipart/form-data``. With ``dry_run`` nothing is written."""

    file = serializers.FileField()
    dry_run = serializers.BooleanField(
        default=False, help_text=_("Return what would change, and write nothing.")
    )


class UndoSerializer(serializers.Serializer):
    """``import`` is the number in the response to the request that wrote the texts."""

    def get_fields(self):
        return {"import": serializers.IntegerField(min_value=1)}


class AcceptedSerializer(serializers.Serializer):
    """Proposals to accept, as locale -> roles."""

    roles = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField(max_length=60), max_length=100)
    )


# Without their character sets.
FILE_TYPES = tuple(each.partition(";")[0] for each in FILES.values())


class DeckDownloadSerializer(serializers.Serializer):
    """Query string ``?type=csv``, ``?type=xlsx`` or ``?type=xliff&locale=de``."""

    type = serializers.ChoiceField(choices=[(each, each) for each in FILES])
    locale = serializers.CharField(max_length=20, required=False)


class ProposeTextsSerializer(serializers.Serializer):
    locales = serializers.ListField(
        child=serializers.CharField(max_length=20), allow_empty=False, max_length=100
    )


class ProposedTextsSerializer(serializers.Serializer):
    """The run that translates; null if no text is missing."""

    run = serializers.IntegerField(allow_null=True)


class DeckViewSet(DesignWrites, CatalogReadViewSet):
    """Copy decks. POST to ``texts/`` or ``file/`` to write texts, to ``undo/`` to take that back, to
    ``accept/`` to accept proposals."""

    read_permission = Action.VIEW_DECKS
    action_permissions = {
        "create": Action.CREATE_DECKS,
        "destroy": Action.DELETE_DECKS,
        **dict.fromkeys(
            ("partial_update", "texts", "file", "undo", "accept", "discard"), Action.WRITE_TEXTS
        ),
        "download": Action.VIEW_DECKS,
        "propose": Action.PROPOSE_TEXTS,
    }
    lookup_field = "key"
    lookup_value_converter = "slug"
    operations = {
        **dict.fromkeys(
            ("texts", "file", "undo"),
            Operation(returns=DeckImportSerializer, refuses=(DeckRefused, RequestRefused)),
        ),
        "accept": Operation(returns=DeckAcceptedSerializer, refuses=(DeckRefused, RequestRefused)),
        "discard": Operation(returns=DeckAcceptedSerializer),
        "download": Operation(media_types=FILE_TYPES, refuses=(DeckRefused,)),
        "propose": Operation(
            returns=ProposedTextsSerializer,
            refuses=(RequestRefused,),
            once=True,
        ),
        **design_operations(DeckDetailSerializer),
    }
    query_classes = {"download": DeckDownloadSerializer}
    orderings = {
        "position": ("position", "name"),
        "name": ("name",),
        "key": ("key",),
        "created_at": (),
    }
    created_field = "created_at"
    serializer_class = DeckSerializer
    serializer_classes = {
        "retrieve": DeckDetailSerializer,
        "texts": DeckTextsSerializer,
        "file": DeckFileSerializer,
        "undo": UndoSerializer,
        **dict.fromkeys(("accept", "discard"), AcceptedSerializer),
        "create": DeckWriteSerializer,
        "partial_update": DeckEditSerializer,
        "propose": ProposeTextsSerializer,
    }

    def get_queryset(self):
        rows = CopyDeck.objects.all()
        return rows.filter(is_active=True) if self.action == "list" else rows

    @action(detail=True, methods=["post"])
    def texts(self, request, *args, **kwargs):
        """Write texts. The response lists each change and warnings; ``import`` can be undone.

        With ``dry_run`` it is the same, and nothing is written.
        """
        deck, body = self.get_object(), self.validated_body()
        named = vocabulary.cells_of(deck, body["texts"])
        typed = DeckTexts(texts=named, empties_discard=True)
        return self._import(deck, typed, origin="API", dry_run=body["dry_run"])

    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser])
    def file(self, request, *args, **kwargs):
        """Import a CSV, XLSX or XLIFF file, as ``texts`` does."""
        deck, body = self.get_object(), self.validated_body()
        incoming = copydecks.read_file(deck, body["file"].read(MAX_BYTES + 1))
        return self._import(deck, incoming, origin=body["file"].name, dry_run=body["dry_run"])

    @file.mapping.get
    def download(self, request, *args, **kwargs):
        """Return the texts as a CSV or XLSX file, or those of one language as XLIFF for translators."""
        deck, query = self.get_object(), self.query.validated_data
        kind, locale = query["type"], query.get("locale")
        if kind != "xliff":
            data = (files.csv_of if kind == "csv" else files.xlsx_of)(deck)
        elif locale in deck_locales(deck) and locale != deck.locale:
            data = files.xliff_of(deck, locale, root_url=request.build_absolute_uri("/"))
        else:
            targets = ", ".join(code for code in deck_locales(deck) if code != deck.locale)
            message = _("Name languages to translate into: %(locales)s.")
            raise serializers.ValidationError({"locale": [message % {"locales": targets}]})
        return HttpResponse(data, content_type=FILES[kind])

    @action(detail=True, methods=["post"])
    def propose(self, request, *args, **kwargs):
        """Have missing texts translated by the ``TRANSLATION_PROVIDER``; they arrive as proposals."""
        deck, body = self.get_object(), self.validated_body()
        targets = [code for code in deck_locales(deck) if code != deck.locale]
        if unknown := sorted({*body["locales"]}.difference(targets)):
            message = _("Name languages to translate into: %(locales)s.")
            message %= {"locales": ", ".join(targets)}
            raise serializers.ValidationError(
                {"locales": [f"{message}{nearest(unknown[0], targets)}"]}
            )

        def request_texts():
            try:
                run = text_requests.request_translations(deck, body["locales"], actor=request.user)
            except InvalidSettings as error:
                raise RequestRefused(str(error)) from error
            return Response({"run": run and run.pk})

        return idempotency.once(self, body, request_texts)

    @action(detail=True, methods=["post"])
    def undo(self, request, *args, **kwargs):
        """Give the texts of one import back what they were. 422 if one has been changed since."""
        deck = self.get_object()
        record = get_object_or_404(deck.imports, pk=self.validated_body()["import"])
        done = copydecks.undo_import(record, actor=request.user)
        deck.refresh_from_db()
        return self._import_response(deck, done, record=record, dry_run=False)

    def _import(self, deck, incoming, *, origin, dry_run):
        if dry_run:
            plan = changes.with_warnings(deck, copydecks.plan_changes(deck, incoming))
            return self._import_response(deck, plan, record=None, dry_run=True)
        plan, record = copydecks.import_texts(
            deck, incoming, origin=origin, actor=self.request.user
        )
        return self._import_response(deck, plan, record=record, dry_run=False)

    def _import_response(self, deck, plan, *, record, dry_run):
        """``stale`` is the number of published pictures that are out of date now; null if there are too
        many to find out in one request, or nothing was written."""
        wrote = plan.changes_texts and not dry_run
        return self._deck_response(
            deck,
            changed=len(plan.changes),
            dry_run=dry_run,
            **{"import": record.pk if record else None},
            counts=plan.counts,
            unchanged=plan.unchanged,
            warnings=plan.all_warnings,
            stale=mark_stale_of(deck) if wrote else None,
            changes=[
                {
                    "locale": each.locale, "role": each.role, "change": str(each.kind),
                    "old": each.old, "new": each.new, "note": each.after.note,
                }
                for each in plan.changes
            ],
        )  # fmt: skip

    @action(detail=True, methods=["post"])
    def accept(self, request, *args, **kwargs):
        """Accept proposals; ``changed`` is the number accepted, ``stale`` as for ``texts``."""
        deck = self.get_object()
        accepted = self.validated_body()["roles"].items()
        cells = {(locale, role) for locale, roles in accepted for role in roles}
        changed = copydecks.accept_proposals(deck, cells, actor=request.user)
        stale = mark_stale_of(deck) if changed else None
        return self._deck_response(deck, changed=changed, stale=stale)

    @action(detail=True, methods=["post"])
    def discard(self, request, *args, **kwargs):
        """Discard proposals; ``changed`` is the number of them."""
        deck, body = self.get_object(), self.validated_body()
        cells = {(locale, role) for locale, roles in body["roles"].items() for role in roles}
        changed = copydecks.discard_proposals(deck, cells, actor=request.user)
        return self._deck_response(deck, changed=changed, stale=None)

    def _deck_response(self, deck, **more):
        return Response({**DeckDetailSerializer(deck).data, **more})
