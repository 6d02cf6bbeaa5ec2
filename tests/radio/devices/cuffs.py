"""Blood pressure monitors."""
import asyncio
import datetime
import struct

from bumble.gatt import Service

from devices.base import INDICATE, READ, WRITE, now, read_stamp, stamp, uuid
from devices.keeper import Keeper


def values(n):
    """The n-th measurement's numbers, no two neighbours alike; the mean lies between the other two."""
    return {'systolic': 117 + n % 71, 'diastolic': 66 + n % 31, 'mean': 97 + n % 19, 'pulse': 55 + n % 43}


def reading(n, at, **more):
    v = values(n)
    return {
        'values': {
            'systolic': f'{v["systolic"]} mm[Hg]',
            'diastolic': f'{v["diastolic"]} mm[Hg]',
            'mean-arterial-pressure': f'{v["mean"]} mm[Hg]',
            'pulse-rate': f'{v["pulse"]} /min',
        },
        'stamp': at.isoformat(),
        'doubts': [],
    } | more


class Cuff(Keeper):
    """Any cuff by the standard: it deletes what was confirmed."""

    def __init__(self, air, key='cuff', address='C0:FF:EE:01', name='Homecuff 7'):
        super().__init__(air, key, address, name, [0x1810])
        self.device.add_services(
            [
                Service(
                    uuid(0x1810),
                    [
                        self.characteristic(0x2A35, INDICATE),
                        self.characteristic(0x2A49, READ, bytes([0x24, 0])),
                        *self.more(),
                    ],
                ),
                *self.information(),
            ]
        )

    def more(self):
        return []

    def information(self):
        return self.about('Made-up Cuffs', 'Homecuff 7', serial=f'7{self.air.house:06}')

    def record(self, n, at):
        v = values(n)
        octets = bytes([0x16]) + struct.pack('<HHH', v['systolic'], v['diastolic'], v['mean'])
        octets += stamp(at) + struct.pack('<HH', v['pulse'], 0)
        return {'octets': [['2A35', octets.hex().upper()]], 'reading': reading(n, at)}


class Andcuff(Cuff):
    """As A&D's: bonded hubs only; a clock in its own service that can't be read, and 40 ms of rest after it was written; it
    shows itself for half a minute after a measurement, and hangs up by itself, also when a hub is slow."""

    secure = True
    rest_ms = 40
    # How long it waits for a subscription, and how long after its last record.
    patience = 10
    lingers = 0.5

    def __init__(self, air):
        self.clock_set = None
        self.ending = None
        super().__init__(air, 'and', 'C4:F3:12:02', f'A&D_UA-651BLE_1{air.house:05}')

    def more(self):
        return [self.characteristic(0x2A08, WRITE, write=self.set_clock)]

    def information(self):
        system = bytes.fromhex(f'C4F312FFFE{self.air.house:04X}02')[::-1]
        return self.about('A&D Medical', 'UA-651BLE', serial=f'51{self.air.house:05}', system=system)

    async def set_clock(self, octets):
        self.demand()
        self.clock_set = now()
        # On the scale of its stamps, which began when this began.
        self.skew = round((read_stamp(octets) - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)).total_seconds())
        await self.reached('clock')

    def measure(self, n, **more):
        fresh = super().measure(n, **more)
        self.advertise(True, 30)
        return fresh

    def came(self):
        self.end_after(self.patience)

    def went(self):
        super().went()
        if self.ending:
            self.ending.cancel()

    def end_after(self, seconds):
        if self.ending:
            self.ending.cancel()
        self.ending = asyncio.get_running_loop().call_later(seconds, self.fault, 'hang-up')

    async def on_subscribed(self, short):
        if self.clock_set is not None and now() - self.clock_set < self.rest_ms:
            # As its firmware does when it is not left alone: no word, and the link ends.
            self.say(f'was not left alone: {now() - self.clock_set} ms after its clock')
            self.subscribed[short] = False
            return
        await super().on_subscribed(short)

    async def run(self, connection):
        self.ending.cancel()
        await super().run(connection)

    def drained(self):
        self.advertise(False)
        self.end_after(self.lingers)


class Beurercuff(Cuff):
    """As Beurer's BM 85: pulse rate and status with the high octet first, a user without its flag, a mean pressure of 0; it
    forgets nothing, and tells all of it each time."""

    deletes = False

    def __init__(self, air):
        super().__init__(air, 'beurer', 'C0:FF:EE:03', 'BM85')

    def information(self):
        return self.about('Beurer', 'BM85')

    def record(self, n, at, user=0):
        v = values(n)
        octets = bytes([0x56]) + struct.pack('<HHH', v['systolic'], v['diastolic'], 0)
        octets += stamp(at) + struct.pack('>HBH', v['pulse'], user, 0)
        said = reading(n, at, slot=user)
        said['values']['mean-arterial-pressure'] = 'NaN'
        return {'octets': [['2A35', octets.hex().upper()]], 'reading': said}
