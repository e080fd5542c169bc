"""The page's routes, which are everybody's HTTP interface too: /docs tells of them."""

from __future__ import annotations

import contextlib
import functools
import random
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import anyio
from anyio.to_thread import run_sync
from fastapi import FastAPI, File, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as AnyHTTPException

from ..errors import DigitsError, PictureError
from ..parallel import processors
from .desk import Desk
from .guard import Guard, Rules
from .schema import Digit, Kept, Model, Prediction, Problem, Problems, Random, Reading
from .shelf import Shelf

if TYPE_CHECKING:
    from ..data.collection import Collection
    from ..pictures import Picture

STATIC = Path(__file__).parent / "static"

_THREADS = processors() + 2
_LARGE = 2_000_000  # pixels; such pictures wait for each other, and small ones pass them by

Files = Annotated[list[UploadFile], File(description="One picture or several.")]
ModelName = Annotated[
    str | None, Query(description="One of /api/models; the first when not given.")
]
Ink = Annotated[
    Literal["auto", "dark", "light"],
    Query(description="Whether the ink is darker or lighter than the ground."),
]
Confidence = Annotated[float, Query(ge=0, le=1, description="Less sure, a digit is null.")]
Pixels = Annotated[bool, Query(description="Add the 28×28 that the model saw.")]
_UNREADABLE = {"model": Problem, "description": "The body cannot be parsed."}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: _UNREADABLE,
    404: {"model": Problem, "description": "There is no such model."},
    409: {"model": Problem, "description": "The model cannot be used."},
    413: {"model": Problem, "description": "The body is over 10 MB."},
    422: {"model": Problems, "description": "A picture cannot be read, or a value is wrong."},
}


def make_app(shelf: Shelf, collection: Collection, rules: Rules) -> Guard:
    """The application, as uvicorn serves it."""
    desk = Desk(shelf, collection)
    app = FastAPI(
        title="digits",
        summary="Read handwritten digits.",
        description="Results are those of `digits predict` and `digits read --format json`. "
        "An error has a `detail`: what, where, what to do.",
        docs_url=None,
        redoc_url=None,
        lifespan=functools.partial(_lifespan, desk),
    )
    app.add_exception_handler(AnyHTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _wrong_value)
    app.add_exception_handler(DigitsError, functools.partial(_cannot, collection.path))
    app.add_exception_handler(Exception, _broken)
    _add_pages(app)
    _add_choices(app, desk)
    _add_readers(app, desk)
    _add_collection(app, desk)
    return Guard(app, rules)


@contextlib.asynccontextmanager
async def _lifespan(desk: Desk, app: FastAPI) -> AsyncIterator[None]:
    app.state.threads = anyio.CapacityLimiter(_THREADS)
    app.state.large = anyio.CapacityLimiter(1)
    app.state.collection = anyio.CapacityLimiter(1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(functools.partial(run_sync, desk.shelf.warm, abandon_on_cancel=True))
        yield
        tasks.cancel_scope.cancel()


async def _in_thread(
    request: Request, function: Callable[..., Any], *args: Any, queue: str = "threads"
) -> Any:
    """`function(*args)`, while other requests are served; behind others in the same `queue`."""
    return await run_sync(function, *args, limiter=getattr(request.app.state, queue))


def _add_pages(app: FastAPI) -> None:
    from importlib.resources import files

    def page(name: str) -> Callable[[], Any]:
        async def answer() -> FileResponse:
            return FileResponse(STATIC / name)

        return answer

    app.get("/", include_in_schema=False)(page("index.html"))
    app.get("/docs", include_in_schema=False)(page("docs.html"))
    swagger = StaticFiles(directory=str(files("fastapi_offline") / "static"))
    app.mount("/static/swagger", swagger)
    app.mount("/static", StaticFiles(directory=STATIC))

    @app.get("/healthz", summary="Whether the server is up.")
    async def health() -> dict[str, str]:
        return {"status": "ok"}


def _add_choices(app: FastAPI, desk: Desk) -> None:
    @app.get("/api/models", response_model=list[Model], response_model_exclude_unset=True)
    async def models(request: Request) -> Any:
        """The models that are there; the first is the default."""
        return await _in_thread(request, desk.shelf.records)

    @app.get("/api/random", response_model=Random)
    async def random_digit(request: Request) -> Any:
        """A test picture of MNIST, by chance, with what its writer meant."""
        pictures = await _in_thread(request, desk.test_pictures)
        index = random.randrange(len(pictures))  # noqa: S311  # no secret
        return {
            "set": pictures.name,
            "index": index,
            "label": int(pictures.labels[index]),
            "pixels": pictures.images[index].tolist(),
        }


def _add_readers(app: FastAPI, desk: Desk) -> None:
    @app.post("/api/predict", responses={200: {"model": list[Prediction]}, **_PROBLEMS})
    async def predict(
        request: Request,
        files: Files,
        model: ModelName = None,
        ink: Ink = "auto",
        min_confidence: Confidence = 0.5,
        top_k: Annotated[int, Query(ge=1, le=10, description="List so many digits.")] = 1,
        pixels: Pixels = False,
    ) -> JSONResponse:
        """The digit in each picture, in the order of the pictures."""

        reader = await _in_thread(request, desk.shelf.reader, desk.named(model))

        def record(path: str, picture: Picture) -> dict[str, Any]:
            from ..pictures import look
            from ..records import prediction_record

            seen = look(picture, ink)
            prediction = reader.recognizer.predict_look(seen, ink, min_confidence)
            answer = prediction_record(path, prediction, top_k)
            return answer | {"pixels": seen.image.tolist()} if pixels else answer

        return await _each(request, files, record)

    @app.post("/api/read", responses={200: {"model": list[Reading]}, **_PROBLEMS})
    async def read(
        request: Request,
        files: Files,
        model: ModelName = None,
        ink: Ink = "auto",
        min_confidence: Confidence = 0.0,
        pixels: Pixels = False,
    ) -> JSONResponse:
        """All digits in each picture, in reading order, in the order of the pictures."""

        reader = await _in_thread(request, desk.shelf.reader, desk.named(model))

        def record(path: str, picture: Picture) -> dict[str, Any]:
            from ..records import reading_record

            reading = reader.read(picture, ink, min_confidence)
            answer = reading_record(path, reading)
            if pixels:
                for digit, found in zip(answer["digits"], reading.digits, strict=True):
                    digit["pixels"] = found.image.tolist()
            return answer

        return await _each(request, files, record)


async def _each(
    request: Request,
    uploads: Sequence[UploadFile],
    record: Callable[[str, Picture], dict[str, Any]],
) -> JSONResponse:
    """The records of all pictures; where one cannot be read, 422 with the others' all the same."""
    from ..pictures import decode

    records: list[dict[str, Any]] = []
    problems = []
    for upload in uploads:
        if len(uploads) > 1 and await request.is_disconnected():
            break
        name = _name(upload)
        try:
            picture = await _in_thread(request, decode, await upload.read(), name)
            queue = "large" if picture.grey.size > _LARGE else "threads"
            records.append(await _in_thread(request, record, name, picture, queue=queue))
        except PictureError as error:
            problems.append(str(error))
            records.append({"path": name, "error": str(error)})
    if problems:
        return JSONResponse({"detail": " ".join(problems), "results": records}, 422)
    return JSONResponse(records)


def _name(upload: UploadFile) -> str:
    """What the client calls the picture, without folders and what could steer a terminal."""
    last = (upload.filename or "").replace("\\", "/").rpartition("/")[2]
    return "".join(c if c.isprintable() else "?" for c in last) or "the picture"


def _add_collection(app: FastAPI, desk: Desk) -> None:
    problems: dict[int | str, dict[str, Any]] = {
        404: _PROBLEMS[404],
        409: {"model": Problem, "description": "The file cannot be read or written."},
        422: {"model": Problem, "description": "A value is wrong."},
    }

    @app.get("/api/mine", response_model=Kept, responses=problems)
    async def mine(request: Request, model: ModelName = None) -> Any:
        """Your own set: how many of each digit it holds, and how `model` learns from them."""
        return await _in_thread(request, desk.kept, desk.named(model), queue="collection")

    @app.post(
        "/api/mine",
        response_model=Kept,
        status_code=201,
        responses={400: _UNREADABLE, **problems},
    )
    async def keep(request: Request, digit: Digit, model: ModelName = None) -> Any:
        """Add a digit, as the model saw it, with its true label."""
        name = desk.named(model)

        def work() -> dict[str, Any]:
            import numpy as np

            desk.collection.add(np.array(digit.pixels, np.uint8), digit.label)
            return desk.kept(name, digit.label)

        return await _in_thread(request, work, queue="collection")

    @app.delete("/api/mine/last", response_model=Kept, responses=problems)
    async def undo(request: Request, model: ModelName = None) -> Any:
        """Take back the digit that this server added last; its `label` is null if there is none."""
        name = desk.named(model)

        def work() -> dict[str, Any]:
            return desk.kept(name, desk.collection.undo())

        return await _in_thread(request, work, queue="collection")


async def _http_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AnyHTTPException)  # noqa: S101
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


async def _wrong_value(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    place = " ".join(str(part) for part in first["loc"][1:]) or "the request"
    return JSONResponse({"detail": f"{place}: {first['msg']}. See /docs."}, 422)


async def _cannot(collection: Path, request: Request, error: Exception) -> JSONResponse:
    """A model or the collection cannot be used: nothing is wrong with the request."""
    text = str(error)
    for place in (collection.resolve(), collection):
        text = text.replace(str(place), collection.name)
    return JSONResponse({"detail": text}, 409)


async def _broken(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "Something broke here. The terminal says what."}, 500)
