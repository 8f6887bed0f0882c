"""Other shops' files: each quirk is read for what it means, or left out and counted."""

from zoneinfo import ZoneInfo

import pytest

from common.errors import Misconfigured
from fitting.orders_file import Asked
from tests.unit.fitting.shops import day_of, loaded

HEADER = "client,date,value\n"


def orders(found):
    """Return a history as {client: [(day, cents)]}."""
    rows: dict[str, list[tuple[int, int]]] = {}
    for owner, day, cents in zip(*found.orders[1:], strict=True):
        rows.setdefault(found.orders.clients[owner], []).append((int(day), int(cents)))
    return rows


def test_equal_lines_are_one_order(tmp_path):
    """Lines equal in every column are one order told twice; one different column makes two."""
    text = "client,date,value,invoice\n1,1997-01-01,5,A\n1,1997-01-01,5,A\n1,1997-01-01,5,B\n"
    found = loaded(tmp_path, text)
    assert orders(found) == {"1": [(day_of("1997-01-01"), 1000)]}
    assert (found.notes.rows, found.notes.duplicates, found.notes.counted) == (3, 1, 2)


def test_refunds_and_zeros_do_not_count(tmp_path):
    """Negative amounts, also in brackets or with the sign behind, and zeros are left out."""
    text = HEADER + "1,1997-01-01,-5\n1,1997-01-02,(7.50)\n1,1997-01-03,3-\n1,1997-01-04,0\n"
    found = loaded(tmp_path, text + "1,1997-01-05,9\n")
    assert orders(found) == {"1": [(day_of("1997-01-05"), 900)]}
    assert (found.notes.negative, found.notes.zero) == (3, 1)


@pytest.mark.parametrize("missing", ["", "nan", "None", "NULL", " ", "<NA>", '""'])
def test_lines_without_a_client_are_left_out(tmp_path, missing):
    """Whatever an export writes for nobody is nobody."""
    found = loaded(tmp_path, HEADER + f"{missing},1997-01-01,5\n7,1997-01-01,5\n")
    assert list(orders(found)) == ["7"]
    assert found.notes.missing_client == 1


def test_ids_may_be_floats_or_words(tmp_path):
    """12345.0 is client 12345; other texts are ids as they stand, leading zeros and all."""
    text = HEADER + "12345.0,1997-01-01,5\n12345,1997-01-02,5\n007,1997-01-01,5\nA-1,1997-01-01,5\n"
    found = orders(loaded(tmp_path, text))
    assert {name: len(days) for name, days in found.items()} == {"12345": 2, "007": 1, "A-1": 1}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2010-12-01", "2010-12-01"),
        ("2010-12-01 08:26:00", "2010-12-01"),
        ("2010-12-01T23:30:00Z", "2010-12-02"),
        ("2010-12-01T23:30:00.123+00:00", "2010-12-02"),
        ("2010-12-02T00:30:00+0200", "2010-12-01"),
        ("2010/12/1", "2010-12-01"),
        ("20101201", "2010-12-01"),
        ("20101201.0", "2010-12-01"),
        ("12/1/2010 8:26", "2010-12-01"),
        ("12/1/10 8:26 PM", "2010-12-01"),
    ],
)
def test_dates_in_many_forms(tmp_path, text, day):
    """A date is read in each usual form; a time with a zone is moved into the shop's."""
    asked = Asked(zone=ZoneInfo("Europe/Berlin"))
    found = loaded(tmp_path, HEADER + f"1,{text},5\n", asked)
    assert orders(found) == {"1": [(day_of(day), 500)]}


def test_days_and_months_are_told_apart_by_the_whole_column(tmp_path):
    """One 25/12 makes a column day first; without a sign it is month first, with a remark."""
    text = HEADER + "1,03/04/2011,5\n2,{},5\n"
    clear = loaded(tmp_path, text.format("25/12/2011"))
    assert orders(clear)["1"] == [(day_of("2011-04-03"), 500)]
    assert not clear.notes.remarks
    unclear = loaded(tmp_path, text.format("05/06/2011"))
    assert orders(unclear)["1"] == [(day_of("2011-03-04"), 500)]
    assert "month first" in unclear.notes.remarks[0]
    said = loaded(tmp_path, text.format("05/06/2011"), Asked(day_first=True))
    assert orders(said)["1"] == [(day_of("2011-04-03"), 500)]


def test_what_is_no_date_or_amount_is_left_out(tmp_path):
    """Impossible days, words, NaN, infinity and absurd amounts are counted, never guessed."""
    bad_dates = "1,1997-02-30,5\n1,yesterday,5\n1,,5\n1,1997-13-01,5\n"
    bad_values = "1,1997-01-01,free\n1,1997-01-02,\n1,1997-01-03,NaN\n1,1997-01-04,inf\n"
    found = loaded(tmp_path, HEADER + bad_dates + bad_values + "1,1997-01-05,1e300\n2,19970101,5\n")
    assert list(orders(found)) == ["2"]
    assert (found.notes.unreadable_date, found.notes.unreadable_value) == (4, 5)


@pytest.mark.parametrize(
    ("texts", "cents"),
    [
        (["$1,234.56", "$7.00"], [123_456, 700]),
        (["€ 1.234,56", "€ 7,00"], [123_456, 700]),
        (["12,5", "1.234"], [1_250, 123_400]),
        (["1 234.50", "USD 8"], [123_450, 800]),
        (["1,234", "12.50"], [123_400, 1_250]),
        (["19.99", "0.1"], [1_999, 10]),
    ],
)  # fmt: skip
def test_amounts_in_many_forms(tmp_path, texts, cents):
    """Currency signs and marks of thousands are let pass; a decimal comma holds for the column."""
    lines = [f'{i};1997-01-01;"{text}"' for i, text in enumerate(texts, start=1)]
    found = orders(loaded(tmp_path, "client;date;value\n" + "\n".join(lines) + "\n"))
    assert [found[str(i)][0][1] for i in range(1, len(texts) + 1)] == cents


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_quotes_and_a_byte_order_mark(tmp_path, separator):
    """The separator is found; fields may be quoted; a byte order mark is no part of a name."""
    line = separator.join(('"a ""b"" c"', "1997-01-01", "5"))
    header = separator.join(("client", "date", "value"))
    found = loaded(tmp_path, f"\ufeff{header}\r\n{line}\r\n".encode())
    assert list(orders(found)) == ['a "b" c']


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8"])
def test_encodings(tmp_path, encoding):
    """Files in Latin-1 and UTF-16 are read with their letters as they are."""
    found = loaded(tmp_path, (HEADER + "José,1997-01-01,5\nJosè,1997-01-01,5\n").encode(encoding))
    assert set(orders(found)) == {"José", "Josè"}


def test_usual_names_are_found_and_others_asked_for(tmp_path):
    """Usual column names need no option, others take one; amounts may be a product."""
    text = "InvoiceNo,Quantity,InvoiceDate,UnitPrice,CustomerID\n1,3,12/13/2010 8:26,2.5,17850.0\n"
    asked = Asked(value="Quantity*UnitPrice")
    assert orders(loaded(tmp_path, text, asked)) == {"17850": [(day_of("2010-12-13"), 750)]}
    with pytest.raises(Misconfigured, match=r"--value-column.*'UnitPrice'"):
        loaded(tmp_path, text)
    with pytest.raises(Misconfigured, match=r"no column 'Price'.*'Quantity'"):
        loaded(tmp_path, text, Asked(value="Price"))


def test_thousands_of_orders_of_one_client(tmp_path):
    """5,000 orders on 28 days are 28 order-days, with all that was spent."""
    lines = [f"1,{19970101 + i % 28},{i + 1}\n" for i in range(5_000)]
    found = orders(loaded(tmp_path, HEADER + "".join(lines)))
    assert len(found["1"]) == 28
    assert sum(cents for _, cents in found["1"]) == 100 * 5_000 * 5_001 // 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "is empty"),
        (HEADER, "no line is an order"),
        (HEADER + ",1997-01-01,5\n1,x,5\n", "missing client 1, unreadable date 1"),
        ("a,b\n1,2\n", "no column is named like a client.*'a', 'b'"),
    ],
)
def test_files_without_orders_are_refused(tmp_path, text, line):
    """One line says what is wrong with the file."""
    with pytest.raises(Misconfigured, match=line) as caught:
        loaded(tmp_path, text)
    assert "\n" not in str(caught.value)
