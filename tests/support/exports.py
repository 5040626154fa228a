"""Small made-up exports as products write them, for tests of the importer."""

from __future__ import annotations

# ruff: noqa: E501 - the lines of real exports are as long as they are
from collections.abc import Sequence
from pathlib import Path

HEADER = "Invoice No,Customer,Invoice Date,Due Date,Amount,Currency"
ROW = "1,Birch,2026-01-01,2026-01-31,10.00,EUR"


def write(directory: Path, name: str, *lines: str, encoding: str = "utf-8") -> Path:
    """A text file of these lines."""
    path = directory / name
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def workbook(path: Path, rows: Sequence[Sequence[object]], sheet: str = "Sheet1") -> Path:
    """A real .xlsx with one sheet; dates are written as spreadsheet dates."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"default_date_format": "dd/mm/yyyy"})
    page = book.add_worksheet(sheet)
    for number, row in enumerate(rows):
        page.write_row(number, 0, row)
    book.close()
    return path


PRODUCT_EXPORTS: dict[str, tuple[tuple[str, str], ...]] = {
    "quickbooks": (
        (
            "open_invoices.csv",
            """Acme Supplies LLC,,,,,,
Open Invoices,,,,,,
"As of November 20, 2026",,,,,,
,,,,,,
,Date,Transaction type,Num,Terms,Due date,Open balance
Birch & Co,,,,,,
,10/15/2026,Invoice,1001,Net 30,11/14/2026,"1,200.00"
,10/20/2026,Invoice,1002,Net 30,11/19/2026,350.50
,10/25/2026,Credit Memo,1003,,10/25/2026,-50.00
Total for Birch & Co,,,,,,"$1,500.50"
Cedar Ltd,,,,,,
,09/30/2026,Invoice,0999,Net 15,10/15/2026,99.99
Total for Cedar Ltd,,,,,,$99.99
TOTAL,,,,,,"$1,600.49"
,,,,,,
"Friday, November 20, 2026 04:12 PM GMTZ",,,,,,
""",
        ),
    ),
    "quickbooks_with_payments": (
        (
            "sales.csv",
            """Date,Type,No.,Customer,Memo,Due date,Balance,Total,Status
10/15/2026,Invoice,1001,Birch & Co,,11/14/2026,"$1,200.00","$1,200.00",Due in 5 days
10/20/2026,Invoice,1002,Birch & Co,,11/19/2026,$0.00,$350.50,Paid
10/28/2026,Payment,,Birch & Co,,,$0.00,-$350.50,Closed
10/29/2026,Estimate,77,Cedar,,,,$10.00,Pending
""",
        ),
        (
            "payments.csv",
            """Customer,Date,Transaction type,No.,Payment date,Invoice No.,Payment method,Payment amount
Birch & Co,10/28/2026,Payment,55,10/28/2026,1002,Check,$350.50
""",
        ),
    ),
    "xero": (
        (
            "SalesInvoices.csv",
            """ContactName,EmailAddress,InvoiceNumber,Reference,InvoiceDate,DueDate,Total,TaxTotal,InvoiceAmountPaid,InvoiceAmountDue,Description,Quantity,Currency,Type,Sent,Status
Birch,a@b.example,INV-0001,PO 7,15/10/2026,14/11/2026,120.00,20.00,20.00,100.00,Widget,1,GBP,Sales invoice,Sent,Awaiting Payment
Birch,a@b.example,INV-0001,PO 7,15/10/2026,14/11/2026,120.00,20.00,20.00,100.00,Gadget,2,GBP,Sales invoice,Sent,Awaiting Payment
Cedar,,INV-0002,,16/10/2026,15/11/2026,50.00,0.00,50.00,0.00,Widget,1,GBP,Sales invoice,Sent,Paid
Cedar,,CN-0001,,16/10/2026,,10.00,0.00,0.00,10.00,Widget,1,GBP,Sales credit note,Sent,Awaiting Payment
Dogwood,,INV-0003,,16/10/2026,15/11/2026,50.00,0.00,0.00,0.00,Widget,1,GBP,Sales invoice,,Draft
""",
        ),
    ),
    "xero_report": (
        (
            "summary.csv",
            """Receivable Invoice Summary
Demo Company
For the period 1 October 2026 to 30 November 2026

Invoice Number,Contact,Invoice Date,Due Date,Last Payment Date,Currency,Gross,Balance,Status
INV-0001,Birch,15 Oct 2026,14 Nov 2026,,GBP,"1,120.00","1,120.00",Approved
INV-0002,Cedar,16 Oct 2026,15 Nov 2026,20 Nov 2026,GBP,50.00,0.00,Paid
Total,,,,,,"1,170.00","1,120.00",
""",
        ),
    ),
    "netsuite": (
        (
            "transactions.csv",
            """Internal ID,Date,Document Number,Name,Type,Status,Due Date/Receive By,Amount,Amount Remaining,Date Closed,Currency,Days Overdue
11,10/15/2026,INV1001,C101 Birch,Invoice,Open,11/14/2026,1200.00,700.00,,US Dollar,0
12,10/16/2026,INV1002,C101 Birch,Invoice,Paid In Full,11/15/2026,300.00,0.00,11/20/2026,US Dollar,
13,10/17/2026,CM1,C101 Birch,Credit Memo,Open,,-30.00,-30.00,,US Dollar,
""",
        ),
        (
            "payments.csv",
            """Internal ID,Date,Document Number,Name,Type,Amount,Applied To Transaction,Applied To Link Amount,Currency
21,10/30/2026,PYMT5,C101 Birch,Payment,500.00,Invoice #INV1001,500.00,US Dollar
""",
        ),
    ),
    "odoo": (
        (
            "invoices.csv",
            """Number,Invoice Partner Display Name,Invoice/Bill Date,Due Date,Untaxed Amount Signed,Total Signed,Total in Currency Signed,Amount Due Signed,Payment Status,Status,Currency
INV/2026/00001,Birch,2026-10-15,2026-11-14,100.0,120.0,120.0,120.0,Not Paid,Posted,EUR
INV/2026/00002,Cedar,2026-10-16,2026-11-15,100.0,120.0,120.0,0.0,Paid,Posted,EUR
RINV/2026/00001,Cedar,2026-10-17,2026-10-17,-10.0,-12.0,-12.0,-12.0,Not Paid,Posted,EUR
/,Cedar,2026-10-17,2026-10-17,10.0,12.0,12.0,12.0,Not Paid,Draft,EUR
""",
        ),
        (
            "payments.csv",
            """Date,Number,Journal,Payment Method,Customer/Vendor,Amount Signed,Currency,Status,Memo
2026-11-10,PBNK1/2026/00003,Bank,Manual Payment,Cedar,120.0,EUR,Paid,INV/2026/00002
""",
        ),
    ),
    "erpnext": (
        (
            "sales_invoice.csv",
            """ID,Customer,Customer Name,Date,Payment Due Date,Grand Total,Outstanding Amount,Status,Currency,Company,Is Return (Credit Note)
SINV-1,Birch,Birch & Co,2026-10-15,2026-11-14,1200,1200,Unpaid,INR,My Co,0
SINV-2,Birch,Birch & Co,2026-10-15,2026-11-14,800,300,Partly Paid,INR,My Co,0
SINV-3,Birch,Birch & Co,2026-10-15,2026-10-15,-100,-100,Return,INR,My Co,1
SINV-4,Birch,Birch & Co,2026-10-15,2026-10-15,100,100,Cancelled,INR,My Co,0
""",
        ),
        (
            "payment_entry.csv",
            """ID,Payment Type,Posting Date,Party Type,Party,Party Name,Paid Amount,Mode of Payment,Status,Type (Payment References),Name (Payment References),Allocated (Payment References)
PAY-1,Receive,2026-11-02,Customer,Birch,Birch & Co,500,Wire Transfer,Submitted,Sales Invoice,SINV-2,500
""",
        ),
    ),
    "tryton": (
        (
            "invoices.csv",
            """Number,Party,Invoice Date,Payment Term Date,Total,Amount to Pay,Currency,State,Type,Reconciled
2026-1,Birch,2026-10-15,2026-11-14,1200.00,1000.00,USD,Posted,Customer,
2026-2,Cedar,2026-10-15,2026-11-14,200.00,0.00,USD,Paid,Customer,2026-11-18
""",
        ),
        (
            "payments.csv",
            """Number,Date,Party,Amount,Currency,Line/Origin,State,Kind
1,2026-11-01,Birch,200.00,USD,Invoice 2026-1,Succeeded,Receivable
""",
        ),
    ),
}
