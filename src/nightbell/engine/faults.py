"""What a defect of ours, or data PostgreSQL refuses, looks like when it surfaces.

Named here so that one bad delivery or row can be set aside while the others go on, without catching everything.
"""

import asyncpg

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
)
