"""Proposes which customers are one under several spellings; a person confirms, nothing is merged by itself.

Names are compared without case, accents, punctuation and the words that say nothing about who it is (legal forms and
common endings). Equal cores are one customer; close cores are found by RapidFuzz inside blocks that share a rare word
or a beginning, so that 100,000 names need no 5 billion comparisons.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import polars as pl

from duecourse.core.errors import BadInput, Problem

# Legal forms and endings that vary between spellings of one customer, as single words after folding.
EMPTY_WORDS = frozenset(
    """
inc incorporated corp corporation co company companies llc lc llp lp ltd limited plc pllc pc gmbh mbh ag kg kgaa ohg ug
ev eg se sa sas sarl sasu eurl spa srl sl slu sau bv nv vof cv ab oy oyj as asa aps is kk pty pte pvt private public
sdn bhd doo dd sro zrt kft rt nyrt eood ood ad lda ltda eireli spzoo sp zoo z o o oo ooo zao pao jsc pjsc cjsc pt tbk
fze fzco wll saog us usa uk in intl international group grp holding holdings trust foundation
foundatio associates assoc systems services service enterprises enterprise ent llcs cos corps
""".split()
)
SCORE_MIN = 91.0  # Jaro-Winkler x 100 of the cores; see tests for what it finds and what it keeps apart
# Of shorter cores one other letter makes another name more often than a misspelling (Nature, Natura; Dollar, Dollara).
SHORTEST_ALIKE = 8
BLOCK_MAX = 400  # a block with more names than this says nothing and is skipped
_MARKS, _WORDS = re.compile(r"['\u2019`.]"), re.compile(r"\w+")
_AND_COMPANY = re.compile(r"\b(?:and|und|et|y)\s+(?:co|cie|cia|company|compagnie)\b")
PROPOSAL_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "customer_id": pl.String, "name": pl.String, "proposed_customer_id": pl.String, "proposed_name": pl.String,
    "score": pl.Float64, "confirm": pl.String,
}  # fmt: skip


def core_of(name: str) -> str:
    """What is left of a name without legal form, case, accents and punctuation; never less than its first word."""
    folded = name
    if not name.isascii():
        folded = "".join(mark for mark in unicodedata.normalize("NFKD", name) if not unicodedata.combining(mark))
    folded = _MARKS.sub("", folded.casefold().replace("&", " and "))
    words = _WORDS.findall(_AND_COMPANY.sub(" ", folded))
    if len(words) > 1 and words[0] == "the" and words[1] not in EMPTY_WORDS:
        words = words[1:]
    # The first word is who it is, even where it looks like a form ("Group Ltd", "US Foods").
    return " ".join(words[:1] + [word for word in words[1:] if word not in EMPTY_WORDS])


def clusters(names: Sequence[str]) -> list[list[int]]:
    """Positions of names that seem to be one customer, groups of two and more, in the order of the names.

    Names with equal cores are one group. Two cores are joined when they are alike as wholes and in their first word;
    groups are not chained: every member is close to the most frequent core of its group.
    """
    cores = [core_of(name) for name in names]
    by_core: dict[str, list[int]] = defaultdict(list)
    for position, core in enumerate(cores):
        by_core[core].append(position)
    weight = {core: len(positions) for core, positions in by_core.items()}
    leader: dict[str, str] = {}
    pairs = sorted(_close_pairs(list(by_core)), key=lambda pair: (-pair[2], pair[0], pair[1]))
    for one, other, _ in pairs:
        big, small = sorted((one, other), key=lambda core: (-weight[core], core))
        if small not in leader and small not in leader.values() and big not in leader:
            leader[small] = big
    groups: dict[str, list[int]] = defaultdict(list)
    for core, positions in by_core.items():
        groups[leader.get(core, core)] += positions
    return sorted(sorted(group) for group in groups.values() if len(group) > 1)


def _blocks(cores: Sequence[str]) -> Iterable[list[str]]:
    words = Counter(word for core in cores for word in set(core.split()))
    blocks: dict[tuple[str, str], list[str]] = defaultdict(list)
    for core in cores:
        parts = core.split()
        plain = core.replace(" ", "")
        if len(plain) < SHORTEST_ALIKE - 1:
            continue
        blocks["start", plain[:5]].append(core)
        rarest = min(parts, key=lambda part: (words[part] == 1, words[part], part))  # a misspelt word is alone
        if len(rarest) > 2:
            blocks["word", rarest].append(core)
    return (block for _, block in sorted(blocks.items()) if 1 < len(block) <= BLOCK_MAX)


def _close_pairs(cores: Sequence[str]) -> Iterable[tuple[str, str, float]]:
    from rapidfuzz.distance import JaroWinkler
    from rapidfuzz.process import cdist

    seen: set[tuple[str, str]] = set()
    for block in _blocks(cores):
        scores = cdist(block, block, scorer=JaroWinkler.normalized_similarity, score_cutoff=SCORE_MIN / 100)
        for i in range(len(block)):
            for j in scores[i, i + 1 :].nonzero()[0] + i + 1:
                pair = (min(block[i], block[j]), max(block[i], block[j]))
                if pair not in seen and _same_kind(*pair):
                    seen.add(pair)
                    yield (*pair, float(scores[i, j]) * 100)


def _same_kind(one: str, other: str) -> bool:
    """Keeps apart what differs in a number ("Store 12", "Store 13") or in a short word that carries the name."""
    if re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return False
    if min(len(one.replace(" ", "")), len(other.replace(" ", ""))) < SHORTEST_ALIKE:
        return False
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(one.replace(" ", ""), other.replace(" ", "")) <= max(1, min(len(one), len(other)) // 8)


def proposals(customers: pl.DataFrame) -> pl.DataFrame:
    """Proposed merges, one row per customer that seems to be another one (``PROPOSAL_SCHEMA``), ``confirm`` blank.

    ``customers`` has customer_id, name and rows (how many records name it so); of a group the customer with most
    records is the one that stays.
    """
    table = customers.filter(pl.col("name").is_not_null()).sort("customer_id", "name")
    ids, names = table.get_column("customer_id").to_list(), table.get_column("name").to_list()
    counts = table.get_column("rows").to_list()
    rows = []
    for group in clusters(names):
        keep = max(group, key=lambda position: (counts[position], ids[position]))
        rows += [
            (ids[one], names[one], ids[keep], names[keep], _likeness(names[one], names[keep]), "")
            for one in group
            if ids[one] != ids[keep]
        ]
    frame = pl.DataFrame(rows, schema=dict(PROPOSAL_SCHEMA), orient="row")
    return frame.unique(["customer_id", "proposed_customer_id"], keep="first", maintain_order=True)


def _likeness(one: str, other: str) -> float:
    from rapidfuzz.distance import JaroWinkler

    return round(100 * JaroWinkler.normalized_similarity(core_of(one), core_of(other)), 1)


def confirmed_merges(path: Path) -> dict[str, str]:
    """customer_id -> customer_id of the rows that a person confirmed (``confirm`` is yes) in a proposals file.

    Chains are followed to their end. Raises BadInput for a file without the columns, an unreadable answer or a circle.
    """
    try:
        table = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInput(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None
    missing = [name for name in ("customer_id", "proposed_customer_id", "confirm") if name not in table.columns]
    if missing:
        where = Problem(path.name, 1, ", ".join(missing), None, "the columns of customer_name_proposals.csv")
        raise BadInput(f"{path} is no list of name proposals", (where,))
    answers = table.get_column("confirm").fill_null("").str.strip_chars().str.to_lowercase().to_list()
    merges: dict[str, str] = {}
    for row, answer in enumerate(answers, start=2):
        if answer not in ("", "yes", "y", "no", "n", "x", "true", "false", "1", "0"):
            problem = Problem(path.name, row, "confirm", answer, "yes, no or blank")
            raise BadInput(f"{path}: an answer cannot be read", (problem,))
        if answer in ("yes", "y", "x", "true", "1"):
            source, target = (
                table.row(row - 2, named=True)["customer_id"],
                table.row(row - 2, named=True)["proposed_customer_id"],
            )
            merges[source.removeprefix("'")] = target.removeprefix("'")
    return {source: _end_of_chain(path, source, merges) for source in merges}


def _end_of_chain(path: Path, source: str, merges: Mapping[str, str]) -> str:
    chain = [source]
    while chain[-1] in merges:
        chain.append(merges[chain[-1]])
        if chain[-1] in chain[:-1]:
            steps = " -> ".join(f"{one}" for one, _ in pairwise([*chain, ""]))
            raise BadInput(f"{path}: the confirmed merges run in a circle: {steps}")
    return chain[-1]
