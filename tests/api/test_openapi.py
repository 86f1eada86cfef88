"""The description of our own endpoints: served, committed, complete, and true (``described``)."""

import threading
from io import StringIO
from time import thread_time

import pytest
import yaml
from django.core.management import call_command
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from nb_catalog.api import schema as schema_view
from nb_catalog.api.openapi import generator
from nb_catalog.core.types import Permission
from tests.api import described, renew

pytestmark = pytest.mark.once


def operations():
    for path, methods in described.document()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_the_committed_file_is_current():
    message = f"docs/openapi.yaml is out of date. Renew it: {renew.COMMAND}"
    assert renew.FILE.read_text() == renew.current(), message


def test_it_is_valid_and_made_without_warnings(capsys):
    document = generator.generate(server=described.BASE)
    assert not GENERATOR_STATS._warn_cache and not GENERATOR_STATS._error_cache
    assert document["openapi"].startswith("3.1")
    validate_schema(document)
    assert capsys.readouterr().err == ""


def test_it_is_made_in_two_seconds():
    start = thread_time()
    generator.generate(server=described.BASE)
    assert thread_time() - start < 2


def test_it_is_served_as_json_and_yaml(api_as):
    api = api_as(Permission.GENERATE)
    answer = api.get("schema/")
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["servers"] == [{"url": described.BASE}]
    text = api.get("schema/", accept="application/yaml").content
    assert yaml.safe_load(text)["paths"].keys() == answer.json()["paths"].keys()


def test_it_needs_a_permission_of_the_api(api_as, anybody):
    assert api_as(views=False).get("schema/").status_code == 403
    assert anybody.get("schema/").status_code in (401, 403)


def test_without_its_extra_the_api_says_what_to_install(api_as, monkeypatch):
    monkeypatch.setattr(schema_view, "find_spec", lambda name: None)
    answer = api_as().get("schema/")
    assert answer.status_code == 501
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "schema_unavailable"
    assert "nb-catalog[openapi]" in answer.json()["detail"]
    assert api_as().get("runs/").status_code == 200


def test_settings_of_the_host_hold_for_its_own_schemas_meanwhile(monkeypatch):
    inside, go_on, seen = threading.Event(), threading.Event(), []
    parse = generator.CatalogGenerator.parse

    def parse_slowly(self, request, public):
        seen.append(spectacular_settings.OAS_VERSION)
        inside.set()
        assert go_on.wait(20)
        return parse(self, request, public)

    monkeypatch.setattr(generator.CatalogGenerator, "parse", parse_slowly)
    thread = threading.Thread(target=lambda: generator.generate(server=""))
    thread.start()
    assert inside.wait(20)
    try:
        assert spectacular_settings.OAS_VERSION == "3.0.3"
        assert spectacular_settings.TITLE == ""
    finally:
        go_on.set()
        thread.join()
    assert seen == ["3.1.1"]


def test_the_command_of_drf_spectacular_writes_it_too(settings):
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "drf_spectacular"]
    written = StringIO()
    name = f"{generator.__name__}.{generator.CatalogGenerator.__name__}"
    call_command("spectacular", generator_class=name, fail_on_warn=True, stdout=written)
    assert yaml.safe_load(written.getvalue())["paths"] == described.document()["paths"]


def test_every_operation_is_described_whole():
    wrong = []
    for name, operation in operations():
        if not (operation["summary"] and operation["description"] and operation["tags"]):
            wrong.append(name)
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        bodies += [each for each in operation["responses"].values() if "$ref" not in each]
        for body in bodies:
            for kind, content in body.get("content", {}).items():
                if kind == "application/json":
                    wrong += [
                        f"{name}: {error}"
                        for error in errors_of(content["example"], schema=content["schema"])
                    ]
    assert not wrong


def errors_of(example, *, schema):
    whole = {"components": described.document()["components"], **schema}
    errors = Draft202012Validator(whole).iter_errors(example)
    return [f"{each.json_path}: {each.message[:200]}" for each in errors]


def test_every_problem_names_its_codes():
    responses = described.document()["components"]["responses"]
    for response in responses.values():
        content = response["content"]["application/problem+json"]
        assert content["schema"]["properties"]["code"]["enum"]
        assert not errors_of(content["example"], schema=content["schema"])


def test_values_to_choose_from_have_a_name():
    """Otherwise drf-spectacular names them after their fields in the schema of a whole project."""
    unnamed = [
        (name, field)
        for name, schema in described.document()["components"]["schemas"].items()
        for field, value in schema.get("properties", {}).items()
        if "enum" in value or "enum" in value.get("items", {})
    ]
    assert not unnamed, "Name their values in nb_catalog/api/openapi/enums.py"


def test_operations_have_names_of_their_own():
    names = [operation["operationId"] for _, operation in operations()]
    assert len(names) == len(set(names))
