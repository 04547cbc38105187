"""What a defect of ours, or data PostgreSQL refuses, looks like when it surfaces.

Named here so that one bad delivery or row can be set aside while the others go on, without catching everything.
"""

import asyncpg
import msgspec
from jsonpath_rfc9535.exceptions import JSONPathError

from nightbell.core.errors import NightbellError

FAULTS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    asyncpg.SyntaxOrAccessError,
    # A configuration that another version wrote, or that was edited behind our back.
    JSONPathError,
    NightbellError,
    msgspec.MsgspecError,
)
