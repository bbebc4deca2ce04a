"""The Flask application: the parts of ``Services`` behind the routes of ``resources``."""

from __future__ import annotations

from flask_openapi3.openapi import OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix

from http_facade import audited, console_pages, documentation, headers, openapi, problems
from http_facade.auth import Auth
from http_facade.bodies import MAX_READ_BYTES
from http_facade.resources import (
    asking,
    auditing,
    commands,
    days,
    devices,
    enrolment,
    groups,
    happenings,
    health,
    history,
    overview,
    rights,
    session,
    sites,
    stream,
)
from http_facade.services import Services
from http_facade.settings import FacadeSettings


def create_app(settings: FacadeSettings, services: Services | None = None) -> OpenAPI:
    """Build the application; it starts nothing. ``services``: the parts to use, otherwise made from ``settings``."""
    app = openapi.application("http_facade")
    app.config["MAX_CONTENT_LENGTH"] = MAX_READ_BYTES
    parts = services or Services.from_settings(settings)
    parts.register(app)
    Auth(settings.http_token(), parts.find_caller).register(app)
    problems.register(app, heard=audited.note)
    headers.register(app)
    if settings.http_proxies:
        count = settings.http_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]  # Flask's own way
    reads = (overview, sites, devices, commands, happenings, history, days, stream, auditing, health)
    for resource in (*reads, asking, groups, rights, session, enrolment):
        app.register_api(resource.api)
    app.register_api(enrolment.registrations)
    documentation.register(app)
    console_pages.register(app)
    return app
