from duecourse.core.countries import countries


def test_countries_are_the_assigned_codes() -> None:
    assert len(countries()) == 250
    assert {"DE", "US", "GB", "TW", "XK"} <= countries()
    assert not {"EU", "UK", "UN", "ZZ", "XA", "de"} & countries()
