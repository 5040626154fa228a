"""Whether the living world is a fair and a treacherous teacher: true effects come back, naive readings go wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from machine import table

from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living import House, LivingWorld, load_living, surely
from duecourse.science.simulate.living.oracles.paying import age_bin, exposure, overdue_rows
from duecourse.science.simulate.living.oracles.watching import Watch, month_phase
from duecourse.science.simulate.living.policies.ladder import ladder
from duecourse.science.simulate.living.policies.simple import RandomLog, none
from duecourse.science.simulate.living.spec import ARM
from duecourse.science.simulate.living.state import DISPUTED
from duecourse.science.simulate.living.view import CALLS, MAILS

SHOWN = (
    "email_soft",
    "email_neutral",
    "email_firm",
    "sms_soft",
    "letter_formal",
    "call_service",
    "call_firm",
    "call_plan",
)


def logistic_with_errors(
    design: np.ndarray, y: np.ndarray, offset: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and standard errors of a nearly unpenalised logistic regression."""
    weights = np.zeros(design.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights + offset, -30, 30)))
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + 1e-3 * np.eye(weights.size)
        step = np.linalg.solve(curvature, design.T @ (y - chance) - 1e-3 * weights)
        weights += step
        if np.abs(step).max() < 1e-7:
            break
    return weights, np.sqrt(np.diag(np.linalg.inv(curvature)))


def effect_recovery(*, quick: bool) -> str:
    """Decisions of randomly contacted payers on their exposure, types known: the table of effects comes back."""
    spec = load_living("base")
    spec = replace(spec, company=replace(spec.company, customers=1000 if quick else 6000),
                   rules=replace(spec.rules, calls_per_customer_week=0.05))  # fmt: skip
    world = LivingWorld(spec, 77, 20 if quick else 52)
    house, nature = world.stepper(), world.nature
    carry, policy = spec.effects.carry, RandomLog()
    kept: list[tuple[np.ndarray, ...]] = []
    past = np.zeros_like(house.state.exposure[0]), np.zeros_like(house.state.exposure[0])
    while house.week < nature.start_week + world.weeks:
        week, monday, state = house.week, house.week * 7 - 3, house.state
        rows = state.active[(state.decided[state.active] == NEVER) & (nature.orders.due[state.active] < monday)]
        disputed = state.dispute[rows] == DISPUTED
        house.apply(policy(house.book(), house.capacity, week))
        now = house.state.exposure[1].copy()
        owner, due = nature.invoice_point[rows], nature.orders.due[rows]
        seen = carry[0] * now[owner]
        for back, strength in enumerate(past, start=1):
            seen = seen + carry[back] * strength[owner] * (due <= monday - 7 * back + 7)[:, None]
        past = (now, past[0])
        lost = house.state.written_off[rows] == monday + 4
        use = ~disputed & ~lost & (house.state.dispute[rows] != DISPUTED)
        decided = (house.state.decided[rows] != NEVER).astype(float)
        at = week - nature.first_week
        known = nature.customers.intercept[nature.orders.customer[rows]] + nature.inboxes.drift[at, owner]
        known = known + spec.failing.signs_logit * (nature.inboxes.signs_week[owner] <= week)
        kept.append(tuple(np.asarray(each)[use] for each in (
            nature.inboxes.kind[at, owner], seen, decided, known, (monday - due) // 7,
            np.full(rows.size, float(nature.calendar.month_end[week - nature.calendar.first_week])))))  # fmt: skip
    kind, seen, decided, known, age, ends = (np.concatenate(column) for column in zip(*kept, strict=True))
    truth, found, errors = [], [], []
    arms = [ARM[name] for name in SHOWN]
    table_of = spec.effects.table(tuple(spec.company.types))
    # Payers of finite cash may be unable to pay what they decide: their effects are not the table's.
    for each in [at for at, name in enumerate(spec.company.types) if name not in (*spec.purse.kinds, "insolvent")]:
        own = kind == each
        design = np.column_stack([np.ones(own.sum()), age[own], ends[own], seen[own][:, arms]])
        weights, error = logistic_with_errors(design, decided[own], known[own])
        truth += table_of[each, arms].tolist()
        found += weights[3:].tolist()
        errors += error[3:].tolist()
    truth_, found_, errors_ = np.array(truth), np.array(found), np.array(errors)
    z = (found_ - truth_) / errors_
    slope = np.average((truth_ - truth_.mean()) * (found_ - found_.mean()), weights=errors_**-2) / np.average(
        (truth_ - truth_.mean()) ** 2, weights=errors_**-2
    )
    shares = [
        f"{decided.size:,}", f"{z.size}", f"{(np.abs(z) <= 2.5).mean():.2f}", f"{np.sqrt((z**2).mean()):.2f}",
        f"{slope:.2f}",
    ]  # fmt: skip
    header = ("randomised rows", "effects (type x arm)", "within 2.5 s.e. (goal: all)", "rms z",
              "slope of estimate on truth (.85-1.10)")  # fmt: skip
    return "\n\n".join([
        "## The true effects come back", table(header, [shares]),
        "Personal effects (sd .15) and the skill of callers are on, so z is expected to be a little above 1. Payers of "
        "finite cash and the insolvent are left out: they cannot pay what they decide.",
    ])  # fmt: skip


def confounding(seeds: int) -> str:
    """The naive effect of calls read off the human history, beside the true one."""
    rows, bites = [], 0
    for seed in range(1, seeds + 1):
        world = LivingWorld(load_living("base"), seed, 4)
        naive = naive_call_effect(world.stepper())
        truth = true_call_effect(world)
        wrong = naive < 0 or abs(naive - truth) > abs(truth)
        bites += wrong
        rows.append([str(seed), f"{naive:+.3f}", f"{truth:+.3f}", "yes" if wrong else "no"])
    mean = table(("seed", "naive", "true", "wrong sign or error above the effect"), rows)
    return "\n\n".join([
        f"## Confounding bites in {bites} of {seeds} seeds (goal: 8 of 10)",
        "Calls of the history against paid within 4 weeks, given age, balance and mails (difference in probability; "
        "the truth by running the called ones again without the call).", mean,
    ])  # fmt: skip


def naive_call_effect(house: House) -> float:
    """Linear regression of paid within 28 days on called, age, log balance and mailed, over the history."""
    book = house.book()
    found: list[tuple[np.ndarray, ...]] = []
    for week in range(book.week - 40, book.week - 5):
        monday = week * 7 - 3
        late = monday - book.due
        open_then = (late > 14) & (late < 140) & ((book.paid_day == NEVER) | (book.paid_day >= monday))
        open_then &= (book.written_off_day == NEVER) | (book.written_off_day >= monday)
        at = np.flatnonzero(open_then)
        now = book.contact_day == monday
        called = np.isin(book.point[at], book.contact_point[now & np.isin(book.contact_arm, CALLS)])
        mailed = np.isin(book.point[at], book.contact_point[now & np.isin(book.contact_arm, MAILS)])
        paid = (book.paid_day[at] != NEVER) & (book.paid_day[at] < monday + 28)
        found.append((called, mailed, late[at] / 7, np.log(book.amount_minor[at]), paid))
    called, mailed, age, amount, paid = (np.concatenate(column).astype(float) for column in zip(*found, strict=True))
    design = np.column_stack([np.ones(called.size), called, mailed, age, age**2, amount])
    weights, *_ = np.linalg.lstsq(design, paid, rcond=None)
    return float(weights[1])


def true_call_effect(world: LivingWorld) -> float:
    """Mean change of paid within four weeks when the ladder's calls of one week are made or not."""
    house = world.stepper()
    book = house.book()
    decided = ladder(book, house.capacity, 0)
    points = decided.point[np.isin(decided.arm, CALLS)]
    placed = np.flatnonzero(house.state.placed[: np.searchsorted(world.nature.orders.issued, book.as_of)])
    asked = placed[np.isin(book.point, points) & (book.collectible_minor > 0) & (book.as_of - book.due > 14)]
    return float(world.effect(asked, 0, "call_service", horizon=4, draws=6).paid.mean())


def age_trap(*, quick: bool) -> str:
    """Where contacts do nothing, exposures without age look as if they helped."""
    spec = load_living("null")
    spec = replace(spec, company=replace(spec.company, customers=1000 if quick else 4000))
    world = LivingWorld(spec, 78, 30)
    house, policy = world.stepper(), RandomLog()
    watch = Watch(spec, world.nature.inboxes.count)
    kept: list[tuple[np.ndarray, ...]] = []
    while house.week < world.nature.start_week + world.weeks:
        book, week = house.book(), house.week
        watch.see(book)
        row = overdue_rows(book)
        before = exposure(watch, row, spec.rules.listed_before_days)
        house.apply(policy(book, house.capacity, week))
        after = house.book()
        watch.see(after)
        seen = before + watch.kernel[0] * watch.past[0][row.point]
        kept.append((seen, age_bin(row.weeks), np.full(row.point.size, month_phase(week)),
                     after.paid_day[row.invoice] != NEVER))  # fmt: skip
    seen, bins, phase, paid = (np.concatenate(column) for column in zip(*kept, strict=True))
    arms = [ARM[name] for name in SHOWN]
    common = [phase == 1, phase == 2, seen[:, arms]]
    ages = [bins == each for each in range(bins.max() + 1)]
    means = {}
    for label, design in (
        ("without age", np.column_stack([np.ones(paid.size), *common])),
        ("with an age dummy per week", np.column_stack([*ages, *common])),
    ):
        weights, _ = logistic_with_errors(design.astype(float), paid.astype(float))
        means[label] = float(weights[-len(arms) :].mean())
    return "## The age trap, world `null` (true effect 0)\n\n" + table(
        ("learner", "mean estimated effect, log-odds", "expected"),
        [["without age", f"{means['without age']:+.3f}", "far from 0 (the trap bites; the prototype had +.24)"],
         ["with an age dummy per week", f"{means['with an age dummy per week']:+.3f}", "near 0"]],
    )  # fmt: skip


def replays(*, quick: bool) -> str:
    """``effect`` (some customers run again) against running the whole house again, on other futures."""
    draws = 20 if quick else 150
    spec = load_living("base")
    spec = replace(
        spec, company=replace(spec.company, customers=400), people=replace(spec.people, deviate=0.0, absent=0.0)
    )
    world = LivingWorld(spec, 5, 8)
    house = world.stepper()
    book = house.book()
    points = np.flatnonzero(book.allowed[:, ARM["call_service"]])[:25]
    placed = np.flatnonzero(house.state.placed[: np.searchsorted(world.nature.orders.issued, book.as_of)])
    asked = placed[np.isin(book.point, points) & (book.collectible_minor > 0)]
    quick_way = world.effect(asked, 0, "call_service", draws=draws).paid
    whole = np.zeros((draws, asked.size))
    for future in range(draws):
        for arm, sign in (("call_service", 1.0), ("none", -1.0)):
            one = house.copied(future=1000 + future)
            one.apply(surely(points, np.full(points.size, ARM[arm])), people=False)
            for _ in range(6):
                one.apply(none(one.book(), one.capacity, 0), people=False)
            whole[future] += sign * (
                (one.state.paid[asked] != NEVER) & (one.state.paid[asked] < (house.week + 6) * 7 - 3)
            )
    per_future = whole.mean(axis=1)
    error = float(per_future.std(ddof=1) / np.sqrt(draws)) * np.sqrt(2)
    gap = float(quick_way.mean() - per_future.mean())
    return "## `effect` against replays of the whole house\n\n" + table(
        ("futures", "invoices", "effect of a call, paid in 6 weeks", "replays", "difference in s.e. (goal: within 2)"),
        [[str(draws), str(asked.size), f"{quick_way.mean():+.4f}", f"{per_future.mean():+.4f}", f"{gap / error:+.1f}"]],
    )  # fmt: skip
