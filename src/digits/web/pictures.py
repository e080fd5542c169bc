"""The part of the HTTP API that takes pictures: predict, read, and draw a page of a file."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import FastAPI, File, Query, Request, UploadFile
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from .._io.text import printable
from ..errors import PictureError
from .schema import ERRORS, ModelName, Prediction, Reading
from .state import AppState, in_thread

if TYPE_CHECKING:
    from ..imaging.decode import Picture
    from ..imaging.pages import Page

_MAX_PAGES = 100  # of a file; each takes up to a second
_MAX_PAGE_SIDE = 3000  # pixels of a page that is sent; its PNG comes back to be read
_LARGE = 2_000_000  # pixels; such pictures wait for each other, so that small ones need not
Files = Annotated[list[UploadFile], File(description="One or more pictures.")]
Ink = Annotated[
    Literal["auto", "dark", "light"],
    Query(description="Whether the ink is darker or lighter than the background."),
]
MinConfidence = Annotated[
    float, Query(ge=0, le=1, description="A less probable digit is null in the result.")
]
WithPixels = Annotated[bool, Query(description="Add the 28×28 pixels that the model got.")]

_PAGES = "Digits-Pages"
_PNG = {"content": {"image/png": {}}, "description": "The page, gray."}


def add_recognition(app: FastAPI, state: AppState) -> None:
    """Add the routes that take pictures."""
    _add_page(app)

    @app.post("/api/predict", responses={200: {"model": list[Prediction]}, **ERRORS})
    async def predict(
        request: Request,
        files: Files,
        model: ModelName = None,
        ink: Ink = "auto",
        min_confidence: MinConfidence = 0.5,
        top_k: Annotated[int, Query(ge=1, le=10, description="List the K best digits.")] = 1,
        pixels: WithPixels = False,
    ) -> JSONResponse:
        """Recognize the digit in each picture."""
        reader = await in_thread(request, state.registry.reader, state.model_name(model))

        def record(picture: Picture) -> dict[str, Any]:
            from ..recognition.preprocess import preprocess

            preprocessed = preprocess(picture, ink)
            prediction = reader.recognizer.predict(preprocessed, ink, min_confidence)
            values: dict[str, Any] = prediction.to_json(top_k)
            return values | {"pixels": preprocessed.image.tolist()} if pixels else values

        return await _respond(request, files, record)

    @app.post("/api/read", responses={200: {"model": list[Reading]}, **ERRORS})
    async def read(
        request: Request,
        files: Files,
        model: ModelName = None,
        ink: Ink = "auto",
        min_confidence: MinConfidence = 0.5,
        pixels: WithPixels = False,
    ) -> JSONResponse:
        """Read all digits in each picture."""
        reader = await in_thread(request, state.registry.reader, state.model_name(model))

        def record(picture: Picture) -> dict[str, Any]:
            reading = reader.read(picture, ink, min_confidence)
            values: dict[str, Any] = reading.to_json()
            if pixels:
                for digit, found in zip(values["digits"], reading.digits, strict=True):
                    digit["pixels"] = found.image.tolist()
            return values

        return await _respond(request, files, record)


def _add_page(app: FastAPI) -> None:
    @app.post("/api/page", response_class=Response, responses={200: _PNG, **ERRORS})
    async def page(
        request: Request,
        file: Annotated[UploadFile, File(description="A picture, or a file of several pages.")],
        number: Annotated[int, Query(ge=1, le=_MAX_PAGES, description="From 1.")] = 1,
    ) -> Response:
        """Draw a page of a file as a PNG: what a browser shows that cannot open the file itself.

        The header `Digits-Pages` has the number of pages.
        """
        pages = await _pages(request, file)
        if number > len(pages):
            raise HTTPException(422, f"number: {pages[0].path} has {len(pages)} pages.")
        try:
            content = await in_thread(request, _png_of, pages[number - 1], queue="large")
        except PictureError as error:
            raise HTTPException(422, str(error)) from None
        return Response(content, media_type="image/png", headers={_PAGES: str(len(pages))})


def _png_of(page: Page) -> bytes:
    """A decoded page as a PNG; what is transparent in it stays so."""
    import numpy as np
    from PIL import Image

    from ..imaging.decode import decode
    from ..imaging.resize import resize_to_limits

    picture = decode(page, page.path)
    channels = [picture.gray] if picture.alpha is None else [picture.gray, picture.alpha]
    small = [resize_to_limits(channel, _MAX_PAGE_SIDE) for channel in channels]
    image = Image.fromarray(np.squeeze(np.dstack(small)))
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


async def _respond(
    request: Request,
    uploads: Sequence[UploadFile],
    record: Callable[[Picture], dict[str, Any]],
) -> JSONResponse:
    """The records of all pictures in their order; status 422 if any cannot be decoded.

    Each page of a file is a picture (`file.pdf#2`), as for the commands.
    """
    from ..imaging.decode import decode
    from ..recognition.results import Outcome

    records: list[dict[str, Any]] = []
    errors: list[PictureError] = []
    for upload in uploads:
        pages = await _pages(request, upload)
        for page in pages:
            name = page.name if len(pages) > 1 else page.path
            if records and await request.is_disconnected():
                return JSONResponse(records)  # which nobody receives
            try:
                picture = await in_thread(request, decode, page, name)
                queue = "large" if picture.gray.size > _LARGE else "threads"
                records.append(
                    {"path": name, **await in_thread(request, record, picture, queue=queue)}
                )
            except PictureError as error:
                errors.append(error)
                records.append(Outcome(name, None, error).to_json())
    if errors:
        return JSONResponse({"detail": " ".join(map(str, errors)), "results": records}, 422)
    return JSONResponse(records)


async def _pages(request: Request, upload: UploadFile) -> list[Page]:
    """The pages of a file, of which there may not be too many to answer at once."""
    from ..imaging.pages import pages_in

    name = _file_name(upload)
    pages: list[Page] = await in_thread(request, pages_in, await upload.read(), name)
    if len(pages) > _MAX_PAGES:
        raise HTTPException(
            413, f"{name} has {len(pages):,} pages, more than {_MAX_PAGES}. Use `digits read`."
        )
    return pages


def _file_name(upload: UploadFile) -> str:
    """The client's name of a picture, without folders and control characters."""
    name = (upload.filename or "").replace("\\", "/").rpartition("/")[2]
    return printable(name) or "the picture"
