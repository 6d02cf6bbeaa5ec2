"""A virtual device: what it shows, what it holds, what it has told, and what goes wrong with it."""
import asyncio
import datetime
import secrets
import struct
import sys
import time
import types

from bumble import att, hci, smp
from bumble.core import AdvertisingData, UUID
from bumble.device import Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.host import Host
from bumble.keys import MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate

from devices.controller import HUNG_UP, SUPERVISION_TIMEOUT, DeviceController

STARTED = time.monotonic()
READ, WRITE, NOTIFY, INDICATE = (
    Characteristic.Properties.READ,
    Characteristic.Properties.WRITE,
    Characteristic.Properties.NOTIFY,
    Characteristic.Properties.INDICATE,
)

def now():
    """Milliseconds since the air began."""
    return round((time.monotonic() - STARTED) * 1000)


def uuid(short):
    return UUID.from_16_bits(short)


# The services that every device has: asked of these it is discovery.
DISCOVERY = (uuid(0x1800), uuid(0x1801))
SERVICE_CHANGED = 0x2A05
# A hub that unsubscribes waits for the answer no longer, on a machine that may be busy.
LATE_MS = 500


def stamp(at):
    """The seven octets of a date and time."""
    return struct.pack('<HBBBBB', at.year, at.month, at.day, at.hour, at.minute, at.second)


def read_stamp(octets):
    return datetime.datetime(*struct.unpack('<HBBBBB', octets[:7]))


class Delegate(PairingDelegate):
    """A person holds the device: its display is read by the test."""

    def __init__(self, peer, can):
        super().__init__(can)
        self.peer = peer

    async def generate_passkey(self):
        self.peer.shows = self.peer.passkey if self.peer.passkey is not None else secrets.randbelow(1_000_000)
        self.peer.say(f'shows passkey {self.peer.shows:06}')
        self.peer.changed()
        return self.peer.shows

    async def display_number(self, number, digits):
        pass

    async def accept(self):
        await self.peer.reached('pairing')
        return self.peer.pairs


class Peer:
    """The base of all devices.

    Stages, in the order in which they are reached: connected, discovering, discovered, pairing, encrypted, clock, consent,
    subscribed, racp, sent, confirmed. A fault waits for the n-th time that one is reached."""

    # None: pairs by Just Works; a number: its passkey; 'random': shows another each time.
    pairs_by = None
    # Measurements are told to bonded hubs only.
    secure = False

    def __init__(self, air, key, address, name, services):
        """`address`: its first three octets, and the last."""
        self.air, self.key, self.name, self.services = air, key, name, services
        maker, last = address.rsplit(':', 1)
        address = f'{maker}:{air.house >> 8:02X}:{air.house & 0xFF:02X}:{last}'
        self.controller = DeviceController(key, air.link)
        host = Host()
        host.controller = self.controller
        configuration = DeviceConfiguration(name=name, address=hci.Address(address), irk=bytes(16))
        self.device = Device(config=configuration, host=host)
        self.device.keystore = MemoryKeyStore()
        self.address = address
        self.connection = None
        self.subscribed = {}
        self.faults = []
        self.sessions = 0
        self.deaths = 0
        self.said = []
        # The records that were told right before it was unsubscribed from.
        self.late = set()
        self.pairs = True
        self.passkey = self.pairs_by if isinstance(self.pairs_by, int) else None
        self.shows = None
        self.on = False
        self.off_again = None
        self.wrote = []
        passkey = PairingDelegate.IoCapability.DISPLAY_OUTPUT_ONLY
        can = PairingDelegate.IoCapability.NO_OUTPUT_NO_INPUT if self.pairs_by is None else passkey
        self.device.pairing_config_factory = lambda _: PairingConfig(
            sc=True, mitm=self.pairs_by is not None, bonding=True, delegate=Delegate(self, can)
        )
        self.device.on('connection', self.on_connection)
        server = self.device.gatt_server
        self.write_cccd, server.write_cccd = server.write_cccd, self.on_cccd
        self.gatt, server.on_gatt_pdu = server.on_gatt_pdu, self.on_pdu
        self.show()

    # What it is made of.

    def characteristic(self, short, properties, value=b'', read=None, write=None):
        """`read()` gives octets, `write(octets)` takes them; either may be a coroutine function."""
        permissions = Characteristic.READABLE if properties & READ else 0
        permissions |= Characteristic.WRITEABLE if properties & WRITE else 0
        if read or write:

            async def asked(_connection):
                return read()

            async def told(_connection, octets):
                self.wrote.append({'characteristic': f'{short:04X}', 'hex': octets.hex().upper(), 'ms': now()})
                self.say(f'{short:04X} <- {octets.hex()}')
                await write(octets)

            value = CharacteristicValue(read=asked if read else None, write=told if write else None)
        return Characteristic(uuid(short), properties, permissions, value)

    def about(self, maker, model, serial=None, system=None):
        """Device Information, and a battery."""
        known = [(0x2A29, maker.encode()), (0x2A24, model.encode())]
        known += [(0x2A25, serial.encode())] if serial else []
        known += [(0x2A23, system)] if system else []
        return [
            Service(uuid(0x180A), [self.characteristic(short, READ, value) for short, value in known]),
            Service(uuid(0x180F), [self.characteristic(0x2A19, READ, bytes([87]))]),
        ]

    def show(self):
        """What it advertises. Long names are in the scan response."""
        listed = b''.join(struct.pack('<H', service) for service in self.services)
        data = [(AdvertisingData.FLAGS, bytes([6]))]
        data += [(AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, listed)] if listed else []
        name = [(AdvertisingData.COMPLETE_LOCAL_NAME, self.name if isinstance(self.name, bytes) else self.name.encode())]
        advertiser = self.controller.le_legacy_advertiser
        advertiser.advertising_data = bytes(AdvertisingData(data))
        advertiser.scan_response_data = bytes(AdvertisingData(name))

    async def start(self):
        await self.device.power_on()

    # What a test sees.

    def say(self, text):
        print(f'{now():8} {self.key:8} {text}', file=sys.stderr, flush=True)

    def changed(self):
        self.air.changed()

    def state(self):
        connection = self.connection
        return {
            'address': self.address,
            'name': self.name if isinstance(self.name, str) else self.name.hex(),
            'advertising': self.on,
            'connected': connection is not None,
            'encrypted': bool(connection and connection.encryption),
            'subscribed': sorted(f'{short:04X}' for short, on in self.subscribed.items() if on),
            'bonds': len(self.device.keystore.all_keys),
            'sessions': self.sessions,
            'shows': None if self.shows is None else f'{self.shows:06}',
            'stalled': self.controller.stalled,
            'told': len(self.said),
            'holds': len(self.holds()),
            'faults': len(self.faults),
            'deaths': self.deaths,
            'late': sorted(self.late),
        }

    def holds(self):
        return []

    def tell(self, by, octets, confirmed, record=None):
        """It was handed over, as far as the device can know."""
        told = {'characteristic': by if isinstance(by, str) else f'{by:04X}', 'hex': octets.hex().upper(), 'confirmed': confirmed, 'ms': now()}
        # By the clock of whoever reads this: the test's.
        told['at_us'] = time.time_ns() // 1000
        self.said.append(told | {'session': self.sessions} | ({'n': record['n']} if record else {}))
        self.changed()

    # What it does by itself.

    def advertise(self, on, seconds=None):
        if self.off_again:
            self.off_again.cancel()
            self.off_again = None
        if on != self.on:
            self.say('shows itself' if on else 'is silent')
        self.on = on
        if on and seconds:
            self.off_again = asyncio.get_running_loop().call_later(seconds, self.advertise, False)
        if on and not self.connection:
            # As bumble's own would be; it goes with each connection.
            self.device.legacy_advertiser = types.SimpleNamespace(
                own_address_type=hci.OwnAddressType.RANDOM, auto_restart=False
            )
            self.controller.le_legacy_advertiser.start()
        else:
            self.controller.le_legacy_advertiser.stop()
        self.changed()

    def on_connection(self, connection):
        self.connection = connection
        self.sessions += 1
        self.subscribed = {}
        self.discovering = self.discovered = False
        self.say(f'connected, session {self.sessions}')
        connection.on('disconnection', self.on_disconnection)
        connection.on('pairing', lambda keys: self.say('paired') or self.changed())
        connection.on('pairing_failure', lambda why: self.say(f'pairing failed: {why}') or self.changed())
        connection.on('connection_encryption_change', self.on_encryption)
        self.changed()
        self.later(self.reached('connected'))
        self.came()

    def on_disconnection(self, reason):
        self.say(f'disconnected, reason 0x{reason:02X}')
        self.connection = None
        self.controller.stalled = False
        self.subscribed = {}
        self.shows = None
        self.went()
        if self.on:
            self.advertise(True)
        self.changed()

    def on_encryption(self):
        self.say(f'encrypted: {self.connection.encryption}')
        self.changed()
        self.later(self.encrypted())

    async def encrypted(self):
        if not await self.reached('encrypted'):
            self.ready()

    def trusts(self):
        """Whether the link is as safe as this device demands."""
        if not self.connection or not self.connection.encryption:
            return False
        if self.pairs_by is None:
            return True
        session = self.device.smp_manager.sessions.get(self.connection.handle)
        if session and session.pairing_method != smp.PairingMethod.JUST_WORKS:
            return True
        return any(keys.ltk and keys.ltk.authenticated for keys in self.device.keystore.all_keys.values())

    def demand(self):
        if self.secure and not self.trusts():
            raise att.ATT_Error(att.ATT_INSUFFICIENT_AUTHENTICATION_ERROR)

    def on_pdu(self, connection, pdu):
        """Everything that the hub asks by ATT."""
        name = pdu.name.lower()
        if 'mtu' not in name and not self.discovering:
            self.discovering = True
            self.later(self.then('discovering', connection, pdu))
        elif 'read_request' in name or 'write_request' in name:
            attribute = self.device.gatt_server.get_attribute(pdu.attribute_handle)
            health = attribute is not None and any(
                service.handle <= attribute.handle <= service.end_group_handle
                for service in self.device.gatt_server.services
                if service.uuid not in DISCOVERY
            )
            if health and not self.discovered:
                self.discovered = True
                self.later(self.then('discovered', connection, pdu))
            else:
                self.gatt(connection, pdu)
        else:
            self.gatt(connection, pdu)

    async def then(self, stage, connection, pdu):
        if not await self.reached(stage) and self.connection is connection:
            self.gatt(connection, pdu)

    def on_cccd(self, connection, characteristic, value):
        short = int.from_bytes(characteristic.uuid.uuid_bytes[:2], 'little')
        if short == SERVICE_CHANGED:
            self.write_cccd(connection, characteristic, value)
            return
        self.demand()
        self.write_cccd(connection, characteristic, value)
        on = len(value) == 2 and value != bytes(2)
        self.subscribed[short] = on
        if not on:
            self.late |= {
                told['n']
                for told in self.said
                if told['confirmed'] and 'n' in told
                and told['characteristic'] == f'{short:04X}' and now() - told['ms'] < LATE_MS
            }
        self.say(f'{short:04X} {"subscribed" if on else "unsubscribed"}')
        self.changed()
        if on:
            # The answer goes first.
            self.later(self.on_subscribed(short))

    async def on_subscribed(self, short):
        if not await self.reached('subscribed'):
            self.ready()

    # What a kind of device adds.

    def came(self):
        """A hub has connected."""

    def went(self):
        """The link is gone."""

    def ready(self):
        """It may be able to tell by now."""

    # What goes wrong.

    def later(self, coroutine):
        async def run():
            try:
                await coroutine
            except Exception as error:
                self.say(f'failed: {error!r}')

        return asyncio.ensure_future(run())

    async def reached(self, stage):
        """Whether the link ends here."""
        due = None
        for fault in self.faults:
            if fault['at'] == stage and due is None:
                fault['nth'] -= 1
                if fault['nth'] <= 0:
                    due = fault
        if due:
            self.faults.remove(due)
            self.say(f'{due["do"]} at {stage}')
            self.fault(due['do'])
        return not self.controller.le_connections

    def fault(self, what):
        if what == 'flood':
            self.later(self.flood(self.connection))
            return
        match what:
            case 'drop':
                self.controller.end(SUPERVISION_TIMEOUT)
            case 'hang-up':
                self.controller.end(HUNG_UP)
            case 'stall':
                self.controller.stalled = True
            case 'go-on':
                self.controller.stalled = False
            case 'die':
                self.deaths += 1
                self.advertise(False)
                self.controller.end(SUPERVISION_TIMEOUT)
            case _:
                raise ValueError(f'no fault {what!r}')
        self.changed()

    async def flood(self, connection, n=1000):
        """So many values at once, without waiting for any confirmation. None of them is a reading."""
        for k in range(n):
            if self.connection is not connection:
                break
            self.send(bytes([0x1B]) + self.flooded.to_bytes(2, 'little') + k.to_bytes(4, 'little'))
            if k % 50 == 49:
                await asyncio.sleep(0)

    @property
    def flooded(self):
        """The handle of the first measurement."""
        services = self.device.gatt_server.services
        told = NOTIFY | INDICATE
        return next(c.handle for s in services if s.uuid not in DISCOVERY for c in s.characteristics if c.properties & told)

    def forget(self):
        """Its side of all bonds."""
        self.device.keystore.all_keys.clear()
        self.changed()

    def send(self, octets):
        """Any octets as an ATT packet, whether they make sense or not."""
        self.device.send_l2cap_pdu(self.connection.handle, att.ATT_CID, octets)

    def change_keys(self):
        """It believes to know the hub, and is wrong."""
        for keys in self.device.keystore.all_keys.values():
            for key in (keys.ltk, keys.ltk_central, keys.ltk_peripheral):
                if key:
                    key.value = secrets.token_bytes(16)
