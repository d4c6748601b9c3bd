"""client: muster's protocol in Python, to be read beside README.md; [M..] are its rules.
    client.py put KEY VALUE | get KEY | watch KEY | lock NAME COMMAND...   (the broker: MUSTER_BROKER)"""
import math, msgpack, os, random, signal, subprocess, sys, uuid, zmq
from time import monotonic as now

class Client:
    def __init__(self, broker):
        self.broker, self.id, self.last, self.heard = broker, str(uuid.uuid4()), 0, now()
        self.context = zmq.Context()
        self.waiting, self.answers, self.welcome = {}, {}, {}  # by number: what was asked; answered
        self.connect()
    def connect(self):  # [M8]: hello, then all that is unanswered, under its number [M13]
        assert now() < self.heard + 1800, "away for too long: the broker may have forgotten us"  # [M10]
        self.dealer, self.ping_at = self.context.socket(zmq.DEALER), now() + 2
        self.dealer.linger = 0
        self.dealer.connect(self.broker)
        self.hello = self.send("session.hello", {"client_id": self.id, "kind": "client"}, keep=False)
        for no, request in self.waiting.items(): self.send(*request, no)
    def send(self, verb, body, options={}, no=None, keep=True):
        no, self.last = no or self.last + 1, max(self.last, no or self.last + 1)
        if keep: self.waiting[no] = verb, body, options
        header = [1, verb, no, {**options, "acked": min(self.waiting, default=no) - 1}]  # [M14]
        self.dealer.send_multipart([msgpack.packb(header), msgpack.packb(body)])  # [M1]
        return no
    def step(self, seconds, *others):  # takes an answer, if one comes; tells which others are ready
        if now() >= self.ping_at:  # [M12]
            self.ping_at = now() + 2
            self.connect() if now() > self.heard + 8 else self.send("session.ping", {}, keep=False)
        ready = zmq.select([self.dealer, *others], [], [], seconds)[0]
        if self.dealer in ready:
            (_, kind, no), body = map(msgpack.unpackb, self.dealer.recv_multipart())
            self.heard, past = now(), self.welcome
            if kind == "error" and body["code"] == "hello": self.connect()
            elif kind == "reply" and no == self.hello:
                self.welcome = body
                assert past.get("history") != body["history"] or past["epoch"] <= body["epoch"]  # [M11]
            elif kind != "more" and self.waiting.pop(no, None):  # [M6]
                self.answers[no] = {**body, "failed": kind == "error"}
        return ready
    def ask(self, verb, body):
        no = self.send(verb, body)
        while no not in self.answers: self.step(1)
        return sys.exit(self.answers[no]["message"]) if self.answers[no]["failed"] else self.answers[no]

def watch(client, topic, deliver):  # [M18], [M19]: the state, then every change after it
    seen, want, history, welcome, read, read_at, sync, sync_at = 0, 1, "", {}, None, 0, None, 0
    sub = client.context.socket(zmq.SUB)
    sub.subscribe(topic)
    while True:
        ready, items, rev = client.step(0.2, sub), [], seen
        if client.welcome is not welcome:
            welcome or sub.connect(f"{client.broker.rsplit(':', 1)[0]}:{client.welcome['notices_port']}")
            welcome, sync_at = client.welcome, 0
        if sub in ready:
            n = msgpack.unpackb(sub.recv_multipart()[1])
            if n["history"] != history: want = math.inf  # what was seen says nothing any more
            elif n["prev"] <= seen and want <= seen: items, rev = n["items"], n["rev"]
            else: want = max(want, n["rev"])
        if a := client.answers.pop(sync, None):
            sync, sync_at = None, now() + random.uniform(4, 6)
            if a["history"] != history: want = math.inf
            elif a["behind"]: want = max(want, a["rev"])
            else: seen = max(seen, a["rev"])
        if (a := client.answers.pop(read, None)) and a["failed"]: read, read_at = None, now() + 0.5
        elif a:
            seen, history, items, rev = 0 if a["reset"] else seen, a["history"], a["items"], a["rev"]
            read, want = None, rev + 1 if a["cut"] else 0 if want == math.inf else want
        for item in items: item["rev"] > seen and deliver(item)
        seen = max(seen, rev)
        if not read and want > seen and now() >= read_at:
            body = {"topic": topic, "history": history, "after": seen}
            read = client.send("watch.read", body, {} if want == math.inf else {"at_least": want})
        if not sync and history and now() >= sync_at:
            sync = client.send("watch.sync", {"history": history, "topics": {topic: seen}})

def lock(client, name, command, ttl=15):  # [M21], [M22]: the command ends before the lease does
    sent = kept = now()
    session = {"id": client.ask("session.open", {"name": "client.py", "ttl_ms": ttl * 1000})["id"]}
    wanted = client.send("lock.acquire", {"name": name, "session": session["id"]})
    alive, child, welcome = None, None, client.welcome
    while not child or child.poll() is None:
        client.step(0.1)
        if a := client.answers.pop(wanted, None):
            child = sys.exit(a["message"]) if a["failed"] else subprocess.Popen(command, start_new_session=True)
        if a := client.answers.pop(alive, None):
            alive, kept = None, sent if not a["failed"] else 0 if a["code"] == "not_found" else kept
        if not alive and (client.welcome is not welcome or now() > sent + ttl / 3):
            verb = "session.keepalive" if welcome is client.welcome else "session.attach"
            sent, welcome, alive = now(), client.welcome, client.send(verb, session)
        if now() > kept + ttl * 2 / 3:
            sys.exit(child and os.killpg(child.pid, signal.SIGKILL) or "the lease is lost")
    sys.exit(client.ask("session.end", session) and child.returncode)

client, (verb, *args) = Client(os.environ.get("MUSTER_BROKER", "tcp://127.0.0.1:7700")), sys.argv[1:]
if verb == "put": client.ask("kv.put", {"key": args[0], "value": args[1].encode()})
if verb == "get": print(client.ask("kv.get", {"key": args[0]})["value"].decode())
if verb == "watch": watch(client, f"key:{args[0]}\0", lambda item: item["body"] and print(
    item["rev"], msgpack.unpackb(item["body"])["value"].decode(), flush=True))
if verb == "lock": lock(client, args[0], args[1:])
