"""A device that answers everything wrong."""
import asyncio
import random

from bumble import att
from bumble.gatt import Service

from devices.base import INDICATE, NOTIFY, READ, WRITE, uuid
from devices.cuffs import Cuff


class Wrong(Cuff):
    """Calls itself a cuff. `way` says what it does wrong: errors (every request is refused), garbage (reads and values of any
    octets, of any length), lengths (measurements that end too early, or go on), or all of it, by the seed's dice."""

    deletes = False
    gap = 0.01
    # How many values it tells in each session.
    tells_most = 50

    def __init__(self, air):
        self.way = 'all'
        self.seed = 1
        self.dice = random.Random(1)
        # A name that would do something to a terminal, if it were let.
        super().__init__(air, 'wrong', 'C0:FF:EE:07', 'Cuff\x1b[31m\x07\u202egnorW')

    def came(self):
        self.dice = random.Random(f'{self.seed} {self.sessions}')

    def now(self):
        """What it does this time."""
        return self.dice.choice(['errors', 'garbage', 'lengths', 'right']) if self.way == 'all' else self.way

    def octets(self, most):
        return self.dice.randbytes(self.dice.choice([0, 1, self.dice.randrange(20), self.dice.randrange(most)]))

    def refuse(self):
        raise att.ATT_Error(self.dice.choice([1, 2, 3, 4, 6, 7, 8, 9, 0x0A, 0x0D, 0x0E, 0x11, 0x80, 0x9F, 0xFC, 0xFD, 0xFE, 0xFF]))

    def more(self):
        return [self.characteristic(0x2A52, WRITE | INDICATE, write=self.take)]

    def information(self):
        made = lambda short, properties: self.characteristic(short, properties, read=self.give, write=self.take)
        return [
            Service(uuid(0x180A), [made(short, READ) for short in (0x2A29, 0x2A24, 0x2A25, 0x2A23, 0x2A26)]),
            Service(uuid(0x180F), [made(0x2A19, READ | NOTIFY)]),
            Service(uuid(0x1805), [made(0x2A2B, READ | WRITE | NOTIFY)]),
        ]

    def give(self):
        if self.now() == 'errors':
            self.refuse()
        return self.octets(513)

    async def take(self, octets):
        if self.now() == 'errors':
            self.refuse()

    def on_cccd(self, connection, characteristic, value):
        if self.now() == 'errors':
            self.refuse()
        super().on_cccd(connection, characteristic, value)

    async def run(self, connection):
        """Its records among what is none."""
        for n in range(self.tells_most):
            right = bytes.fromhex(self.record(n + 1, self.began)['octets'][0][1])
            match self.now():
                case 'garbage':
                    octets = self.octets(200)
                case 'lengths':
                    octets = right[: self.dice.randrange(len(right))] if n % 3 else right + self.octets(30)
                case _:
                    octets = right
            short = self.dice.choice([0x2A35, 0x2A35, 0x2A35, 0x2A52])
            await self.indicate(connection, short, octets)
            await asyncio.sleep(self.gap)
