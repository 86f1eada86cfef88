"""The operations of the local Gemini: pictures, interactions, models, files and batches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from nb_catalog.providers.model_specs import all_specs
from nb_catalog.testing.gemini import shapes, validation
from nb_catalog.testing.gemini.answers import picture_json
from nb_catalog.testing.gemini.drawing import PictureRequest
from nb_catalog.testing.gemini.files import handle_upload, not_found
from nb_catalog.testing.gemini.interactions import interaction_json
from nb_catalog.testing.gemini.requests import Call, CallResult, error_result

if TYPE_CHECKING:
    from nb_catalog.testing.gemini.service import Service


async def generate_content(service: Service, call: Call) -> CallResult:
    request = call.picture_request
    usage = request.usage()
    content = picture_json(
        service.drawer.picture(request),
        mime_type=service.drawer.mime_type,
        model=call.model,
        usage=usage,
        response_id=f"response-{call.number}",
    )
    return CallResult(content=content, usage=usage)


async def count_tokens(service: Service, call: Call) -> CallResult:
    body, _misfits = shapes.read(call.body, shapes.COUNT)
    request = PictureRequest(body.get("generateContentRequest", body), model=call.model)
    tokens = request.usage()["promptTokenCount"]
    return CallResult(content={"totalTokens": tokens})


async def create_interaction(service: Service, call: Call) -> CallResult:
    request, usage = call.picture_request, dict(call.picture_request.usage())
    if previous := call.body.get("previous_interaction_id"):
        stored = service.interactions.find(previous, key=key_of(call))
        if stored is None:
            return error_result(404, "NOT_FOUND", "Interaction not found.")
        # The whole conversation is input again.
        for name in ("promptTokenCount", "totalTokenCount"):
            usage[name] += stored.tokens
    interaction = interaction_json(
        f"interaction-{call.number}",
        usage,
        model=request.model,
        picture=service.drawer.picture(request),
        mime_type=service.drawer.mime_type,
    )
    if call.body.get("store") is not False:
        service.interactions.add(interaction, key=key_of(call), tokens=usage["totalTokenCount"])
    return CallResult(content=interaction, usage=usage)


async def get_interaction(service: Service, call: Call) -> CallResult:
    stored = service.interactions.find(call.path_values["id"], key=key_of(call))
    if stored is None:
        return error_result(404, "NOT_FOUND", "Interaction not found.")
    return CallResult(content=dict(stored.content))


def key_of(call: Call) -> str:
    """Return the key or the token that a call was made with."""
    headers = call.request.headers
    return headers.get("x-goog-api-key", "") or headers.get("Authorization", "")


async def get_model(service: Service, call: Call) -> CallResult:
    if error := validation.model_error(call.model):
        return CallResult(status=404, content=error)
    return CallResult(content=model_json(call.model))


async def list_models(service: Service, call: Call) -> CallResult:
    models = [each for each in all_specs() if validation.model_error(each) is None]
    return CallResult(content={"models": [model_json(each) for each in models]})


def model_json(model: str) -> dict[str, Any]:
    """Return Google's description of a model."""
    return {
        "name": f"models/{model}",
        "displayName": all_specs()[model].name,
        "supportedGenerationMethods": ["generateContent", "batchGenerateContent"],
    }


async def upload_file(service: Service, call: Call) -> CallResult:
    return await handle_upload(call.request, files=service.files, root=service.root())


async def list_files(service: Service, call: Call) -> CallResult:
    files = [file.as_json(url=service.root()) for file in service.files.all()]
    return CallResult(content={"files": files})


async def use_file(service: Service, call: Call) -> CallResult:
    """Get, delete or download a file."""
    name = call.path_values["name"]
    file = service.files.get(name)
    if file is None:
        return not_found(name)
    if call.operation == "files.delete":
        service.files.remove(name)
        return CallResult(content={})
    if call.operation == "files.get":
        return CallResult(content=file.as_json(url=service.root()))
    if file.stream is None:
        return error_result(400, "INVALID_ARGUMENT", "Only generated files can be downloaded.")
    return CallResult(stream=file.stream)


async def create_batch(service: Service, call: Call) -> CallResult:
    body, _misfits = shapes.read(call.body, shapes.BATCH)
    if error := service.batches.objection(body, model=call.model):
        return CallResult(status=error["error"]["code"], content=error)
    batch = service.batches.create(body, model=call.model)
    return CallResult(content=service.batches.as_json(batch), display_name=batch.display_name)


async def list_batches(service: Service, call: Call) -> CallResult:
    query = call.request.query
    size, start = query.get("pageSize", "50"), query.get("pageToken", "") or "0"
    if not (size.isdecimal() and start.isdecimal()):
        return error_result(
            400, "INVALID_ARGUMENT", "Invalid value at 'page_size' or 'page_token'."
        )
    page, token = await service.batches.list_page(size=int(size), start=int(start))
    content: dict[str, Any] = {"operations": [service.batches.as_json(each) for each in page]}
    return CallResult(content={**content, **({"nextPageToken": token} if token else {})})


async def use_batch(service: Service, call: Call) -> CallResult:
    """Get, cancel or delete a batch."""
    batch = await service.batches.get(call.path_values["name"])
    if batch is None:
        return error_result(404, "NOT_FOUND", "Requested entity was not found.")
    if call.operation == "batches.cancel":
        service.batches.cancel(batch)
        return CallResult(content={}, display_name=batch.display_name)
    if call.operation == "batches.delete":
        batch.deleted = True
        return CallResult(content={}, display_name=batch.display_name)
    return CallResult(content=service.batches.as_json(batch), display_name=batch.display_name)


OPERATIONS: Final[Mapping[str, Callable[[Service, Call], Awaitable[CallResult]]]] = {
    "generateContent": generate_content,
    "streamGenerateContent": generate_content,
    "countTokens": count_tokens,
    "interactions.create": create_interaction,
    "interactions.get": get_interaction,
    "models.get": get_model,
    "models.list": list_models,
    "files.upload": upload_file,
    "files.list": list_files,
    "files.get": use_file,
    "files.delete": use_file,
    "files.download": use_file,
    "batches.create": create_batch,
    "batches.list": list_batches,
    "batches.get": use_batch,
    "batches.cancel": use_batch,
    "batches.delete": use_batch,
}
