"""Django's PostgreSQL backend, telling the database for which organisations it works.

Row-level security (``missioncontrol.kernel.row_security``) then keeps the rows
of others out of every query, also out of those that forgot to.
"""
