"""Statements that go straight to the driver do what they do through SQLAlchemy."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    MetaData,
    Numeric,
    Table,
    Text,
    bindparam,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import (
    IntegrityError,
    InvalidRequestError,
    NoResultFound,
    StatementError,
)

from mediawright.store import connections
from mediawright.store.database import Database

things = Table(
    "things",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("amount", BigInteger),
    Column("is_new", Boolean),
)
INSERT = insert(things)
OF_IDS = (
    select(things).where(things.c.id.in_(bindparam("ids", expanding=True))).order_by(things.c.id)
)
SUM = select(func.sum(things.c.amount).label("total"), func.count())
RAISE = (
    update(things)
    .where(things.c.id == bindparam("of_id"), things.c.amount > bindparam("least", 0))
    .values(amount=things.c.amount + bindparam("more"))
    .returning(things.c.id, things.c.amount)
)
DROP = delete(things).where(things.c.id == bindparam("of_id"))


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    opened = Database(empty_url)
    opened.write_now(things.metadata.create_all)
    yield opened
    opened.close()


def add(c, number: int, *, is_new: bool = True) -> None:
    c.execute(INSERT, {"id": f"thing {number}", "amount": number, "is_new": is_new})


def twice(database: Database, work):
    """Do it through SQLAlchemy, then directly."""
    return database.write_now(work), database.write_now(work)


def test_what_comes_back_is_the_same(database):
    for number in range(5):
        database.write_now(lambda c, number=number: add(c, number, is_new=number % 2 == 0))

    def look(c):
        rows = c.execute(OF_IDS, {"ids": ["thing 1", "thing 2", "thing 9"]}).all()
        return [(row.id, row.amount, row.is_new, row[0], len(row)) for row in rows]

    first, second = twice(database, look)

    assert (
        first
        == second
        == [
            ("thing 1", 1, False, "thing 1", 3),
            ("thing 2", 2, True, "thing 2", 3),
        ]
    )
    assert [type(entry[2]) for entry in second] == [bool, bool]


@pytest.mark.parametrize("count", [0, 1, 2, 8, 9, 40])
def test_lists_may_have_any_length(database, count):
    database.write_now(lambda c: [add(c, number) for number in range(50)])
    ids = [f"thing {number}" for number in range(count)]

    found = twice(database, lambda c: c.execute(OF_IDS, {"ids": ids}).scalars().all())

    assert list(found[0]) == list(found[1]) == sorted(ids)


def test_sums_are_numbers(database):
    database.write_now(lambda c: [add(c, number) for number in range(4)])

    first, second = twice(database, lambda c: tuple(c.execute(SUM).one()))

    assert first == second == (6, 4)


def test_a_value_that_is_not_given_has_its_default(database):
    database.write_now(lambda c: [add(c, 0), add(c, 3)])

    def raise_both(c):
        rows = [
            c.execute(RAISE, {"of_id": f"thing {number}", "more": 10}).first() for number in (0, 3)
        ]
        return [None if row is None else tuple(row) for row in rows]

    assert twice(database, raise_both) == (
        [None, ("thing 3", 13)],
        [None, ("thing 3", 23)],
    )


def test_a_value_that_is_needed_must_be_given(database):
    database.write_now(lambda c: add(c, 1))
    for _ in range(3):
        with pytest.raises((StatementError, InvalidRequestError, KeyError), match="of_id"):
            database.write_now(lambda c: c.execute(DROP, {}))
    assert database.read_now(lambda c: c.execute(SUM).one()[1]) == 1


def test_counts_of_rows_are_told(database):
    database.write_now(lambda c: add(c, 1))

    counts = [
        database.write_now(lambda c: c.execute(DROP, {"of_id": "thing 1"}).rowcount)
        for _ in range(3)
    ]

    assert counts == [1, 0, 0]


def test_errors_are_sqlalchemys_own_and_undo_everything(database):
    for number in (1, 2, 3):
        database.write_now(lambda c, number=number: add(c, number))

    def clash(c):
        add(c, 4)
        add(c, 1)

    with pytest.raises(IntegrityError):
        database.write_now(clash)
    assert database.read_now(lambda c: c.execute(SUM).one()[1]) == 3


def test_an_error_inside_a_savepoint_leaves_the_rest(database):
    database.write_now(lambda c: add(c, 1))

    def work(c):
        add(c, 2)
        with pytest.raises(IntegrityError), c.begin_nested():
            add(c, 1)
        add(c, 3)

    database.write_now(work)
    assert database.read_now(lambda c: c.execute(SUM).one()[1]) == 3


def test_none_where_one_is_needed_is_an_error(database):
    for _ in range(2):
        with pytest.raises(NoResultFound):
            database.read_now(lambda c: c.execute(OF_IDS, {"ids": ["nothing"]}).one())


def test_who_listens_hears_every_statement(database):
    heard = []

    def work(c):
        event.listen(c, "before_cursor_execute", lambda *given: heard.append(given[2]))
        for number in range(3):
            add(c, number)

    database.write_now(work)

    assert len(heard) == 3


def test_statements_that_nobody_keeps_are_forgotten(database):
    gc.collect()
    before = len(connections._STATEMENTS._known)

    for number in range(20):
        statement = select(things).where(things.c.amount == number)
        for _ in range(2):
            database.read_now(lambda c, statement=statement: c.execute(statement).all())
        del statement
    gc.collect()

    assert len(connections._STATEMENTS._known) <= before + 1


def test_exact_numbers_come_back_as_such(database):
    statement = select(func.coalesce(func.sum(things.c.amount), 0).cast(Numeric(20, 2)))
    database.write_now(lambda c: add(c, 7))

    assert set(twice(database, lambda c: c.execute(statement).scalar_one())) == {7}
