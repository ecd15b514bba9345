# ruff: noqa
"""What each rule of rules.yml must find (`semgrep test .ci/semgrep`); nothing here is ever run."""

# ruleid: no-evaluation
eval(text)
# ruleid: no-evaluation
exec(text)
# ruleid: no-object-deserialisation
pickle.loads(octets)
# ruleid: no-object-deserialisation
np.load(file, allow_pickle=True)
# ok: no-object-deserialisation
json.loads(octets)
# ruleid: no-templates-of-users
engine.from_string(text)
# ruleid: no-trusted-html
mark_safe(text)
# ok: no-trusted-html
format_html("<b>{}</b>", text)
# ruleid: no-sql-made-of-text
cursor.execute(f"SELECT {name} FROM t")
# ruleid: no-sql-made-of-text
cursor.execute("SELECT %s" % name)
# ok: no-sql-made-of-text
cursor.execute("SELECT %s", [name])
# ruleid: everybody-is-said-where-it-was-thought-about
with acting_for_everybody():
    pass
# ruleid: no-way-round-the-managers
QuerySet(Job)
# ruleid: no-shell
subprocess.run(text, shell=True)
# ruleid: no-unverified-tls
requests.get(url, verify=False)
# ruleid: no-weak-hashes
hashlib.md5(octets)
# ruleid: no-unverified-tokens
jwt.decode(token, options={"verify_signature": False})


# ruleid: no-exemption-from-csrf-or-the-gate
from django.views.decorators.csrf import csrf_exempt
