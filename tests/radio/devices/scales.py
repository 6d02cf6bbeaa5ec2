"""Scales: one with users and their consent, and one that only broadcasts."""
import asyncio
import struct

from bumble import att
from bumble.core import AdvertisingData
from bumble.gatt import Service

from devices.base import INDICATE, NOTIFY, READ, WRITE, read_stamp, stamp, uuid
from devices.keeper import Keeper


def kilograms(raw):
    return f'{raw // 200}.{raw % 200 * 5:03} kg'


def tenths(raw, unit):
    return f'{raw // 10}.{raw % 10} {unit}'


class Scale(Keeper):
    """As Beurer's BF 720: shows a passkey, and tells a user's weighings after that user's consent. Weight and composition come
    after one another; the composition in two packets, or as Beurer's in one."""

    pairs_by = 'random'
    secure = True
    tells = 0x2A9D
    split = True
    # Refused codes that it takes before it takes none.
    patience = 3

    def __init__(self, air):
        self.codes = {1: 1234, 2: 4321}
        self.consented = set()
        self.refused = 0
        self.clock = None
        super().__init__(air, 'scale', 'C0:FF:EE:05', 'BF720', [0x181B, 0x181D])
        made = self.characteristic
        self.device.add_services(
            [
                Service(uuid(0x181D), [made(0x2A9D, INDICATE), made(0x2A9E, READ, bytes([0x3E, 0, 0, 0]))]),
                Service(uuid(0x181B), [made(0x2A9C, INDICATE), made(0x2A9B, READ, bytes([0x9A, 0x3B, 0, 0]))]),
                Service(
                    uuid(0x181C),
                    [
                        made(0x2A9F, WRITE | INDICATE, write=self.asked),
                        made(0x2A99, READ | NOTIFY, bytes(4)),
                        made(0x2A9A, READ, read=lambda: bytes([max(self.consented, default=0xFF)])),
                    ],
                ),
                Service(uuid(0x1805), [made(0x2A2B, READ | WRITE, read=lambda: bytes(10), write=self.set_clock)]),
                *self.about('Beurer', 'BF720'),
            ]
        )

    async def set_clock(self, octets):
        self.demand()
        self.clock = read_stamp(octets).isoformat()
        await self.reached('clock')

    async def asked(self, octets):
        self.demand()
        if not self.subscribed.get(0x2A9F):
            raise att.ATT_Error(0xFD)
        match list(octets):
            case [2, user, low, high]:
                right = self.refused < self.patience and self.codes.get(user) == low | high << 8
                self.refused = 0 if right else self.refused + 1
                code = 1 if right else 5
            case [2, *_]:
                user, code = None, 3
            case _:
                user, code = None, 2
        self.later(self.answer(self.connection, octets[0] if octets else 0, code, user))

    async def answer(self, connection, asked, code, user):
        await self.reached('consent')
        await self.indicate(connection, 0x2A9F, bytes([0x20, asked, code]))
        if code == 1:
            self.consented.add(user)
            self.ready()

    def went(self):
        super().went()
        self.consented.clear()

    def tellable(self, record):
        return record['reading'][0]['slot'] in self.consented and self.subscribed.get(0x2A9C)

    def record(self, n, at, user=1):
        weight, fat, lean, water = 14000 + n * 7 % 3001, 181 + n % 97, 8400 + n * 3 % 901, 7000 + n % 701
        octets = struct.pack('<BH', 0x0E, weight) + stamp(at) + struct.pack('<BHH', user, 209 + n % 60, 1830)
        first, more = struct.pack('<HH', 6879, 407), struct.pack('<H', 4520)
        if self.split:
            composition = [
                struct.pack('<HH', 0x1098, fat) + first + struct.pack('<H', lean),
                struct.pack('<HHH', 0x1300, fat, water) + more,
            ]
        else:
            composition = [struct.pack('<HH', 0x0398, fat) + first + struct.pack('<HH', lean, water) + more]
        said = [
            {
                'values': {
                    'body-weight': kilograms(weight),
                    'body-mass-index': tenths(209 + n % 60, 'kg/m2'),
                    'body-height': '1.830 m',
                },
                'stamp': at.isoformat(),
                'slot': user,
                'doubts': [],
            },
            {
                'values': {
                    'body-fat': tenths(fat, '%'),
                    'soft-lean-mass': kilograms(lean),
                    'body-water-mass': kilograms(water),
                },
                'doubts': [],
            },
        ]
        parts = [['2A9D', octets.hex().upper()]] + [['2A9C', part.hex().upper()] for part in composition]
        return {'octets': parts, 'reading': said}


class Broadcaster(Keeper):
    """As Xiaomi's Mi Scale: it is never connected to, and says to everybody what stands on it. On the way, settled for as long
    as somebody stands there, and gone; then it falls silent."""

    # Seconds.
    settling = 0.5
    stands = 3
    leaving = 0.5

    def __init__(self, air):
        self.frame = None
        super().__init__(air, 'mi', 'C0:FF:EE:06', 'MI_SCALE', [0x181D])
        self.device.add_services(self.about('Xiaomi', 'Mi Scale'))
        self.controller.le_legacy_advertiser.on_heard = self.heard

    def record(self, n, at):
        weight = 11000 + n * 11 % 4001
        octets = struct.pack('<BH', 0x22, weight) + stamp(at)
        said = {'values': {'body-weight': kilograms(weight)}, 'stamp': at.isoformat(), 'doubts': []}
        return {'octets': [['adv:181D', octets.hex().upper()]], 'reading': said}

    def show(self):
        super().show()
        advertiser = self.controller.le_legacy_advertiser
        if self.frame:
            said = (AdvertisingData.SERVICE_DATA_16_BIT_UUID, struct.pack('<H', 0x181D) + self.frame)
            advertiser.advertising_data += bytes(AdvertisingData([said]))

    def ready(self):
        if self.task is None or self.task.done():
            self.task = self.later(self.weigh())

    def went(self):
        """Weighing goes on, whoever was connected."""

    async def weigh(self):
        while self.records:
            settled = bytes.fromhex(self.records[0]['octets'][0][1])
            flags, weight = settled[0], struct.unpack('<H', settled[1:3])[0]
            for frame, seconds in [
                (bytes([0x02]) + struct.pack('<H', weight - 62) + settled[3:], self.settling),
                (settled, self.stands),
                (bytes([flags | 0x80]) + settled[1:], self.leaving),
            ]:
                self.frame = frame
                self.show()
                self.advertise(True)
                await asyncio.sleep(seconds)
            self.records.pop(0)
        self.frame = None
        self.advertise(False)
        self.show()

    def heard(self):
        """A hub that scans was reached by what is said now."""
        if self.frame and self.frame[0] == 0x22 and not any(told['n'] == self.records[0]['n'] for told in self.said):
            self.tell('adv:181D', self.frame, False, self.records[0])
