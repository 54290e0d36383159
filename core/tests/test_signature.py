"""A function's signature as a schema: what is taken, and what is refused by name."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial, wraps
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from livepeer.core import (
    Call,
    Encoded,
    FunctionOperation,
    InvalidInputError,
    MalformedBodyError,
    MediaType,
    ModelFailedError,
    SignatureError,
    encode_json,
)


class Colour(Enum):
    RED = "red"


class Inner(BaseModel):
    width: int = Field(ge=1)


class Body(BaseModel):
    text: str
    inner: Inner | None = None


@dataclass
class Point:
    x: int
    y: int = 0


def call(operation: FunctionOperation, body: bytes, **extra: Any) -> Any:
    return operation.invoke(operation.decode(body), Call(**extra))


def test_one_model_is_the_whole_body() -> None:
    def predict(body: Body) -> str:
        return body.text

    operation = FunctionOperation(predict)
    assert operation.description.input_schema["properties"].keys() == {"text", "inner"}
    assert call(operation, b'{"text": "a"}') == "a"


def test_several_parameters_are_the_fields() -> None:
    def predict(a: int, b: Optional[str] = None, *, c: Literal["x", "y"] = "x", d: Colour = Colour.RED) -> Any:  # noqa: UP045
        return a, b, c, d

    operation = FunctionOperation(predict)
    schema = operation.description.input_schema
    assert schema["required"] == ["a"]
    assert schema["properties"]["c"] == {"default": "x", "enum": ["x", "y"], "title": "C", "type": "string"}
    assert call(operation, b'{"a": 1, "c": "y", "d": "red"}') == (1, None, "y", Colour.RED)


def test_two_models_are_two_fields() -> None:
    def predict(body: Body, inner: Inner, point: Point) -> Any:
        return body, inner, point

    operation = FunctionOperation(predict)
    got = call(operation, b'{"body": {"text": "t"}, "inner": {"width": 2}, "point": {"x": 1}}')
    assert got == (Body(text="t"), Inner(width=2), Point(1))


def test_defaults_that_can_change_are_not_shared() -> None:
    def predict(tags: list[str] = []) -> list[str]:  # noqa: B006 - what users write
        tags.append("x")
        return tags

    operation = FunctionOperation(predict)
    assert [call(operation, b""), call(operation, b"{}")] == [["x"], ["x"]]


@pytest.mark.parametrize("name", ["schema", "copy", "model_config", "json", "_hidden", "field_schema", "self_"])
def test_any_name_may_be_a_parameter(name: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"def predict({name}: int, field_schema_: str = 's') -> int: return {name}", namespace)
    operation = FunctionOperation(namespace["predict"])
    assert name in operation.description.input_schema["properties"]
    assert call(operation, f'{{"{name}": 3}}'.encode()) == 3


def test_bytes_are_base64_at_any_depth() -> None:
    def predict(image: bytes, more: list[bytes], last: Base64Bytes, none: bytes | None = None) -> bytes:
        return image + b"".join(more) + last

    operation = FunctionOperation(predict)
    properties = operation.description.input_schema["properties"]
    assert properties["image"]["contentEncoding"] == "base64"
    assert properties["more"]["items"]["contentEncoding"] == "base64"
    assert properties["last"]["contentEncoding"] == "base64"
    assert call(operation, b'{"image": "AAE=", "more": ["Ag=="], "last": "Aw=="}') == bytes(range(4))
    with pytest.raises(InvalidInputError, match="image"):
        operation.decode(b'{"image": "!", "more": [], "last": ""}')


def test_a_call_parameter_gets_the_call_and_is_no_field() -> None:
    def predict(text: str, call: Call) -> str:
        return text + call.id

    operation = FunctionOperation(predict)
    assert list(operation.description.input_schema["properties"]) == ["text"]
    assert call(operation, b'{"text": "a"}', id="7") == "a7"


def test_positional_only_and_unannotated_parameters_work() -> None:
    def predict(a: int, /, b: Any, c=2):  # type: ignore[no-untyped-def]
        return [a, b, c]

    assert call(FunctionOperation(predict), b'{"a": 1, "b": {"k": []}}') == [1, {"k": []}, 2]


def test_methods_partials_decorated_functions_and_callables_are_read_through() -> None:
    def outer(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def inner(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return inner

    @outer
    def decorated(n: int) -> int:
        return n + 1

    class Callable_:  # noqa: N801
        def __call__(self, n: int) -> int:
            return n + 3

        def method(self, n: int) -> int:
            return n + 4

    def two(n: int, m: int) -> int:
        return n + m

    for function, answer in ((decorated, 2), (Callable_(), 4), (Callable_().method, 5), (partial(two, m=1), 2)):
        assert call(FunctionOperation(function), b'{"n": 1}') == answer


class NoForm:
    pass


class PlainBytes(BaseModel):
    data: bytes


class ReadsBase64(BaseModel):
    model_config = ConfigDict(val_json_bytes="base64")
    data: bytes


def refused(function: Callable[..., Any]) -> str:
    with pytest.raises(SignatureError) as found:
        FunctionOperation(function)
    return str(found.value)


def test_what_has_no_json_form_is_refused_by_name() -> None:
    def star(a: int, *rest: int) -> None: ...
    def stars(a: int, **rest: int) -> None: ...
    def unknown(a: int, b: "Missing") -> None: ...  # noqa: F821
    def no_form(a: int, b: NoForm) -> None: ...
    def function(a: int, b: Callable[[], int]) -> None: ...
    def path(a: int, b: Path) -> None: ...
    def text_bytes(a: int, b: PlainBytes) -> None: ...
    def whole_bytes(b: PlainBytes) -> None: ...

    for bad, name in (
        (star, "'rest'"), (stars, "'rest'"), (unknown, "'b'"), (no_form, "'b'"),
        (function, "'b'"), (path, "'b'"), (text_bytes, "'b'"), (whole_bytes, "'b'"),
    ):  # fmt: skip
        assert name in refused(bad), bad.__name__
    assert "Missing" in refused(unknown)
    assert "Base64Bytes" in refused(text_bytes)


def test_a_model_of_ones_own_that_reads_base64_is_taken() -> None:
    def predict(body: ReadsBase64) -> int:
        return len(body.data)

    assert call(FunctionOperation(predict), b'{"data": "AAEC"}') == 3


def test_an_answer_without_a_json_form_is_refused() -> None:
    def predict() -> NoForm: ...  # type: ignore[empty-body]

    assert "the answer" in refused(predict)


def test_the_four_kinds_are_told_apart() -> None:
    def value() -> int: ...  # type: ignore[empty-body]
    async def awaited() -> int: ...  # type: ignore[empty-body]
    def stepped() -> Iterator[int]:
        yield 1

    async def awaited_steps() -> AsyncIterator[int]:
        yield 1

    def returns_iterator() -> Iterator[int]:
        return iter([1])

    kinds = []
    for function in (value, awaited, stepped, awaited_steps, returns_iterator):
        operation = FunctionOperation(function)
        kinds.append((operation.is_async, operation.description.streams))
        assert operation.description.output_schema == {"type": "integer"}
    assert kinds == [(False, False), (True, False), (False, True), (True, True), (False, True)]


def test_bytes_answers_have_their_declared_media_type() -> None:
    def png() -> Annotated[bytes, MediaType("image/png")]:
        return b"p"

    def plain() -> bytes:
        return b"p"

    assert FunctionOperation(png).encode(b"p") == Encoded(b"p", "image/png")
    assert FunctionOperation(plain).encode(b"p") == Encoded(b"p", "application/octet-stream")
    assert FunctionOperation(png).description.output_schema == {"type": "string", "contentMediaType": "image/png"}


def test_errors_do_not_echo_the_input() -> None:
    operation = FunctionOperation(lambda n: n)

    def predict(n: int) -> int:
        return n

    operation = FunctionOperation(predict)
    with pytest.raises(InvalidInputError) as found:
        operation.decode(b'{"n": "s3cret-value"}')
    assert "s3cret" not in str(found.value)
    assert found.value.errors[0].field == "n"
    for body in (b"{", b"\xff", b"{} x"):
        with pytest.raises(MalformedBodyError):
            operation.decode(body)
    for body in (b"[]", b'"text"', b"null"):
        with pytest.raises(InvalidInputError):
            operation.decode(body)


def test_json_answers_are_valid_json() -> None:
    assert (
        encode_json({"nan": float("nan"), "inf": float("inf"), "b": b"\x00\xff"})
        == b'{"nan":null,"inf":null,"b":"AP8="}'
    )
    long = 'é\n"' * 1_000_000
    assert json.loads(encode_json(long)) == long
    assert encode_json("é\n[DONE]") == '"é\\n[DONE]"'.encode()
    with pytest.raises(ModelFailedError):
        encode_json(object())


def test_a_generator_that_is_not_declared_is_refused_and_not_collected() -> None:
    def predict() -> Any:
        return (number for number in range(3))

    operation = FunctionOperation(predict)
    with pytest.raises(ModelFailedError, match="Iterator"):
        operation.encode(predict())
