"""``layouts/`` and ``decks/``: text placement on pictures, and the texts."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import copydecks
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.models import CopyDeck, TextLayout
from nb_catalog.models.copy_decks import LONGEST_TEXT

MOST_TEXTS = 5000


class LayoutSerializer(serializers.ModelSerializer):
    roles = serializers.SerializerMethodField()

    class Meta:
        model = TextLayout
        fields = ("key", "name", "version", "position", "is_active", "roles")

    def get_roles(self, row) -> list[str]:
        try:
            return list(row.layout.roles)
        except ValueError:
            return []  # saved without form validation; the admin reports the error


class LayoutDetailSerializer(LayoutSerializer):
    class Meta(LayoutSerializer.Meta):
        fields = (*LayoutSerializer.Meta.fields, "content")


class LayoutViewSet(CatalogReadViewSet):
    """Active layouts."""

    read_permission = "nb_catalog.view_textlayout"
    lookup_field = "key"
    lookup_value_converter = "slug"
    serializer_class = LayoutSerializer
    serializer_classes = {"retrieve": LayoutDetailSerializer}

    def get_queryset(self):
        rows = TextLayout.objects.all()
        return rows.filter(is_active=True) if self.action == "list" else rows


class DeckSerializer(serializers.ModelSerializer):
    class Meta:
        model = CopyDeck
        fields = ("key", "name", "version", "position", "is_active", "locale")


class DeckDetailSerializer(DeckSerializer):
    """``texts`` and ``proposals`` are locale -> role -> text."""

    texts = serializers.DictField(source="texts_by_locale")
    proposals = serializers.SerializerMethodField()

    class Meta(DeckSerializer.Meta):
        fields = (*DeckSerializer.Meta.fields, "texts", "proposals")

    def get_proposals(self, deck) -> dict[str, dict[str, str]]:
        proposals = {}
        for text in deck.texts.exclude(proposed_by=""):
            proposals.setdefault(text.locale, {})[text.role] = text.text
        return proposals


class DeckTextsSerializer(serializers.Serializer):
    """An empty text deletes the stored one; texts that are not sent do not change."""

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


class AcceptedSerializer(serializers.Serializer):
    """Proposals to accept, as locale -> roles."""

    roles = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField(max_length=60), max_length=100)
    )


class DeckViewSet(CatalogReadViewSet):
    """Copy decks. POST to ``texts/`` to write texts, to ``accept/`` to accept proposals."""

    read_permission = "nb_catalog.view_copydeck"
    action_permissions = dict.fromkeys(("texts", "accept"), "nb_catalog.change_copydeck")
    lookup_field = "key"
    lookup_value_converter = "slug"
    serializer_class = DeckSerializer
    serializer_classes = {
        "retrieve": DeckDetailSerializer,
        "texts": DeckTextsSerializer,
        "accept": AcceptedSerializer,
    }

    def get_queryset(self):
        rows = CopyDeck.objects.all()
        return rows.filter(is_active=True) if self.action == "list" else rows

    @action(detail=True, methods=["post"])
    def texts(self, request, *args, **kwargs):
        """Write texts; ``changed`` is the number of changed texts."""
        deck = self.get_object()
        changed = copydecks.save_texts(deck, self.validated_body()["texts"], actor=request.user)
        return self._deck_response(deck, changed=changed)

    @action(detail=True, methods=["post"])
    def accept(self, request, *args, **kwargs):
        """Accept proposals; ``changed`` is the number accepted."""
        deck = self.get_object()
        accepted = self.validated_body()["roles"].items()
        cells = {(locale, role) for locale, roles in accepted for role in roles}
        changed = copydecks.accept_proposals(deck, cells, actor=request.user)
        return self._deck_response(deck, changed=changed)

    def _deck_response(self, deck, *, changed):
        return Response({**DeckDetailSerializer(deck).data, "changed": changed})
