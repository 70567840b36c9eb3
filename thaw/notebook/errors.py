"""Errors as a notebook shows them: the sentence that says what to do, without the steps that led there."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from thaw.foundation.errors import ThawError

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def plainly(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """The function, whose errors that a user can mend come without their causes and inner steps."""

    @wraps(function)
    def called(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        try:
            return function(*args, **kwargs)
        except ThawError as error:
            raise error.with_traceback(None) from None

    return called
