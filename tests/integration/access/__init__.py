"""Who gets where: every route, socket and command asked by everybody, against a committed table.

``routes`` finds what can be asked for. A *recipe* says for each how it is asked, on whose
object, and who is meant to get in. ``asking`` asks as everybody of the ``cast``, each time in a
savepoint that is rolled back. The result must be ``docs/security/access-matrix.csv``;
``make access-matrix`` writes it.

Who adds a route adds its recipe to one of the ``recipes_*`` modules here:

    @recipe("POST /passes/{contact_id}/cancel/", Action.CONTACT_CANCEL, of=OPERATING)
    def cancel_a_contact(scene):
        return Ask(path={"contact_id": scene.contact().pk})

It makes the object so that the act succeeds for whom it is granted: a refusal for another reason
than a missing right fails the test. Then run ``make access-matrix`` and read the difference.
"""
