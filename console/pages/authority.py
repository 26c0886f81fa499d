"""How a phone comes to trust the site: its authority to take along, and a picture of this page's own address."""

from io import BytesIO

import segno
from fastapi import APIRouter, HTTPException, Request, Response

from console.answer import page
from console.authority import Authority
from console.visit import parts_of

router = APIRouter()


@router.get("/ca")
def show(request: Request) -> Response:
    """Open to strangers: who cannot sign in yet needs it, and nothing of it is secret."""
    authority = _authority(request)
    return page(request, "authority.html", address=_address(authority), fingerprint=authority.fingerprint)


@router.get("/ca.crt")
def certificate(request: Request) -> Response:
    """In the form and with the type by which phones know what it is."""
    named = {"content-disposition": 'attachment; filename="meterhouse-ca.crt"'}
    return Response(_authority(request).der, media_type="application/x-x509-ca-cert", headers=named)


@router.get("/ca.svg")
def picture(request: Request) -> Response:
    """The page's address as a QR code."""
    drawn = BytesIO()
    segno.make(_address(_authority(request))).save(drawn, kind="svg", scale=6, border=3, light="white")
    return Response(drawn.getvalue(), media_type="image/svg+xml")


def _authority(request: Request) -> Authority:
    found = parts_of(request).authority
    if found is None:
        raise HTTPException(404)
    return found


def _address(authority: Authority) -> str:
    return f"https://{authority.host}/ca"
