import pytest

from tests import factories


@pytest.fixture
def sign_in(client):
    """Answers a client that is signed in as a member of staff with these permissions."""

    def sign_in(*permissions, views=True):
        user = factories.staff(*permissions, views=views)
        client.force_login(user)
        client.user = user
        return client

    return sign_in


@pytest.fixture
def root(client):
    client.user = factories.superuser()
    client.force_login(client.user)
    return client
