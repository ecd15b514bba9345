import pytest, httpx, time, asyncio
from tests.integration.missioncontrol.events.served import served, bearer

def test_it(tmp_path):
    t=time.time()
    with served(tmp_path/"i") as p:
        print("up", time.time()-t)
        s=p.do("account", username="mei", organisation="lab-1", roles=["payload_member"])
        p.do("append", count=5)
        print(p.do("publish"))
        r=httpx.get(p.address+"/api/v1/events?after=-1&types=test.*", headers=bearer(s))
        print(r.status_code, r.text)
        with httpx.stream("GET", p.address+"/api/v1/events?after=-1", headers={**bearer(s),"Accept":"text/event-stream"}, timeout=3) as r:
            print(r.status_code, r.headers)
            n=0
            for line in r.iter_lines():
                print(line)
                n+=1
                if n==10:
                    p.do("append", count=1); t0=time.time(); p.do("publish")
                if n>24: print(time.time()-t0); break
        print(p.said()[-3000:])
