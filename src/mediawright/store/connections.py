"""A connection that hands statements it has seen before straight to the driver.

Statements here are built once and run millions of times. SQLAlchemy compiles them, knows the
dialects and turns the driver's errors into its own; what it does beside that for each single
run costs several times what the database needs for it, and is left out from the second run on.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Delete, Dialect, Engine, Executable, Insert, Select, Update
from sqlalchemy.engine.interfaces import CoreExecuteOptionsParameter
from sqlalchemy.exc import NoResultFound

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import ExpandedState, SQLCompiler

_Processor = Callable[[Any], Any]
_PREPARABLE = (Select, Insert, Update, Delete)
_LONGEST_LISTS = 8
"""Values in lists of one statement; each length makes another text."""


class Rows:
    """What a statement brought; the part of SQLAlchemy's `Result` that is used here."""

    __slots__ = ("_cursor", "_read", "rowcount")

    def __init__(self, cursor: Any, read: _Processor | None) -> None:
        """Give out the rows of `cursor`, each through `read`; `None` if there can be none."""
        self._cursor = cursor
        self._read = read
        self.rowcount: int = cursor.rowcount
        if read is None:
            cursor.close()

    def __iter__(self) -> Iterator[Any]:
        """Give out the rows that are left."""
        return iter(self.all())

    def all(self) -> list[Any]:
        """Return the rows that are left."""
        if self._read is None:
            return []
        rows = list(map(self._read, self._cursor.fetchall()))
        self._cursor.close()
        return rows

    def first(self) -> Any:
        """Return the first row, or `None`."""
        if self._read is None:
            return None
        row = self._cursor.fetchone()
        self._cursor.close()
        return None if row is None else self._read(row)

    def one(self) -> Any:
        """Return the first row of a statement that always brings one."""
        row = self.first()
        if row is None:
            raise NoResultFound("No row was found when one was required")
        return row

    def scalar(self) -> Any:
        """Return the first value of the first row, or `None`."""
        row = self.first()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        """Return the first value of a statement that always brings one."""
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        """Return the first value of the first row, or `None`."""
        return self.scalar()

    def scalars(self) -> Scalars:
        """Return the first value of each row."""
        return Scalars([row[0] for row in self.all()])


class Scalars(list[Any]):
    """Single values."""

    def all(self) -> list[Any]:
        """Return them."""
        return self


class _Place(NamedTuple):
    """A parameter of a statement."""

    name: str
    source: str
    """The name under which its value is given."""
    position: int | None
    """Its place in a list of values."""
    is_required: bool
    default: Any
    process: _Processor | None

    def value(self, given: Mapping[str, Any]) -> Any:
        """Return what the driver gets for it."""
        value = given[self.source] if self.is_required else given.get(self.source, self.default)
        if self.position is not None:
            value = value[self.position]
        return value if self.process is None else self.process(value)


class _Prepared:
    """A statement for one dialect, and for one set of names where those decide its text."""

    def __init__(
        self,
        statement: Any,
        compiled: SQLCompiler,
        dialect: Dialect,
        given: Mapping[str, Any],
    ) -> None:
        expanded = compiled.construct_expanded_state(dict(given))
        self.text = expanded.statement
        self._positional = compiled.positional
        self._places = _places(compiled, expanded, dialect)
        self._is_plain = all(
            place.is_required and place.position is None and place.process is None
            for place in self._places
        )
        columns: Any = getattr(statement, "exported_columns", ())
        self._types = [column.type.dialect_impl(dialect) for column in columns]
        self._dialect = dialect
        self._read: _Processor | None = None

    def parameters(self, given: Mapping[str, Any]) -> Any:
        """Return the values for the driver."""
        places = self._places
        if not self._positional:
            return {place.name: place.value(given) for place in places}
        if self._is_plain:
            return [given[place.source] for place in places]
        return [place.value(given) for place in places]

    def rows(self, cursor: Any) -> Rows:
        """Return what the statement brought."""
        if self._types and self._read is None:
            self._read = _reader(cursor.description, self._types, self._dialect)
        return Rows(cursor, self._read)


class DirectConnection(Connection):
    """A connection whose repeated statements go straight to the driver."""

    def execute(  # pyright: ignore[reportIncompatibleMethodOverride] - Rows for Result
        self,
        statement: Executable,
        parameters: Any = None,
        *,
        execution_options: CoreExecuteOptionsParameter | None = None,
    ) -> Any:
        """Run a statement, as SQLAlchemy would.

        Args:
            statement: What to run.
            parameters: Its values; a list of them runs it for each.
            execution_options: With any, SQLAlchemy runs it.
        """
        rows = _rows(parameters)
        if execution_options is None and rows:
            prepared = _STATEMENTS.find(statement, self.dialect, rows[0])
            # Who listens to what is executed gets to hear it from SQLAlchemy.
            if prepared is not None and not self.dispatch.before_cursor_execute:
                return self._run(prepared, [prepared.parameters(row) for row in rows])
        return super().execute(statement, parameters, execution_options=execution_options)

    def _run(self, prepared: _Prepared, rows: list[Any]) -> Rows:
        if not self.in_transaction():
            self.begin()
        driver: Any = self.connection.dbapi_connection
        cursor = driver.cursor()
        values: Any = rows[0] if len(rows) == 1 else rows
        try:
            if len(rows) == 1:
                cursor.execute(prepared.text, values)
            else:
                cursor.executemany(prepared.text, values)
        except BaseException as error:  # noqa: BLE001 - raised again, as SQLAlchemy's own
            cursor.close()
            self._handle_dbapi_exception(error, prepared.text, values, cursor, None)
        return prepared.rows(cursor)


def direct(engine: Engine) -> Engine:
    """Have an engine give out connections that run repeated statements directly."""
    engine._connection_cls = DirectConnection  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001 - there is no public way
    return engine


class _Statements:
    """The statements that have run, for as long as somebody keeps them.

    One that was built for a single run is not compiled here: only what comes back is.
    """

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Executable, dict[Any, _Prepared | None]] = (
            WeakKeyDictionary()
        )

    def find(
        self, statement: Executable, dialect: Dialect, given: Mapping[str, Any]
    ) -> _Prepared | None:
        """Return a statement that ran before, if it can be prepared."""
        known = self._known.get(statement)
        if known is None:
            self._known[statement] = {}
            return None
        key = _shape(statement, dialect, given)
        if key is None:
            return None
        if key not in known:
            known[key] = _prepare(statement, dialect, given)
        return known[key]


_STATEMENTS = _Statements()


def _rows(parameters: Any) -> list[Mapping[str, Any]]:
    """Return the values for each run of a statement; nothing where they are of another shape."""
    if parameters is None:
        return [{}]
    if isinstance(parameters, dict):
        return [cast("Mapping[str, Any]", parameters)]
    rows = cast("list[Any]", parameters) if isinstance(parameters, list) else []
    return rows if all(_is_like(row, rows[0]) for row in rows) else []


def _is_like(row: Any, first: Any) -> bool:
    """Tell whether a row can be given to the same text as the first."""
    if not isinstance(row, dict) or row.keys() != first.keys():
        return False
    values = cast("dict[str, Any]", row).values()
    return row is first or not any(map(_is_list, values))


def _is_list(value: Any) -> bool:
    return type(value) is list


def _shape(statement: Executable, dialect: Dialect, given: Mapping[str, Any]) -> Any:
    """Return what decides the text of a statement; `None` where it is hardly ever the same."""
    lists = tuple([(name, len(value)) for name, value in given.items() if _is_list(value)])
    if sum(length for _, length in lists) > _LONGEST_LISTS:
        return None
    # What is inserted or set decides it, and which values are many.
    if isinstance(statement, Insert | Update):
        return dialect.name, lists, *given
    return (dialect.name, lists)


def _prepare(statement: Executable, dialect: Dialect, given: Mapping[str, Any]) -> _Prepared | None:
    if not isinstance(statement, _PREPARABLE):
        return None
    compiled: Any = cast("Any", statement).compile(dialect=dialect, column_keys=sorted(given))
    decided_later = (
        compiled.literal_execute_params,
        compiled.escaped_bind_names,
        compiled.insert_prefetch,
        compiled.update_prefetch,
    )
    return (
        None if any(decided_later) else _Prepared(cast("Any", statement), compiled, dialect, given)
    )


def _places(compiled: SQLCompiler, expanded: ExpandedState, dialect: Dialect) -> list[_Place]:
    binds = {name: bind for bind, name in compiled.bind_names.items()}
    sources: dict[str, tuple[str, int | None]] = {name: (name, None) for name in binds}
    for source, names in expanded.parameter_expansion.items():
        sources |= {name: (source, position) for position, name in enumerate(names)}
        if source not in names:
            del sources[source]
    return [
        _place(name, *sources[name], binds[sources[name][0]], dialect)
        for name in expanded.positiontup or sources
    ]


def _place(name: str, source: str, position: int | None, bind: Any, dialect: Dialect) -> _Place:
    return _Place(
        name=name,
        source=source,
        position=position,
        is_required=bind.required,
        default=None if bind.callable else bind.value,
        process=bind.type.dialect_impl(dialect).bind_processor(dialect),
    )


def _reader(description: list[tuple[Any, ...]], types: list[Any], dialect: Dialect) -> _Processor:
    """Return what makes a row of the driver's: its values by place, and by name."""
    names = [column[0] for column in description]
    make = namedtuple("Row", names, rename=True)._make  # pyright: ignore[reportUntypedNamedTuple]
    conversions = [
        (index, convert)
        for index, (column, kind) in enumerate(zip(description, types, strict=True))
        if (convert := kind.result_processor(dialect, column[1])) is not None
    ]
    if not conversions:
        return make

    def read(row: tuple[Any, ...]) -> Any:
        values = list(row)
        for index, convert in conversions:
            values[index] = convert(values[index])
        return make(values)

    return read
