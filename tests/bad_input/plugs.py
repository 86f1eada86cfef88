"""Plug-ins of a host that break: a storage, providers, a cut-out backend."""

from django.core.files.storage import FileSystemStorage

from nb_catalog.imaging.cutout import CutoutBackend
from nb_catalog.providers.types import ImageResult
from nb_catalog.testing import ScriptedProvider


class Outage:
    """How many writes more a storage takes, how many it refuses then, how often it was asked;
    ``gives`` says whether it can be read."""

    def __init__(self, failures):
        self.failures = failures
        self.before = 0
        self.gives = True
        self.asked = 0

    def strikes(self):
        self.asked += 1
        if self.before > 0:
            self.before -= 1
            return False
        self.failures -= 1
        return self.failures >= 0


class FailingStorage(FileSystemStorage):
    """Neither takes nor gives files while its outage lasts."""

    def __init__(self, *, outage, **options):
        super().__init__(**options)
        self.outage = outage

    def _save(self, name, content):
        if self.outage.strikes():
            raise ConnectionResetError("the storage hung up")
        return super()._save(name, content)

    def _open(self, name, mode="rb"):
        if not self.outage.gives:
            raise ConnectionResetError("the storage hung up")
        return super()._open(name, mode)


class MisbuiltProvider(ScriptedProvider):
    def build(self, request):
        raise AttributeError("a misspelt name")


class UnsendableProvider(ScriptedProvider):
    async def send(self, payload):
        await super().send(payload)
        raise KeyError("candidates")


class UnreadableProvider(ScriptedProvider):
    def parse(self, answer):
        return len(answer)


class MislabellingProvider(ScriptedProvider):
    """Says GIF of whatever comes."""

    def parse(self, answer):
        result = super().parse(answer)
        return ImageResult(data=result.data, mime_type="image/gif", usage=result.usage)


class BrokenCutout(CutoutBackend):
    def find_mask(self, view):
        raise IndexError("no such mask")
