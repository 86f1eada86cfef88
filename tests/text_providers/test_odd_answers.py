"""Odd text, odd places and faults of the account, for everything that asks a text model."""

import json
from dataclasses import replace

import pytest

from nb_catalog import generation, publishing, review
from nb_catalog.models import ImageJob, ProviderCall, ProviderPause
from nb_catalog.testing.gemini import Answer, fault
from nb_catalog.typesetting.ocr_diff import OcrComparison
from tests import factories
from tests.text_providers.conftest import KEY, OPTIONS, carried_out

pytestmark = pytest.mark.django_db(transaction=True)

PLACE = "nb_catalog.providers.gemini"
# What the model writes: half a surrogate pair, NUL, an escape, and the key that it was sent with.
ODD = f"Gr\ud800\xfcn \0\x1b{KEY}"
CLEAN = "Gr\ufffd\xfcn [key]"


@pytest.fixture(autouse=True)
def shop(settings, providers):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "LOCALES": ["en", "de"],
        "PROVIDERS": providers,
        "TRANSLATION_PROVIDER": {
            "BACKEND": f"{PLACE}.translation.GeminiTranslation",
            "OPTIONS": OPTIONS,
        },
        "ALT_TEXT_PROVIDER": {"BACKEND": f"{PLACE}.alt_text.GeminiAltText", "OPTIONS": OPTIONS},
        "OCR_PROVIDER": {"BACKEND": f"{PLACE}.ocr.GeminiOcr", "OPTIONS": OPTIONS},
    }


def translated():
    deck = factories.deck(en={"headline": "Green"})
    carried_out(generation.request_translations(deck, ["de"], actor=None))
    return "".join(deck.texts.filter(locale="de").values_list("text", flat=True))


def described():
    image = factories.image(factories.product())
    carried_out(publishing.request_alt_texts(image, ["de"], actor=None))
    return "".join(image.alt_proposals.values_list("text", flat=True))


def read():
    mug = factories.product()
    spec = replace(factories.spec(mug), base="aa11", locale="de", renderer={"texts": {"h": "Grün"}})
    image = factories.image(mug, asked=spec, locale="de", checks={"ocr": OcrComparison().as_dict()})
    carried_out(review.request_reading(image, actor=None))
    image.refresh_from_db()
    return json.dumps(image.checks.get("ocr_by_model", ""), ensure_ascii=False)


ASKED = {
    "translation": (translated, lambda text: {"headline": text}),
    "alternative text": (described, lambda text: {"de": text}),
    "reading": (read, lambda text: {"lines": text.split(), "printed": []}),
}


def body_of(parts, **more):
    candidate = {"content": {"parts": parts}, "finishReason": "STOP"}
    usage = {"promptTokenCount": 300, "candidatesTokenCount": 40, "totalTokenCount": 340}
    return {"candidates": [candidate], "usageMetadata": usage, **more}


@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "as bytes"])
@pytest.mark.parametrize("kind", ASKED)
def test_odd_text_is_repaired_and_not_lost(server, kind, escaped):
    ask, shape = ASKED[kind]
    texts = json.dumps(shape(ODD), ensure_ascii=escaped)
    body = json.dumps(body_of([{"text": texts}], responseId=ODD), ensure_ascii=escaped)
    server.script(Answer(body=body.encode("utf-8", "surrogatepass"), works=True))
    result = ask()
    assert KEY not in result and "\0" not in result and "\ud800" not in result
    # Half a pair in UTF-8 is three wrong bytes.
    assert "\ufffd" in result and "xfc" not in result and "n" in result
    call = ProviderCall.objects.get()
    assert (call.outcome, call.cost_microusd) == ("texts", 700)
    assert "[key]" in call.request_id and KEY not in call.request_id


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize(
    "parts",
    [
        lambda texts: [{"text": texts, "thought": True}],
        lambda texts: [{"text": f"```json\n{texts}\n```"}],
        lambda texts: [{"text": "Let me see.", "thought": True}, {"text": texts}],
    ],
    ids=["only a thought", "fenced", "after a thought"],
)
def test_texts_are_read_wherever_they_are(server, kind, parts):
    ask, shape = ASKED[kind]
    body = body_of(parts(json.dumps(shape("Grün"))))
    server.script(Answer(body=json.dumps(body).encode(), works=True))
    assert ask()
    assert server.count == 1


@pytest.mark.parametrize("kind", ASKED)
def test_a_fault_of_the_account_pauses_the_provider_and_nothing_more_is_sent(server, kind):
    ask, _shape = ASKED[kind]
    server.script(fault("region"))
    ask()
    job = ImageJob.objects.get()
    assert (job.state, job.error_code) == ("waiting", "account_blocked")
    pause = ProviderPause.objects.get()
    assert (pause.provider, pause.model, pause.cause) == ("gemini", "", "account_blocked")
    assert "supported country" in pause.reason
    for other in ASKED.keys() - {kind}:
        ASKED[other][0]()
    assert server.count == ProviderCall.objects.count() == 1
    assert ProviderCall.objects.get().cost_microusd == 0
    assert set(ImageJob.objects.values_list("state", flat=True)) == {"waiting", "queued"}
