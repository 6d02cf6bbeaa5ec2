"""A device with a memory."""
import asyncio
import datetime

from devices.base import Peer, uuid


class Keeper(Peer):
    """Holds records, and tells them one after the other by indication once a hub has subscribed."""

    tells = 0x2A35
    # What was confirmed is gone.
    deletes = True
    # Between two records.
    gap = 0.03

    def __init__(self, *words):
        self.records, self.count, self.task = [], 0, None
        self.skew = 0
        self.began = self.shown()
        # A memory that is filled at once has an hour for it.
        self.last = self.began - datetime.timedelta(hours=1)
        super().__init__(*words)

    def holds(self):
        return self.records

    def shown(self):
        """What its clock shows, in UTC, if nobody set it otherwise."""
        shows = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.skew)
        return shows.replace(tzinfo=None, microsecond=0)

    def measure(self, n, **more):
        """Adds n records; gives back what they say."""
        fresh = []
        for n in reversed(range(n)):
            self.count += 1
            # One a second until now, each later than what it told before.
            self.last = max(self.last + datetime.timedelta(seconds=1), self.shown() - datetime.timedelta(seconds=n))
            fresh.append({'n': self.count} | self.record(self.count, self.last, **more))
        self.records += fresh
        self.changed()
        self.ready()
        return fresh

    def record(self, n, at):
        """The n-th record: `octets`, a list of characteristic and octets, and `reading`, what it says."""
        raise NotImplementedError

    def ready(self):
        able = self.connection and self.subscribed.get(self.tells) and (not self.secure or self.trusts())
        if able and (self.task is None or self.task.done()):
            self.task = self.later(self.run(self.connection))

    def went(self):
        if self.task:
            self.task.cancel()
        self.task = None

    async def run(self, connection):
        told = set()
        while record := next((r for r in self.records if r['n'] not in told and self.tellable(r)), None):
            told.add(record['n'])
            for short, octets in record['octets']:
                if not await self.indicate(connection, int(short, 16), bytes.fromhex(octets), record):
                    return
            if self.deletes and record in self.records:
                self.records.remove(record)
                self.changed()
            if await self.reached('confirmed'):
                return
            await asyncio.sleep(self.gap)
        self.last = max(self.last, self.shown())
        self.drained()

    def tellable(self, record):
        return True

    def drained(self):
        """All was told."""

    async def indicate(self, connection, short, octets, record=None):
        """Whether it was confirmed."""
        known = self.find(short)
        sent = asyncio.ensure_future(self.device.gatt_server.indicate_subscriber(connection, known, octets, force=True))
        try:
            # The octets are on the air.
            await asyncio.sleep(0)
            if await self.reached('sent'):
                return False
            await sent
        finally:
            sent.cancel()
        self.tell(short, octets, True, record)
        return True

    async def notify(self, connection, short, octets, record=None):
        await self.device.gatt_server.notify_subscriber(connection, self.find(short), octets, force=True)
        self.tell(short, octets, False, record)
        await self.reached('sent')

    def find(self, short):
        services = self.device.gatt_server.services
        return next(c for service in services for c in service.characteristics if c.uuid == uuid(short))
