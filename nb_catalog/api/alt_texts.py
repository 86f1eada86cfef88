"""Alternative texts of pictures, below ``images/``."""

from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import publishing
from nb_catalog.api import idempotency
from nb_catalog.api.fields import UsdField
from nb_catalog.api.operations import RUN, Operation
from nb_catalog.api.results import AltResultSerializer, MaybeStartedRunSerializer
from nb_catalog.core.permissions import Action
from nb_catalog.core.types import JobKind
from nb_catalog.exceptions import InvalidSettings, RequestRefused
from nb_catalog.generation import text_requests
from nb_catalog.models.alt_text import LONGEST_ALT
from nb_catalog.publishing import alt_text


class AltSerializer(serializers.Serializer):
    """Alternative texts by locale; an empty text deletes the stored one."""

    texts = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=LONGEST_ALT)
    )


class AltProposalSerializer(serializers.Serializer):
    """What a model proposes; it is used nowhere until it is written with ``alt/``."""

    text = serializers.CharField()
    proposed_by = serializers.CharField()
    proposed_at = serializers.DateTimeField()


class AltTextSerializer(serializers.Serializer):
    """The text in one language: the one that a person wrote, otherwise the shop uses ``default``."""

    locale = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    default = serializers.CharField(allow_blank=True)
    suggestion = serializers.CharField(allow_blank=True)
    proposal = AltProposalSerializer(allow_null=True)


class AltTextOfferSerializer(serializers.Serializer):
    """Who would propose the missing texts, and what that costs at most."""

    provider = serializers.CharField(source="name")
    locales = serializers.ListField(child=serializers.CharField())
    price_usd = UsdField(source="usd")


class AltTextsSerializer(serializers.Serializer):
    """The alternative texts of a picture. Proposals in languages ``underway`` have been requested; without
    an ``offer``, none can be."""

    texts = AltTextSerializer(many=True)
    underway = serializers.ListField(child=serializers.CharField())
    offer = AltTextOfferSerializer(allow_null=True)


class ProposeAltSerializer(serializers.Serializer):
    """Languages; without them, all that the picture can be shown in."""

    locales = serializers.ListField(
        child=serializers.CharField(max_length=20),
        required=False,
        allow_empty=False,
        max_length=alt_text.MAX_LOCALES,
    )


class DiscardAltSerializer(serializers.Serializer):
    locales = serializers.ListField(
        child=serializers.CharField(max_length=20), allow_empty=False, max_length=100
    )


class AltTextActions:
    """Actions of the view set of pictures."""

    @action(detail=True, methods=["post"])
    def alt(self, request, *args, **kwargs):
        """Write alternative texts; the response contains all of them. Writing a proposal accepts it."""
        image = self.get_object()
        changed = publishing.set_alt_texts(
            image, self.validated_body()["texts"], actor=request.user
        )
        return self._written(image, changed=changed)

    @alt.mapping.get
    def alt_texts(self, request, *args, **kwargs):
        """Return the alternative texts, what is proposed, and what further proposals cost."""
        image = self.get_object()
        progress = text_requests.progress_of(image, kind=JobKind.ALT_TEXT)
        shown = {
            "texts": alt_text.texts_of(image),
            "underway": sorted(progress.underway),
            "offer": alt_text.offer(image) if self.user_may(Action.PROPOSE_ALTS) else None,
        }
        return Response(AltTextsSerializer(shown).data)

    @action(detail=True, methods=["post"], url_path="alt/propose")
    def propose_alt(self, request, *args, **kwargs):
        """Have the ``ALT_TEXT_PROVIDER`` describe a picture, which may cost money. The texts arrive as
        proposals once ``run`` is done; it is null if no text is missing."""
        image, body = self.get_object(), self.validated_body()

        def start():
            codes = body.get("locales") or alt_text.locales_for(image)
            try:
                run = publishing.request_alt_texts(image, codes, actor=request.user)
            except InvalidSettings as error:
                raise RequestRefused(str(error)) from error
            if run is None:
                return Response({"run": None})
            return Response({"run": run.pk}, status=status.HTTP_202_ACCEPTED)

        return idempotency.once(self, body, start)

    @action(detail=True, methods=["post"], url_path="alt/discard")
    def discard_alt(self, request, *args, **kwargs):
        """Discard proposals; ``changed`` is the number of them."""
        image = self.get_object()
        changed = publishing.discard_alt_texts(image, self.validated_body()["locales"])
        return self._written(image, changed=changed)

    def _written(self, image, *, changed):
        return Response({"alt": dict(image.alts.values_list("locale", "text")), "changed": changed})


ALT_SERIALIZERS = {
    "alt": AltSerializer,
    "alt_texts": AltTextsSerializer,
    "propose_alt": ProposeAltSerializer,
    "discard_alt": DiscardAltSerializer,
}
ALT_OPERATIONS = {
    "alt": Operation(returns=AltResultSerializer, refuses=(RequestRefused,)),
    "alt_texts": Operation(returns=AltTextsSerializer),
    "propose_alt": Operation(
        returns=MaybeStartedRunSerializer,
        status=status.HTTP_202_ACCEPTED,
        also={status.HTTP_200_OK: MaybeStartedRunSerializer},
        refuses=(RequestRefused,),
        once=True,
        location=RUN,
    ),
    "discard_alt": Operation(returns=AltResultSerializer),
}
ALT_PERMISSIONS = {
    **dict.fromkeys(("alt", "discard_alt"), Action.REVIEW),
    "alt_texts": Action.VIEW_IMAGES,
    "propose_alt": Action.PROPOSE_ALTS,
}
