"""A glucose meter with a memory."""
import asyncio
import datetime
import struct

from bumble import att
from bumble.gatt import Service

from devices.base import INDICATE, NOTIFY, READ, WRITE, stamp, uuid
from devices.keeper import Keeper

# Operations, operators and answers of the Record Access Control Point.
REPORT, DELETE, ABORT, COUNT, COUNTED, ANSWER = 1, 2, 3, 4, 5, 6
ALL, UP_TO, FROM, WITHIN, FIRST, LAST = 1, 2, 3, 4, 5, 6
DONE, NO_OPERATION, BAD_OPERATOR, NO_OPERATOR, BAD_OPERAND, NOTHING, NOT_COMPLETED, NO_OPERAND = 1, 2, 3, 4, 5, 6, 8, 9
IN_PROGRESS, BADLY_SUBSCRIBED = 0xFE, 0xFD


class Meter(Keeper):
    """As Roche's Accu-Chek Guide: a passkey is printed on it; type 8, location 15, status always. Its owner's clock is an hour
    ahead of its base time. It forgets nothing."""

    pairs_by = 438271
    secure = True
    deletes = False
    # A record and its context in every second connection event. The kernel's queue to bluetoothd would hold some 200 values
    # (net.core.rmem_default) without deploy/bluetooth/sysctl.d, and bluetoothd in this machine takes some 200 a second.
    gap = 0.015
    # Whether it knows "from this number on".
    knows_from = True
    # Tells the newest first, or each record twice.
    newest_first = False
    twice = False
    # The context before its measurement.
    context_first = False

    def __init__(self, air):
        self.sequence = 1
        # Of the next request: how many records it tells, and its answer then.
        self.trouble = None
        serial = f'100{air.house:05}'
        super().__init__(air, 'meter', 'C0:FF:EE:04', f'meter+{serial}', [0x1808])
        self.device.add_services(
            [
                Service(
                    uuid(0x1808),
                    [
                        self.characteristic(0x2A18, NOTIFY),
                        self.characteristic(0x2A34, NOTIFY),
                        self.characteristic(0x2A51, READ, bytes([0xFF, 0x07])),
                        self.characteristic(0x2A52, WRITE | INDICATE, write=self.asked),
                    ],
                ),
                *self.about('Roche', '925', serial=serial),
            ]
        )

    def record(self, n, at):
        sequence, self.sequence = self.sequence, (self.sequence + 1) & 0xFFFF
        value, meal = 70 + n % 211, 1 + n % 5
        base = at - datetime.timedelta(hours=1)
        octets = struct.pack('<BH', 0x1B, sequence) + stamp(base)
        octets += struct.pack('<hHBH', 60, 0xB000 | value, 0xF8, 0)
        context = struct.pack('<BHB', 0x02, sequence, meal)
        said = {
            'values': {'glucose': f'{value} mg/dL'},
            'sample': {'type': 8, 'location': 15},
            'sequence': sequence,
            'stamp': at.isoformat(),
            'meal': meal,
            'doubts': [],
        }
        return {'octets': [['2A18', octets.hex().upper()], ['2A34', context.hex().upper()]], 'reading': said}

    def ready(self):
        """It speaks when it is asked."""

    async def asked(self, octets):
        self.demand()
        if not self.subscribed.get(0x2A52) or not self.subscribed.get(0x2A18):
            raise att.ATT_Error(BADLY_SUBSCRIBED)
        running = self.task is not None and not self.task.done()
        if running and octets[:1] != bytes([ABORT]):
            raise att.ATT_Error(IN_PROGRESS)
        if running:
            self.task.cancel()
        self.task = self.later(self.answer(self.connection, octets))

    async def answer(self, connection, octets):
        await self.reached('racp')
        match list(octets):
            case [1, operator, *operand]:
                code = await self.report(connection, operator, bytes(operand))
                said = bytes([ANSWER, 0, REPORT, code])
            case [4, operator, *operand]:
                code, chosen = self.choose(operator, bytes(operand))
                done = code in (DONE, NOTHING)
                said = struct.pack('<BBH', COUNTED, 0, len(chosen)) if done else bytes([ANSWER, 0, COUNT, code])
            case [3, *_]:
                said = bytes([ANSWER, 0, ABORT, DONE])
            case [operation, *_]:
                # Deleting, too: nobody must ask for it.
                said = bytes([ANSWER, 0, operation, NO_OPERATION])
            case _:
                said = bytes([ANSWER, 0, 0, NO_OPERATION])
        await self.indicate(connection, 0x2A52, said)
        await self.reached('confirmed')

    def choose(self, operator, operand):
        """The answer's code, and the records."""
        records = list(self.records)
        if operator in (FROM, UP_TO, WITHIN) and not (self.knows_from or operator != FROM):
            return NO_OPERATOR, []
        wanted = {ALL: 0, FIRST: 0, LAST: 0, FROM: 3, UP_TO: 3, WITHIN: 5}.get(operator)
        if wanted is None:
            return BAD_OPERATOR if operator == 0 else NO_OPERATOR, []
        if wanted and operand[:1] != b'\x01':
            return NO_OPERAND, []
        if len(operand) != wanted:
            return BAD_OPERAND, []
        limits = struct.unpack(f'<{wanted // 2}H', operand[1:])
        number = lambda record: record['reading']['sequence']
        match operator:
            case 2:
                records = [record for record in records if number(record) <= limits[0]]
            case 3:
                records = [record for record in records if number(record) >= limits[0]]
            case 4:
                records = [record for record in records if limits[0] <= number(record) <= limits[1]]
            case 5:
                records = records[:1]
            case 6:
                records = records[-1:]
        return (DONE if records else NOTHING), records

    async def report(self, connection, operator, operand):
        code, chosen = self.choose(operator, operand)
        if self.newest_first:
            chosen.reverse()
        if self.twice:
            chosen = [record for record in chosen for _ in range(2)]
        trouble, self.trouble = self.trouble, None
        if trouble and code == DONE:
            chosen, code = chosen[: trouble['after']], trouble['code']
        for record in chosen:
            parts = record['octets'][::-1] if self.context_first else record['octets']
            for short, octets in parts:
                if self.subscribed.get(int(short, 16)):
                    await self.notify(connection, int(short, 16), bytes.fromhex(octets), record)
            await asyncio.sleep(self.gap)
        return code
