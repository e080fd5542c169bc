"""The HTTP API, which the page uses too; /docs describes it."""

from __future__ import annotations

import contextlib
import functools
import random
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import anyio
from anyio.to_thread import run_sync
from fastapi import FastAPI, File, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from .._io.text import printable
from .._io.workers import processors
from ..errors import DigitsError, PictureError
from .model_registry import ModelRegistry, shown_path
from .schema import (
    CollectionInfo,
    ErrorInfo,
    LabeledDigit,
    ModelInfo,
    PictureErrorInfo,
    Prediction,
    RandomDigit,
    Reading,
)
from .security import REQUEST_TIMEOUT, AccessRules, SecurityMiddleware
from .state import AppState

if TYPE_CHECKING:
    from ..imaging.decode import Picture
    from ..imaging.pages import Page
    from ..ingest.collection import Collection

STATIC = Path(__file__).parent / "static"

_THREADS = processors() + 2
_LOADING_TIMEOUT = 2  # seconds for a model that is being loaded when the server stops
_MAX_PAGES = 100  # of a file; each takes up to a second
_MAX_PAGE_SIDE = 3000  # pixels of a page that is sent; its PNG comes back to be read
_LARGE = 2_000_000  # pixels; such pictures wait for each other, so that small ones need not

Files = Annotated[list[UploadFile], File(description="One or more pictures.")]
ModelName = Annotated[
    str | None, Query(description="A name from /api/models; by default, the first of them.")
]
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
_MALFORMED = {"model": ErrorInfo, "description": "The body cannot be parsed."}
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: _MALFORMED,
    404: {"model": ErrorInfo, "description": "There is no such model."},
    409: {"model": ErrorInfo, "description": "The model cannot be used."},
    413: {"model": ErrorInfo, "description": "The body is over 10 MB."},
    422: {
        "model": PictureErrorInfo,
        "description": "A picture cannot be read, or a value is wrong.",
    },
}
_COLLECTION_ERRORS: dict[int | str, dict[str, Any]] = {
    404: _ERRORS[404],
    409: {"model": ErrorInfo, "description": "The file cannot be read or written."},
    422: {"model": ErrorInfo, "description": "A value is wrong."},
}


def make_app(
    registry: ModelRegistry,
    collection: Collection,
    rules: AccessRules,
    timeout: float = REQUEST_TIMEOUT,
    on_startup: Callable[[], None] = lambda: None,
) -> SecurityMiddleware:
    """The ASGI application.

    Args:
        registry: Models to offer.
        collection: Data set that saved digits go to.
        rules: Who may send requests.
        timeout: Seconds within which the body of a request must arrive.
        on_startup: Called when the server is about to answer requests.
    """
    state = AppState(registry, collection)
    app = FastAPI(
        title="digits",
        summary="Recognize handwritten digits.",
        description="Results are those of `digits predict` and `digits read --format json`. "
        "The `detail` of an error says what is wrong and what to do.",
        docs_url=None,
        redoc_url=None,
        lifespan=functools.partial(_lifespan, state, on_startup),
    )
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(DigitsError, _digits_error)
    app.add_exception_handler(Exception, _internal_error)
    _add_pages(app)
    _add_general(app, state)
    _add_recognition(app, state)
    _add_pages_of_files(app)
    _add_collection(app, state)
    return SecurityMiddleware(app, rules, timeout)


@contextlib.asynccontextmanager
async def _lifespan(
    state: AppState, on_startup: Callable[[], None], app: FastAPI
) -> AsyncIterator[None]:
    app.state.threads = anyio.CapacityLimiter(_THREADS)
    app.state.large = anyio.CapacityLimiter(1)
    app.state.collection = anyio.CapacityLimiter(1)
    stop = threading.Event()
    async with anyio.create_task_group() as tasks:
        load_all = functools.partial(run_sync, state.registry.load_all, stop)
        tasks.start_soon(functools.partial(load_all, abandon_on_cancel=True))
        on_startup()
        yield
        # A thread that is still loading has redirected stderr: wait, unless it takes long.
        stop.set()
        tasks.cancel_scope.deadline = anyio.current_time() + _LOADING_TIMEOUT


async def _in_thread(
    request: Request, function: Callable[..., Any], *args: Any, queue: str = "threads"
) -> Any:
    """Await `function(*args)` in a thread, after earlier calls in the same queue."""
    return await run_sync(function, *args, limiter=getattr(request.app.state, queue))


def _add_pages(app: FastAPI) -> None:
    from importlib.resources import files

    def page(name: str) -> Callable[[], Any]:
        async def send() -> FileResponse:
            return FileResponse(STATIC / name)

        return send

    app.get("/", include_in_schema=False)(page("index.html"))
    app.get("/docs", include_in_schema=False)(page("docs.html"))
    swagger = StaticFiles(directory=str(files("fastapi_offline") / "static"))
    app.mount("/static/swagger", swagger)
    app.mount("/static", StaticFiles(directory=STATIC))


def _add_general(app: FastAPI, state: AppState) -> None:
    @app.get("/healthz", summary="Check that the server is up.")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/api/models", response_model=list[ModelInfo], response_model_exclude_unset=True)
    async def models(request: Request) -> Any:
        """List the models; the first is the default."""
        return await _in_thread(request, state.registry.to_json)

    @app.get("/api/random", response_model=RandomDigit)
    async def random_digit(request: Request) -> Any:
        """Get a random MNIST test picture with its label."""
        pictures = await _in_thread(request, state.test_pictures)
        index = random.randrange(len(pictures))  # noqa: S311  # not a secret
        return {
            "set": pictures.name,
            "index": index,
            "label": int(pictures.labels[index]),
            "pixels": pictures.images[index].tolist(),
        }


def _add_recognition(app: FastAPI, state: AppState) -> None:
    @app.post("/api/predict", responses={200: {"model": list[Prediction]}, **_ERRORS})
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
        reader = await _in_thread(request, state.registry.reader, state.model_name(model))

        def record(picture: Picture) -> dict[str, Any]:
            from ..recognition.preprocess import preprocess

            preprocessed = preprocess(picture, ink)
            prediction = reader.recognizer.predict(preprocessed, ink, min_confidence)
            values: dict[str, Any] = prediction.to_json(top_k)
            return values | {"pixels": preprocessed.image.tolist()} if pixels else values

        return await _respond(request, files, record)

    @app.post("/api/read", responses={200: {"model": list[Reading]}, **_ERRORS})
    async def read(
        request: Request,
        files: Files,
        model: ModelName = None,
        ink: Ink = "auto",
        min_confidence: MinConfidence = 0.5,
        pixels: WithPixels = False,
    ) -> JSONResponse:
        """Read all digits in each picture."""
        reader = await _in_thread(request, state.registry.reader, state.model_name(model))

        def record(picture: Picture) -> dict[str, Any]:
            reading = reader.read(picture, ink, min_confidence)
            values: dict[str, Any] = reading.to_json()
            if pixels:
                for digit, found in zip(values["digits"], reading.digits, strict=True):
                    digit["pixels"] = found.image.tolist()
            return values

        return await _respond(request, files, record)


def _add_pages_of_files(app: FastAPI) -> None:
    @app.post("/api/page", response_class=Response, responses={200: _PNG, **_ERRORS})
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
            content = await _in_thread(request, _png_of, pages[number - 1], queue="large")
        except PictureError as error:
            raise HTTPException(422, str(error)) from None
        return Response(content, media_type="image/png", headers={_PAGES: str(len(pages))})


def _png_of(page: Page) -> bytes:
    """A decoded page as a PNG; what is transparent in it stays so."""
    import io

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
                break
            try:
                picture = await _in_thread(request, decode, page, name)
                queue = "large" if picture.gray.size > _LARGE else "threads"
                records.append(
                    {"path": name, **await _in_thread(request, record, picture, queue=queue)}
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
    pages: list[Page] = await _in_thread(request, pages_in, await upload.read(), name)
    if len(pages) > _MAX_PAGES:
        raise HTTPException(
            413, f"{name} has {len(pages):,} pages, more than {_MAX_PAGES}. Use `digits read`."
        )
    return pages


def _file_name(upload: UploadFile) -> str:
    """The client's name of a picture, without folders and control characters."""
    name = (upload.filename or "").replace("\\", "/").rpartition("/")[2]
    return printable(name) or "the picture"


def _add_collection(app: FastAPI, state: AppState) -> None:
    @app.get("/api/mine", response_model=CollectionInfo, responses=_COLLECTION_ERRORS)
    async def info(request: Request, model: ModelName = None) -> Any:
        """Describe your own data set, and how to train `model` on it."""
        name = state.model_name(model)
        return await _in_thread(request, state.collection_info, name, queue="collection")

    @app.post(
        "/api/mine",
        response_model=CollectionInfo,
        status_code=201,
        responses={400: _MALFORMED, **_COLLECTION_ERRORS},
    )
    async def save(request: Request, digit: LabeledDigit, model: ModelName = None) -> Any:
        """Save a digit, as the model got it, with its true label."""
        name = state.model_name(model)

        def work() -> dict[str, Any]:
            import numpy as np

            state.collection.add(np.array(digit.pixels, np.uint8), digit.label)
            return state.collection_info(name, digit.label)

        return await _in_thread(request, work, queue="collection")

    @app.delete("/api/mine/last", response_model=CollectionInfo, responses=_COLLECTION_ERRORS)
    async def undo(request: Request, model: ModelName = None) -> Any:
        """Remove the digit that this server saved last; `label` is null if there is none."""
        name = state.model_name(model)

        def work() -> dict[str, Any]:
            return state.collection_info(name, state.collection.undo())

        return await _in_thread(request, work, queue="collection")


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


async def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    parameter = " ".join(str(part) for part in first["loc"][1:]) or "the request"
    return JSONResponse({"detail": f"{parameter}: {first['msg']}. See /docs."}, 422)


async def _digits_error(request: Request, error: Exception) -> JSONResponse:
    """A model or the collection cannot be used; there is nothing wrong with the request."""
    assert isinstance(error, DigitsError)  # noqa: S101
    place = "" if error.path is None else f"{shown_path(error.path)}: "
    return JSONResponse({"detail": place + error.message}, 409)


async def _internal_error(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "Internal error. See the output of `digits app`."}, 500)
