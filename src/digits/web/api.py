"""The HTTP API, which the page uses too; /docs describes it."""

from __future__ import annotations

import contextlib
import functools
import random
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from anyio.to_thread import run_sync
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from .._io.workers import processors
from ..errors import DigitsError
from .methods import MethodsMiddleware
from .model_registry import ModelRegistry, shown_path
from .pictures import add_recognition
from .schema import (
    ERRORS,
    MALFORMED,
    CollectionInfo,
    ErrorInfo,
    LabeledDigit,
    ModelInfo,
    ModelName,
    RandomDigit,
)
from .security import REQUEST_TIMEOUT, AccessRules, SecurityMiddleware
from .state import AppState, in_thread

if TYPE_CHECKING:
    from ..ingest.collection import Collection

STATIC = Path(__file__).parent / "static"

_THREADS = processors() + 2
_LOADING_TIMEOUT = 2  # seconds for a model that is being loaded when the server stops


_COLLECTION_ERRORS: dict[int | str, dict[str, Any]] = {
    404: ERRORS[404],
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
    add_recognition(app, state)
    _add_collection(app, state)
    return SecurityMiddleware(MethodsMiddleware(app), rules, timeout)


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
        return await in_thread(request, state.registry.to_json)

    @app.get("/api/random", response_model=RandomDigit)
    async def random_digit(request: Request) -> Any:
        """Get a random MNIST test picture with its label."""
        pictures = await in_thread(request, state.test_pictures)
        index = random.randrange(len(pictures))  # noqa: S311  # not a secret
        return {
            "set": pictures.name,
            "index": index,
            "label": int(pictures.labels[index]),
            "pixels": pictures.images[index].tolist(),
        }


def _add_collection(app: FastAPI, state: AppState) -> None:
    @app.get("/api/mine", response_model=CollectionInfo, responses=_COLLECTION_ERRORS)
    async def info(request: Request, model: ModelName = None) -> Any:
        """Describe your own data set, and how to train `model` on it."""
        name = state.model_name(model)
        return await in_thread(request, state.collection_info, name, queue="collection")

    @app.post(
        "/api/mine",
        response_model=CollectionInfo,
        status_code=201,
        responses={400: MALFORMED, **_COLLECTION_ERRORS},
    )
    async def save(request: Request, digit: LabeledDigit, model: ModelName = None) -> Any:
        """Save a digit, as the model got it, with its true label."""
        name = state.model_name(model)

        def work() -> dict[str, Any]:
            import numpy as np

            state.collection.add(np.array(digit.pixels, np.uint8), digit.label)
            return state.collection_info(name, digit.label)

        return await in_thread(request, work, queue="collection")

    @app.delete("/api/mine/last", response_model=CollectionInfo, responses=_COLLECTION_ERRORS)
    async def undo(request: Request, model: ModelName = None) -> Any:
        """Remove the digit that this server saved last; `label` is null if there is none."""
        name = state.model_name(model)

        def work() -> dict[str, Any]:
            return state.collection_info(name, state.collection.undo())

        return await in_thread(request, work, queue="collection")


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
