"""A planted binding site is found: its motif, its distance and its share of the genes."""

import numpy as np
import pytest

from genoformer.decoding.binding_site import (
    MOTIF_BP,
    SITE_FIRST,
    SITE_LAST,
    WINDOW_BP,
    BindingSite,
    find_site,
    site_odds,
)

SITE = np.array([0, 2, 2, 0, 2, 2])  # AGGAGG
PLACE = 7


def planted(rng, n=3000, share=0.7):
    windows = rng.choice(4, size=(n, WINDOW_BP), p=[0.3, 0.2, 0.2, 0.3]).astype(np.uint8)
    has = rng.random(n) < share
    shift = PLACE + rng.choice([-1, 0, 1], size=n, p=[0.2, 0.6, 0.2])
    for i in np.flatnonzero(has):
        windows[i, shift[i] : shift[i] + MOTIF_BP] = np.where(rng.random(MOTIF_BP) < 0.9, SITE, windows[i, :MOTIF_BP])
    return windows, has


def test_planted_site_is_found_from_a_part_of_it():
    windows, has = planted(np.random.default_rng(0))
    site = find_site(windows, SITE[:5])
    assert site.motif.argmax(axis=1).tolist() == SITE.tolist()
    assert site.place.argmax() == PLACE and site.place[PLACE] == pytest.approx(0.6, abs=0.08)
    assert site.place.sum() == pytest.approx(1) and len(site.place) == SITE_LAST - SITE_FIRST + 1
    assert site.share == pytest.approx(0.7, abs=0.06)
    odds = np.array([site_odds(window, site.motif, site.place, site.share) for window in windows])
    assert np.mean((odds > 0) == has) > 0.93


def test_background_alone_has_no_strong_site():
    windows, _ = planted(np.random.default_rng(1), share=0.0)
    site = find_site(windows, SITE[:5])
    odds = [site_odds(window, site.motif, site.place, site.share) for window in windows]
    assert np.mean(odds) < 0.05 and np.quantile(odds, 0.95) < 2


def test_order_of_the_windows_does_not_matter():
    rng = np.random.default_rng(2)
    windows, _ = planted(rng, n=400)
    one, two = find_site(windows, SITE), find_site(rng.permutation(windows), SITE)
    assert one.motif.tobytes() == two.motif.tobytes() and one.share == two.share


def test_odds_are_those_of_the_mixture():
    rng = np.random.default_rng(3)
    place = rng.dirichlet(np.ones(SITE_LAST - SITE_FIRST + 1))
    site = BindingSite(rng.normal(size=(MOTIF_BP, 4)), place, 0.4)
    window = rng.integers(0, 4, WINDOW_BP, dtype=np.uint8)
    window[9] = 4
    total = 0.6
    for p, chance in enumerate(place):
        bases = window[p : p + MOTIF_BP]
        if (bases < 4).all():
            total += 0.4 * chance * np.exp(sum(site.motif[i, base] for i, base in enumerate(bases)))
    assert site_odds(window, site.motif, site.place, site.share) == pytest.approx(np.log(total))


def test_many_windows_are_thinned_evenly(monkeypatch):
    windows, _ = planted(np.random.default_rng(4))
    whole = find_site(windows, SITE)
    monkeypatch.setattr("genoformer.decoding.binding_site.MAX_WINDOWS", 1000)
    thinned = find_site(windows, SITE)
    assert thinned.share == pytest.approx(whole.share, abs=0.05)
    assert thinned.motif.argmax(axis=1).tolist() == SITE.tolist()
