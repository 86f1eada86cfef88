"""Comments on pictures, below ``images/``."""

from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import review
from nb_catalog.api import idempotency
from nb_catalog.api.operations import Operation
from nb_catalog.core.permissions import Action
from nb_catalog.review.comments import LONGEST


class CommentSerializer(serializers.Serializer):
    """What a person wrote about a picture."""

    text = serializers.CharField(max_length=LONGEST)
    author = serializers.CharField(source="author.get_username", default=None, read_only=True)
    at = serializers.DateTimeField(read_only=True)


class CommentsSerializer(serializers.Serializer):
    """The comments on a picture, the oldest first."""

    results = CommentSerializer(many=True)


class CommentActions:
    """Actions of the view set of pictures."""

    @action(detail=True, url_path="comments")
    def comments(self, request, *args, **kwargs):
        """Return the comments on a picture, the oldest first."""
        rows = self.get_object().comments.select_related("author")
        return Response({"results": CommentSerializer(rows, many=True).data})

    @comments.mapping.post
    def comment(self, request, *args, **kwargs):
        """Write a comment. It can be neither changed nor deleted."""
        image, body = self.get_object(), self.validated_body()

        def write():
            written = review.comment(image, body["text"], actor=request.user)
            return Response(CommentSerializer(written).data, status=status.HTTP_201_CREATED)

        return idempotency.once(self, body, write)


COMMENT_PERMISSIONS = {"comments": Action.VIEW_IMAGES, "comment": Action.COMMENT}
COMMENT_OPERATIONS = {
    "comments": Operation(returns=CommentsSerializer),
    "comment": Operation(returns=CommentSerializer, status=status.HTTP_201_CREATED, once=True),
}
COMMENT_SERIALIZERS = {"comments": CommentSerializer, "comment": CommentSerializer}
