from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from allauth.account.views import LoginView, logout
from allauth.socialaccount.adapter import get_adapter
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

# A browser is told which header would help a pipeline, and shows the page all the same.
_CHALLENGE: Final = 'Bearer realm="mission control"'


class SignInView(LoginView):  # type: ignore[misc]  # allauth is untyped
    """By password, by passkey, or through the identity provider of one's organisation."""

    template_name = "console/signin.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the page's context."""
        return {
            **super().get_context_data(**kwargs),
            "next": self._next(),
            "single_sign_ons": get_adapter().list_providers(self.request),
        }

    def _next(self) -> str:
        """Return where to go afterwards: the page that was asked for."""
        request: HttpRequest = self.request
        if request.path != reverse("account_login"):
            return request.get_full_path() if request.method in {"GET", "HEAD"} else "/"
        return request.POST.get("next") or request.GET.get("next", "")


sign_in = SignInView.as_view()


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, and have the browser forget what it showed."""
    answer: HttpResponse = logout(request)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def answer_stranger(request: HttpRequest) -> HttpResponse:
    """Answer 401 at a page's address, with the form to sign in and come back to it."""
    # Whoever shows a token that is not in force is nobody, whatever cookies come along.
    request.user = AnonymousUser()
    view = SignInView()
    view.setup(request)
    answer: Any = view.get(request)
    answer.render()
    answer.status_code = HTTPStatus.UNAUTHORIZED
    answer.headers["WWW-Authenticate"] = _CHALLENGE
    return answer  # type: ignore[no-any-return]
