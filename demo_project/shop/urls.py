"""The shop's pages."""

from __future__ import annotations

from django.urls import path

from demo_project.shop import views

app_name = "shop"
urlpatterns = [
    path("", views.home, name="home"),
    path("behind-the-pictures/", views.behind, name="behind"),
    path("lookbook/", views.lookbook, name="lookbook"),
    path("sets/<slug:slug>/", views.bundle, name="bundle"),
    path("<slug:slug>/", views.category, name="category"),
    path("products/<slug:slug>/", views.product, name="product"),
]
