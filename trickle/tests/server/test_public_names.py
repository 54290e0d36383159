import livepeer.trickle.server


def test_every_public_name_exists_and_the_names_are_sorted():
    names = livepeer.trickle.server.__all__
    assert names == sorted(names)
    assert all(hasattr(livepeer.trickle.server, name) for name in names)
