"""Language: drafts whose every number, date and name comes from the ledger, and the check that it is so.

``draft_worklist`` writes the e-mails, letters, text messages and call scripts of a plan from templates in the
customer's language; ``verify`` finds anything in a text that is not a fact. How: docs/science/drafting.md.
"""

from duecourse.science.language.drafting import draft, draft_worklist
from duecourse.science.language.facts import FactReader, InvoiceLine, MessageFacts, TermsFacts
from duecourse.science.language.verify import Violation, verify

__all__ = ["FactReader", "InvoiceLine", "MessageFacts", "TermsFacts", "Violation", "draft", "draft_worklist", "verify"]
